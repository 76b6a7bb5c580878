import CKernels
import Threads

/// A resize whose source comes strip by strip and whose result goes band by band, from top to bottom: the same bytes as
/// ``Picture/resized(to:filter:box:threads:)``, which is this with one strip.
///
/// Order: alpha is multiplied into the colours before and divided out after, so that hidden colours do not leak.
package final class StripResize {
    package let size: PixelSize
    package let target: PixelSize
    private let channels: Picture.Channels
    private let threads: Threads
    private var passes: Passes
    /// The source's row that comes next.
    private var next = 0

    private enum Passes {
        case whole
        case bytes(ResamplingPasses<ByteArithmetic>)
        case words(ResamplingPasses<FloatArithmetic>)
    }

    /// - Parameters:
    ///   - size: of the whole source
    ///   - depth: bits of a sample, 8 or 16
    ///   - box: the part of the source to show; without it, all
    package init(
        _ size: PixelSize, channels: Picture.Channels, depth: Int, to target: PixelSize,
        filter: ResamplingFilter = .lanczos, box: ResamplingBox? = nil, threads: Threads = Threads(1)
    ) {
        let shown = box ?? ResamplingBox(size)
        precondition(!target.isEmpty && shown.isInside(size), "resize of \(size) to \(target) shows \(shown)")
        (self.size, self.target, self.channels, self.threads) = (size, target, channels, threads)
        let count = channels.count
        if target == size, shown == ResamplingBox(size) {
            passes = .whole
        } else if depth == 8 {
            passes = .bytes(
                .init(channelCount: count, size: size, to: target, box: shown, filter: filter, threads: threads))
        } else {
            passes = .words(
                .init(channelCount: count, size: size, to: target, box: shown, filter: filter, threads: threads))
        }
    }

    /// The rows of the source that are read: others may be left out at the beginning and at the end.
    package var rows: Range<Int> {
        switch passes {
        case .whole: 0..<size.height
        case .bytes(let passes): passes.rows
        case .words(let passes): passes.rows
        }
    }

    /// Leaves rows out at the beginning.
    package func skip(to y: Int) {
        precondition(y >= next && y <= rows.lowerBound, "rows \(rows) are read, so \(next) to \(y) cannot be left out")
        next = y
    }

    /// Takes the source's next rows.
    ///
    /// - Parameters:
    ///   - strip: as wide as the source, of its channels and depth
    ///   - take: takes the result's rows that are ready, with the row that they begin at
    package func add(_ strip: Picture, _ take: (_ band: Picture, _ y: Int) throws -> Void) rethrows {
        precondition(strip.channels == channels && strip.width == size.width, "strips are of one kind")
        let given = next..<next + strip.height
        precondition(given.upperBound <= size.height, "rows \(given) of \(size)")
        next = given.upperBound
        switch (passes, strip.samples) {
        case (.whole, _): try take(strip, given.lowerBound)
        case (.bytes(var bytes), .eight(let values)):
            // The window is changed in place rather than copied.
            passes = .whole
            defer { passes = .bytes(bytes) }
            try values.withUnsafeBufferPointer { values in
                try bytes.add(given, rows(values, bytes, from: given.lowerBound)) { band, y in
                    try take(Picture(size: size(y), channels: channels, eight: finished(band)), y.lowerBound)
                }
            }
        case (.words(var words), .sixteen(let values)):
            passes = .whole
            defer { passes = .words(words) }
            try values.withUnsafeBufferPointer { values in
                try words.add(given, rows(values, from: given.lowerBound)) { band, y in
                    try take(Picture(size: size(y), channels: channels, sixteen: finished(band)), y.lowerBound)
                }
            }
        case (.words(var words), .float(let values)):
            passes = .whole
            defer { passes = .words(words) }
            try values.withUnsafeBufferPointer { values in
                try words.add(given, rows(values, from: given.lowerBound)) { band, y in
                    try take(
                        Picture(size: size(y), channels: channels, samples: .float(straight(band, opaque: 1))),
                        y.lowerBound)
                }
            }
        default: preconditionFailure("strips are of one depth")
        }
    }

    private func size(_ rows: Range<Int>) -> PixelSize { PixelSize(width: target.width, height: rows.count) }

    private func rows(
        _ values: UnsafeBufferPointer<UInt8>, _ passes: ResamplingPasses<ByteArithmetic>, from first: Int
    ) -> ResamplingPasses<ByteArithmetic>.Rows {
        let plain = passes.plain(values, width: size.width, from: first)
        guard channels.hasAlpha else { return plain }
        let (count, samples) = (channels.count, size.width * channels.count)
        return { y, scratch in
            premultiplyBytes(plain(y, scratch), samples: samples, channelCount: count, into: scratch)
            return UnsafePointer(scratch)
        }
    }

    private func rows(
        _ values: UnsafeBufferPointer<UInt16>, from first: Int
    ) -> ResamplingPasses<FloatArithmetic>.Rows {
        let (count, samples, hasAlpha) = (channels.count, size.width * channels.count, channels.hasAlpha)
        return { y, scratch in
            let row = (y - first) * samples
            for index in 0..<samples { scratch[index] = Float(values[row + index]) }
            if hasAlpha { premultiply(scratch, samples: samples, channelCount: count, opaque: 65_535) }
            return UnsafePointer(scratch)
        }
    }

    private func rows(_ values: UnsafeBufferPointer<Float>, from first: Int) -> ResamplingPasses<FloatArithmetic>.Rows {
        let (count, samples, hasAlpha) = (channels.count, size.width * channels.count, channels.hasAlpha)
        return { y, scratch in
            let row = (y - first) * samples
            for index in 0..<samples { scratch[index] = values[row + index] }
            if hasAlpha { premultiply(scratch, samples: samples, channelCount: count, opaque: 1) }
            return UnsafePointer(scratch)
        }
    }

    private func straight(_ band: [Float], opaque: Float) -> [Float] {
        guard channels.hasAlpha else { return band }
        var band = band
        unpremultiply(&band, channelCount: channels.count, opaque: opaque)
        return band
    }

    private func finished(_ band: [UInt8]) -> [UInt8] {
        guard channels.hasAlpha else { return band }
        var band = band
        unpremultiplyBytes(&band, channelCount: channels.count)
        return band
    }

    private func finished(_ band: [Float]) -> [UInt16] {
        let band = straight(band, opaque: 65_535)
        return [UInt16](unsafeUninitializedCapacity: band.count) { words, initialised in
            band.withUnsafeBufferPointer { band in
                guard let source = band.baseAddress, let out = words.baseAddress else { return }
                threads.forRanges(band.count, grain: 1 << 16) { part in
                    resample_words(source + part.lowerBound, out + part.lowerBound, part.count)
                }
            }
            initialised = band.count
        }
    }
}
