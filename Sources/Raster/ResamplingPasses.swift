import Threads

/// How one kind of sample is weighed and summed.
protocol ResamplingArithmetic {
    associatedtype Sample: Sendable
    associatedtype Weight: Sendable
    associatedtype Sum: Sendable

    static func weight(_ value: Double) -> Weight
    static var start: Sum { get }
    static func add(_ sum: inout Sum, _ sample: Sample, _ weight: Weight)
    static func finish(_ sum: Sum) -> Sample
}

/// Bytes with weights of 22 fractional bits, rounded and clipped after each pass: bit for bit as Pillow does it.
enum ByteArithmetic: ResamplingArithmetic {
    private static let fractionBits: Int32 = 22

    static func weight(_ value: Double) -> Int32 {
        Int32(value * Double(1 << fractionBits) + (value < 0 ? -0.5 : 0.5))
    }

    static var start: Int32 { 1 << (fractionBits - 1) }

    @inline(__always)
    static func add(_ sum: inout Int32, _ sample: UInt8, _ weight: Int32) { sum &+= Int32(sample) &* weight }

    @inline(__always)
    static func finish(_ sum: Int32) -> UInt8 { UInt8(truncatingIfNeeded: max(0, min(255, sum >> fractionBits))) }
}

/// Floats summed in Double, never clipped: as Pillow's mode F.
enum FloatArithmetic: ResamplingArithmetic {
    static func weight(_ value: Double) -> Double { value }
    static var start: Double { 0 }

    @inline(__always)
    static func add(_ sum: inout Double, _ sample: Float, _ weight: Double) { sum += Double(sample) * weight }

    @inline(__always)
    static func finish(_ sum: Double) -> Float { Float(sum) }
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
        let taps = axis.taps
        return filled(wanted.count, width: target.width, scratch: width) { row, scratch, _, out in
            let source = rows(wanted.lowerBound + row, scratch)
            axis.weights.withUnsafeBufferPointer { weights in
                for x in 0..<target.width {
                    let first = source + taps.starts[x] * channelCount
                    let base = x * taps.stride
                    for channel in 0..<channelCount {
                        var sum = Arithmetic.start
                        for tap in 0..<taps.counts[x] {
                            Arithmetic.add(&sum, first[tap * channelCount + channel], weights[base + tap])
                        }
                        out[x * channelCount + channel] = Arithmetic.finish(sum)
                    }
                }
            }
        }
    }

    /// Result rows from the window's.
    private func vertical(width: Int, rows band: Range<Int>, _ axis: Axis) -> [Sample] {
        let taps = axis.taps
        let count = width * channelCount
        return window.withUnsafeBufferPointer { window in
            let rows = plain(window, width: width, from: windowRows.lowerBound)
            return filled(band.count, width: width, scratch: 1) { row, scratch, sums, out in
                let row = band.lowerBound + row
                for index in 0..<count { sums[index] = Arithmetic.start }
                for tap in 0..<taps.counts[row] {
                    let source = rows(taps.starts[row] + tap, scratch)
                    let weight = axis.weights[row * taps.stride + tap]
                    for index in 0..<count { Arithmetic.add(&sums[index], source[index], weight) }
                }
                for index in 0..<count { out[index] = Arithmetic.finish(sums[index]) }
            }
        }
    }

    /// The columns of rows that the window has.
    private func copied(_ rows: Rows, _ wanted: Range<Int>) -> [Sample] {
        let (skipped, count) = (columns.lowerBound * channelCount, columns.count * channelCount)
        return filled(wanted.count, width: columns.count, scratch: size.width) { row, scratch, _, out in
            out.update(from: rows(wanted.lowerBound + row, scratch) + skipped, count: count)
        }
    }

    /// Samples of `height` rows, each filled by `body`, which is lent a source row's scratch and a result row's sums.
    private func filled(
        _ height: Int, width: Int, scratch: Int,
        _ body: (
            _ row: Int, _ scratch: UnsafeMutablePointer<Sample>, _ sums: UnsafeMutablePointer<Arithmetic.Sum>,
            _ out: UnsafeMutablePointer<Sample>
        ) -> Void
    ) -> [Sample] {
        let stride = width * channelCount
        return [Sample](unsafeUninitializedCapacity: height * stride) { out, initialised in
            if let base = out.baseAddress {
                threads.forRanges(height, grain: max(1, (1 << 16) / max(1, stride))) { range in
                    let row = UnsafeMutablePointer<Sample>.allocate(capacity: scratch * channelCount)
                    let sums = UnsafeMutablePointer<Arithmetic.Sum>.allocate(capacity: stride)
                    for index in range { body(index, row, sums, base + index * stride) }
                    row.deallocate()
                    sums.deallocate()
                }
            }
            initialised = height * stride
        }
    }
}
