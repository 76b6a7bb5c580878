/// Which form each layer runs in: a pure function of the processor and the layer's shape, never of a clock.
package enum KernelPlan {
    /// Name of this rule, written in recipes: it changes when the rule does.
    package static let name = "winograd-4, bf16-2"

    package enum Form: String, Sendable, CaseIterable {
        /// Our own Winograd F(4×4, 3×3).
        case winograd
        /// oneDNN's direct convolution.
        case direct
        /// oneDNN's Winograd, where its version has one. Never planned: it is slower than ours, and for some shapes its last
        /// bits depend on the number of threads. It stays to be measured against.
        case libraryWinograd
    }

    /// Winograd does a quarter of a direct 3×3 convolution's multiplications and differs from it by about 2e-6 (relative,
    /// rms). `velatura-bench convolutions` finds no shape in our networks where the direct form is faster.
    package static func form(kernelHeight: Int, kernelWidth: Int, stride: Int, on engine: Engine) -> Form {
        kernelHeight == 3 && kernelWidth == 3 && stride == 1 && Winograd.isAvailable(lanes: engine.lanes)
            ? .winograd : .direct
    }

    package enum Product: String, Sendable {
        case float32, bfloat16
    }

    /// Sums stay in 32 bits either way; rounding the factors to bfloat16 costs about 2.4e-3 (relative, rms) of a product and
    /// halves its time. Below 256 inputs or outputs rounding the rows eats what it saves.
    ///
    /// - Parameter precision: what the layer and its engine allow
    package static func product(inputs: Int, outputs: Int, precision: Engine.Precision, on engine: Engine) -> Product {
        guard engine.hasBFloat16 else { return .float32 }
        switch precision {
        case .f32: return .float32
        case .bf16: return .bfloat16
        case .auto: return min(inputs, outputs) >= 256 ? .bfloat16 : .float32
        }
    }
}
