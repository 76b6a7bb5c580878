import Checkpoints

/// The shape of a UNet, read from the `config.json` of a diffusers `UNet2DConditionModel`.
///
/// Options that change the network and that are not built here are refused by name, never ignored.
package struct UNetConfiguration: Sendable {
    package enum Block: Sendable {
        case plain
        case crossAttention
    }

    package var inChannels: Int
    package var outChannels: Int
    /// Channels of each level, outermost first.
    package var blockOutChannels: [Int]
    package var downBlocks: [Block]
    package var upBlocks: [Block]
    /// Nil where the middle is residual blocks alone.
    package var middle: Block
    package var layersPerBlock: [Int]
    package var transformerLayers: [Int]
    /// Attention heads of each level. (diffusers' `attention_head_dim` is, by an old mistake, this number.)
    package var heads: [Int]
    package var contextWidth: Int
    package var linearProjection: Bool
    package var groups: Int
    package var epsilon: Float
    package var cosineFirst: Bool
    package var frequencyShift: Double
    package var timeWidth: Int
    package var kernelIn: Int
    package var kernelOut: Int
    package var downsamplePadding: Int
    package var centresInput: Bool
    /// Widths of SDXL's added conditioning: of one embedded number, and of all of it.
    package var added: (number: Int, total: Int)?
    /// Side that the network was trained at, in latent cells.
    package var sampleSize: Int

    /// Largest count of anything in a configuration: keeps a hostile file from asking for all memory.
    private static let most = 1 << 16

    /// - Parameter name: the file's name, for messages
    /// - Throws: ``CheckpointError/invalid(_:)`` for what is missing, absurd or not built here
    package init(_ json: JSON, name: String) throws(CheckpointError) {
        func invalid(_ key: String, _ expected: String) -> CheckpointError {
            .invalid("\(name) has \(key) = \(json[key].description), but \(expected).")
        }
        func count(_ key: String, default value: Int) throws(CheckpointError) -> Int {
            if json[key].isNull { return value }
            guard let found = json[key].integer, (1...Self.most).contains(found) else {
                throw invalid(key, "a whole number from 1 to \(Self.most) is expected")
            }
            return found
        }
        /// One number for all levels, or one a level.
        func perLevel(_ key: String, levels: Int, default value: Int) throws(CheckpointError) -> [Int] {
            if json[key].list == nil { return Array(repeating: try count(key, default: value), count: levels) }
            let found = json[key].list?.compactMap(\.integer) ?? []
            guard found.count == levels, found.allSatisfy((1...Self.most).contains) else {
                throw invalid(key, "\(levels) numbers are expected, one a level")
            }
            return found
        }

        // What else the class can do, and no known Stable Diffusion checkpoint uses.
        let only: [(String, [JSON])] = [
            ("act_fn", [.text("silu"), .text("swish")]), ("class_embed_type", []), ("num_class_embeds", []),
            ("encoder_hid_dim", []), ("encoder_hid_dim_type", []), ("only_cross_attention", [.bool(false)]),
            ("dual_cross_attention", [.bool(false)]), ("time_embedding_type", [.text("positional")]),
            ("time_embedding_act_fn", []), ("timestep_post_act", []), ("time_cond_proj_dim", []),
            ("resnet_time_scale_shift", [.text("default")]), ("resnet_skip_time_act", [.bool(false)]),
            ("resnet_out_scale_factor", [.integer(1), .number(1)]), ("mid_block_scale_factor", [.integer(1), .number(1)]),
            ("mid_block_only_cross_attention", [.bool(false)]), ("cross_attention_norm", []),
            ("attention_type", [.text("default")]), ("reverse_transformer_layers_per_block", []),
            ("class_embeddings_concat", [.bool(false)]), ("addition_embed_type", [.text("text_time")]),
        ]
        for (key, allowed) in only where !json[key].isNull && !allowed.contains(json[key]) {
            throw invalid(key, allowed.isEmpty ? "networks with it are not supported" : "only \(allowed[0].description) is supported")
        }

        inChannels = try count("in_channels", default: 4)
        outChannels = try count("out_channels", default: 4)
        blockOutChannels = (json["block_out_channels"].list ?? [.integer(320), .integer(640), .integer(1280), .integer(1280)])
            .compactMap(\.integer)
        let levels = blockOutChannels.count
        guard (1...16).contains(levels), blockOutChannels.allSatisfy((1...Self.most).contains) else {
            throw invalid("block_out_channels", "a list of channel counts is expected")
        }
        downBlocks = try Self.blocks(json, "down_block_types", count: levels, plain: "DownBlock2D", attention: "CrossAttnDownBlock2D", name)
        upBlocks = try Self.blocks(json, "up_block_types", count: levels, plain: "UpBlock2D", attention: "CrossAttnUpBlock2D", name)
        switch json["mid_block_type"] {
        case .null, .text("UNetMidBlock2DCrossAttn"): middle = .crossAttention
        case .text("UNetMidBlock2D"): middle = .plain
        default: throw invalid("mid_block_type", "only UNetMidBlock2DCrossAttn is supported")
        }
        layersPerBlock = try perLevel("layers_per_block", levels: levels, default: 2)
        transformerLayers = try perLevel("transformer_layers_per_block", levels: levels, default: 1)
        heads = try perLevel(
            json["num_attention_heads"].isNull ? "attention_head_dim" : "num_attention_heads", levels: levels, default: 8)
        let contexts = Set(try perLevel("cross_attention_dim", levels: levels, default: 1280))
        guard contexts.count == 1, let context = contexts.first else {
            throw invalid("cross_attention_dim", "one width for all levels is supported")
        }
        contextWidth = context
        linearProjection = json["use_linear_projection"].bool ?? false
        groups = try count("norm_num_groups", default: 32)
        epsilon = Float(json["norm_eps"].double ?? 1e-5)
        cosineFirst = json["flip_sin_to_cos"].bool ?? true
        frequencyShift = json["freq_shift"].double ?? 0
        timeWidth = try count("time_embedding_dim", default: 4 * blockOutChannels[0])
        kernelIn = try count("conv_in_kernel", default: 3)
        kernelOut = try count("conv_out_kernel", default: 3)
        downsamplePadding = json["downsample_padding"].integer ?? 1
        guard downsamplePadding == 1 || downsamplePadding == 0 else {
            throw invalid("downsample_padding", "0 or 1 is expected")
        }
        centresInput = json["center_input_sample"].bool ?? false
        added = json["addition_embed_type"].isNull
            ? nil
            : (
                try count("addition_time_embed_dim", default: 256),
                try count("projection_class_embeddings_input_dim", default: 2816)
            )
        sampleSize = json["sample_size"].list == nil ? try count("sample_size", default: 64) : 64

        let groups = groups
        guard let odd = blockOutChannels.first(where: { $0 % groups != 0 }) else {
            for level in 0..<levels where blockOutChannels[level] % heads[level] != 0 {
                let attends = downBlocks[level] == .crossAttention || upBlocks[levels - 1 - level] == .crossAttention
                    || (level == levels - 1 && middle == .crossAttention)
                if attends { throw invalid("attention_head_dim", "\(blockOutChannels[level]) channels do not split into \(heads[level]) heads") }
            }
            return
        }
        throw invalid("norm_num_groups", "\(odd) channels do not split into so many groups")
    }

    private static func blocks(
        _ json: JSON, _ key: String, count: Int, plain: String, attention: String, _ name: String
    ) throws(CheckpointError) -> [Block] {
        guard let list = json[key].list, list.count == count else {
            throw .invalid("\(name) has \(key) = \(json[key].description), but \(count) block types are expected, one a level.")
        }
        var blocks: [Block] = []
        for item in list {
            switch item.text {
            case plain: blocks.append(.plain)
            case attention: blocks.append(.crossAttention)
            default: throw .invalid("\(name) has the block \(item.description) in \(key), but only \(plain) and \(attention) are supported.")
            }
        }
        return blocks
    }
}
