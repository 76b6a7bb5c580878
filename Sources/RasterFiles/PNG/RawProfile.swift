import Raster

/// Metadata as hexadecimal text, as ImageMagick and exiftool put into PNG what had no chunk of its own: a line that names it,
/// the number of its bytes, lines of digits.
enum RawProfile {
    private static let heading = "Raw profile type "
    private static let lineBytes = 36

    /// Takes such texts out of a picture's, and puts what they hold where nothing else said it.
    static func resolve(_ metadata: inout PictureMetadata) {
        for entry in metadata.texts where entry.keyword.hasPrefix(heading) {
            guard let bytes = bytes(entry.text) else { continue }
            switch entry.keyword.dropFirst(heading.count).lowercased() {
            case "exif", "app1":
                if let exif = bytes.after(JPEGMarkers.exifHeading) {
                    metadata.exif = metadata.exif ?? exif
                } else if let xmp = bytes.after(JPEGMarkers.xmpHeading) {
                    metadata.xmp = metadata.xmp ?? xmp
                } else {
                    continue
                }
            case "xmp": metadata.xmp = metadata.xmp ?? bytes
            case "iptc", "8bim":
                let iptc = bytes.first == PhotoshopResources.iptcMark ? bytes : PhotoshopResources.iptc(bytes)
                guard let iptc else { continue }
                metadata.iptc = metadata.iptc ?? iptc
            default: continue
            }
            metadata.texts.removeAll { $0 == entry }
        }
    }

    /// The text that holds IPTC's data.
    static func text(iptc: [UInt8]) -> PictureMetadata.Text {
        let bytes = PhotoshopResources.holding(iptc: iptc)
        let digits = Array("0123456789abcdef".utf8)
        var text = Array("\niptc\n".utf8)
        let count = Array(String(bytes.count).utf8)
        text += [UInt8](repeating: 32, count: max(0, 8 - count.count)) + count
        for (place, byte) in bytes.enumerated() {
            if place.isMultiple(of: lineBytes) { text.append(10) }
            text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return .init(keyword: heading + "iptc", text: String(decoding: text + [10], as: UTF8.self))
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let lines = text.utf8.split(separator: 10)
        guard lines.count >= 3, let count = Int(String(Substring(lines[1])).filter { $0 != " " }), count > 0 else {
            return nil
        }
        var (bytes, high): ([UInt8], UInt8?) = ([], nil)
        for digit in lines[2...].joined() {
            let value: UInt8
            switch digit {
            case 48...57: value = digit - 48
            case 97...102: value = digit - 87
            case 65...70: value = digit - 55
            default: continue
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return bytes.count == count ? bytes : nil
    }
}
