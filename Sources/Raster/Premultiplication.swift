// Colours multiplied by their alpha and back. Filters must weigh colours by how visible they are, or what transparent
// pixels hide bleeds into the visible ones.

/// Bytes: c' = c·a / 255, rounded. Source: Pillow, `rgba2rgbA` in `Convert.c` (`MULDIV255`).
func premultiplyBytes(
    _ source: UnsafePointer<UInt8>, samples: Int, channelCount: Int, into out: UnsafeMutablePointer<UInt8>
) {
    for pixel in stride(from: 0, to: samples, by: channelCount) {
        let alpha = UInt32(source[pixel + channelCount - 1])
        for channel in pixel..<pixel + channelCount - 1 {
            let product = UInt32(source[channel]) * alpha + 128
            out[channel] = UInt8(truncatingIfNeeded: ((product >> 8) + product) >> 8)
        }
        out[pixel + channelCount - 1] = UInt8(truncatingIfNeeded: alpha)
    }
}

/// Bytes: c = min(255, 255·c' / a) rounded down; unchanged where a is 0 or 255. Source: Pillow, `rgbA2rgba`.
func unpremultiplyBytes(_ samples: inout [UInt8], channelCount: Int) {
    samples.withUnsafeMutableBufferPointer { samples in
        for pixel in stride(from: 0, to: samples.count, by: channelCount) {
            let alpha = UInt32(samples[pixel + channelCount - 1])
            guard alpha != 0, alpha != 255 else { continue }
            for channel in pixel..<pixel + channelCount - 1 {
                samples[channel] = UInt8(truncatingIfNeeded: min(255, 255 * UInt32(samples[channel]) / alpha))
            }
        }
    }
}

/// Floats, in place. `opaque` is the alpha of an opaque pixel.
func premultiply(_ samples: UnsafeMutablePointer<Float>, samples count: Int, channelCount: Int, opaque: Float) {
    for pixel in stride(from: 0, to: count, by: channelCount) {
        let alpha = samples[pixel + channelCount - 1] / opaque
        for channel in pixel..<pixel + channelCount - 1 { samples[channel] *= alpha }
    }
}

/// Floats, in place. Pixels too transparent to tell their colour keep the multiplied one.
func unpremultiply(_ samples: inout [Float], channelCount: Int, opaque: Float) {
    samples.withUnsafeMutableBufferPointer { samples in
        for pixel in stride(from: 0, to: samples.count, by: channelCount) {
            let alpha = samples[pixel + channelCount - 1] / opaque
            guard alpha > 1e-6 else { continue }
            for channel in pixel..<pixel + channelCount - 1 { samples[channel] /= alpha }
        }
    }
}
