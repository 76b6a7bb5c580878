import CKernels
import Threads

/// How one kind of sample is weighed and summed.
protocol ResamplingArithmetic {
    associatedtype Sample: Sendable
    associatedtype Weight: Sendable

    static func weight(_ value: Double) -> Weight

    /// Rows that are summed across at once.
    static var lanes: Int { get }

    /// Sums rows into one of `count` samples, a weight for each.
    static var down: SumDown<Sample, Weight> { get }
    /// Sums the columns of at most ``lanes`` rows of `width` pixels, into rows that lie behind one another.
    static var across: SumAcross<Sample, Weight> { get }
}

// Both as `CKernels/resampling.h` has them.
typealias SumDown<Sample, Weight> = (
    _ rows: UnsafePointer<UnsafePointer<Sample>?>, _ weights: UnsafePointer<Weight>, _ taps: Int,
    _ out: UnsafeMutablePointer<Sample>, _ count: Int
) -> Void
typealias SumAcross<Sample, Weight> = (
    _ rows: UnsafePointer<UnsafePointer<Sample>?>, _ count: Int, _ width: Int, _ channels: Int,
    _ starts: UnsafePointer<Int>, _ counts: UnsafePointer<Int>, _ weights: UnsafePointer<Weight>, _ stride: Int,
    _ target: Int, _ out: UnsafeMutablePointer<Sample>, _ scratch: UnsafeMutablePointer<Sample>
) -> Void

/// Bytes with weights of 22 fractional bits, rounded and clipped after each pass: bit for bit as Pillow does it.
enum ByteArithmetic: ResamplingArithmetic {
    static func weight(_ value: Double) -> Int32 { Int32(value * Double(1 << 22) + (value < 0 ? -0.5 : 0.5)) }

    static var lanes: Int { Int(resample_byte_lanes) }
    static var down: SumDown<UInt8, Int32> { resample_down_bytes }
    static var across: SumAcross<UInt8, Int32> { resample_across_bytes }
}

/// Floats summed in Double, never clipped: as Pillow's mode F.
enum FloatArithmetic: ResamplingArithmetic {
    static func weight(_ value: Double) -> Double { value }

    static var lanes: Int { Int(resample_float_lanes) }
    static var down: SumDown<Float, Double> { resample_down_floats }
    static var across: SumAcross<Float, Double> { resample_across_floats }
}

/// A resize along both axes over rows that come from top to bottom.
///
/// Memory: the rows that the next result rows still read, and the result rows that are handed over at once. Every result
/// row is computed alone, so neither the number of threads nor the way in which rows come changes a byte.
struct ResamplingPasses<Arithmetic: ResamplingArithmetic> {
    typealias Sample = Arithmetic.Sample

    /// Gives row `y` of the source, either in place or written to the scratch that it is handed.
    typealias Rows = (_ y: Int, _ scratch: UnsafeMutablePointer<Sample>) -> UnsafePointer<Sample>

    /// The taps of one axis, and their weights as the arithmetic has them.
    private struct Axis {
        var taps: ResamplingTaps
        var weights: [Arithmetic.Weight]

        init(_ taps: ResamplingTaps) {
            self.taps = taps
            weights = taps.weights.map(Arithmetic.weight)
        }
    }

    private let channelCount: Int
    private let threads: Threads
    private let size: PixelSize
    private let target: PixelSize
    /// Nil where the axis is shown as it is.
    private let across: Axis?
    private let down: Axis?
    private let downFirst: Bool
    /// The rows of the source that are read; others need not come.
    let rows: Range<Int>
    /// The source's columns of which the window has samples.
    private let columns: Range<Int>
    /// The rows between the passes; of the source when `downFirst`.
    private var window: [Sample] = []
    private var windowRows = 0..<0
    /// The result row that comes next.
    private var next = 0

    /// - Parameter box: the part of the source that fills the result.
    init(
        channelCount: Int, size: PixelSize, to target: PixelSize, box: ResamplingBox, filter: ResamplingFilter,
        threads: Threads
    ) {
        (self.channelCount, self.size, self.target, self.threads) = (channelCount, size, target, threads)
        let needsAcross = target.width != size.width || box.left != 0 || box.width != Double(size.width)
        let needsDown = target.height != size.height || box.top != 0 || box.height != Double(size.height)
        // Which axis goes first is Pillow's choice, and bytes depend on it: they are clipped in between.
        downFirst = !needsAcross || size.height - target.height > 2 * max(size.width - target.width, 0)
        var taps = ResamplingTaps(
            filter: filter, from: size.width, origin: box.left, length: box.width, to: target.width)
        columns = needsAcross ? taps.reach : 0..<size.width
        if downFirst, needsDown { taps = taps.shifted(by: columns.lowerBound) }
        across = needsAcross ? Axis(taps) : nil
        down =
            needsDown
            ? Axis(
                ResamplingTaps(
                    filter: filter, from: size.height, origin: box.top, length: box.height, to: target.height)) : nil
        rows = down?.taps.reach ?? 0..<size.height
    }

    /// Takes the source's next rows, which follow on those that came before.
    ///
    /// - Parameter take: takes the result's next rows
    mutating func add(
        _ given: Range<Int>, _ rows: Rows, _ take: (_ samples: [Sample], _ y: Range<Int>) throws -> Void
    ) rethrows {
        let wanted = given.clamped(to: self.rows)
        let most = max(1, (1 << 21) / (max(size.width, target.width) * channelCount))
        for top in stride(from: wanted.lowerBound, to: wanted.upperBound, by: most) {
            let part = top..<min(top + most, wanted.upperBound)
            guard let down else {
                let band = across.map { horizontal(rows, width: size.width, rows: part, $0) } ?? copied(rows, part)
                try take(band, part)
                continue
            }
            keep(part, rows, from: down.taps)
            while let band = ready(down.taps, most: most) {
                try take(made(band, down), band)
                next = band.upperBound
            }
        }
    }

    /// Adds rows to the window, and drops those that no later result row reads.
    private mutating func keep(_ part: Range<Int>, _ rows: Rows, from taps: ResamplingTaps) {
        let first = next < target.height ? min(taps.starts[next], part.lowerBound) : part.lowerBound
        if windowRows.isEmpty { windowRows = part.lowerBound..<part.lowerBound }
        let stride = (downFirst ? columns.count : target.width) * channelCount
        window.removeFirst((max(first, windowRows.lowerBound) - windowRows.lowerBound) * stride)
        if let across, !downFirst {
            window += horizontal(rows, width: size.width, rows: part, across)
        } else {
            window += copied(rows, part)
        }
        windowRows = max(first, windowRows.lowerBound)..<part.upperBound
    }

    /// The next result rows whose taps lie in the window, at most so many.
    private func ready(_ taps: ResamplingTaps, most: Int) -> Range<Int>? {
        var end = next
        while end < target.height, end - next < most, taps.starts[end] + taps.counts[end] <= windowRows.upperBound {
            end += 1
        }
        return end > next ? next..<end : nil
    }

    private func made(_ band: Range<Int>, _ down: Axis) -> [Sample] {
        let width = downFirst ? columns.count : target.width
        let low = vertical(width: width, rows: band, down)
        guard downFirst, let across else { return low }
        return low.withUnsafeBufferPointer { low in
            horizontal(plain(low, width: width), width: width, rows: 0..<band.count, across)
        }
    }

    /// Rows that lie in memory as they are, from row `first` on.
    func plain(_ samples: UnsafeBufferPointer<Sample>, width: Int, from first: Int = 0) -> Rows {
        let stride = width * channelCount
        return { y, scratch in
            // An empty picture has no rows, so there is a base whenever this is called.
            samples.baseAddress.map { $0 + (y - first) * stride } ?? UnsafePointer(scratch)
        }
    }

    private func horizontal(_ rows: Rows, width: Int, rows wanted: Range<Int>, _ axis: Axis) -> [Sample] {
        let (lanes, row) = (Arithmetic.lanes, width * channelCount)
        return filled(wanted.count, width: target.width, together: lanes, scratch: 2 * lanes * row) {
            part, scratch, out in
            let sources = part.enumerated().map { lane, index in
                Optional(rows(wanted.lowerBound + index, scratch + (lanes + lane) * row))
            }
            let taps = axis.taps
            Arithmetic.across(
                sources, part.count, width, channelCount, taps.starts, taps.counts, axis.weights, taps.stride,
                taps.starts.count, out, scratch)
        }
    }

    /// Result rows from the window's.
    private func vertical(width: Int, rows band: Range<Int>, _ axis: Axis) -> [Sample] {
        let (taps, row) = (axis.taps, width * channelCount)
        return window.withUnsafeBufferPointer { window in
            axis.weights.withUnsafeBufferPointer { weights in
                filled(band.count, width: width) { part, _, out in
                    for index in part {
                        let y = band.lowerBound + index
                        let first = taps.starts[y] - windowRows.lowerBound
                        guard let weights = weights.baseAddress, let top = window.baseAddress else { return }
                        let sources = (first..<first + taps.counts[y]).map { Optional(top + $0 * row) }
                        Arithmetic.down(
                            sources, weights + y * taps.stride, taps.counts[y],
                            out + (index - part.lowerBound) * row, row)
                    }
                }
            }
        }
    }

    /// The columns of rows that the window has.
    private func copied(_ rows: Rows, _ wanted: Range<Int>) -> [Sample] {
        let (skipped, count) = (columns.lowerBound * channelCount, columns.count * channelCount)
        return filled(wanted.count, width: columns.count, scratch: size.width * channelCount) { part, scratch, out in
            for index in part {
                (out + (index - part.lowerBound) * count).update(
                    from: rows(wanted.lowerBound + index, scratch) + skipped, count: count)
            }
        }
    }

    /// Samples of `height` rows, filled by `body` some rows at a time.
    ///
    /// - Parameters:
    ///   - together: rows of a part, the last perhaps excepted
    ///   - scratch: samples that are lent to the body
    private func filled(
        _ height: Int, width: Int, together: Int = 8, scratch: Int = 1,
        _ body: (
            _ part: Range<Int>, _ scratch: UnsafeMutablePointer<Sample>, _ out: UnsafeMutablePointer<Sample>
        ) -> Void
    ) -> [Sample] {
        let stride = width * channelCount
        return [Sample](unsafeUninitializedCapacity: height * stride) { out, initialised in
            if let base = out.baseAddress {
                threads.forRanges(height, grain: together) { part in
                    let room = UnsafeMutablePointer<Sample>.allocate(capacity: scratch)
                    body(part, room, base + part.lowerBound * stride)
                    room.deallocate()
                }
            }
            initialised = height * stride
        }
    }
}
