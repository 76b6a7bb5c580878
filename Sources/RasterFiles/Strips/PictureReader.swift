import Raster

/// A picture file that is read strip by strip, from top to bottom and upright.
package final class PictureReader {
    package let size: PixelSize
    package let channels: Picture.Channels
    /// Bits of a sample, 8 or 16.
    package let depth: Int
    package let metadata: PictureMetadata
    /// The file's own bytes.
    package let bytes: [UInt8]
    private let picture: Picture

    /// Throws: as ``PictureFile/read(_:limits:)``
    package init(_ path: String, limits: PictureFile.Limits = .init()) throws(PictureFileError) {
        bytes = try WholeFile.read(path, limit: limits.fileBytes)
        picture = try PictureFile.decode(bytes, name: path, limits: limits)
        (size, channels, depth, metadata) = (picture.size, picture.channels, picture.depth, picture.metadata)
    }

    /// Hands over the strips.
    ///
    /// - Parameter take: takes each with the row that it begins at; its width is the picture's
    package func read(_ take: (_ strip: Picture, _ y: Int) throws -> Void) throws {
        let rows = max(1, (1 << 22) / (size.width * channels.count))
        for y in stride(from: 0, to: size.height, by: rows) {
            let part = Rectangle(x: 0, y: y, width: size.width, height: min(rows, size.height - y))
            try take(picture.cropped(to: part), y)
        }
    }
}
