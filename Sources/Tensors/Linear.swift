import CDNNL

/// A matrix with fixed weights that rows are multiplied by: y = x·Wᵀ + b.
package final class Linear: Sendable {
    private let engine: Engine
    private let weights: Weights
    private let bias: Storage?
    private let product: KernelPlan.Product
    let operations = PackedOperations<Shape>()

    struct Shape: Hashable {
        let rows: Int
        let accumulates: Bool
    }

    /// - Parameters:
    ///   - weights: `[O, I]`
    ///   - bias: `[O]`
    ///   - precision: what the layer allows; the plan picks
    package convenience init(
        _ weights: Weights, bias: Weights?, precision: Engine.Precision = .f32, on engine: Engine
    ) {
        let product = KernelPlan.product(
            inputs: weights.shape[1], outputs: weights.shape[0], precision: precision, on: engine)
        self.init(weights, bias: bias, product, on: engine)
        engine.shelf.add(
            operations, bytes: weights.count * (product == .bfloat16 ? 2 : 4),
            staging: weights.count * 4 + weights.bytesOfFile)
    }

    /// One whose packed weights the shelf is still to be told of.
    init(_ weights: Weights, bias: Weights?, _ product: KernelPlan.Product, on engine: Engine) {
        precondition(weights.shape.count == 2, "a matrix needs [O, I], not \(weights.shape)")
        (self.engine, self.weights, self.product) = (engine, weights, product)
        self.bias = bias.map { bias in
            let storage = Storage(bias.count)
            bias.copy(to: storage.pointer)
            return storage
        }
    }

    package var outputs: Int { weights.shape[0] }
    package var inputs: Int { weights.shape[1] }

    /// **Shape** `[…, I]` → `[…, O]`
    package func callAsFunction(_ x: Tensor) throws -> Tensor {
        var result = Tensor(unfilled: x.shape.dropLast() + [outputs])
        try run(x, into: &result, accumulates: false)
        return result
    }

    /// Adds the product of `x` to `sum`.
    package func add(_ x: Tensor, to sum: inout Tensor) throws {
        try run(x, into: &sum, accumulates: true)
    }

    /// Adds the product of `x`'s gated GELU to `sum`; where factors are rounded, the gate is written as factors at once.
    ///
    /// - Parameter x: `[…, 2·I]`
    package func add(gated x: Tensor, to sum: inout Tensor) throws {
        guard product == .bfloat16 else { return try add(engine.geglu(x), to: &sum) }
        precondition(x.shape.last == 2 * inputs, "\(x.shape) gated into a matrix of \(inputs) inputs")
        try engine.withGatedFactors(x) { try multiply($0, rows: x.count / (2 * inputs), into: &sum, accumulates: true) }
    }

    private func run(_ x: Tensor, into result: inout Tensor, accumulates: Bool) throws {
        precondition(x.shape.last == inputs, "\(x.shape) into a matrix of \(inputs) inputs")
        try x.withPointer { source in
            try engine.withFactors(source, x.count, of: product) {
                try multiply($0, rows: x.count / inputs, into: &result, accumulates: accumulates)
            }
        }
    }

    private func multiply(
        _ factors: UnsafeRawPointer, rows: Int, into result: inout Tensor, accumulates: Bool
    ) throws {
        try result.withMutablePointer { destination in
            try engine.timed(
                "product, \(product.rawValue)", "\(inputs)→\(outputs), \(rows) rows",
                operations: 2 * Double(rows * inputs) * Double(outputs)
            ) {
                try multiply(factors, rows: rows, to: destination, accumulates: accumulates)
            }
        }
    }

    /// Writes the product of `rows` rows of factors, as ``KernelPlan/Product`` has them, or adds it.
    func multiply(
        _ factors: UnsafeRawPointer, rows: Int, to destination: UnsafeMutablePointer<Float>, accumulates: Bool
    ) throws {
        try operation(rows: rows, accumulates: accumulates).run(factors, bias: bias, into: destination, on: engine)
    }

    /// oneDNN's name for what runs on so many rows, such as "brgemm:avx512_core".
    package func implementation(rows: Int) throws -> String {
        try operation(rows: rows, accumulates: false).implementation
    }

    private func operation(rows: Int, accumulates: Bool) throws -> PackedOperation {
        try operations.operation(for: Shape(rows: rows, accumulates: accumulates)) { siblings in
            engine.threads.apply()
            var message = [CChar](repeating: 0, count: 256)
            guard
                let made = dnnl_shim_linear(
                    Int32(rows), Int32(inputs), Int32(outputs), product == .bfloat16 ? 1 : 0, bias == nil ? 0 : 1,
                    accumulates ? 1 : 0, &message,
                    message.count)
            else { throw EngineError.operation(Engine.text(message)) }
            return PackedOperation(made, weights: weights, siblings: siblings)
        }
    }
}
