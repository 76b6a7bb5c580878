import Checkpoints
import Tensors

// Layers as checkpoints name them: a scope in, `weight` and `bias` taken from it, shapes stated once.

extension Linear {
    package convenience init(
        _ scope: WeightScope, from inputs: Int, to outputs: Int, bias: Bool = true, precision: Engine.Precision = .f32
    ) {
        self.init(
            scope.weights("weight", [outputs, inputs]), bias: bias ? scope.weights("bias", [outputs]) : nil,
            precision: precision, on: scope.engine)
    }
}

extension Convolution {
    package convenience init(
        _ scope: WeightScope, from inputs: Int, to outputs: Int, kernel: Int = 3, stride: Int = 1,
        padding: Padding? = nil, precision: Engine.Precision = .f32
    ) {
        self.init(
            scope.weights("weight", [outputs, inputs, kernel, kernel]), bias: scope.weights("bias", [outputs]),
            stride: stride, padding: padding ?? Padding(kernel / 2), precision: precision, on: scope.engine)
    }
}

extension GroupNorm {
    package init(_ scope: WeightScope, channels: Int, groups: Int, epsilon: Float) {
        self.init(
            scope.weights("weight", [channels]), bias: scope.weights("bias", [channels]), groups: groups,
            epsilon: epsilon, on: scope.engine)
    }
}

extension LayerNorm {
    package init(_ scope: WeightScope, width: Int, epsilon: Float = 1e-5) {
        self.init(
            scope.weights("weight", [width]), bias: scope.weights("bias", [width]), epsilon: epsilon, on: scope.engine)
    }
}

/// Two 3×3 convolutions with normalisations, and the input added to what comes out.
///
/// Source: diffusers, `models/resnet.py`, `ResnetBlock2D` with the default time embedding.
struct ResidualBlock: Sendable {
    let norm1: GroupNorm
    let conv1: Convolution
    private let timeProjection: Linear?
    let norm2: GroupNorm
    let conv2: Convolution
    let shortcut: Convolution?

    /// - Parameters:
    ///   - timeWidth: width of the time embedding; none in an autoencoder
    ///   - precision: what convolutions may be rounded to
    init(
        _ scope: WeightScope, from inputs: Int, to outputs: Int, timeWidth: Int?, groups: Int, epsilon: Float,
        precision: Engine.Precision = .f32
    ) {
        norm1 = GroupNorm(scope("norm1"), channels: inputs, groups: groups, epsilon: epsilon)
        conv1 = Convolution(scope("conv1"), from: inputs, to: outputs, precision: precision)
        timeProjection = timeWidth.map { Linear(scope("time_emb_proj"), from: $0, to: outputs) }
        norm2 = GroupNorm(scope("norm2"), channels: outputs, groups: groups, epsilon: epsilon)
        conv2 = Convolution(scope("conv2"), from: outputs, to: outputs, precision: precision)
        shortcut =
            inputs == outputs
            ? nil
            : Convolution(scope("conv_shortcut"), from: inputs, to: outputs, kernel: 1, precision: precision)
    }

    /// - Parameter time: `[N, timeWidth]`, already activated
    func callAsFunction(_ x: FeatureMap, time: Tensor? = nil) throws -> FeatureMap {
        let h = try conv1(norm1(x, activation: .silu))
        let shift = try time.flatMap { time in try timeProjection.map { try $0(time) } }
        var sum = try shortcut.map { try $0(x) } ?? x
        try conv2.add(norm2(h, adding: shift, activation: .silu), to: &sum)
        return sum
    }
}
