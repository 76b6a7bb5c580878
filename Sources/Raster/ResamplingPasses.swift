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

/// A resize along both axes over rows that are fetched as needed.
///
/// Memory: one intermediate between the passes and the result. Every result row is computed alone, so neither the
/// number of threads nor the way in which rows are handed out changes a byte.
struct ResamplingPasses<Arithmetic: ResamplingArithmetic> {
    typealias Sample = Arithmetic.Sample

    /// Gives row `y` of the source, either in place or written to the scratch that it is handed.
    typealias Rows = (_ y: Int, _ scratch: UnsafeMutablePointer<Sample>) -> UnsafePointer<Sample>

    let channelCount: Int
    let threads: Threads

    /// - Parameter box: the part of the source that fills the result.
    func run(
        _ rows: Rows, size: PixelSize, to target: PixelSize, box: ResamplingBox, filter: ResamplingFilter
    ) -> [Sample] {
        let across = ResamplingTaps(
            filter: filter, from: size.width, origin: box.left, length: box.width, to: target.width)
        let down = ResamplingTaps(
            filter: filter, from: size.height, origin: box.top, length: box.height, to: target.height)
        let needsAcross = target.width != size.width || box.left != 0 || box.width != Double(size.width)
        let needsDown = target.height != size.height || box.top != 0 || box.height != Double(size.height)
        guard needsDown else {
            return needsAcross
                ? horizontal(rows, width: size.width, rows: 0..<size.height, across)
                : copied(rows, size: size)
        }
        guard needsAcross else { return vertical(rows, width: size.width, columns: 0..<size.width, down) }

        // Which axis goes first is Pillow's choice, and bytes depend on it: they are clipped in between.
        if size.height - target.height > 2 * max(size.width - target.width, 0) {
            let reach = across.reach
            let narrow = vertical(rows, width: size.width, columns: reach, down)
            return narrow.withUnsafeBufferPointer { narrow in
                horizontal(
                    plain(narrow, width: reach.count), width: reach.count, rows: 0..<target.height,
                    across.shifted(by: reach.lowerBound))
            }
        }
        let reach = down.reach
        let low = horizontal(rows, width: size.width, rows: reach, across)
        return low.withUnsafeBufferPointer { low in
            vertical(
                plain(low, width: target.width), width: target.width, columns: 0..<target.width,
                down.shifted(by: reach.lowerBound))
        }
    }

    /// Rows that lie in memory as they are.
    func plain(_ samples: UnsafeBufferPointer<Sample>, width: Int) -> Rows {
        let stride = width * channelCount
        return { y, scratch in
            // An empty picture has no rows, so there is a base whenever this is called.
            samples.baseAddress.map { $0 + y * stride } ?? UnsafePointer(scratch)
        }
    }

    private func horizontal(_ rows: Rows, width: Int, rows wanted: Range<Int>, _ taps: ResamplingTaps) -> [Sample] {
        let target = taps.starts.count
        let weights = taps.weights.map(Arithmetic.weight)
        return filled(wanted.count, width: target, scratch: width) { row, scratch, _, out in
            let source = rows(wanted.lowerBound + row, scratch)
            weights.withUnsafeBufferPointer { weights in
                for x in 0..<target {
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

    private func vertical(_ rows: Rows, width: Int, columns: Range<Int>, _ taps: ResamplingTaps) -> [Sample] {
        let weights = taps.weights.map(Arithmetic.weight)
        let skipped = columns.lowerBound * channelCount
        let count = columns.count * channelCount
        return filled(taps.starts.count, width: columns.count, scratch: width) { row, scratch, sums, out in
            for index in 0..<count { sums[index] = Arithmetic.start }
            for tap in 0..<taps.counts[row] {
                let source = rows(taps.starts[row] + tap, scratch) + skipped
                let weight = weights[row * taps.stride + tap]
                for index in 0..<count { Arithmetic.add(&sums[index], source[index], weight) }
            }
            for index in 0..<count { out[index] = Arithmetic.finish(sums[index]) }
        }
    }

    private func copied(_ rows: Rows, size: PixelSize) -> [Sample] {
        let count = size.width * channelCount
        return filled(size.height, width: size.width, scratch: size.width) { row, scratch, _, out in
            let source = rows(row, scratch)
            for index in 0..<count { out[index] = source[index] }
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
