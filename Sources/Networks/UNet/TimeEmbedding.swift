import Checkpoints
import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Numbers as waves: sines and cosines of falling frequency, from 1 to 1/10000.
///
/// Source: diffusers, `models/embeddings.py`, `get_timestep_embedding`; Vaswani et al. (2017), section 3.5.
package struct SinusoidalEmbedding: Sendable {
    package var width: Int
    package var cosineFirst: Bool
    package var frequencyShift: Double

    /// **Shape** values → `[count, width]`. Values may be fractional.
    package func callAsFunction(_ values: [Double]) -> Tensor {
        let half = width / 2
        var rows = [Float](repeating: 0, count: values.count * width)
        for (row, value) in values.enumerated() {
            for i in 0..<half {
                // In single precision like the reference, whose large arguments would otherwise drift from ours.
                let frequency = expf(Float(-log(10000.0)) * Float(i) / Float(Double(half) - frequencyShift))
                let angle = Float(value) * frequency
                rows[row * width + i] = cosineFirst ? cosf(angle) : sinf(angle)
                rows[row * width + half + i] = cosineFirst ? sinf(angle) : cosf(angle)
            }
        }
        return Tensor([values.count, width], rows)
    }
}

/// Two layers that turn an embedded number into what residual blocks are shifted by.
struct EmbeddingLayers: Sendable {
    private let engine: Engine
    private let condition: Linear?
    private let linear1: Linear
    private let linear2: Linear

    /// - Parameter conditionWidth: width of a second embedded number that is added to the first, where there is one
    init(_ scope: WeightScope, from inputs: Int, to outputs: Int, conditionWidth: Int? = nil) {
        engine = scope.engine
        condition = conditionWidth.map { Linear(scope("cond_proj"), from: $0, to: inputs, bias: false) }
        linear1 = Linear(scope("linear_1"), from: inputs, to: outputs)
        linear2 = Linear(scope("linear_2"), from: outputs, to: outputs)
    }

    func callAsFunction(_ x: Tensor, condition second: Tensor? = nil) throws -> Tensor {
        var x = x
        if let condition, let second { try condition.add(second, to: &x) }
        return try linear2(engine.silu(linear1(x)))
    }
}
