import CodecShims
import Raster

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension PictureFile {
    /// What a picture file says before its samples: its size as displayed, and its metadata without the profile.
    package struct Glance: Sendable {
        package var size: PixelSize
        /// Texts that a PNG puts behind its samples are not in it.
        package var metadata: PictureMetadata
    }

    /// Looks at a picture without reading its samples.
    ///
    /// Throws: as ``read(_:limits:)``, as far as the beginning of the file shows it.
    package static func glance(_ path: String, limits: Limits = Limits()) throws(PictureFileError) -> Glance {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        var status = stat()
        let isPlain = file >= 0 && fstat(file, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_size > 0
        let count = Int(status.st_size)
        guard isPlain, count <= limits.fileBytes, let map = mmap(nil, count, PROT_READ, MAP_PRIVATE, file, 0),
            map != MAP_FAILED
        else {
            if file >= 0 { close(file) }
            // Whatever is wrong with it is told by whoever reads it whole.
            let bytes = try WholeFile.read(path, limit: limits.fileBytes)
            if bytes.isEmpty { throw .empty(path: path) }
            let result = bytes.withUnsafeBufferPointer { bytes in
                Result { () throws(PictureFileError) in try glance(bytes, path, limits) }
            }
            return try result.get()
        }
        defer {
            munmap(map, count)
            close(file)
        }
        let bytes = UnsafeRawBufferPointer(start: map, count: count).bindMemory(to: UInt8.self)
        return try glance(bytes, path, limits)
    }

    private static func glance(_ bytes: UnsafeBufferPointer<UInt8>, _ path: String, _ limits: Limits)
        throws(PictureFileError) -> Glance
    {
        guard let format = PictureFormat(content: Array(bytes.prefix(16))) else { throw .notAPicture(path: path) }
        let source = PictureSource(bytes: bytes, path: path, format: format, limits: limits)
        return switch format {
        case .png: try source.glanceAtPNG()
        case .jpeg: try source.glanceAtJPEG()
        case .tiff: try source.glanceAtTIFF()
        }
    }
}

extension PictureSource {
    fileprivate func glanceAtPNG() throws(PictureFileError) -> PictureFile.Glance {
        var (header, failure) = (codec_header(), codec_failure())
        guard let reader = codec_png_open(bytes.baseAddress, bytes.count, &header, &failure) else {
            throw error(failure)
        }
        defer { codec_png_close(reader) }
        var metadata = PictureMetadata(exif: codec_png_exif(reader).copied)
        readTexts(reader, into: &metadata)
        return glance(header, try checkedSize(header), metadata)
    }

    fileprivate func glanceAtJPEG() throws(PictureFileError) -> PictureFile.Glance {
        var (header, failure) = (codec_header(), codec_failure())
        guard let reader = codec_jpeg_open(bytes.baseAddress, bytes.count, &header, &failure) else {
            throw error(failure)
        }
        defer { codec_jpeg_close(reader) }
        let appOne = markers(reader, 1)
        let metadata = PictureMetadata(
            exif: appOne.lazy.compactMap { $0.after(JPEGMarkers.exifHeading) }.first,
            xmp: JPEGMarkers.xmp(appOne))
        return glance(header, try checkedSize(header), metadata)
    }

    fileprivate func glanceAtTIFF() throws(PictureFileError) -> PictureFile.Glance {
        var (header, failure) = (codec_header(), codec_failure())
        guard let reader = codec_tiff_open(bytes.baseAddress, bytes.count, &header, &failure) else {
            throw error(failure)
        }
        defer { codec_tiff_close(reader) }
        return glance(header, try checkedSize(header), PictureMetadata(xmp: codec_tiff_xmp(reader).copied))
    }

    private func glance(_ header: codec_header, _ size: PixelSize, _ metadata: PictureMetadata) -> PictureFile.Glance {
        // Only TIFF's header itself says how it lies.
        let orientation =
            metadata.exif.map { ExifOrientation($0).orientation } ?? Orientation(rawValue: Int(header.orientation))
        return .init(size: orientation?.swapsSides == true ? size.transposed : size, metadata: metadata)
    }
}
