import CodecShims
import Raster

/// A picture file that is open at its samples: what is said of them is known, and rows are decoded as they are asked for.
final class CodecReader {
    let source: PictureSource
    let header: codec_header
    /// As the rows lie in the file.
    let size: PixelSize
    /// As the file holds them, inks where it does.
    private let stored: Picture.Channels
    /// As rows come.
    var channels: Picture.Channels { inks == nil ? stored : .rgb.with(alpha: stored.hasAlpha) }
    /// How the rows must be turned to stand upright.
    let orientation: Orientation
    /// Of the upright picture.
    let metadata: PictureMetadata
    private let handle: CodecHandle
    private var waiting: UnnamedFile?
    /// What makes colours of inks, where the file has those.
    let inks: Inks?
    /// Of the inks, as the file has it.
    let inkProfile: [UInt8]?

    var depth: Int { Int(header.depth) }
    /// How often rows are gone through; each time but the first adds to what the time before left.
    var passes: Int { Int(header.passes) }
    var uprightSize: PixelSize { orientation.swapsSides ? size.transposed : size }

    /// - Parameter keepsInks: whether rows of inks come as they are, and not as colours
    /// Throws: `notAPicture`, `truncated`, `damaged`, `unsupported`; limits; `libraryMissing`.
    init(_ source: PictureSource, keepingInks keepsInks: Bool = false) throws(PictureFileError) {
        self.source = source
        let directory = try source.directory()
        handle = try CodecHandle(source, directory: directory)
        header = handle.header
        size = try source.checkedSize(header)
        let isOfInks = header.inks != 0
        guard let stored = Picture.Channels(header), !size.isEmpty else {
            throw .damaged(path: source.path, format: source.format, detail: "its header makes no sense")
        }
        self.stored = stored
        var metadata =
            switch source.format {
            case .png: PNGMetadata.read(handle.pointer)
            case .jpeg: JPEGMarkers.metadata(handle.pointer)
            case .tiff: TIFFMetadata.read(handle.pointer, source.content, page: directory)
            case .webp: WebPMetadata.read(handle.pointer)
            }
        // Only TIFF's header itself says how the picture lies.
        var orientation = Orientation(rawValue: Int(header.orientation)) ?? .upright
        var said = metadata.exif.flatMap(ExifData.init)
        if source.format != .tiff, let found = said?.orientation { orientation = found }
        if orientation != .upright {
            said?.turnUpright()
            metadata.exif = said?.bytes ?? metadata.exif
            metadata.xmp = metadata.xmp.map(XMPOrientation.upright)
        }
        let own = PictureMetadata.Resolution(
            horizontal: header.horizontal_resolution, vertical: header.vertical_resolution)
        if let resolution = own.horizontal > 0 && own.vertical > 0 ? own : said?.resolution {
            let (across, down) = (resolution.horizontal, resolution.vertical)
            metadata.resolution =
                orientation.swapsSides
                ? .init(horizontal: down, vertical: across) : .init(horizontal: across, vertical: down)
        }
        if isOfInks, header.depth == 32 {
            throw .unsupported(path: source.path, format: source.format, detail: "its inks are floats")
        }
        inkProfile = metadata.profile
        inks = isOfInks && !keepsInks ? try Self.inks(metadata.profile, depth: Int(header.depth), source) : nil
        if let inks { (metadata.profile, metadata.inks) = (nil, inks.reading) }
        (self.metadata, self.orientation) = (metadata, orientation)
    }

    /// Of a JPEG whose scans each cover all of it: `header.memory` is to lie in a file. Before the first rows.
    ///
    /// Throws: as ``UnnamedFile``
    func unroll(in folder: String) throws(PictureFileError) {
        guard source.format == .jpeg, header.memory > 0 else { return }
        let file = try UnnamedFile(
            bytes: Int(clamping: header.memory), for: "the scans of \(size)", in: folder)
        codec_jpeg_unroll(handle.pointer, file.descriptor, header.memory)
        waiting = file
    }

    private static func inks(
        _ profile: [UInt8]?, depth: Int, _ source: PictureSource
    ) throws(PictureFileError) -> Inks {
        do throws(ColourFault) {
            return try Inks(profile, depth: depth)
        } catch {
            throw .colour(path: source.path, fault: error)
        }
    }

    /// The whole picture, upright. One that was of inks brings them along.
    func picture() throws(PictureFileError) -> Picture {
        var samples = room(rows: size.height, stored)
        for pass in 0..<passes { try fillStored(&samples, rows: 0..<size.height, pass: pass) }
        try end()
        let picture = Picture(size: size, channels: stored, samples: samples).turned(from: orientation)
        guard let inks else { return picture.with(metadata: metadata) }
        var metadata = metadata
        metadata.plates = InkPlates(inks, profile: inkProfile, size: picture.size) { size in
            let scaled = picture.resized(to: size)
            return { scaled.cropped(to: Rectangle(x: 0, y: $0.lowerBound, width: size.width, height: $0.count)) }
        }
        return inks.seen(picture).with(metadata: metadata)
    }

    /// Samples of so many rows, all 0.
    func room(rows: Int) -> Picture.Samples { room(rows: rows, channels) }

    private func room(rows: Int, _ channels: Picture.Channels) -> Picture.Samples {
        let count = size.width * rows * channels.count
        return switch depth {
        case 32: .float([Float](repeating: 0, count: count))
        case 16: .sixteen([UInt16](repeating: 0, count: count))
        default: .eight([UInt8](repeating: 0, count: count))
        }
    }

    /// Decodes the next rows into samples, which in later passes are as the pass before left them.
    func fill(_ samples: inout Picture.Samples, rows: Range<Int>, pass: Int) throws(PictureFileError) {
        guard let inks else { return try fillStored(&samples, rows: rows, pass: pass) }
        var amounts = room(rows: rows.count, stored)
        try fillStored(&amounts, rows: rows, pass: pass)
        let part = PixelSize(width: size.width, height: rows.count)
        samples = inks.seen(Picture(size: part, channels: stored, samples: amounts)).samples
    }

    private func fillStored(_ samples: inout Picture.Samples, rows: Range<Int>, pass: Int) throws(PictureFileError) {
        var code: Int32 = 0
        func filled<Sample>(_ values: inout [Sample]) {
            values.withUnsafeMutableBytes { code = handle.rows(pass, rows, $0.baseAddress) }
        }
        switch samples {
        case .eight(var values):
            // Two owners of the values would make a copy of them.
            samples = .eight([])
            filled(&values)
            samples = .eight(values)
        case .sixteen(var values):
            samples = .sixteen([])
            filled(&values)
            samples = .sixteen(values)
        case .float(var values):
            samples = .float([])
            filled(&values)
            samples = .float(values)
        }
        if code != 0 { throw source.error(handle.failure.pointee) }
    }

    /// Reads what stands behind the samples, so that a file that is cut short there is found out.
    func end() throws(PictureFileError) {
        if handle.end() != 0 { throw source.error(handle.failure.pointee) }
    }
}

extension Picture.Channels {
    /// Nil where the header makes no sense.
    fileprivate init?(_ header: codec_header) {
        let all: [Self] = header.inks != 0 ? [.inks, .inksAlpha] : Self.allCases
        guard let match = all.first(where: { $0.count == Int(header.channels) }) else { return nil }
        self = match
    }
}

/// A codec's reader, closed when it is no longer used.
private final class CodecHandle {
    let format: PictureFormat
    let pointer: OpaquePointer
    let header: codec_header
    let failure: UnsafeMutablePointer<codec_failure>

    /// - Parameter directory: where the page's begins, in a TIFF
    init(_ source: PictureSource, directory: Int?) throws(PictureFileError) {
        let failure = UnsafeMutablePointer<codec_failure>.allocate(capacity: 1)
        failure.initialize(to: codec_failure())
        var (bytes, header) = (source.content, codec_header())
        let opened =
            switch source.format {
            case .png: codec_png_open(&bytes, &header, failure)
            case .jpeg: codec_jpeg_open(&bytes, &header, failure)
            case .tiff: codec_tiff_open(&bytes, UInt64(directory ?? 0), &header, failure)
            case .webp: codec_webp_open(&bytes, &header, failure)
            }
        guard let opened else {
            defer { failure.deallocate() }
            throw source.error(failure.pointee)
        }
        (format, pointer, self.header, self.failure) = (source.format, opened, header, failure)
    }

    deinit {
        switch format {
        case .png: codec_png_close(pointer)
        case .jpeg: codec_jpeg_close(pointer)
        case .tiff: codec_tiff_close(pointer)
        case .webp: codec_webp_close(pointer)
        }
        failure.deallocate()
    }

    func rows(_ pass: Int, _ rows: Range<Int>, _ samples: UnsafeMutableRawPointer?) -> Int32 {
        let (y, count) = (UInt32(rows.lowerBound), UInt32(rows.count))
        return switch format {
        case .png: codec_png_rows(pointer, y, count, samples, failure)
        case .jpeg: codec_jpeg_rows(pointer, y, count, samples, failure)
        case .tiff: codec_tiff_rows(pointer, UInt32(pass), y, count, samples, failure)
        case .webp: codec_webp_rows(pointer, y, count, samples, failure)
        }
    }

    func end() -> Int32 {
        switch format {
        case .png: codec_png_end(pointer, failure)
        case .jpeg: codec_jpeg_end(pointer, failure)
        case .tiff, .webp: 0
        }
    }
}
