import Threads

/// A resize of floats whose source comes strip by strip and whose result is asked for from top to bottom: the bits of
/// ``FloatPicture/resized(to:filter:box:alpha:threads:)``, without alpha of its own.
package struct FloatStripResize {
    private var passes: ResamplingPasses<FloatArithmetic>
    private let source, target: PixelSize
    private let channelCount: Int
    /// The source's row that comes next.
    private var next = 0
    private var made: RowQueue<Float>

    /// - Parameter box: the part of the source to show; without it, all
    package init(
        _ size: PixelSize, channelCount: Int, to target: PixelSize, filter: ResamplingFilter = .lanczos,
        box: ResamplingBox? = nil, threads: Threads
    ) {
        (source, self.target, self.channelCount) = (size, target, channelCount)
        passes = ResamplingPasses(
            channelCount: channelCount, size: size, to: target, box: box ?? ResamplingBox(size), filter: filter,
            threads: threads)
        made = RowQueue(stride: target.width * channelCount)
    }

    /// The first row that can still be asked for.
    package var start: Int { made.start }

    /// Rows of the result; those above are let go.
    ///
    /// - Parameter more: gives the source's next rows; asked as long as they are not enough
    package mutating func rows(_ wanted: Range<Int>, more: () throws -> FloatPicture) rethrows -> FloatPicture {
        made.drop(above: wanted.lowerBound)
        while made.end < wanted.upperBound {
            let strip = try more()
            let given = next..<next + strip.height
            precondition(given.upperBound <= source.height, "rows \(given) of \(source)")
            next = given.upperBound
            strip.values.withUnsafeBufferPointer { values in
                passes.add(given, passes.plain(values, width: source.width, from: given.lowerBound)) { band, _ in
                    made.add(band)
                }
            }
            made.drop(above: wanted.lowerBound)
        }
        return FloatPicture(
            size: PixelSize(width: target.width, height: wanted.count), channelCount: channelCount,
            values: made.rows(wanted))
    }
}
