extension Picture {
    /// An RGB picture of 8 bits with its masked part filled by what lies around it, ever softer towards the middle: the web
    /// UI's "fill", bit for bit.
    ///
    /// - Parameter mask: 0…255 for each pixel, 255 where nothing of the picture is left
    /// - Source: AUTOMATIC1111's web UI, `modules/masking.py`, `fill`, over Pillow's RGBa, GaussianBlur and alpha_composite
    package func filledFromAround(_ mask: [UInt8]) -> Picture {
        precondition(channels == .rgb && mask.count == size.area, "an RGB picture and a mask of its size")
        guard case .eight(let samples) = samples else { preconditionFailure("8 bits") }
        var visible = [UInt8](repeating: 0, count: size.area * 4)
        for pixel in 0..<size.area {
            for channel in 0..<3 { visible[pixel * 4 + channel] = samples[pixel * 3 + channel] }
            visible[pixel * 4 + 3] = 255 - mask[pixel]
        }
        let straight = visible
        straight.withUnsafeBufferPointer { source in
            visible.withUnsafeMutableBufferPointer { out in
                premultiplyBytes(source.baseAddress!, samples: source.count, channelCount: 4, into: out.baseAddress!)
            }
        }
        var result = [UInt8](repeating: 0, count: size.area * 4)
        for (radius, times) in [(256, 1), (64, 1), (16, 2), (4, 4), (2, 2), (0, 1)] {
            var blurred = radius == 0 ? visible : gaussianBlurred(visible, size, channelCount: 4, radius: Float(radius))
            unpremultiplyBytes(&blurred, channelCount: 4)
            for _ in 0..<times { layOver(&result, blurred) }
        }
        return Picture(size: size, channels: .rgba, eight: result).droppingAlpha()
    }
}

/// RGBA over RGBA, in whole numbers. Source: Pillow, `src/libImaging/AlphaComposite.c`.
private func layOver(_ below: inout [UInt8], _ above: [UInt8]) {
    func by255(_ value: UInt32) -> UInt32 { ((value >> 8) + value) >> 8 }
    let bits: UInt32 = 7
    below.withUnsafeMutableBufferPointer { below in
        for pixel in stride(from: 0, to: above.count, by: 4) where above[pixel + 3] > 0 {
            let alpha = UInt32(above[pixel + 3])
            let whole = alpha * 255 + UInt32(below[pixel + 3]) * (255 - alpha)
            let own = alpha * 255 * 255 * (1 << bits) / whole
            let rest = 255 * (1 << bits) - own
            for channel in pixel..<pixel + 3 {
                let sum = UInt32(above[channel]) * own + UInt32(below[channel]) * rest
                below[channel] = UInt8(by255(sum + 0x80 << bits) >> bits)
            }
            below[pixel + 3] = UInt8(by255(whole + 0x80))
        }
    }
}

/// A Gaussian's likeness out of three running means, bytes in, bytes between passes, bytes out; edge pixels go on for ever.
///
/// Source: Pillow, `src/libImaging/BoxBlur.c`; Gwosdek et al., "Theoretical Foundations of Gaussian Convolution by Extended
/// Box Filtering" (2011).
package func gaussianBlurred(_ samples: [UInt8], _ size: PixelSize, channelCount: Int, radius: Float) -> [UInt8] {
    let variance = radius * radius / 3
    let length = (12 * variance + 1).squareRoot()
    let whole = ((length - 1) / 2).rounded(.down)
    let part =
        (2 * whole + 1) * (whole * (whole + 1) - 3 * variance) / (6 * (variance - (whole + 1) * (whole + 1)))
    let box = RunningMean(radius: whole + part)
    var (from, to) = (samples, samples)
    for pass in 0..<6 {
        let isRow = pass < 3
        let (lines, count) = isRow ? (size.height, size.width) : (size.width, size.height)
        let (lineStride, step) =
            isRow ? (size.width * channelCount, channelCount) : (channelCount, size.width * channelCount)
        from.withUnsafeBufferPointer { from in
            to.withUnsafeMutableBufferPointer { to in
                for line in 0..<lines {
                    for channel in 0..<channelCount {
                        let start = line * lineStride + channel
                        box.run(from.baseAddress! + start, to.baseAddress! + start, count: count, step: step)
                    }
                }
            }
        }
        swap(&from, &to)
    }
    return from
}

/// The mean over a window whose outermost pixels count in part.
private struct RunningMean {
    let radius: Int
    /// Weights of inner and outermost pixels, in 2⁻²⁴.
    let inner, outer: UInt32

    init(radius exact: Float) {
        radius = Int(exact)
        inner = UInt32(Float(1 << 24) / (exact * 2 + 1))
        outer = ((1 << 24) - UInt32(2 * radius + 1) * inner) / 2
    }

    func run(_ from: UnsafePointer<UInt8>, _ to: UnsafeMutablePointer<UInt8>, count: Int, step: Int) {
        func at(_ place: Int) -> UInt32 { UInt32(from[min(max(place, 0), count - 1) * step]) }
        var sum = (-radius - 1..<radius).reduce(UInt32(0)) { $0 + at($1) }
        for x in 0..<count {
            sum = sum + at(x + radius) - at(x - radius - 1)
            let mean = sum &* inner &+ (at(x - radius - 1) + at(x + radius + 1)) &* outer
            to[x * step] = UInt8(truncatingIfNeeded: (mean &+ 1 << 23) >> 24)
        }
    }
}
