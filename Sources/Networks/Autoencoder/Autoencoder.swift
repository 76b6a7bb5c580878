import Checkpoints
import Tensors

/// Turns pictures into latents and back. Source: diffusers, `models/autoencoders/autoencoder_kl.py`, `AutoencoderKL`.
package struct Autoencoder: Sendable {
    package let configuration: AutoencoderConfiguration
    private let engine: Engine
    private let encoder: Encoder
    private let quantise: Convolution?
    private let postQuantise: Convolution?
    private let decoder: Decoder

    package init(_ scope: WeightScope, _ configuration: AutoencoderConfiguration) {
        self.configuration = configuration
        let c = configuration
        engine = scope.engine
        encoder = Encoder(scope("encoder"), c)
        quantise =
            c.quantises
            ? Convolution(scope("quant_conv"), from: 2 * c.latentChannels, to: 2 * c.latentChannels, kernel: 1) : nil
        postQuantise =
            c.postQuantises
            ? Convolution(scope("post_quant_conv"), from: c.latentChannels, to: c.latentChannels, kernel: 1) : nil
        decoder = Decoder(scope("decoder"), c)
    }

    /// What the encoder believes of a picture: a Gaussian for every latent value.
    package struct Posterior: Sendable {
        package let mean: Tensor
        /// Logarithm of the variance, −30…20.
        package let logVariance: Tensor
    }

    /// - Parameter picture: `[N, 3, H, W]`, −1…1
    /// - Returns: `[N, latentChannels, H/factor, W/factor]`, unscaled
    package func encode(_ picture: Tensor) throws -> Posterior {
        var moments = try encoder(engine.featureMap(picture))
        if let quantise { moments = try quantise(moments) }
        let all = engine.tensor(moments)
        let (mean, logVariance) = (channels(of: all, half: 0), channels(of: all, half: 1))
        return Posterior(mean: mean, logVariance: logVariance.map { min(max($0, -30), 20) })
    }

    /// The first or second half of the channels.
    private func channels(of moments: Tensor, half: Int) -> Tensor {
        let shape = moments.shape
        var result = Tensor(unfilled: [shape[0], shape[1] / 2, shape[2], shape[3]])
        let count = result.count / shape[0]
        moments.withPointer { source in
            result.withMutablePointer { out in
                for item in 0..<shape[0] {
                    (out + item * count).update(from: source + (2 * item + half) * count, count: count)
                }
            }
        }
        return result
    }

    /// - Parameter latents: `[N, latentChannels, h, w]`, unscaled
    /// - Returns: `[N, 3, h·factor, w·factor]`, about −1…1
    package func decode(_ latents: Tensor) throws -> Tensor {
        var h = engine.featureMap(latents)
        if let postQuantise { h = try postQuantise(h) }
        return engine.tensor(try decoder(h))
    }
}

/// Attention of all pixels over all pixels with a single head.
private struct PixelAttention: Sendable {
    private let engine: Engine
    private let norm: GroupNorm
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let output: Linear

    init(_ scope: WeightScope, channels: Int, groups: Int) {
        engine = scope.engine
        norm = GroupNorm(scope("group_norm"), channels: channels, groups: groups, epsilon: 1e-6)
        // Older files have other names for the same matrices.
        func linear(_ name: String, or old: String) -> Linear {
            Linear(
                scope.weights(name + ".weight", [channels, channels], or: old + ".weight"),
                bias: scope.weights(name + ".bias", [channels], or: old + ".bias"), on: scope.engine)
        }
        query = linear("to_q", or: "query")
        key = linear("to_k", or: "key")
        value = linear("to_v", or: "value")
        output = linear("to_out.0", or: "proj_attn")
    }

    func apply(to x: inout FeatureMap) throws {
        let tokens = norm.tokens(x)
        let mixed = engine.attention(try query(tokens), try key(tokens), try value(tokens), heads: 1)
        engine.add(try output(mixed), to: &x)
    }
}

private struct Middle: Sendable {
    private let first: ResidualBlock
    private let attention: PixelAttention?
    private let second: ResidualBlock

    init(_ scope: WeightScope, channels: Int, _ c: AutoencoderConfiguration) {
        func residual(_ index: Int) -> ResidualBlock {
            ResidualBlock(
                scope("resnets", index), from: channels, to: channels, timeWidth: nil, groups: c.groups, epsilon: 1e-6)
        }
        first = residual(0)
        attention = c.middleAttends ? PixelAttention(scope("attentions", 0), channels: channels, groups: c.groups) : nil
        second = residual(1)
    }

    func apply(to h: inout FeatureMap) throws {
        h = try first(h)
        try attention?.apply(to: &h)
        h = try second(h)
    }
}

private struct Encoder: Sendable {
    private let convIn: Convolution
    private let levels: [(residuals: [ResidualBlock], downsample: Convolution?)]
    private let middle: Middle
    private let normOut: GroupNorm
    private let convOut: Convolution

    init(_ scope: WeightScope, _ c: AutoencoderConfiguration) {
        let channels = c.blockOutChannels
        let last = channels[channels.count - 1]
        convIn = Convolution(scope("conv_in"), from: c.imageChannels, to: channels[0])
        levels = channels.indices.map { level in
            let scope = scope("down_blocks", level)
            let residuals = (0..<c.layersPerBlock).map {
                ResidualBlock(
                    scope("resnets", $0), from: $0 == 0 ? channels[max(level - 1, 0)] : channels[level],
                    to: channels[level], timeWidth: nil, groups: c.groups, epsilon: 1e-6)
            }
            let downsample =
                level == channels.count - 1
                ? nil
                : Convolution(
                    scope("downsamplers", 0)("conv"), from: channels[level], to: channels[level], stride: 2,
                    padding: .init(top: 0, left: 0, bottom: 1, right: 1))
            return (residuals, downsample)
        }
        middle = Middle(scope("mid_block"), channels: last, c)
        normOut = GroupNorm(scope("conv_norm_out"), channels: last, groups: c.groups, epsilon: 1e-6)
        convOut = Convolution(scope("conv_out"), from: last, to: 2 * c.latentChannels)
    }

    func callAsFunction(_ picture: FeatureMap) throws -> FeatureMap {
        var h = try convIn(picture)
        for level in levels {
            for residual in level.residuals { h = try residual(h) }
            if let downsample = level.downsample { h = try downsample(h) }
        }
        try middle.apply(to: &h)
        return try convOut(normOut(h, activation: .silu))
    }
}

private struct Decoder: Sendable {
    private let engine: Engine
    private let convIn: Convolution
    private let middle: Middle
    private let levels: [(residuals: [ResidualBlock], upsample: Convolution?)]
    private let normOut: GroupNorm
    private let convOut: Convolution

    init(_ scope: WeightScope, _ c: AutoencoderConfiguration) {
        engine = scope.engine
        let channels = Array(c.blockOutChannels.reversed())
        let last = channels[channels.count - 1]
        convIn = Convolution(scope("conv_in"), from: c.latentChannels, to: channels[0])
        middle = Middle(scope("mid_block"), channels: channels[0], c)
        levels = channels.indices.map { level in
            let scope = scope("up_blocks", level)
            let residuals = (0...c.layersPerBlock).map {
                ResidualBlock(
                    scope("resnets", $0), from: $0 == 0 ? channels[max(level - 1, 0)] : channels[level],
                    to: channels[level], timeWidth: nil, groups: c.groups, epsilon: 1e-6)
            }
            let upsample =
                level == channels.count - 1
                ? nil : Convolution(scope("upsamplers", 0)("conv"), from: channels[level], to: channels[level])
            return (residuals, upsample)
        }
        normOut = GroupNorm(scope("conv_norm_out"), channels: last, groups: c.groups, epsilon: 1e-6)
        convOut = Convolution(scope("conv_out"), from: last, to: c.imageChannels)
    }

    func callAsFunction(_ latents: FeatureMap) throws -> FeatureMap {
        var h = try convIn(latents)
        try middle.apply(to: &h)
        for level in levels {
            for residual in level.residuals { h = try residual(h) }
            if let upsample = level.upsample {
                h = try upsample(engine.enlarged(h, height: 2 * h.height, width: 2 * h.width))
            }
        }
        return try convOut(normOut(h, activation: .silu))
    }
}
