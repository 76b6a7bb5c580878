/// Which form each layer runs in: a pure function of the processor and the layer's shape, never of a clock.
package enum KernelPlan {
    /// Name of this rule, written in recipes: it changes when the rule does.
    package static let name = "winograd-4"

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
}
