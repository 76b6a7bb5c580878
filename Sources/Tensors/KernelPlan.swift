/// Which form each layer runs in: a pure function of the processor and the layer's shape, never of a clock.
///
/// Winograd's F(4×4, 3×3) does a quarter of the multiplications of a direct 3×3 convolution and differs from it by about
/// 1.5e-6 (relative, rms), so where it is faster it is chosen. Source: Lavin and Gray, "Fast Algorithms for
/// Convolutional Neural Networks" (2015).
package enum KernelPlan {
    /// Name of this rule, written in recipes: it changes when the rule does.
    package static let name = "winograd-3"

    package enum Form: String, Sendable {
        case direct, winograd
    }

    package struct ConvolutionShape: Sendable {
        package var inChannels, outChannels, kernelHeight, kernelWidth, stride, height, width: Int
    }

    /// Largest packed Winograd weights that stay in a processor's cache, in bytes.
    private static let cached = 4 << 20

    /// **Rule**, measured by `velatura-bench convolutions` (oneDNN 2.6.3, Zen 5, one thread, GFLOP/s direct | Winograd):
    /// - at least 32 channels in: 40→40 at 64×64 does 144 | 280, but 16→64 219 | 176;
    /// - at least 64 pixels, or the 6×6 tiles are mostly border: 160→160 at 4×4 does 130 | 92, at 8×8 195 | 383;
    /// - at least 192 pixels where the weights, four times those of the direct form, come from memory each time:
    ///   1280→1280 at 8×8 does 195 | 166, at 16×16 196 | 424.
    ///
    /// And at least as many channels out as in, or 128: with fewer, oneDNN's blocking, and with it the last bits, depends
    /// on the number of threads for some sizes (160→64 at 64×64 differs between two threads and three). Those layers
    /// would run up to 1.8 times faster as Winograd. Neither the batch nor the number of threads is asked.
    package static func form(of shape: ConvolutionShape, on engine: Engine) -> Form {
        guard engine.lanes == 16, shape.kernelHeight == 3, shape.kernelWidth == 3, shape.stride == 1 else {
            return .direct
        }
        let inputs = shape.inChannels.roundedUp(to: engine.lanes)
        let outputs = shape.outChannels.roundedUp(to: engine.lanes)
        guard inputs >= 32, outputs >= min(inputs, 128) else { return .direct }
        let fits = 6 * 6 * inputs * outputs * MemoryLayout<Float>.stride <= cached
        return shape.height * shape.width >= (fits ? 64 : 192) ? .winograd : .direct
    }
}
