import Checkpoints
import Tensors

// The transformers hold most of a network's matrices and none of its finest numbers: their products may be rounded as the
// engine's precision allows. Times, texts and autoencoders stay in 32 bits.

/// Attention with its projections: over the tokens themselves, or over a text.
///
/// Source: diffusers, `models/attention_processor.py`, `Attention`.
struct AttentionLayer: Sendable {
    private let engine: Engine
    private let heads: Int
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let output: Linear

    init(_ scope: WeightScope, width: Int, contextWidth: Int, heads: Int) {
        (engine, self.heads) = (scope.engine, heads)
        let precision = engine.precision
        query = Linear(scope("to_q"), from: width, to: width, bias: false, precision: precision)
        key = Linear(scope("to_k"), from: contextWidth, to: width, bias: false, precision: precision)
        value = Linear(scope("to_v"), from: contextWidth, to: width, bias: false, precision: precision)
        output = Linear(scope("to_out", 0), from: width, to: width, precision: precision)
    }

    /// Adds attention of `x` over `context` to `sum`.
    func add(_ x: Tensor, over context: Tensor, through nets: [Hypernetwork], to sum: inout Tensor) throws {
        try output.add(mixed(x, context, nets), to: &sum)
    }

    /// Attention of `x` over itself.
    func callAsFunction(_ x: Tensor, through nets: [Hypernetwork]) throws -> Tensor { try output(mixed(x, x, nets)) }

    private func mixed(_ x: Tensor, _ context: Tensor, _ nets: [Hypernetwork]) throws -> Tensor {
        var (keys, values) = (context, context)
        for net in nets { try net.apply(toKeys: &keys, values: &values) }
        return engine.attention(
            try query(x), try key(keys), try value(values), heads: heads, precision: engine.precision)
    }
}

/// Self-attention, attention over the text, and a gated feed-forward, each over a normalised copy and added back.
///
/// Source: diffusers, `models/attention.py`, `BasicTransformerBlock`.
struct TransformerBlock: Sendable {
    private let engine: Engine
    private let norm1: LayerNorm
    private let selfAttention: AttentionLayer
    private let norm2: LayerNorm
    private let crossAttention: AttentionLayer
    private let norm3: LayerNorm
    private let feedIn: Linear
    private let feedOut: Linear

    init(_ scope: WeightScope, width: Int, contextWidth: Int, heads: Int) {
        engine = scope.engine
        let precision = engine.precision
        norm1 = LayerNorm(scope("norm1"), width: width)
        selfAttention = AttentionLayer(scope("attn1"), width: width, contextWidth: width, heads: heads)
        norm2 = LayerNorm(scope("norm2"), width: width)
        crossAttention = AttentionLayer(scope("attn2"), width: width, contextWidth: contextWidth, heads: heads)
        norm3 = LayerNorm(scope("norm3"), width: width)
        feedIn = Linear(scope("ff")("net", 0)("proj"), from: width, to: 8 * width, precision: precision)
        feedOut = Linear(scope("ff")("net", 2), from: 4 * width, to: width, precision: precision)
    }

    /// - Parameter merging: which tokens are one in self-attention
    func apply(to tokens: inout Tensor, merging: MergedTokens?, _ told: Briefing) throws {
        let own = norm1(tokens)
        if let merging {
            merging.add(try selfAttention(merging.merged(own), through: told.hypernetworks), to: &tokens)
        } else {
            try selfAttention.add(own, over: own, through: told.hypernetworks, to: &tokens)
        }

        try crossAttention.add(norm2(tokens), over: told.context, through: told.hypernetworks, to: &tokens)

        try feedOut.add(gated: feedIn(norm3(tokens)), to: &tokens)
    }
}

/// Transformer blocks over the pixels of a feature map, and their result added to it.
///
/// Source: diffusers, `models/transformers/transformer_2d.py`, `Transformer2DModel` with continuous input.
struct SpatialTransformer: Sendable {
    private let engine: Engine
    private let norm: GroupNorm
    private let projectIn: Linear
    private let blocks: [TransformerBlock]
    private let projectOut: Linear
    private let level: UNetConfiguration.AttentionLevel

    init(
        _ scope: WeightScope, channels: Int, contextWidth: Int, heads: Int, layers: Int, groups: Int,
        level: UNetConfiguration.AttentionLevel
    ) {
        (engine, self.level) = (scope.engine, level)
        let precision = engine.precision
        // This normalisation's epsilon is fixed, whatever `norm_eps` says.
        norm = GroupNorm(scope("norm"), channels: channels, groups: groups, epsilon: 1e-6)
        // A 1×1 convolution in SD 1, a matrix in SD 2 and SDXL: over tokens the two are the same.
        projectIn = Linear(scope("proj_in"), from: channels, to: channels, precision: precision)
        blocks = (0..<layers).map {
            TransformerBlock(scope("transformer_blocks", $0), width: channels, contextWidth: contextWidth, heads: heads)
        }
        projectOut = Linear(scope("proj_out"), from: channels, to: channels, precision: precision)
    }

    func apply(to x: inout FeatureMap, _ told: Briefing) throws {
        var tokens = try projectIn(norm.tokens(x))
        for block in blocks {
            // Likeness is measured anew before every block.
            let merging = try told.merging.flatMap { merging in
                try level.merges(merging)
                    ? MergedTokens(tokens, height: x.height, width: x.width, ratio: merging.ratio, on: engine) : nil
            }
            try block.apply(to: &tokens, merging: merging, told)
        }
        engine.add(try projectOut(tokens), to: &x)
    }
}
