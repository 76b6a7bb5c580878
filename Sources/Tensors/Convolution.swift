import CDNNL

/// A two-dimensional convolution with fixed weights, over ``FeatureMap``s.
package final class Convolution: Sendable {
    package struct Padding: Sendable, Hashable {
        package var top, left, bottom, right: Int

        package init(_ all: Int) { (top, left, bottom, right) = (all, all, all, all) }
        package init(top: Int, left: Int, bottom: Int, right: Int) {
            (self.top, self.left, self.bottom, self.right) = (top, left, bottom, right)
        }
    }

    private let engine: Engine
    private let weights: Weights
    private let bias: Storage?
    package let stride: Int
    package let padding: Padding
    private let precision: Engine.Precision
    private let fixedForm: KernelPlan.Form?
    private let winograd: Winograd
    private let patches: PatchProduct
    private let operations = PackedOperations<Shape>()

    private struct Shape: Hashable {
        let batch, height, width: Int
        let padding: Padding
        let accumulates: Bool
    }

    /// - Parameters:
    ///   - weights: `[O, I, kh, kw]`
    ///   - bias: `[O]`
    ///   - precision: what the layer allows; the plan picks
    ///   - form: instead of the plan's, for measurements and tests
    package init(
        _ weights: Weights, bias: Weights?, stride: Int = 1, padding: Padding, precision: Engine.Precision = .f32,
        form: KernelPlan.Form? = nil, on engine: Engine
    ) {
        precondition(weights.shape.count == 4, "a convolution needs [O, I, kh, kw], not \(weights.shape)")
        (self.engine, self.weights, self.stride, self.padding) = (engine, weights, stride, padding)
        (self.precision, fixedForm) = (precision, form)
        winograd = Winograd(weights)
        patches = PatchProduct(weights, bias: bias, on: engine)
        engine.shelf.add(patches.layer, bytes: 0, staging: 0)
        self.bias = bias.map { bias in
            let storage = Storage(bias.count.roundedUp(to: engine.lanes))
            storage.pointer.update(repeating: 0, count: storage.count)
            bias.copy(to: storage.pointer)
            return storage
        }
        // A painting meets maps of one size as a rule: what its weights are packed for is counted once.
        if form.map({ $0 == .winograd }) ?? KernelPlan.suitsWinograd(weights.shape, stride: stride, on: engine) {
            engine.shelf.add(winograd, bytes: winograd.packedBytes(lanes: engine.lanes), staging: weights.bytesOfFile)
            engine.shelf.add(operations, bytes: 0, staging: 0)
        } else {
            let rounds =
                KernelPlan.product(inputs: inChannels, outputs: outChannels, precision: precision, on: engine)
                == .bfloat16
            let whole = weights.countFilledUp(toLanes: engine.lanes) * 4
            engine.shelf.add(
                operations, bytes: rounds ? whole / 2 : whole, staging: 2 * whole + weights.bytesOfFile)
        }
    }

    package var outChannels: Int { weights.shape[0] }
    package var inChannels: Int { weights.shape[1] }

    /// - Parameter padding: instead of the layer's own, where `x` is some rows of a larger map
    package func callAsFunction(_ x: FeatureMap, padding: Padding? = nil) throws -> FeatureMap {
        let padding = padding ?? self.padding
        var result = output(for: x, padding)
        try run(x, padding, into: &result, accumulates: false)
        return result
    }

    /// Adds the convolution of `x` to `sum`.
    package func add(_ x: FeatureMap, to sum: inout FeatureMap, padding: Padding? = nil) throws {
        try run(x, padding ?? self.padding, into: &sum, accumulates: true)
    }

    /// Rows that come out for `height` that go in.
    package func outputHeight(_ height: Int) -> Int {
        (height + padding.top + padding.bottom - weights.shape[2]) / stride + 1
    }

    /// What rows `rows` of the result see of a map of `height` rows: its rows, and what they are padded with.
    package func reach(of rows: Range<Int>, height: Int) -> (rows: Range<Int>, padding: Padding) {
        let first = rows.lowerBound * stride - padding.top
        let end = (rows.upperBound - 1) * stride - padding.top + weights.shape[2]
        var padding = padding
        (padding.top, padding.bottom) = (max(0, -first), max(0, end - height))
        return (max(0, first)..<min(height, end), padding)
    }

    /// The name of what runs on maps like `x`: "winograd", or oneDNN's, such as "jit:avx512_core".
    package func implementation(for x: FeatureMap, accumulates: Bool = false) throws -> String {
        let result = result(of: x.shape, padding)
        let form = form(for: result)
        return switch form {
        case .winograd: form.rawValue
        case .roundedProduct: try patches.implementation(for: result)
        case .direct, .roundedDirect, .libraryWinograd:
            try operation(form, for: x.shape, padding, accumulates: accumulates).implementation
        }
    }

    private func form(for result: MapShape) -> KernelPlan.Form {
        fixedForm
            ?? KernelPlan.form(
                weights.shape, stride: stride, height: result.height, width: result.width, precision: precision,
                on: engine)
    }

    private func output(for x: FeatureMap, _ padding: Padding) -> FeatureMap {
        let shape = result(of: x.shape, padding)
        return x.like(channels: shape.channels, height: shape.height, width: shape.width)
    }

    private func result(of x: MapShape, _ padding: Padding) -> MapShape {
        var shape = x
        shape.channels = outChannels
        shape.height = (x.height + padding.top + padding.bottom - weights.shape[2]) / stride + 1
        shape.width = (x.width + padding.left + padding.right - weights.shape[3]) / stride + 1
        return shape
    }

    private func run(_ x: FeatureMap, _ padding: Padding, into result: inout FeatureMap, accumulates: Bool) throws {
        precondition(x.channels == inChannels, "\(x.shapeDescription) into a convolution of \(inChannels) channels")
        try x.withPointer { source in
            try result.withMutablePointer { try run(source, x.shape, padding, to: $0, accumulates: accumulates) }
        }
    }

    /// Writes the convolution of the map at `source`, or adds it; source and destination do not overlap.
    func run(
        _ source: UnsafePointer<Float>, _ x: MapShape, _ padding: Padding,
        to destination: UnsafeMutablePointer<Float>, accumulates: Bool
    ) throws {
        let result = result(of: x, padding)
        let form = form(for: result)
        let (kernel, pixels) = (weights.shape[2] * weights.shape[3], result.batch * result.height * result.width)
        try engine.timed(
            "convolution, \(form.rawValue)",
            "\(inChannels)→\(outChannels), \(weights.shape[3])×\(weights.shape[2])"
                + (stride == 1 ? "" : " stride \(stride)") + ", \(result.batch)·\(result.width)×\(result.height)",
            operations: 2 * Double(kernel * inChannels) * Double(outChannels * pixels)
        ) {
            switch form {
            case .winograd:
                winograd.run(
                    source, x, padding, bias: bias, to: destination, result, accumulates: accumulates, on: engine)
            case .roundedProduct:
                try patches.run(
                    source, x, stride: stride, padding, to: destination, result, accumulates: accumulates, on: engine)
            case .direct, .roundedDirect, .libraryWinograd:
                let operation = try operation(form, for: x, padding, accumulates: accumulates)
                try engine.withFactors(source, x.count, of: form.product) {
                    try operation.run($0, bias: bias, into: destination, on: engine)
                }
            }
        }
    }

    private func operation(
        _ form: KernelPlan.Form, for x: MapShape, _ padding: Padding, accumulates: Bool
    ) throws -> PackedOperation {
        let shape = Shape(
            batch: x.batch, height: x.height, width: x.width, padding: padding, accumulates: accumulates)
        return try operations.operation(for: shape) { siblings in
            engine.threads.apply()
            var message = [CChar](repeating: 0, count: 256)
            var spec = specification(form, for: x, padding, accumulates: accumulates)
            guard let made = dnnl_shim_convolution(&spec, &message, message.count) else {
                throw EngineError.operation(Engine.text(message))
            }
            return PackedOperation(made, weights: weights.filledUp(toLanes: engine.lanes), siblings: siblings)
        }
    }

    /// Channels are told as whole blocks: lanes past the last are zero, and so are their weights. oneDNN's fast forms know
    /// whole blocks only; for 4 channels in, as in Stable Diffusion's first layer, it would fall back to its reference
    /// loops, hundreds of times slower.
    private func specification(
        _ form: KernelPlan.Form, for x: MapShape, _ padding: Padding, accumulates: Bool
    ) -> dnnl_shim_convolution_spec {
        dnnl_shim_convolution_spec(
            batch: Int32(x.batch), in_channels: Int32(inChannels.roundedUp(to: x.lanes)), in_height: Int32(x.height),
            in_width: Int32(x.width), out_channels: Int32(outChannels.roundedUp(to: x.lanes)),
            kernel_height: Int32(weights.shape[2]),
            kernel_width: Int32(weights.shape[3]), stride: Int32(stride), pad_top: Int32(padding.top),
            pad_left: Int32(padding.left), pad_bottom: Int32(padding.bottom), pad_right: Int32(padding.right),
            block: Int32(x.lanes), bfloat16: form.product == .bfloat16 ? 1 : 0,
            winograd: form == .libraryWinograd ? 1 : 0, has_bias: bias == nil ? 0 : 1,
            accumulate: accumulates ? 1 : 0)
    }
}
