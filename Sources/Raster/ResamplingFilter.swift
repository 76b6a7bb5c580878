#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How neighbouring pixels are weighed when a picture is resized.
package enum ResamplingFilter: String, Sendable, CaseIterable {
    case box
    /// A triangle.
    case bilinear
    /// Keys' cubic with a = −0.5.
    case bicubic
    /// Three-lobed windowed sinc.
    case lanczos

    /// Half the filter's width. Units: source pixels when enlarging, result pixels when reducing.
    package var support: Double {
        switch self {
        case .box: 0.5
        case .bilinear: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The filter's value `x` pixels from its centre.
    package func callAsFunction(_ x: Double) -> Double {
        switch self {
        case .box: return x > -0.5 && x <= 0.5 ? 1 : 0
        case .bilinear: return max(0, 1 - abs(x))
        case .bicubic:
            let a = -0.5
            let x = abs(x)
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        case .lanczos: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
        }
    }

    private func sinc(_ x: Double) -> Double {
        x == 0 ? 1 : sin(x * .pi) / (x * .pi)
    }
}

/// The part of the source that a resize shows. Units: source pixels, fractions allowed.
package struct ResamplingBox: Hashable, Sendable {
    package var left: Double
    package var top: Double
    package var width: Double
    package var height: Double

    package init(left: Double, top: Double, width: Double, height: Double) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }

    /// All of a picture of this size.
    package init(_ size: PixelSize) {
        self.init(left: 0, top: 0, width: Double(size.width), height: Double(size.height))
    }

    func isInside(_ size: PixelSize) -> Bool {
        // A hair of tolerance: boxes are computed from ratios.
        left >= 0 && top >= 0 && width > 0 && height > 0
            && left + width <= Double(size.width) * (1 + 1e-12) + 1e-9
            && top + height <= Double(size.height) * (1 + 1e-12) + 1e-9
    }
}

/// The source pixels behind each result pixel of one axis, and their weights, which sum to 1.
///
/// Source: `precompute_coeffs` in Pillow's `src/libImaging/Resample.c`, operation for operation.
struct ResamplingTaps {
    private(set) var starts: [Int] = []
    private(set) var counts: [Int] = []
    private(set) var weights: [Double] = []
    /// Weights reserved a result pixel.
    let stride: Int

    init(filter: ResamplingFilter, from source: Int, origin: Double, length: Double, to target: Int) {
        let scale = length / Double(target)
        let filterScale = max(scale, 1)
        let support = filter.support * filterScale
        stride = Int(support.rounded(.up)) * 2 + 1
        starts.reserveCapacity(target)
        counts.reserveCapacity(target)
        weights = [Double](repeating: 0, count: target * stride)
        for index in 0..<target {
            let center = origin + (Double(index) + 0.5) * scale
            let first = max(0, Int(center - support + 0.5))
            let count = min(source, Int(center + support + 0.5)) - first
            var sum = 0.0
            for tap in 0..<count {
                let weight = filter((Double(tap + first) - center + 0.5) * (1 / filterScale))
                weights[index * stride + tap] = weight
                sum += weight
            }
            if sum != 0 { for tap in 0..<count { weights[index * stride + tap] /= sum } }
            starts.append(first)
            counts.append(count)
        }
    }

    /// The source pixels that any result pixel reads.
    var reach: Range<Int> {
        var first = Int.max
        var end = 0
        for index in starts.indices {
            first = min(first, starts[index])
            end = max(end, starts[index] + counts[index])
        }
        return min(first, end)..<end
    }

    /// The same taps for a source that begins at pixel `offset` of the old one.
    func shifted(by offset: Int) -> ResamplingTaps {
        var copy = self
        for index in copy.starts.indices { copy.starts[index] -= offset }
        return copy
    }
}
