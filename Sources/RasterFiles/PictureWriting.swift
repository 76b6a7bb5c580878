import CodecShims
import Raster
import Threads

extension PictureFile {
    /// How a picture is written.
    package struct WriteOptions: Hashable, Sendable {
        /// Without one, the format that the file name's ending asks for, or PNG.
        package var format: PictureFormat?
        /// JPEG's quality, 1…100. Colour is always kept at full resolution.
        package var quality: Int
        /// PNG's compression, 0…9; higher is slower and smaller. 4 makes photographs 2 % larger than zlib's own 6, in a
        /// third of the time.
        package var compression: Int
        /// Whether a TIFF is compressed by LZW, which the oldest readers know, instead of deflate.
        package var lzw: Bool
        /// Whether a TIFF counts beyond 4 GB even where it does not have to.
        package var isBigTIFF: Bool
        /// Whether a file that stands there may be replaced.
        package var overwrite: Bool
        /// Whether to wait until the disk has the file.
        package var sync: Bool
        /// Threads that compress a PNG; its bytes do not depend on them.
        package var threads: Threads

        package init(
            format: PictureFormat? = nil, quality: Int = 95, compression: Int = 4, lzw: Bool = false,
            isBigTIFF: Bool = false, overwrite: Bool = true, sync: Bool = false, threads: Threads = Threads()
        ) {
            self.format = format
            self.quality = quality
            self.compression = compression
            self.lzw = lzw
            self.isBigTIFF = isBigTIFF
            self.overwrite = overwrite
            self.sync = sync
            self.threads = threads
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
        try WholeFile.fill(path, overwrite: options.overwrite, sync: options.sync, as: { $0 }) {
            (file) throws(PictureFileError) in
            let sink = codec_sink(buffer: nil, file: file)
            try PictureWriter(like: picture, as: format, options: options, to: sink, name: path).write(picture)
        }
    }

    /// A picture as the bytes of a file.
    ///
    /// TIFF keeps every sample, PNG those of 8 and 16 bits; it rounds floats to 16. JPEG rounds to 8 bits and lays transparent
    /// pixels over white. Texts are kept in PNG only; profile, EXIF, XMP, IPTC and resolution in all three. The EXIF data are told
    /// the picture's size, and forget the small picture in them.
    /// - Parameter name: what error messages call the file.
    /// Throws: `libraryMissing`, `formatTooSmall`, `outOfMemory`, `encodingFailed`.
    package static func encode(
        _ picture: Picture, as format: PictureFormat, options: WriteOptions = WriteOptions(),
        name: String = "the picture"
    ) throws(PictureFileError) -> [UInt8] {
        let buffer = UnsafeMutablePointer<codec_buffer>.allocate(capacity: 1)
        buffer.initialize(to: codec_buffer())
        defer {
            codec_buffer_free(buffer)
            buffer.deallocate()
        }
        let sink = codec_sink(buffer: buffer, file: -1)
        try PictureWriter(like: picture, as: format, options: options, to: sink, name: name).write(picture)
        return Array(UnsafeBufferPointer(start: buffer.pointee.bytes, count: buffer.pointee.count))
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
