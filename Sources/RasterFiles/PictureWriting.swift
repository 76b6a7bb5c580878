import CodecShims
import Raster

extension PictureFile {
    /// How a picture is written.
    package struct WriteOptions: Hashable, Sendable {
        /// Without one, the format that the file name's ending asks for, or PNG.
        package var format: PictureFormat?
        /// JPEG's quality, 1…100. Colour is always kept at full resolution.
        package var quality: Int
        /// PNG's compression, 0…9; higher is slower and smaller.
        package var compression: Int
        /// Whether a TIFF is compressed by LZW, which the oldest readers know, instead of deflate.
        package var lzw: Bool
        /// Whether a file that stands there may be replaced.
        package var overwrite: Bool
        /// Whether to wait until the disk has the file.
        package var sync: Bool

        package init(
            format: PictureFormat? = nil, quality: Int = 95, compression: Int = 6, lzw: Bool = false,
            overwrite: Bool = true, sync: Bool = false
        ) {
            self.format = format
            self.quality = quality
            self.compression = compression
            self.lzw = lzw
            self.overwrite = overwrite
            self.sync = sync
        }
    }

    /// Writes a picture beside its place and renames it there; folders that are missing are made.
    ///
    /// Throws: what ``encode(_:as:options:name:)`` throws; `cannotCreate`, `alreadyExists`, `writeFailed`. Nothing
    /// stands under the name then that did not stand there before.
    package static func write(
        _ picture: Picture, to path: String, options: WriteOptions = WriteOptions()
    ) throws(PictureFileError) {
        let format = options.format ?? PictureFormat(path: path) ?? .png
        let bytes = try encode(picture, as: format, options: options, name: path)
        try WholeFile.write(bytes, to: path, overwrite: options.overwrite, sync: options.sync)
    }

    /// A picture as the bytes of a file.
    ///
    /// PNG and TIFF keep every sample. JPEG rounds 16 bits to 8 and lays transparent pixels over white.
    /// Texts are kept in PNG only; profile, XMP and resolution in all three; EXIF in PNG and JPEG.
    /// - Parameter name: what error messages call the file.
    /// Throws: `libraryMissing`, `formatTooSmall`, `outOfMemory`, `encodingFailed`.
    package static func encode(
        _ picture: Picture, as format: PictureFormat, options: WriteOptions = WriteOptions(),
        name: String = "the picture"
    ) throws(PictureFileError) -> [UInt8] {
        if max(picture.width, picture.height) > format.longestSide {
            throw .formatTooSmall(path: name, format: format, size: picture.size)
        }
        let picture = format == .jpeg ? picture.converted(depth: 8).flattened() : picture
        var buffer = codec_buffer()
        defer { codec_buffer_free(&buffer) }
        var failure = codec_failure()
        let code = withEncoding(picture) { header, samples, extras in
            switch format {
            case .png:
                codec_png_encode(header, samples, extras, Int32(clamping: options.compression), &buffer, &failure)
            case .jpeg: codec_jpeg_encode(header, samples, extras, Int32(clamping: options.quality), &buffer, &failure)
            case .tiff: codec_tiff_encode(header, samples, extras, options.lzw ? 1 : 0, &buffer, &failure)
            }
        }
        if code != 0 {
            switch failure.status {
            case CODEC_LIBRARY_MISSING: throw .libraryMissing(format: format, detail: failure.line)
            case CODEC_OUT_OF_MEMORY: throw .outOfMemory(path: name)
            default: throw .encodingFailed(path: name, format: format, detail: failure.line)
            }
        }
        return Array(UnsafeBufferPointer(start: buffer.bytes, count: buffer.count))
    }

    /// Lends a picture as the codecs take it.
    private static func withEncoding(
        _ picture: Picture,
        _ body: (UnsafePointer<codec_header>, UnsafeRawPointer?, UnsafePointer<codec_extras>) -> Int32
    ) -> Int32 {
        var header = codec_header()
        header.width = UInt32(picture.width)
        header.height = UInt32(picture.height)
        header.channels = UInt32(picture.channels.count)
        header.depth = UInt32(picture.depth)
        header.orientation = 1
        header.horizontal_resolution = picture.metadata.resolution?.horizontal ?? 0
        header.vertical_resolution = picture.metadata.resolution?.vertical ?? 0
        let metadata = picture.metadata
        var texts = metadata.texts
        if let xmp = metadata.xmp {
            texts.append(.init(keyword: PNGText.xmpKeyword, text: String(decoding: xmp, as: UTF8.self)))
        }
        return withCTexts(texts.compactMap(PNGText.init)) { texts in
            (metadata.profile ?? []).withUnsafeBufferPointer { profile in
                (metadata.exif ?? []).withUnsafeBufferPointer { exif in
                    (metadata.xmp ?? []).withUnsafeBufferPointer { xmp in
                        var extras = codec_extras(
                            profile: codec_span(bytes: profile.baseAddress, count: profile.count),
                            exif: codec_span(bytes: exif.baseAddress, count: exif.count),
                            xmp: codec_span(bytes: xmp.baseAddress, count: xmp.count),
                            texts: texts.baseAddress, text_count: texts.count)
                        return withUnsafePointer(to: &header) { header in
                            withUnsafePointer(to: &extras) { extras in
                                switch picture.samples {
                                case .eight(let values): values.withUnsafeBytes { body(header, $0.baseAddress, extras) }
                                case .sixteen(let values):
                                    values.withUnsafeBytes { body(header, $0.baseAddress, extras) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

extension Picture {
    /// An 8-bit picture with its alpha laid over white, for formats that know no transparency.
    func flattened() -> Picture {
        guard channels.hasAlpha, case .eight(let values) = samples else { return self }
        let count = channels.count
        var result = [UInt8]()
        result.reserveCapacity(size.area * (count - 1))
        for pixel in stride(from: 0, to: values.count, by: count) {
            let alpha = Int(values[pixel + count - 1])
            for channel in pixel..<pixel + count - 1 {
                result.append(UInt8((Int(values[channel]) * alpha + 255 * (255 - alpha) + 127) / 255))
            }
        }
        return Picture(size: size, channels: channels.with(alpha: false), eight: result, metadata: metadata)
    }
}
