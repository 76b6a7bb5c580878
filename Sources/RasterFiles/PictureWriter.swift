import CodecShims
import Raster
import Threads

/// A picture file that is written row by row, from top to bottom.
final class PictureWriter {
    private let format: PictureFormat
    /// As ``PictureFile/encode(_:as:options:name:)`` names it.
    private let name: String
    private let pointer: OpaquePointer
    private let failure: UnsafeMutablePointer<codec_failure>
    /// As samples go to the codec.
    private let depth: Int
    /// What is added to a TIFF at its end.
    private var linking: TIFFLinking?
    /// What makes inks of the rows of a TIFF.
    private let press: InkPress?

    /// A TIFF of colours that were read from inks is of those inks again.
    ///
    /// - Parameters:
    ///   - channels: of the rows that will come, as is `depth`
    ///   - name: what error messages call the file
    /// Throws: `libraryMissing`, `formatTooSmall`, `outOfMemory`, `encodingFailed`, `writeFailed`.
    init(
        _ size: PixelSize, channels: Picture.Channels, depth: Int, metadata: PictureMetadata, as format: PictureFormat,
        options: PictureFile.WriteOptions, to sink: codec_sink, name: String
    ) throws(PictureFileError) {
        if max(size.width, size.height) > format.longestSide {
            throw .formatTooSmall(path: name, format: format, size: size)
        }
        guard format.isWritten else {
            throw .encodingFailed(path: name, format: format, detail: "\(format.name) is only read")
        }
        if channels.isInks, format != .tiff {
            throw .encodingFailed(path: name, format: format, detail: "\(format.name) holds no inks here")
        }
        let isPlain = format == .jpeg
        var (metadata, channels) = (metadata, channels)
        // Inks are whole numbers.
        let inkDepth = min(depth, 16)
        press =
            format == .tiff
            ? try InkPress(metadata.plates, size, channels, depth: inkDepth, threads: options.threads) : nil
        self.depth = press == nil ? min(depth, format.mostDepth) : inkDepth
        if let press { (channels, metadata.profile) = (press.channels, metadata.plates?.profile) }
        if let exif = metadata.exif {
            var said = ExifData(exif)
            said?.describe(size, long: format == .tiff)
            // What is none is of no use to anyone.
            metadata.exif = said?.bytes
        }
        var header = codec_header()
        header.width = UInt32(size.width)
        header.height = UInt32(size.height)
        header.channels = UInt32((isPlain ? channels.with(alpha: false) : channels).count)
        header.inks = channels.isInks ? 1 : 0
        header.depth = UInt32(self.depth)
        header.orientation = 1
        header.horizontal_resolution = metadata.resolution?.horizontal ?? 0
        header.vertical_resolution = metadata.resolution?.vertical ?? 0
        let failure = UnsafeMutablePointer<codec_failure>.allocate(capacity: 1)
        failure.initialize(to: codec_failure())
        let created = withUnsafePointer(to: header) { header in
            metadata.written(as: format, channels).withExtras(format) { extras in
                switch format {
                case .png:
                    codec_png_create(
                        header, extras, Int32(clamping: options.compression), Int32(clamping: options.threads.count),
                        sink, failure)
                case .jpeg: codec_jpeg_create(header, extras, Int32(clamping: options.quality), sink, failure)
                case .tiff, .webp:
                    codec_tiff_create(header, extras, options.lzw ? 1 : 0, options.isBigTIFF ? 1 : 0, sink, failure)
                }
            }
        }
        guard let created else {
            defer { failure.deallocate() }
            throw Self.error(failure.pointee, format, name)
        }
        (self.format, self.name, pointer, self.failure) = (format, name, created, failure)
        if format == .tiff { linking = TIFFLinking(exif: metadata.exif, iptc: metadata.iptc, sink: sink) }
    }

    /// Of the picture's size, kind and metadata.
    convenience init(
        like picture: Picture, as format: PictureFormat, options: PictureFile.WriteOptions, to sink: codec_sink,
        name: String
    ) throws(PictureFileError) {
        try self.init(
            picture.size, channels: picture.channels, depth: picture.depth, metadata: picture.metadata, as: format,
            options: options, to: sink, name: name)
    }

    deinit {
        switch format {
        case .png: codec_png_discard(pointer)
        case .jpeg: codec_jpeg_discard(pointer)
        case .tiff, .webp: codec_tiff_discard(pointer)
        }
        failure.deallocate()
    }

    /// Writes the whole picture.
    func write(_ picture: Picture) throws(PictureFileError) {
        try add(picture)
        try finish()
    }

    /// Writes the next rows.
    func add(_ strip: Picture) throws(PictureFileError) {
        guard let press else {
            let held = strip.depth > depth ? strip.converted(depth: depth) : strip
            return try put(format == .jpeg ? held.flattened() : held)
        }
        // Inks are made in more bits than they are written in: of a whole picture they would take several times its memory.
        for y in stride(from: 0, to: strip.height, by: press.rowsAtOnce) {
            let rows = min(press.rowsAtOnce, strip.height - y)
            let part = strip.cropped(to: Rectangle(x: 0, y: y, width: strip.width, height: rows))
            try put(try press.pressed(part.converted(depth: depth)))
        }
    }

    /// Rows as the codec has them.
    private func put(_ strip: Picture) throws(PictureFileError) {
        let count = UInt32(strip.height)
        func send(_ bytes: UnsafeRawBufferPointer) -> Int32 {
            switch format {
            case .png: codec_png_write(pointer, count, bytes.baseAddress, failure)
            case .jpeg: codec_jpeg_write(pointer, count, bytes.baseAddress, failure)
            case .tiff, .webp: codec_tiff_write(pointer, count, bytes.baseAddress, failure)
            }
        }
        let code =
            switch strip.samples {
            case .eight(let values): values.withUnsafeBytes(send)
            case .sixteen(let values): values.withUnsafeBytes(send)
            case .float(let values): values.withUnsafeBytes(send)
            }
        if code != 0 { throw Self.error(failure.pointee, format, name) }
    }

    /// Ends the file; all rows must have come.
    func finish() throws(PictureFileError) {
        let code =
            switch format {
            case .png: codec_png_finish(pointer, failure)
            case .jpeg: codec_jpeg_finish(pointer, failure)
            case .tiff, .webp: codec_tiff_finish(pointer, failure)
            }
        if code != 0 || linking?.link(failure) ?? 0 != 0 { throw Self.error(failure.pointee, format, name) }
    }

    private static func error(_ failure: codec_failure, _ format: PictureFormat, _ name: String) -> PictureFileError {
        switch failure.status {
        case CODEC_LIBRARY_MISSING: .libraryMissing(format: format, detail: failure.line)
        case CODEC_OUT_OF_MEMORY: .outOfMemory(path: name)
        case CODEC_READ_FAILED, CODEC_WRITE_FAILED:
            .writeFailed(path: name, reason: systemReason(failure.system_error))
        default: .encodingFailed(path: name, format: format, detail: failure.line)
        }
    }
}

extension PictureMetadata {
    /// With what a file of this format can say of colours: a profile of another kind than the picture's is none of its own,
    /// and numbers that only PNG knows are said by a profile.
    fileprivate func written(as format: PictureFormat, _ channels: Picture.Channels) -> PictureMetadata {
        var copy = self
        if let profile, let kind = ColourProfile.kind(profile), kind != .of(channels) {
            copy.profile = nil
        }
        guard format != .png, !channels.isInks else { return copy }
        copy.profile = copy.profile(channels)
        copy.colourChunks = []
        return copy
    }

    /// Lends the metadata as the codecs take it.
    fileprivate func withExtras<Result>(_ format: PictureFormat, _ body: (UnsafePointer<codec_extras>) -> Result)
        -> Result
    {
        var texts = texts
        if format == .png, let iptc { texts.append(RawProfile.text(iptc: iptc)) }
        let photoshop = iptc.map(PhotoshopResources.holding) ?? []
        if let xmp {
            texts.append(.init(keyword: PNGText.xmpKeyword, text: String(decoding: xmp, as: UTF8.self)))
        }
        return withCTexts(texts.compactMap(PNGText.init)) { texts in
            (profile ?? []).withUnsafeBufferPointer { profile in
                (exif ?? []).withUnsafeBufferPointer { exif in
                    (xmp ?? []).withUnsafeBufferPointer { xmp in
                        photoshop.withUnsafeBufferPointer { photoshop in
                            withChunks { chunks in
                                func span(_ bytes: UnsafeBufferPointer<UInt8>) -> codec_span {
                                    codec_span(bytes: bytes.baseAddress, count: bytes.count)
                                }
                                let extras = codec_extras(
                                    profile: span(profile), exif: span(exif), xmp: span(xmp),
                                    chunks: chunks.baseAddress, chunk_count: chunks.count, photoshop: span(photoshop),
                                    texts: texts.baseAddress, text_count: texts.count)
                                return withUnsafePointer(to: extras, body)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Lends the chunks of numbers.
    private func withChunks<Result>(_ body: (UnsafeBufferPointer<codec_chunk>) -> Result) -> Result {
        // One block holds all bodies, so that a single pointer keeps them alive.
        colourChunks.flatMap(\.bytes).withUnsafeBufferPointer { block in
            var place = 0
            let chunks = colourChunks.map { chunk in
                var entry = codec_chunk()
                withUnsafeMutableBytes(of: &entry.name) { $0.copyBytes(from: Array(chunk.name.utf8).prefix(4)) }
                entry.body = codec_span(bytes: block.baseAddress.map { $0 + place }, count: chunk.bytes.count)
                place += chunk.bytes.count
                return entry
            }
            return chunks.withUnsafeBufferPointer(body)
        }
    }
}
