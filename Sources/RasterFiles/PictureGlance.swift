import Raster

extension PictureFile {
    /// What a picture file says of itself: its size as displayed, and its metadata.
    package struct Glance: Sendable {
        package var size: PixelSize
        package var metadata: PictureMetadata
    }

    /// Looks at a picture without reading its samples.
    ///
    /// Throws: as ``read(_:limits:)``, as far as the beginning of the file shows it.
    package static func glance(_ path: String, limits: Limits = Limits()) throws(PictureFileError) -> Glance {
        let source = try PictureSource(try ReadableFile(path, limit: limits.fileBytes), limits: limits)
        let reader = try CodecReader(source)
        return .init(size: reader.uprightSize, metadata: reader.metadata)
    }
}
