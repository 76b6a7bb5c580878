import Checkpoints
import Tensors

/// The network that takes noise away: a picture and a noise level in, its prediction out.
///
/// Source: diffusers, `models/unets/unet_2d_condition.py`, `UNet2DConditionModel`.
package struct UNet: Sendable {
    package let configuration: UNetConfiguration
    private let engine: Engine
    private let timeWaves: SinusoidalEmbedding
    private let timeEmbedding: EmbeddingLayers
    private let guidanceWaves: SinusoidalEmbedding?
    private let addedWaves: SinusoidalEmbedding?
    private let addedEmbedding: EmbeddingLayers?
    private let convIn: Convolution
    private let down: [DownBlock]
    private let middle: MiddleBlock
    private let up: [UpBlock]
    private let normOut: GroupNorm
    private let convOut: Convolution

    package init(_ scope: WeightScope, _ configuration: UNetConfiguration) {
        self.configuration = configuration
        let c = configuration
        engine = scope.engine
        timeWaves = SinusoidalEmbedding(
            width: c.blockOutChannels[0], cosineFirst: c.cosineFirst, frequencyShift: c.frequencyShift)
        timeEmbedding = EmbeddingLayers(
            scope("time_embedding"), from: c.blockOutChannels[0], to: c.timeWidth, conditionWidth: c.guidanceWidth)
        // Sines first and a shift of one, whatever the network's own waves are.
        guidanceWaves = c.guidanceWidth.map { SinusoidalEmbedding(width: $0, cosineFirst: false, frequencyShift: 1) }
        addedWaves = c.added.map {
            SinusoidalEmbedding(width: $0.number, cosineFirst: c.cosineFirst, frequencyShift: c.frequencyShift)
        }
        addedEmbedding = c.added.map { EmbeddingLayers(scope("add_embedding"), from: $0.total, to: c.timeWidth) }
        convIn = Convolution(scope("conv_in"), from: c.inChannels, to: c.blockOutChannels[0], kernel: c.kernelIn)

        let levels = c.blockOutChannels.count
        down = (0..<levels).map { level in
            DownBlock(
                scope("down_blocks", level), c, level: level, from: c.blockOutChannels[max(level - 1, 0)],
                downsamples: level < levels - 1)
        }
        middle = MiddleBlock(scope("mid_block"), c)
        up = (0..<levels).map { index in
            let level = levels - 1 - index
            return UpBlock(
                scope("up_blocks", index), c, index: index, level: level,
                from: c.blockOutChannels[min(level + 1, levels - 1)], skipBelow: c.blockOutChannels[max(level - 1, 0)],
                upsamples: index < levels - 1)
        }
        normOut = GroupNorm(
            scope("conv_norm_out"), channels: c.blockOutChannels[0], groups: c.groups, epsilon: c.epsilon)
        convOut = Convolution(scope("conv_out"), from: c.blockOutChannels[0], to: c.outChannels, kernel: c.kernelOut)
    }

    /// What SDXL adds to the time: the pooled text `[N, P]`, and sizes and crops `[N, K]`.
    package struct Added: Sendable {
        package var text: Tensor
        package var numbers: Tensor

        package init(text: Tensor, numbers: Tensor) {
            (self.text, self.numbers) = (text, numbers)
        }
    }

    /// - Parameters:
    ///   - x: `[N, C, H, W]`
    ///   - times: training timestep of each item, 0…999, may be fractional
    ///   - context: `[N, T, contextWidth]`
    ///   - guidance: the guidance scale that a network with ``UNetConfiguration/guidanceWidth`` is told of, less one
    /// - Returns: the prediction, `[N, outChannels, H, W]`
    package func callAsFunction(
        _ x: Tensor, times: [Double], context: Tensor, added: Added? = nil, guidance: Double? = nil
    ) throws -> Tensor {
        let time = engine.silu(try embeddedTime(times, added: added, guidance: guidance))

        var h = try convIn(engine.featureMap(configuration.centresInput ? x.map { 2 * $0 - 1 } : x))
        var skips = [h]
        for block in down { try block.apply(to: &h, pushing: &skips, time: time, context: context) }

        try middle.apply(to: &h, time: time, context: context)

        for block in up { try block.apply(to: &h, popping: &skips, time: time, context: context) }
        return engine.tensor(try convOut(normOut(h, activation: .silu)))
    }

    private func embeddedTime(_ times: [Double], added: Added?, guidance: Double?) throws -> Tensor {
        // Source: diffusers, `pipeline_stable_diffusion.py`, `get_guidance_scale_embedding`.
        let told = guidance.flatMap { guidance in guidanceWaves.map { $0(times.map { _ in guidance * 1000 }) } }
        let time = try timeEmbedding(timeWaves(times), condition: told)
        guard let addedWaves, let addedEmbedding, let added else { return time }
        let waves = addedWaves(added.numbers.values.map(Double.init))
        let perItem = added.numbers.shape[1] * addedWaves.width
        let textWidth = added.text.shape[1]
        var joined: [Float] = []
        for item in 0..<times.count {
            joined += added.text.values[item * textWidth..<(item + 1) * textWidth]
            joined += waves.values[item * perItem..<(item + 1) * perItem]
        }
        return time + (try addedEmbedding(Tensor([times.count, textWidth + perItem], joined)))
    }
}

/// One level on the way in: residual blocks, each followed by attention where the level has it, then half the size.
private struct DownBlock: Sendable {
    private let residuals: [ResidualBlock]
    private let transformers: [SpatialTransformer]
    private let downsample: Convolution?

    init(_ scope: WeightScope, _ c: UNetConfiguration, level: Int, from inputs: Int, downsamples: Bool) {
        let outputs = c.blockOutChannels[level]
        residuals = (0..<c.layersPerBlock[level]).map {
            ResidualBlock(
                scope("resnets", $0), from: $0 == 0 ? inputs : outputs, to: outputs, timeWidth: c.timeWidth,
                groups: c.groups, epsilon: c.epsilon, precision: scope.engine.precision)
        }
        transformers =
            c.downBlocks[level] == .plain
            ? []
            : (0..<c.layersPerBlock[level]).map {
                SpatialTransformer(
                    scope("attentions", $0), channels: outputs, contextWidth: c.contextWidth, heads: c.heads[level],
                    layers: c.transformerLayers[level], groups: c.groups)
            }
        // Without padding on both sides, one row and column are added at the far end.
        downsample =
            downsamples
            ? Convolution(
                scope("downsamplers", 0)("conv"), from: outputs, to: outputs, stride: 2,
                padding: c.downsamplePadding == 0 ? .init(top: 0, left: 0, bottom: 1, right: 1) : .init(1),
                precision: scope.engine.precision)
            : nil
    }

    func apply(to h: inout FeatureMap, pushing skips: inout [FeatureMap], time: Tensor, context: Tensor) throws {
        for (index, residual) in residuals.enumerated() {
            h = try residual(h, time: time)
            if !transformers.isEmpty { try transformers[index].apply(to: &h, context: context) }
            skips.append(h)
        }
        if let downsample {
            h = try downsample(h)
            skips.append(h)
        }
    }
}

private struct MiddleBlock: Sendable {
    private let first: ResidualBlock
    private let transformer: SpatialTransformer?
    private let second: ResidualBlock

    init(_ scope: WeightScope, _ c: UNetConfiguration) {
        let level = c.blockOutChannels.count - 1
        let channels = c.blockOutChannels[level]
        func residual(_ index: Int) -> ResidualBlock {
            ResidualBlock(
                scope("resnets", index), from: channels, to: channels, timeWidth: c.timeWidth, groups: c.groups,
                epsilon: c.epsilon, precision: scope.engine.precision)
        }
        first = residual(0)
        transformer =
            c.middle == .plain
            ? nil
            : SpatialTransformer(
                scope("attentions", 0), channels: channels, contextWidth: c.contextWidth, heads: c.heads[level],
                layers: c.transformerLayers[level], groups: c.groups)
        second = residual(1)
    }

    func apply(to h: inout FeatureMap, time: Tensor, context: Tensor) throws {
        h = try first(h, time: time)
        try transformer?.apply(to: &h, context: context)
        h = try second(h, time: time)
    }
}

/// One level on the way out: each residual block also sees what the way in left at this size.
private struct UpBlock: Sendable {
    private let engine: Engine
    private let residuals: [ResidualBlock]
    private let transformers: [SpatialTransformer]
    private let upsample: Convolution?

    /// - Parameters:
    ///   - inputs: channels that come from the level before
    ///   - skipBelow: channels of the last skip connection, which belongs to the next level outwards
    init(
        _ scope: WeightScope, _ c: UNetConfiguration, index: Int, level: Int, from inputs: Int, skipBelow: Int,
        upsamples: Bool
    ) {
        engine = scope.engine
        let outputs = c.blockOutChannels[level]
        let layers = c.layersPerBlock[level] + 1
        residuals = (0..<layers).map {
            let skip = $0 == layers - 1 ? skipBelow : outputs
            return ResidualBlock(
                scope("resnets", $0), from: ($0 == 0 ? inputs : outputs) + skip, to: outputs, timeWidth: c.timeWidth,
                groups: c.groups, epsilon: c.epsilon, precision: scope.engine.precision)
        }
        transformers =
            c.upBlocks[index] == .plain
            ? []
            : (0..<layers).map {
                SpatialTransformer(
                    scope("attentions", $0), channels: outputs, contextWidth: c.contextWidth, heads: c.heads[level],
                    layers: c.transformerLayers[level], groups: c.groups)
            }
        upsample = upsamples ? Convolution(scope("upsamplers", 0)("conv"), from: outputs, to: outputs) : nil
    }

    func apply(to h: inout FeatureMap, popping skips: inout [FeatureMap], time: Tensor, context: Tensor) throws {
        for (index, residual) in residuals.enumerated() {
            h = try residual(engine.concatenated(h, skips.removeLast()), time: time)
            if !transformers.isEmpty { try transformers[index].apply(to: &h, context: context) }
        }
        if let upsample, let next = skips.last {
            // To the size of the next skip: twice this one, or one less where an odd side was halved.
            h = try upsample(engine.enlarged(h, height: next.height, width: next.width))
        }
    }
}
