import Raster

extension PictureFile {
    /// Writes a picture that comes strip by strip from top to bottom, beside its place, and renames it.
    ///
    /// - Parameters:
    ///   - metadata: as it is to stand in the file
    ///   - body: calls what it is given with one strip after the other; each is as wide as the picture
    /// Throws: as ``write(_:to:options:)``, and what `body` throws. Nothing stands under the name then that did not stand
    /// there before.
    package static func write(
        _ size: PixelSize, channels: Picture.Channels, depth: Int, metadata: PictureMetadata, to path: String,
        options: WriteOptions, _ body: (_ send: (Picture) throws -> Void) throws -> Void
    ) throws {
        var eight: [UInt8] = []
        var sixteen: [UInt16] = []
        try body { strip in
            precondition(strip.channels == channels && strip.depth == depth && strip.width == size.width)
            switch strip.samples {
            case .eight(let values): eight += values
            case .sixteen(let values): sixteen += values
            }
        }
        let picture = Picture(
            size: size, channels: channels, samples: depth == 8 ? .eight(eight) : .sixteen(sixteen), metadata: metadata)
        try write(picture, to: path, options: options)
    }
}
