import Checkpoints
import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Small networks that change what attention looks at: keys and values are made of `x + strength·net(x)` instead of `x`, each of
/// its own net, chosen by the width of `x`.
///
/// Source: AUTOMATIC1111's web UI, `modules/hypernetworks/hypernetwork.py`.
package struct Hypernetwork: Sendable {
    private let strength: Float
    private let nets: [Int: (key: Net, value: Net)]
    private let engine: Engine

    /// - Throws: ``CheckpointError/invalid(_:)`` when values are not numbers
    package init(_ file: HypernetworkFile, strength: Double, on engine: Engine) throws(CheckpointError) {
        (self.strength, self.engine) = (Float(strength), engine)
        var nets: [Int: (key: Net, value: Net)] = [:]
        for width in file.widths {
            let (key, value) = try file.layers(width)
            nets[width] = (Net(key, file.activation, on: engine), Net(value, file.activation, on: engine))
        }
        self.nets = nets
    }

    /// Of what keys and values are to be made, one after the other through several networks. **Shape** `[N, T, C]`
    package func apply(toKeys keys: inout Tensor, values: inout Tensor) throws {
        guard strength != 0, let (key, value) = nets[keys.shape[2]] else { return }
        keys = try key.added(to: keys, times: strength)
        values = try value.added(to: values, times: strength)
    }
}

/// Matrices in a row, with activations and normalisations between them.
private struct Net: Sendable {
    private struct Layer: Sendable {
        let matrix: Linear
        let norm: LayerNorm?
        let activates: Bool
        let slope: Float
    }

    private let layers: [Layer]
    private let activation: HypernetworkFile.Activation
    private let engine: Engine

    init(_ layers: [HypernetworkFile.Layer], _ activation: HypernetworkFile.Activation, on engine: Engine) {
        (self.activation, self.engine) = (activation, engine)
        self.layers = layers.map { layer in
            Layer(
                matrix: Linear(layer.weight, bias: layer.bias, on: engine),
                norm: layer.norm.map { LayerNorm($0.weight, bias: $0.bias, epsilon: 1e-5, on: engine) },
                activates: layer.activates, slope: layer.slope)
        }
    }

    func added(to x: Tensor, times strength: Float) throws -> Tensor {
        var h = x
        for layer in layers {
            h = try layer.matrix(h)
            if layer.activates { h = engine.activated(h, activation, slope: layer.slope) }
            if let norm = layer.norm { h = norm(h) }
        }
        return x.zip(h) { $0 + strength * $1 }
    }
}

extension Engine {
    /// - Parameter slope: that PReLU learnt
    fileprivate func activated(_ x: Tensor, _ activation: HypernetworkFile.Activation, slope: Float) -> Tensor {
        func sigmoid(_ x: Float) -> Float { 1 / (1 + expf(-x)) }
        func softplus(_ x: Float) -> Float { x > 20 ? x : log1pf(expf(x)) }
        func hardSigmoid(_ x: Float) -> Float { min(max(x + 3, 0), 6) / 6 }
        switch activation {
        case .linear: return x
        case .silu: return silu(x)
        case .gelu: return gelu(x)
        case .relu: return mapped(x) { max($0, 0) }
        case .relu6: return mapped(x) { min(max($0, 0), 6) }
        case .leakyReLU: return mapped(x) { $0 >= 0 ? $0 : 0.01 * $0 }
        // Slopes are drawn only in training; their mean holds after it.
        case .rReLU: return mapped(x) { $0 >= 0 ? $0 : (1.0 / 8 + 1.0 / 3) / 2 * $0 }
        case .pReLU: return mapped(x) { $0 >= 0 ? $0 : slope * $0 }
        case .elu, .celu: return mapped(x) { $0 > 0 ? $0 : expm1f($0) }
        case .selu:
            return mapped(x) { 1.050_700_987_355_480_5 * ($0 > 0 ? $0 : 1.673_263_242_354_377_2 * expm1f($0)) }
        case .hardSwish: return mapped(x) { $0 * hardSigmoid($0) }
        case .hardSigmoid: return mapped(x, hardSigmoid)
        case .hardTanh: return mapped(x) { min(max($0, -1), 1) }
        case .hardShrink: return mapped(x) { abs($0) > 0.5 ? $0 : 0 }
        case .softShrink: return mapped(x) { $0 > 0.5 ? $0 - 0.5 : $0 < -0.5 ? $0 + 0.5 : 0 }
        case .tanh: return mapped(x) { tanhf($0) }
        case .tanhShrink: return mapped(x) { $0 - tanhf($0) }
        case .sigmoid: return mapped(x, sigmoid)
        case .logSigmoid: return mapped(x) { min($0, 0) - log1pf(expf(-abs($0))) }
        case .softPlus: return mapped(x, softplus)
        case .softSign: return mapped(x) { $0 / (1 + abs($0)) }
        case .mish: return mapped(x) { $0 * tanhf(softplus($0)) }
        }
    }

    private func mapped(_ x: Tensor, _ transform: (Float) -> Float) -> Tensor {
        var result = Tensor(unfilled: x.shape)
        x.withPointer { source in
            result.withMutablePointer { out in
                threads.forRanges(x.count, grain: 1 << 14) { range in
                    for i in range { out[i] = transform(source[i]) }
                }
            }
        }
        return result
    }
}

extension UNet {
    /// Puts hypernetworks between attention and what it looks at.
    ///
    /// - Returns: for each what is left out of it, in words; nil where all fitted
    /// - Throws: ``CheckpointError/invalid(_:)`` for one that fits nothing, or whose values are not numbers
    package mutating func take(
        _ files: [(file: HypernetworkFile, strength: Double)], model: String, on engine: Engine
    ) throws(CheckpointError) -> [String?] {
        func text(_ widths: some Sequence<Int>) -> String { widths.sorted().map(String.init).joined(separator: ", ") }
        var leftOut: [String?] = []
        for (file, strength) in files {
            let strangers = file.widths.filter { !configuration.attendedWidths.contains($0) }
            guard strangers.count < file.widths.count else {
                throw .invalid(
                    "Nothing of \(file.name) fits \(model): its networks are for \(text(file.widths)) values, but attention there looks at \(text(configuration.attendedWidths)). Take one that was made for this kind of model."
                )
            }
            hypernetworks.append(try Hypernetwork(file, strength: strength, on: engine))
            leftOut.append(
                strangers.isEmpty
                    ? nil
                    : "The networks of \(file.name) for \(text(strangers)) values fit nothing in \(model) and are left out"
            )
        }
        return leftOut
    }
}
