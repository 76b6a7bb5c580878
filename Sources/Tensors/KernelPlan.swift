/// Which form each layer runs in: a pure function of the processor and the layer's shape, never of a clock.
///
/// Winograd's F(4×4, 3×3) does a quarter of the multiplications of a direct 3×3 convolution and differs from it by about
/// 1.5e-6 (relative, rms), so where it is faster it is chosen. Source: Lavin and Gray, "Fast Algorithms for
/// Convolutional Neural Networks" (2015).
package enum KernelPlan {
    /// Name of this rule, written in recipes: it changes when the rule does.
    package static let name = "winograd-1"

    package enum Form: String, Sendable {
        case direct, winograd
    }

    package struct ConvolutionShape: Sendable {
        package var inChannels, outChannels, kernelHeight, kernelWidth, stride, height, width: Int
    }

    package static func form(of shape: ConvolutionShape, on engine: Engine) -> Form {
        guard engine.lanes == 16, shape.kernelHeight == 3, shape.kernelWidth == 3, shape.stride == 1 else {
            return .direct
        }
        // Measured by `make bench`: with fewer channels the transforms cost more than the multiplications they save.
        return shape.inChannels >= 16 && shape.outChannels >= 32 ? .winograd : .direct
    }
}
