/// Formats that are known by their first bytes and not read.
///
/// Source of the brands: ISO/IEC 23008-12 (HEIF), AV1 Image File Format 1.1.
package struct ForeignFormat: Hashable, Sendable {
    package let name: String
    /// What to do about it: a sentence.
    package let mend: String

    init?(content bytes: [UInt8]) {
        let text = String(decoding: bytes.map { (32...126).contains($0) ? $0 : 46 }, as: UTF8.self)
        func found(_ name: String, _ mend: String = "Save it as PNG, TIFF or JPEG first.") -> (String, String) {
            (name, mend)
        }
        let match: (String, String)?
        if text.dropFirst(4).hasPrefix("ftyp") {
            switch text.dropFirst(8).prefix(4) {
            case "heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1":
                match = found(
                    "HEIC", "Export it as JPEG or TIFF, or convert it: heif-convert NAME.heic NAME.png (libheif).")
            case "avif", "avis": match = found("AVIF", "Convert it first: avifdec NAME.avif NAME.png (libavif).")
            case "crx ": match = found("a camera's raw picture (CR3)", "Develop it to TIFF first.")
            default: match = nil
            }
        } else if text.hasPrefix("GIF8") {
            match = found("GIF")
        } else if text.hasPrefix("BM") {
            match = found("BMP")
        } else if text.hasPrefix("8BPS") {
            match = found("Photoshop's PSD")
        } else if text.hasPrefix("%PDF") {
            match = found("PDF")
        } else if bytes.starts(with: [0x76, 0x2F, 0x31, 0x01]) {
            match = found("OpenEXR", "Save it as a float TIFF first.")
        } else if bytes.starts(with: [0xFF, 0x0A]) || text.hasPrefix("....JXL ") {
            match = found("JPEG XL", "Convert it first: djxl NAME.jxl NAME.png.")
        } else if text.hasPrefix("....jP  ") || bytes.starts(with: [0xFF, 0x4F, 0xFF, 0x51]) {
            match = found("JPEG 2000")
        } else if text.hasPrefix("II*."), text.dropFirst(8).hasPrefix("CR") {
            match = found("a camera's raw picture (CR2)", "Develop it to TIFF first.")
        } else {
            match = nil
        }
        guard let match else { return nil }
        (name, mend) = match
    }
}
