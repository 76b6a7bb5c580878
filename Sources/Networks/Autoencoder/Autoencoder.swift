import Checkpoints
import Tensors

/// Turns pictures into latents and back. Source: diffusers, `models/autoencoders/autoencoder_kl.py`, `AutoencoderKL`.
package struct Autoencoder: Sendable {
    package let configuration: AutoencoderConfiguration
    /// Most bytes of a band of rows, for tests.
    package var bandBytes = Bands.usualBytes
    private let engine: Engine
    private let encoder: Encoder
    private let quantise: Convolution?
    private let postQuantise: Convolution?
    private let decoder: Decoder

    package init(_ scope: WeightScope, _ configuration: AutoencoderConfiguration) {
        self.configuration = configuration
        let c = configuration
        engine = scope.engine
        // Two networks, never wanted at once.
        let (encoding, decoding) = (scope.shelved(), scope.shelved())
        encoder = Encoder(encoding("encoder"), c)
        quantise =
            c.quantises
            ? Convolution(encoding("quant_conv"), from: 2 * c.latentChannels, to: 2 * c.latentChannels, kernel: 1) : nil
        postQuantise =
            c.postQuantises
            ? Convolution(decoding("post_quant_conv"), from: c.latentChannels, to: c.latentChannels, kernel: 1) : nil
        decoder = Decoder(decoding("decoder"), c)
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
        var all = try encoder(picture, bands(encoder.engine, picture.shape, decoding: false))
        if let quantise { all = engine.tensor(try quantise(engine.featureMap(all))) }
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
        let bands = bands(decoder.engine, latents.shape, decoding: true)
        var h = engine.featureMap(latents)
        if let postQuantise { h = try postQuantise(h) }
        return try decoder(h, bands)
    }

    /// The turn of the encoder or the decoder, with the memory that there is for its maps.
    private func bands(_ engine: Engine, _ shape: [Int], decoding: Bool) -> Bands {
        let factor = decoding ? configuration.factor : 1
        let work = configuration.work(pictureHeight: factor * shape[2], width: factor * shape[3], decoding: decoding)
        return Bands(engine, work, batch: shape[0], bandBytes: bandBytes)
    }

    /// Where the weights of the encoder and of the decoder are kept.
    package var shelves: (encoder: Shelf, decoder: Shelf) { (encoder.engine.shelf, decoder.engine.shelf) }
}

/// Attention of all pixels over all pixels with a single head.
struct PixelAttention: Sendable {
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

    /// Most rows of queries at once.
    static let mostQueries = 1 << 13

    func apply(to x: inout FeatureMap) throws {
        var tokens = norm.tokens(x)
        let (keys, values) = (try key(tokens), try value(tokens))
        let (batch, pixels, channels) = (tokens.shape[0], tokens.shape[1], tokens.shape[2])
        guard pixels > Self.mostQueries else {
            engine.add(try output(engine.attention(try query(tokens), keys, values, heads: 1)), to: &x)
            return
        }
        for item in 0..<batch {
            let (keys, values) =
                batch == 1 ? (keys, values) : (keys.items(item..<item + 1), values.items(item..<item + 1))
            for first in stride(from: 0, to: pixels, by: Self.mostQueries) {
                let count = min(Self.mostQueries, pixels - first)
                var some = Tensor(unfilled: [1, count, channels])
                let (start, size) = ((item * pixels + first) * channels, count * channels)
                tokens.withPointer { all in some.withMutablePointer { $0.update(from: all + start, count: size) } }
                let mixed = try output(engine.attention(try query(some), keys, values, heads: 1))
                // Queries that were read are wanted no more.
                tokens.withMutablePointer { all in
                    mixed.withPointer { (all + start).update(from: $0, count: size) }
                }
            }
        }
        engine.add(tokens, to: &x)
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
    let engine: Engine
    private let convIn: Convolution
    private let levels: [(residuals: [ResidualBlock], downsample: Convolution?)]
    private let middle: Middle
    private let normOut: GroupNorm
    private let convOut: Convolution

    init(_ scope: WeightScope, _ c: AutoencoderConfiguration) {
        engine = scope.engine
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

    func callAsFunction(_ picture: Tensor, _ bands: Bands) throws -> Tensor {
        var h = try bands.convolved(picture, by: convIn)
        for level in levels {
            for (index, residual) in level.residuals.enumerated() {
                // Halving normalises nothing.
                let isLast = index == level.residuals.count - 1
                h = try bands.residual(residual, h, measures: !isLast || level.downsample == nil)
            }
            if let downsample = level.downsample { h = try bands.convolved(h, by: downsample) }
        }
        var middle = try h.taking(0..<h.height)
        try self.middle.apply(to: &middle)
        return engine.tensor(try convOut(normOut(middle, activation: .silu)))
    }
}

private struct Decoder: Sendable {
    let engine: Engine
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

    func callAsFunction(_ latents: FeatureMap, _ bands: Bands) throws -> Tensor {
        var small = try convIn(latents)
        try middle.apply(to: &small)
        var h = try WaitingMap(small, in: bands.room, on: engine)
        small = latents
        for level in levels {
            for (index, residual) in level.residuals.enumerated() {
                let isLast = index == level.residuals.count - 1
                h = try bands.residual(residual, h, measures: !isLast || level.upsample == nil)
            }
            if let upsample = level.upsample { h = try bands.convolved(h, by: upsample, doubled: true) }
        }
        return try bands.tensor(h, by: convOut, after: normOut)
    }
}
