import Raster

/// The user's comment inside EXIF data, where other tools put what a JPEG was made with.
///
/// Source: CIPA DC-008 (EXIF), section 4.6.5 (tag 0x9286): eight bytes that name the character code, then the text.
enum ExifComment {
    private static let mostBytes = 1 << 20

    static func text(_ exif: [UInt8]) -> String? {
        guard let file = TagFile(exif),
            let comment = file.directory(of: file.directory(at: file.first)?[0x8769])?[0x9286],
            let value = file.bytes(comment, most: mostBytes), value.count >= 8
        else { return nil }
        let (code, bytes) = (value[..<8], Array(value[8...]))
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
