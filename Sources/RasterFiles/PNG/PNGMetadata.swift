import CodecShims
import Raster

// PNG: https://www.w3.org/TR/png-3/

/// What a PNG says beside its samples.
enum PNGMetadata {
    static func read(_ reader: OpaquePointer) -> PictureMetadata {
        let profile = codec_png_profile(reader)
        var metadata = PictureMetadata(
            profile: profile.bytes == nil ? nil : profile.copied ?? [], exif: codec_png_exif(reader).copied,
            colourChunks: ColourChunk.names.compactMap { name in
                codec_png_chunk(reader, name).copied.map { ColourChunk(name: name, bytes: $0) }
            })
        readTexts(reader, into: &metadata)
        RawProfile.resolve(&metadata)
        return metadata
    }

    private static func readTexts(_ reader: OpaquePointer, into metadata: inout PictureMetadata) {
        for index in 0..<codec_png_text_count(reader) {
            var keyword: UnsafePointer<CChar>?
            var text = codec_span()
            var kind = CODEC_TEXT_LATIN1
            guard codec_png_text_at(reader, index, &keyword, &text, &kind) == 0, let keyword else { continue }
            let name = String(
                latin1: UnsafeBufferPointer(start: keyword, count: strlen(keyword)).map(UInt8.init(bitPattern:)))
            let body = text.copied ?? []
            if name == PNGText.xmpKeyword {
                metadata.xmp = body
            } else {
                let text = kind == CODEC_TEXT_LATIN1 ? String(latin1: body) : String(decoding: body, as: UTF8.self)
                metadata.texts.append(.init(keyword: name, text: text))
            }
        }
    }

    private static func strlen(_ text: UnsafePointer<CChar>) -> Int {
        var count = 0
        while text[count] != 0 { count += 1 }
        return count
    }
}

extension String {
    /// Text whose every byte is the code point of the same number.
    init(latin1 bytes: [UInt8]) {
        // A byte beyond ASCII is two of UTF-8. Scalars one by one would take seconds for the longest texts.
        let count = bytes.reduce(bytes.count) { $0 + Int($1 >> 7) }
        self.init(unsafeUninitializedCapacity: count) { out in
            var place = 0
            for byte in bytes {
                if byte < 128 {
                    out.initializeElement(at: place, to: byte)
                    place += 1
                } else {
                    out.initializeElement(at: place, to: 0xC0 | byte >> 6)
                    out.initializeElement(at: place + 1, to: 0x80 | byte & 0x3F)
                    place += 2
                }
            }
            return place
        }
    }
}
