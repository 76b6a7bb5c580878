import CodecShims
import Raster

/// A file's bytes on their way to a picture, with what error messages need.
struct PictureSource {
    /// Lent for as long as the source is used.
    let bytes: UnsafeBufferPointer<UInt8>
    /// The name to speak of the file by.
    let path: String
    let format: PictureFormat
    let limits: PictureFile.Limits

    /// The picture's size when it is within limits and the file is long enough to hold what its header says.
    func checkedSize(_ header: codec_header) throws(PictureFileError) -> PixelSize {
        let size = PixelSize(width: Int(header.width), height: Int(header.height))
        if max(size.width, size.height) > limits.longestSide {
            throw .sideTooLong(path: path, size: size, limit: limits.longestSide)
        }
        if size.area > limits.pixels { throw .tooManyPixels(path: path, size: size, limit: limits.pixels) }
        if header.smallest_file > UInt64(bytes.count) {
            throw .promisesTooMuch(path: path, format: format, size: size, bytes: bytes.count)
        }
        return size
    }

    /// The picture whose samples `decode` fills in.
    func picture(
        _ header: codec_header, _ failure: inout codec_failure,
        decode: (UnsafeMutableRawPointer, inout codec_failure) -> Int32
    ) throws(PictureFileError) -> Picture {
        let size = try checkedSize(header)
        guard let channels = Picture.Channels(rawValue: Int(header.channels)), !size.isEmpty else {
            throw .damaged(path: path, format: format, detail: "its header makes no sense")
        }
        let count = size.area * channels.count
        var code: Int32 = 0
        func filled<Sample: FixedWidthInteger>(_ type: Sample.Type) -> [Sample] {
            var samples = [Sample](repeating: 0, count: count)
            samples.withUnsafeMutableBytes { if let base = $0.baseAddress { code = decode(base, &failure) } }
            return samples
        }
        let samples: Picture.Samples = header.depth == 16 ? .sixteen(filled(UInt16.self)) : .eight(filled(UInt8.self))
        if code != 0 { throw error(failure) }
        var picture = Picture(size: size, channels: channels, samples: samples)
        if header.horizontal_resolution > 0, header.vertical_resolution > 0 {
            picture.metadata.resolution = .init(
                horizontal: header.horizontal_resolution, vertical: header.vertical_resolution)
        }
        return picture
    }

    /// What a codec's failure means for this file.
    func error(_ failure: codec_failure) -> PictureFileError {
        let detail = failure.line
        switch failure.status {
        case CODEC_LIBRARY_MISSING: return .libraryMissing(format: format, detail: detail)
        case CODEC_TRUNCATED: return .truncated(path: path, format: format, detail: detail)
        case CODEC_UNSUPPORTED: return .unsupported(path: path, format: format, detail: detail)
        case CODEC_OUT_OF_MEMORY: return .outOfMemory(path: path)
        default: return .damaged(path: path, format: format, detail: detail)
        }
    }
}

extension Picture {
    /// The picture turned upright as its EXIF data asks, which says so from then on. A quarter turn turns the
    /// resolution too.
    func upright(from orientation: Orientation) -> Picture {
        guard orientation != .upright else { return self }
        var copy = self.turned(from: orientation)
        if orientation.swapsSides, let resolution = metadata.resolution {
            copy.metadata.resolution = .init(horizontal: resolution.vertical, vertical: resolution.horizontal)
        }
        return copy
    }
}

extension codec_failure {
    /// What went wrong, in words that continue a sentence.
    var line: String {
        withUnsafeBytes(of: text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension codec_span {
    /// A copy of the bytes, or nil where there are none.
    var copied: [UInt8]? {
        guard let bytes, count > 0 else { return nil }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
