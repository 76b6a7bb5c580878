import Raster

extension PictureFile {
    /// What a picture file says of itself: its size as displayed, and its metadata.
    package struct Glance: Sendable {
        package var size: PixelSize
        package var metadata: PictureMetadata
        /// Whether the file ends as its format ends; one that was cut short does not. A TIFF may end anyhow.
        package var isWhole: Bool
    }

    /// Looks at a picture without reading its samples.
    ///
    /// Throws: as ``read(_:limits:)``, as far as the beginning of the file shows it.
    package static func glance(_ path: String, limits: Limits = Limits()) throws(PictureFileError) -> Glance {
        let file = try ReadableFile(path, limit: limits.fileBytes)
        let ends: [PictureFormat: [UInt8]] = [
            .png: [0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82], .jpeg: [0xFF, 0xD9],
        ]
        let end = PictureFormat(content: try file.beginning(8)).flatMap { ends[$0] }
        let isWhole = try end.map { (bytes) throws(PictureFileError) in try file.end(bytes.count) == bytes } ?? true
        let reader = try CodecReader(try PictureSource(file, limits: limits))
        return .init(size: reader.uprightSize, metadata: reader.metadata, isWhole: isWhole)
    }
}
