import Raster

/// The user's comment inside EXIF data, where other tools put what a JPEG was made with.
///
/// Source: CIPA DC-008 (EXIF), section 4.6.5 (tag 0x9286): eight bytes that name the character code, then the text.
enum ExifComment {
    private static let mostBytes = 1 << 20

    static func text(_ exif: [UInt8]) -> String? {
        let isBigEndian = exif.starts(with: [0x4D, 0x4D, 0, 42])
        guard isBigEndian || exif.starts(with: [0x49, 0x49, 42, 0]) else { return nil }
        func number(_ place: Int, _ count: Int) -> Int? {
            guard place >= 0, place <= exif.count - count else { return nil }
            let bytes = exif[place..<place + count]
            return (isBigEndian ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | Int($1) }
        }
        func entry(_ tag: Int, in directory: Int) -> Int? {
            guard let count = number(directory, 2) else { return nil }
            return (0..<count).lazy.map { directory + 2 + $0 * 12 }.first { number($0, 2) == tag }
        }
        guard let first = number(4, 4), let pointer = entry(0x8769, in: first), let directory = number(pointer + 8, 4),
            let comment = entry(0x9286, in: directory), let length = number(comment + 4, 4),
            let place = number(comment + 8, 4), (8...mostBytes).contains(length), place <= exif.count - length,
            place >= 0
        else { return nil }
        let (code, bytes) = (Array(exif[place..<place + 8]), Array(exif[place + 8..<place + length]))
        if code.starts(with: Array("UNICODE".utf8)) { return sixteen(bytes) }
        return String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// UTF-16 without a word about its order: the half that is mostly zero in Western text is the high one.
    private static func sixteen(_ bytes: [UInt8]) -> String? {
        var zeros = (even: 0, odd: 0)
        for (i, byte) in bytes.enumerated() where byte == 0 {
            if i.isMultiple(of: 2) { zeros.even += 1 } else { zeros.odd += 1 }
        }
        let highFirst = zeros.even >= zeros.odd
        let units = stride(from: 0, to: bytes.count - 1, by: 2).map { (i: Int) -> UInt16 in
            let (first, second) = (UInt16(bytes[i]), UInt16(bytes[i + 1]))
            return highFirst ? first << 8 | second : second << 8 | first
        }
        return String(validating: units.prefix { $0 != 0 }, as: UTF16.self)
    }
}

extension PictureMetadata {
    /// What another tool wrote about how it made the picture: PNG's text `parameters`, or the user's comment in EXIF.
    package var parameters: String? {
        self["parameters"] ?? exif.flatMap(ExifComment.text)
    }
}
