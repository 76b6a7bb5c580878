import CodecShims
import Raster

/// How one named text is put into a PNG.
///
/// Source: PNG, sections 11.3.3.2 (tEXt: Latin-1) and 11.3.3.4 (iTXt: UTF-8); the keyword is Latin-1 of 1 to 79 bytes.
struct PNGText {
    /// The keyword under which XMP is stored. Source: XMP specification, part 3, section 1.1.5.
    static let xmpKeyword = "XML:com.adobe.xmp"

    let keyword: [CChar]
    let text: [CChar]
    let kind: codec_text_kind

    /// Nil when the keyword is not one that PNG can hold.
    init?(_ entry: PictureMetadata.Text) {
        guard let keyword = Self.latin1(entry.keyword), (1...79).contains(keyword.count),
            !keyword.contains(10), keyword.first != 32, keyword.last != 32
        else { return nil }
        self.keyword = Self.terminated(keyword)
        // Our own recipe is UTF-8 by contract, and compressed once it is long; what other tools read stays plain.
        let isOurs = entry.keyword == "velatura" || entry.keyword == Self.xmpKeyword
        if !isOurs, let text = Self.latin1(entry.text) {
            self.text = Self.terminated(text)
            kind = CODEC_TEXT_LATIN1
        } else {
            text = Self.terminated(Array(entry.text.utf8))
            let long = entry.keyword == "velatura" && text.count > 4096
            kind = long ? CODEC_TEXT_UTF8_COMPRESSED : CODEC_TEXT_UTF8
        }
    }

    /// Latin-1 bytes of printable text, or nil when some character has none.
    private static func latin1(_ text: String) -> [UInt8]? {
        var bytes = [UInt8]()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 9, 10, 13, 32...126, 160...255: bytes.append(UInt8(scalar.value))
            default: return nil
            }
        }
        return bytes
    }

    /// A C string; what lies behind a zero byte could not be written, so zero bytes are left out.
    private static func terminated(_ bytes: [UInt8]) -> [CChar] {
        bytes.filter { $0 != 0 }.map(CChar.init(bitPattern:)) + [0]
    }
}

/// Lends C texts for the length of `body`.
func withCTexts<Result>(_ texts: [PNGText], _ body: (UnsafeBufferPointer<codec_text>) -> Result) -> Result {
    // One block holds all strings, so that a single pointer keeps them alive.
    let block = texts.flatMap { $0.keyword + $0.text }
    return block.withUnsafeBufferPointer { block in
        var place = 0
        let entries = texts.map { text in
            let keyword = block.baseAddress.map { $0 + place }
            let body = block.baseAddress.map { $0 + place + text.keyword.count }
            place += text.keyword.count + text.text.count
            return codec_text(keyword: keyword, text: body, kind: text.kind)
        }
        return entries.withUnsafeBufferPointer(body)
    }
}
