import CodecShims

/// The frame that a JPEG announces before its samples. Source: ITU-T T.81, sections B.1.1.2 and B.2.2.
enum JPEGFrame {
    /// More markers than any file has before its frame.
    private static let mostMarkers = 4096

    /// Components of a pixel: 1 grey, 3 colours, 4 inks; nil where no frame is found.
    static func components(_ source: codec_source) -> Int? {
        var (source, failure, place) = (source, codec_failure(), UInt64(2))
        for _ in 0..<mostMarkers {
            var head = [UInt8](repeating: 0, count: 10)
            let count = codec_source_read(&source, place, &head, head.count, &failure)
            guard count >= 4, head[0] == 0xFF else { return nil }
            let length = UInt64(head[2]) << 8 | UInt64(head[3])
            switch head[1] {
            // Filling before a marker.
            case 0xFF: place += 1
            // Markers without a length.
            case 0x01, 0xD0...0xD8: place += 2
            // Tables of Huffman and arithmetic coding stand among the frames' numbers.
            case 0xC4, 0xC8, 0xCC: place += 2 + length
            case 0xC0...0xCF: return count == 10 ? Int(head[9]) : nil
            case 0xD9, 0xDA: return nil
            default: place += 2 + length
            }
        }
        return nil
    }
}
