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
    /// What attention looks at goes through these, one after the other.
    package var hypernetworks: [Hypernetwork] = []

    package init(_ scope: WeightScope, _ configuration: UNetConfiguration) {
        self.configuration = configuration
        let (c, scope) = (configuration, scope.shelved())
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

    /// Where its weights are kept.
    package var shelf: Shelf { engine.shelf }

    /// What SDXL adds to the time: the pooled text `[N, P]`, and sizes and crops `[N, K]`.
    package struct Added: Sendable {
        package var text: Tensor
        package var numbers: Tensor

        package init(text: Tensor, numbers: Tensor) {
            (self.text, self.numbers) = (text, numbers)
        }
    }

    /// How a network is run otherwise than it was trained.
    package struct Departures: Sendable, Equatable {
        package var freeU: FreeU?
        package var merging: TokenMerging?
        /// Of the layers on the way out so many more than one are calculated in every call, and as many on the way in; what comes
        /// from deeper may be an earlier call's. Nil where all is calculated and nothing kept.
        package var deepBranch: Int?

        package init(freeU: FreeU? = nil, merging: TokenMerging? = nil, deepBranch: Int? = nil) {
            (self.freeU, self.merging, self.deepBranch) = (freeU, merging, deepBranch)
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
        try predict(x, times: times, context: context, added: added, guidance: guidance).prediction
    }

    /// The same with departures from how it was trained.
    ///
    /// Source of the deep features: Ma et al., "DeepCache" (2024), section 3.
    ///
    /// - Parameter deep: deep features of an earlier call with the same shapes, taken instead of calculating them
    /// - Returns: the prediction, and the deep features that it was made with, where the departures have a branch
    package func predict(
        _ x: Tensor, times: [Double], context: Tensor, added: Added? = nil, guidance: Double? = nil,
        _ departures: Departures = .init(), deep: FeatureMap? = nil
    ) throws -> (prediction: Tensor, deep: FeatureMap?) {
        let work = configuration.work(
            height: x.shape[2], width: x.shape[3], batch: x.shape[0], tokens: context.shape[1])
        engine.memory.enter(engine.shelf, working: Int(work.working(threads: engine.threads.count)))
        let told = Briefing(
            time: engine.silu(try embeddedTime(times, added: added, guidance: guidance)), context: context,
            hypernetworks: hypernetworks, merging: departures.merging, freeU: departures.freeU)

        var h = try convIn(engine.featureMap(configuration.centresInput ? x.map { 2 * $0 - 1 } : x))
        var skips = [h]
        // The skips of the shallow layers are all that is needed where the deep ones' result is known.
        let branch = departures.deepBranch
        let most = deep.flatMap { _ in branch.map { $0 + 1 } } ?? configuration.skipCount
        for block in down { try block.apply(to: &h, pushing: &skips, most: most, told) }

        if let deep { h = deep } else { try middle.apply(to: &h, told) }

        var (kept, left) = (deep, configuration.skipCount)
        for block in up {
            let done = left - skips.count
            left -= block.layers
            guard done < block.layers else { continue }
            try block.apply(to: &h, popping: &skips, from: max(done, 0), keeping: branch, in: &kept, told)
        }
        return (engine.tensor(try convOut(normOut(h, activation: .silu))), kept)
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

/// What every block is told beside its own input.
struct Briefing {
    /// `[N, timeWidth]`, activated
    let time: Tensor
    /// `[N, T, contextWidth]`
    let context: Tensor
    let hypernetworks: [Hypernetwork]
    let merging: TokenMerging?
    let freeU: FreeU?
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
                    layers: c.transformerLayers[level], groups: c.groups, level: c.attention(level))
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

    /// - Parameter most: skips after which nothing more is calculated
    func apply(to h: inout FeatureMap, pushing skips: inout [FeatureMap], most: Int, _ told: Briefing) throws {
        for (index, residual) in residuals.enumerated() where skips.count < most {
            h = try residual(h, time: told.time)
            if !transformers.isEmpty { try transformers[index].apply(to: &h, told) }
            skips.append(h)
        }
        if let downsample, skips.count < most {
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
                layers: c.transformerLayers[level], groups: c.groups, level: c.attention(level))
        second = residual(1)
    }

    func apply(to h: inout FeatureMap, _ told: Briefing) throws {
        h = try first(h, time: told.time)
        try transformer?.apply(to: &h, told)
        h = try second(h, time: told.time)
    }
}

/// One level on the way out: each residual block also sees what the way in left at this size.
private struct UpBlock: Sendable {
    private let engine: Engine
    private let index: Int
    private let residuals: [ResidualBlock]
    private let transformers: [SpatialTransformer]
    private let upsample: Convolution?

    var layers: Int { residuals.count }

    /// - Parameters:
    ///   - inputs: channels that come from the level before
    ///   - skipBelow: channels of the last skip connection, which belongs to the next level outwards
    init(
        _ scope: WeightScope, _ c: UNetConfiguration, index: Int, level: Int, from inputs: Int, skipBelow: Int,
        upsamples: Bool
    ) {
        (engine, self.index) = (scope.engine, index)
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
                    layers: c.transformerLayers[level], groups: c.groups, level: c.attention(level))
            }
        upsample =
            upsamples
            ? Convolution(
                scope("upsamplers", 0)("conv"), from: outputs, to: outputs, precision: scope.engine.precision) : nil
    }

    /// - Parameters:
    ///   - first: layer to begin with
    ///   - branch: where the deep features end, in skips that are left
    ///   - kept: takes what comes from there
    func apply(
        to h: inout FeatureMap, popping skips: inout [FeatureMap], from first: Int, keeping branch: Int?,
        in kept: inout FeatureMap?, _ told: Briefing
    ) throws {
        for (layer, residual) in residuals.enumerated().dropFirst(first) {
            if kept == nil, let branch, skips.count == branch + 1 { kept = h }
            var skip = skips.removeLast()
            if let (backbone, wave) = told.freeU?.factors(level: index) {
                engine.scaleFirstHalf(of: &h, by: backbone)
                engine.scaleSlowestWaves(of: &skip, by: wave)
            }
            h = try residual(engine.concatenated(h, skip), time: told.time)
            if !transformers.isEmpty { try transformers[layer].apply(to: &h, told) }
        }
        if let upsample, let next = skips.last {
            // To the size of the next skip: twice this one, or one less where an odd side was halved.
            h = try upsample(engine.enlarged(h, height: next.height, width: next.width))
        }
    }
}
