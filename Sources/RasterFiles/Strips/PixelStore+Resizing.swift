import Raster
import Threads

extension PixelStore {
    /// Hands over strips of about so many samples at a time.
    static let stripSamples = 1 << 22

    /// Hands over the rows from top to bottom.
    ///
    /// - Parameters:
    ///   - rows: which rows; without them, all
    ///   - take: takes each strip with the row that it begins at; its width is the picture's
    /// Throws: `readFailed`, and what `take` throws.
    package func read(rows: Range<Int>? = nil, _ take: (_ strip: Picture, _ y: Int) throws -> Void) throws {
        let rows = rows ?? 0..<size.height
        let most = max(1, Self.stripSamples / (size.width * channels.count))
        for y in stride(from: rows.lowerBound, to: rows.upperBound, by: most) {
            let part = Rectangle(x: 0, y: y, width: size.width, height: min(most, rows.upperBound - y))
            try take(try read(part), y)
        }
    }

    /// Hands over the picture at another size, as ``Picture/resized(to:filter:box:threads:)`` makes it, band by band.
    ///
    /// Memory: a few million samples of the source and the result, and the rows that one result row reads.
    /// - Parameters:
    ///   - box: the part of the picture to show; without it, all
    ///   - take: takes each band with the row that it begins at; its width is the target's
    /// Throws: `readFailed`, and what `take` throws.
    package func resized(
        to target: PixelSize, filter: ResamplingFilter = .lanczos, box: ResamplingBox? = nil,
        threads: Threads = Threads(1), _ take: (_ strip: Picture, _ y: Int) throws -> Void
    ) throws {
        let resize = StripResize(
            size, channels: channels, depth: depth, to: target, filter: filter, box: box, threads: threads)
        let rows = resize.rows
        resize.skip(to: rows.lowerBound)
        try read(rows: rows) { strip, _ in try resize.add(strip, take) }
    }
}
