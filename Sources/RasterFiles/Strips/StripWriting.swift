import CodecShims
import Raster

extension PictureFile {
    /// Writes a picture that comes strip by strip from top to bottom, beside its place, and renames it.
    ///
    /// Memory: a few million samples, whatever the size; a JPEG of at most 2^24 pixels is kept until its end.
    /// - Parameters:
    ///   - metadata: as it is to stand in the file
    ///   - before: looks at the finished file before it stands under its name
    ///   - body: calls what it is given with one strip after the other; each is as wide as the picture
    /// Throws: as ``write(_:to:options:)``, and what `body` throws. Nothing stands under the name then that did not stand
    /// there before.
    package static func write(
        _ size: PixelSize, channels: Picture.Channels, depth: Int, metadata: PictureMetadata, to path: String,
        options: WriteOptions, before: (ReadableFile) throws -> Void = { _ in },
        _ body: (_ send: (Picture) throws -> Void) throws -> Void
    ) throws {
        let format = options.format ?? PictureFormat(path: path) ?? .png
        try WholeFile.fill(path, overwrite: options.overwrite, sync: options.sync, as: { $0 as any Error }) { file in
            let writer = try PictureWriter(
                size, channels: channels, depth: depth, metadata: metadata, as: format, options: options,
                to: codec_sink(buffer: nil, file: file), name: path)
            var rows = 0
            try body { strip in
                precondition(strip.channels == channels && strip.depth == depth && strip.width == size.width)
                rows += strip.height
                precondition(rows <= size.height, "\(rows) rows have come for \(size)")
                try writer.add(strip)
            }
            precondition(rows == size.height, "\(rows) rows have come for \(size)")
            try writer.finish()
            try before(try ReadableFile(path, reading: file))
        }
    }
}
