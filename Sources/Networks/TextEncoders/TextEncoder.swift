import Checkpoints
import Tensors

/// The shape of a text encoder, read from the `config.json` of a transformers `CLIPTextModel`.
package struct TextEncoderConfiguration: Sendable {
    package enum Activation: String, Sendable, CaseIterable {
        case quickGELU = "quick_gelu"
        case gelu = "gelu"
    }

    package var vocabulary: Int
    package var width: Int
    package var feedForwardWidth: Int
    package var layers: Int
    package var heads: Int
    package var positions: Int
    package var activation: Activation
    package var epsilon: Float
    package var endToken: Int
    /// Width of the projected summary, where the model has a projection.
    package var projectionWidth: Int?

    /// - Throws: ``CheckpointError/invalid(_:)`` for what is missing, absurd or not built here
    package init(_ json: JSON, name: String) throws(CheckpointError) {
        let file = try Configuration(json, name: name)
        vocabulary = try file.count("vocab_size", default: 49408, in: 1...1 << 20)
        width = try file.count("hidden_size", default: 512)
        feedForwardWidth = try file.count("intermediate_size", default: 2048, in: 1...1 << 20)
        layers = try file.count("num_hidden_layers", default: 12, in: 1...256)
        heads = try file.count("num_attention_heads", default: 8)
        // A start, an end, and something to say.
        positions = try file.count("max_position_embeddings", default: 77, in: 3...1 << 16)
        guard width % heads == 0 else {
            throw .invalid(
                "\(name) has \(heads) attention heads, but its width of \(width) does not split into so many.")
        }
        activation = try file.choice("hidden_act") ?? .quickGELU
        epsilon = Float(try file.number("layer_norm_eps", default: 1e-5, in: 0...1))
        endToken = try file.count("eos_token_id", default: 49407, in: 0...1 << 20)
        let projects = json["architectures"].list?.contains(.text("CLIPTextModelWithProjection")) ?? false
        projectionWidth = projects ? try file.count("projection_dim", default: 512) : nil
    }
}

/// Reads words: token numbers in, a vector for every position out.
///
/// Source: transformers, `models/clip/modeling_clip.py`, `CLIPTextModel`; Radford et al. (2021).
package struct TextEncoder: Sendable {
    package let configuration: TextEncoderConfiguration
    private let engine: Engine
    private let tokenEmbedding: Weights
    private let positionEmbedding: [Float]
    private let layers: [Layer]
    private let finalNorm: LayerNorm
    private let projection: Linear?

    /// - Parameter scope: the root of the file, whether or not its keys begin with `text_model.`
    package init(_ scope: WeightScope, _ configuration: TextEncoderConfiguration) {
        self.configuration = configuration
        let (c, scope) = (configuration, scope.shelved())
        engine = scope.engine
        let model = scope.has("text_model") ? scope("text_model") : scope
        tokenEmbedding = model.weights("embeddings.token_embedding.weight", [c.vocabulary, c.width])
        let positions = model("embeddings").vector("position_embedding.weight", [c.positions, c.width])
        positionEmbedding = positions
        layers = (0..<c.layers).map { Layer(model("encoder")("layers", $0), c) }
        finalNorm = LayerNorm(model("final_layer_norm"), width: c.width, epsilon: c.epsilon)
        projection = c.projectionWidth.map { Linear(scope("text_projection"), from: c.width, to: $0, bias: false) }
    }

    /// Where its weights are kept.
    package var shelf: Shelf { engine.shelf }

    package struct Encoding: Sendable {
        /// What entered the layers, then what left each of them, `[N, T, C]`, none of them normalised.
        package let states: [Tensor]
        /// The last state, normalised.
        package let last: Tensor
        /// The last state at each text's end token, normalised, `[N, C]`.
        package let pooled: Tensor
        /// The pooled state projected into the space shared with pictures, `[N, P]`.
        package let projected: Tensor?
    }

    /// Vectors that stand where tokens would: what textual inversion learnt.
    package struct Insertion: Sendable {
        /// Place of the first in its row.
        package let position: Int
        /// Rows of `width` values.
        package let vectors: [Float]

        package init(at position: Int, _ vectors: [Float]) { (self.position, self.vectors) = (position, vectors) }
    }

    /// - Parameters:
    ///   - tokens: N rows of T token numbers, T at most `positions`
    ///   - insertions: for the rows, what replaces their tokens; what reaches beyond a row is left out
    package func callAsFunction(_ tokens: [[Int]], inserting insertions: [[Insertion]] = []) throws -> Encoding {
        let c = configuration
        let length = tokens.first?.count ?? 0
        precondition(tokens.allSatisfy { $0.count == length } && length <= c.positions)
        engine.memory.enter(engine.shelf, working: Int(configuration.workingBytes(tokens: tokens.count * length)))
        var h = Tensor(unfilled: [tokens.count, length, c.width])
        h.withMutablePointer { out in
            for (row, token) in tokens.joined().enumerated() {
                tokenEmbedding.rows(token..<token + 1).copy(to: out + row * c.width)
            }
            for (item, insertions) in insertions.enumerated() {
                for insertion in insertions {
                    let count = min(insertion.vectors.count, (length - insertion.position) * c.width)
                    for i in 0..<max(count, 0) {
                        out[(item * length + insertion.position) * c.width + i] = insertion.vectors[i]
                    }
                }
            }
            for row in 0..<tokens.count * length {
                for i in 0..<c.width { out[row * c.width + i] += positionEmbedding[row % length * c.width + i] }
            }
        }
        var states = [h]
        for layer in layers {
            try layer.apply(to: &h)
            states.append(h)
        }
        let last = finalNorm(h)

        var ends = Tensor(unfilled: [tokens.count, c.width])
        ends.withMutablePointer { out in
            last.withPointer { last in
                for (item, row) in tokens.enumerated() {
                    (out + item * c.width).update(from: last + (item * length + end(of: row)) * c.width, count: c.width)
                }
            }
        }
        return Encoding(states: states, last: last, pooled: ends, projected: try projection.map { try $0(ends) })
    }

    /// State `skip` layers before the last, normalised: 1 is the last itself, 2 the penultimate ("clip skip").
    package func normalised(_ encoding: Encoding, skip: Int) -> Tensor {
        finalNorm(encoding.states[max(encoding.states.count - skip, 0)])
    }

    /// Where a text ends: at its first end token. Configurations from before that was written down say 2, which stands for
    /// "the largest token number".
    private func end(of row: [Int]) -> Int {
        if configuration.endToken == 2 { return row.firstIndex(of: row.max() ?? 0) ?? 0 }
        return row.firstIndex(of: configuration.endToken) ?? 0
    }

    /// One layer: causal self-attention and a feed-forward, each over a normalised copy and added back.
    private struct Layer: Sendable {
        private let engine: Engine
        private let configuration: TextEncoderConfiguration
        private let norm1: LayerNorm
        private let query: Linear
        private let key: Linear
        private let value: Linear
        private let output: Linear
        private let norm2: LayerNorm
        private let feedIn: Linear
        private let feedOut: Linear

        init(_ scope: WeightScope, _ c: TextEncoderConfiguration) {
            (engine, configuration) = (scope.engine, c)
            norm1 = LayerNorm(scope("layer_norm1"), width: c.width, epsilon: c.epsilon)
            let attention = scope("self_attn")
            query = Linear(attention("q_proj"), from: c.width, to: c.width)
            key = Linear(attention("k_proj"), from: c.width, to: c.width)
            value = Linear(attention("v_proj"), from: c.width, to: c.width)
            output = Linear(attention("out_proj"), from: c.width, to: c.width)
            norm2 = LayerNorm(scope("layer_norm2"), width: c.width, epsilon: c.epsilon)
            feedIn = Linear(scope("mlp")("fc1"), from: c.width, to: c.feedForwardWidth)
            feedOut = Linear(scope("mlp")("fc2"), from: c.feedForwardWidth, to: c.width)
        }

        func apply(to h: inout Tensor) throws {
            let x = norm1(h)
            let mixed = engine.attention(
                try query(x), try key(x), try value(x), heads: configuration.heads, causal: true)
            try output.add(mixed, to: &h)

            let wide = try feedIn(norm2(h))
            try feedOut.add(configuration.activation == .gelu ? engine.gelu(wide) : engine.quickGELU(wide), to: &h)
        }
    }
}
