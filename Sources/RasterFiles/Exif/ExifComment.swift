import Raster

/// The user's comment inside EXIF data, where other tools put what a JPEG was made with.
///
/// Source: CIPA DC-008 (EXIF), section 4.6.5 (tag 0x9286): eight bytes that name the character code, then the text.
enum ExifComment {
    private static let mostBytes = 1 << 20

    static let tag = 0x9286

    static func text(_ exif: [UInt8]) -> String? {
        guard let value = value(exif), value.count >= 8 else { return nil }
        let (code, bytes) = (value[..<8], Array(value[8...]))
        if code.starts(with: Array("UNICODE".utf8)) { return sixteen(bytes) }
        return String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Whether nothing is said: cameras leave room for a comment, of zeros or of spaces.
    static func isBlank(_ exif: [UInt8]) -> Bool {
        guard let tag = tag(exif) else { return true }
        return tag.count <= 8 || value(exif)?.dropFirst(8).allSatisfy { $0 == 0 || $0 == 0x20 } == true
    }

    /// As the web UI writes it and reads it, whatever order the data have: UTF-16, the high half first.
    static func value(of text: String) -> [UInt8] {
        Array("UNICODE\0".utf8) + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    }

    private static func tag(_ exif: [UInt8]) -> TagFile.Tag? {
        TagFile(exif).flatMap { file in
            file.directory(of: file.directory(at: file.first)?[TagFile.exifDirectory])?[tag]
        }
    }

    private static func value(_ exif: [UInt8]) -> [UInt8]? {
        tag(exif).flatMap { TagFile(exif)?.bytes($0, most: mostBytes) }
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
        self["parameters"] ?? comment
    }

    /// The user's comment in EXIF; nil where there is none, or one that cannot be read.
    package var comment: String? { exif.flatMap(ExifComment.text).flatMap { $0.isEmpty ? nil : $0 } }

    /// Whether there is no comment of anyone's, so that one may be written.
    package var hasRoomForComment: Bool { exif.map { ExifData($0) != nil && ExifComment.isBlank($0) } ?? true }

    /// Writes a comment in the place of the one that is there, or empties that.
    ///
    /// EXIF data are made where there are none. In those that are there no byte moves: what is new comes behind them.
    package mutating func setComment(_ text: String?) {
        var data = exif.flatMap(ExifData.init)
        if data == nil, exif == nil, text != nil { data = .empty }
        data?.note(ExifComment.value(of: text ?? ""))
        exif = data?.bytes ?? exif
    }
}
