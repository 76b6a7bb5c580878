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
    private let operations = PackedOperations<Shape>()

    private struct Shape: Hashable {
        let batch, height, width: Int
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
        winograd = Winograd(weights, padding: padding)
        self.bias = bias.map { bias in
            let storage = Storage(bias.count.roundedUp(to: engine.lanes))
            storage.pointer.update(repeating: 0, count: storage.count)
            bias.copy(to: storage.pointer)
            return storage
        }
    }

    package var outChannels: Int { weights.shape[0] }
    package var inChannels: Int { weights.shape[1] }

    package func callAsFunction(_ x: FeatureMap) throws -> FeatureMap {
        var result = output(for: x)
        try run(x, into: &result, accumulates: false)
        return result
    }

    /// Adds the convolution of `x` to `sum`.
    package func add(_ x: FeatureMap, to sum: inout FeatureMap) throws {
        try run(x, into: &sum, accumulates: true)
    }

    /// The name of what runs on maps like `x`: "winograd", or oneDNN's, such as "jit:avx512_core".
    package func implementation(for x: FeatureMap, accumulates: Bool = false) throws -> String {
        let form = form(for: output(for: x))
        return try form == .winograd
            ? form.rawValue : operation(form, for: x, accumulates: accumulates).implementation
    }

    private func form(for result: FeatureMap) -> KernelPlan.Form {
        fixedForm
            ?? KernelPlan.form(
                weights.shape, stride: stride, height: result.height, width: result.width, precision: precision,
                on: engine)
    }

    private func output(for x: FeatureMap) -> FeatureMap {
        let height = (x.height + padding.top + padding.bottom - weights.shape[2]) / stride + 1
        let width = (x.width + padding.left + padding.right - weights.shape[3]) / stride + 1
        return x.like(channels: outChannels, height: height, width: width)
    }

    private func run(_ x: FeatureMap, into result: inout FeatureMap, accumulates: Bool) throws {
        precondition(x.channels == inChannels, "\(x.shapeDescription) into a convolution of \(inChannels) channels")
        let form = form(for: result)
        let (kernel, pixels) = (weights.shape[2] * weights.shape[3], result.batch * result.pixels)
        try engine.timed(
            "convolution, \(form.rawValue)",
            "\(inChannels)→\(outChannels), \(weights.shape[3])×\(weights.shape[2])"
                + (stride == 1 ? "" : " stride \(stride)") + ", \(result.batch)·\(result.width)×\(result.height)",
            operations: 2 * Double(kernel * inChannels) * Double(outChannels * pixels)
        ) {
            if form == .winograd {
                return winograd.run(x, bias: bias, into: &result, accumulates: accumulates, on: engine)
            }
            let operation = try operation(form, for: x, accumulates: accumulates)
            try x.withPointer { source in
                try result.withMutablePointer { destination in
                    try engine.withFactors(source, x.count, of: form.product) {
                        try operation.run($0, bias: bias, into: destination, on: engine)
                    }
                }
            }
        }
    }

    private func operation(_ form: KernelPlan.Form, for x: FeatureMap, accumulates: Bool) throws -> PackedOperation {
        let shape = Shape(batch: x.batch, height: x.height, width: x.width, accumulates: accumulates)
        return try operations.operation(for: shape) { siblings in
            engine.threads.apply()
            var message = [CChar](repeating: 0, count: 256)
            var spec = specification(form, for: x, accumulates: accumulates)
            guard let made = dnnl_shim_convolution(&spec, &message, message.count) else {
                throw EngineError.operation(Engine.text(message))
            }
            defer { weights.letGo() }
            return try PackedOperation(made, weights: weights.filledUp(toLanes: engine.lanes), siblings: siblings)
        }
    }

    /// Channels are told as whole blocks: lanes past the last are zero, and so are their weights. oneDNN's fast forms know
    /// whole blocks only; for 4 channels in, as in Stable Diffusion's first layer, it would fall back to its reference
    /// loops, hundreds of times slower.
    private func specification(
        _ form: KernelPlan.Form, for x: FeatureMap, accumulates: Bool
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
