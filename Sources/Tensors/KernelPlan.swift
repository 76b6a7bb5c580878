/// Which form each layer runs in: a pure function of the processor, the layer's shape and a ``KernelTable``, never of a clock.
package enum KernelPlan {
    /// Name of these rules, written in recipes: it changes when they do.
    package static let name = "winograd-4, bf16-4"

    package enum Form: String, Sendable, CaseIterable {
        /// Our own Winograd F(4×4, 3×3).
        case winograd
        /// oneDNN's direct convolution.
        case direct
        /// The same with its factors rounded to bfloat16.
        case roundedDirect = "direct in bfloat16"
        /// One product of what the kernel sees around each pixel, rounded to bfloat16.
        case roundedProduct = "as a product in bfloat16"
        /// oneDNN's Winograd, where its version has one. Never planned: it is slower than ours, and for some shapes its last
        /// bits depend on the number of threads. It stays to be measured against.
        case libraryWinograd

        var product: Product { self == .roundedDirect || self == .roundedProduct ? .bfloat16 : .float32 }
    }

    /// Winograd does a quarter of a direct 3×3 convolution's multiplications and differs from it by about 2e-6 (relative,
    /// rms); with its factors rounded it would lose too much. Transforming its weights costs as much as some tiles, so the
    /// smallest maps run direct. The batch does not count: a picture must not depend on what is painted beside it.
    ///
    /// - Parameters:
    ///   - shape: `[O, I, kh, kw]`
    ///   - height: of the result
    ///   - precision: what the layer and its engine allow
    package static func form(
        _ shape: [Int], stride: Int, height: Int, width: Int, precision: Engine.Precision, on engine: Engine
    ) -> Form {
        let rounds = product(inputs: shape[1], outputs: shape[0], precision: precision, on: engine) == .bfloat16
        let least = rounds ? engine.table.winogradTilesRounded : engine.table.winogradTiles
        let isSmall = tiles(height: height, width: width) < least
        if !isSmall, suitsWinograd(shape, stride: stride, on: engine) { return .winograd }
        guard rounds else { return .direct }
        return isSmall && shape[2] * shape[3] > 1 ? .roundedProduct : .roundedDirect
    }

    /// Whether maps that are not the smallest run as Winograd.
    static func suitsWinograd(_ shape: [Int], stride: Int, on engine: Engine) -> Bool {
        shape[2] == 3 && shape[3] == 3 && stride == 1 && hasWinograd(on: engine)
    }

    package static func hasWinograd(on engine: Engine) -> Bool { Winograd.isAvailable(lanes: engine.lanes) }

    /// Winograd's tiles of 4×4 pixels in a map.
    package static func tiles(height: Int, width: Int) -> Int { ((height + 3) / 4) * ((width + 3) / 4) }

    package enum Product: String, Sendable {
        case float32, bfloat16
    }

    /// Sums stay in 32 bits either way; rounding the factors to bfloat16 costs about 2.4e-3 (relative, rms) of a product and
    /// halves its time.
    ///
    /// - Parameter precision: what the layer and its engine allow
    package static func product(inputs: Int, outputs: Int, precision: Engine.Precision, on engine: Engine) -> Product {
        guard engine.hasBFloat16 else { return .float32 }
        switch precision {
        case .f32: return .float32
        case .bf16: return .bfloat16
        case .auto: return min(inputs, outputs) >= engine.table.roundedWidth ? .bfloat16 : .float32
        }
    }
}
