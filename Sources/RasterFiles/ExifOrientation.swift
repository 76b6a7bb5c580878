import Raster

/// The orientation inside EXIF data.
///
/// EXIF is a TIFF file: a byte-order mark, 42, the place of the first directory; entries of 12 bytes each.
/// Source: CIPA DC-008 (EXIF), section 4.5; TIFF 6.0, section 2.
struct ExifOrientation {
    /// What the data says; upright where it says nothing or nonsense.
    let orientation: Orientation

    private let place: Int?
    private let isBigEndian: Bool

    init(_ exif: [UInt8]) {
        let bigEndian = exif.starts(with: [0x4D, 0x4D, 0, 42])
        let known = bigEndian || exif.starts(with: [0x49, 0x49, 42, 0])
        isBigEndian = bigEndian
        func number(_ place: Int, _ count: Int) -> Int? {
            guard place >= 0, place + count <= exif.count else { return nil }
            let bytes = exif[place..<place + count]
            return (bigEndian ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | Int($1) }
        }
        var found: (place: Int, orientation: Orientation)?
        if known, let directory = number(4, 4), let count = number(directory, 2) {
            for entry in 0..<count {
                let first = directory + 2 + entry * 12
                guard let tag = number(first, 2), let kind = number(first + 2, 2), let value = number(first + 8, 2)
                else { break }
                if tag == 0x0112, kind == 3 {
                    if let orientation = Orientation(rawValue: value) { found = (first + 8, orientation) }
                    break
                }
            }
        }
        place = found?.place
        orientation = found?.orientation ?? .upright
    }

    /// The same data saying "upright", for a picture whose pixels have been turned.
    func upright(_ exif: [UInt8]) -> [UInt8] {
        guard let place, orientation != .upright else { return exif }
        var copy = exif
        copy[place] = isBigEndian ? 0 : 1
        copy[place + 1] = isBigEndian ? 1 : 0
        return copy
    }
}
