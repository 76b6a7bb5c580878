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
    /// Width of an embedded guidance scale, where the network is told of it instead of being run twice
    /// (`time_cond_proj_dim`): latent consistency models.
    package var guidanceWidth: Int?
    /// Side that the network was trained at, in latent cells.
    package var sampleSize: Int

    /// Most layers of one kind in a level: keeps a hostile file from building networks without end.
    private static let mostLayers = 32

    /// - Parameter name: the file's name, for messages
    /// - Throws: ``CheckpointError/invalid(_:)`` for what is missing, absurd or not built here
    package init(_ json: JSON, name: String) throws(CheckpointError) {
        let file = try Configuration(json, name: name)
        /// One number for all levels, or one a level.
        func perLevel(_ key: String, levels: Int, default value: Int, in range: ClosedRange<Int> = 1...1 << 16)
            throws(CheckpointError) -> [Int]
        {
            if json[key].list == nil {
                return Array(repeating: try file.count(key, default: value, in: range), count: levels)
            }
            guard let found = file.counts(key, lengths: levels...levels, in: range) else {
                throw file.invalid(
                    key,
                    "\(levels) whole numbers from \(range.lowerBound) to \(range.upperBound) are expected, one a level")
            }
            return found
        }

        // What else the class can do, and no known Stable Diffusion checkpoint uses.
        let only: [(key: String, values: [JSON])] = [
            ("act_fn", [.text("silu"), .text("swish")]), ("class_embed_type", []), ("num_class_embeds", []),
            ("encoder_hid_dim", []), ("encoder_hid_dim_type", []), ("only_cross_attention", [.bool(false)]),
            ("dual_cross_attention", [.bool(false)]), ("time_embedding_type", [.text("positional")]),
            ("time_embedding_act_fn", []), ("timestep_post_act", []),
            ("resnet_time_scale_shift", [.text("default")]), ("resnet_skip_time_act", [.bool(false)]),
            ("resnet_out_scale_factor", [.integer(1), .number(1)]),
            ("mid_block_scale_factor", [.integer(1), .number(1)]),
            ("mid_block_only_cross_attention", [.bool(false)]), ("cross_attention_norm", []),
            ("attention_type", [.text("default")]), ("reverse_transformer_layers_per_block", []),
            ("class_embeddings_concat", [.bool(false)]), ("addition_embed_type", [.text("text_time")]),
        ]
        try file.allow(only: only, of: "networks")

        inChannels = try file.count("in_channels", default: 4)
        outChannels = try file.count("out_channels", default: 4)
        let usual = [320, 640, 1280, 1280]
        guard
            let channels = json["block_out_channels"].isNull
                ? usual : file.counts("block_out_channels", lengths: 1...16)
        else { throw file.invalid("block_out_channels", "a list of 1 to 16 channel counts up to 65536 is expected") }
        blockOutChannels = channels
        let levels = channels.count
        downBlocks = try Self.blocks(
            json, "down_block_types", count: levels, plain: "DownBlock2D", attention: "CrossAttnDownBlock2D", name)
        upBlocks = try Self.blocks(
            json, "up_block_types", count: levels, plain: "UpBlock2D", attention: "CrossAttnUpBlock2D", name)
        // The value null says that there is no middle; silence means the usual one.
        switch json.object?["mid_block_type"] ?? .text("UNetMidBlock2DCrossAttn") {
        case .null: throw file.invalid("mid_block_type", "networks without a middle are not supported")
        case .text("UNetMidBlock2DCrossAttn"): middle = .crossAttention
        case .text("UNetMidBlock2D"): middle = .plain
        default: throw file.invalid("mid_block_type", "only UNetMidBlock2DCrossAttn is supported")
        }
        layersPerBlock = try perLevel("layers_per_block", levels: levels, default: 2, in: 1...Self.mostLayers)
        transformerLayers = try perLevel(
            "transformer_layers_per_block", levels: levels, default: 1, in: 1...Self.mostLayers)
        heads = try perLevel(
            json["num_attention_heads"].isNull ? "attention_head_dim" : "num_attention_heads", levels: levels,
            default: 8)
        let contexts = Set(try perLevel("cross_attention_dim", levels: levels, default: 1280))
        guard contexts.count == 1, let context = contexts.first else {
            throw file.invalid("cross_attention_dim", "one width for all levels is supported")
        }
        contextWidth = context
        linearProjection = try file.flag("use_linear_projection", default: false)
        groups = try file.count("norm_num_groups", default: 32)
        epsilon = Float(try file.number("norm_eps", default: 1e-5, in: 0...1))
        cosineFirst = try file.flag("flip_sin_to_cos", default: true)
        frequencyShift = try file.number("freq_shift", default: 0, in: 0...1)
        timeWidth = try file.count("time_embedding_dim", default: 4 * blockOutChannels[0])
        func kernel(_ key: String) throws(CheckpointError) -> Int {
            let side = try file.count(key, default: 3, in: 1...15)
            // An even one would change the picture's size.
            guard side % 2 == 1 else { throw file.invalid(key, "an odd number is expected") }
            return side
        }
        kernelIn = try kernel("conv_in_kernel")
        kernelOut = try kernel("conv_out_kernel")
        downsamplePadding = try file.count("downsample_padding", default: 1, in: 0...1)
        centresInput = try file.flag("center_input_sample", default: false)
        added =
            json["addition_embed_type"].isNull
            ? nil
            : (
                try file.count("addition_time_embed_dim", default: 256),
                try file.count("projection_class_embeddings_input_dim", default: 2816)
            )
        guidanceWidth =
            json["time_cond_proj_dim"].isNull
            ? nil : try file.count("time_cond_proj_dim", default: 256, in: 4...1 << 16)
        sampleSize = json["sample_size"].list == nil ? try file.count("sample_size", default: 64) : 64

        let groups = groups
        guard let odd = blockOutChannels.first(where: { $0 % groups != 0 }) else {
            for level in 0..<levels where blockOutChannels[level] % heads[level] != 0 {
                let attends =
                    downBlocks[level] == .crossAttention || upBlocks[levels - 1 - level] == .crossAttention
                    || (level == levels - 1 && middle == .crossAttention)
                if attends {
                    throw file.invalid(
                        "attention_head_dim",
                        "\(blockOutChannels[level]) channels do not split into \(heads[level]) heads")
                }
            }
            return
        }
        throw file.invalid("norm_num_groups", "\(odd) channels do not split into so many groups")
    }

    private static func blocks(
        _ json: JSON, _ key: String, count: Int, plain: String, attention: String, _ name: String
    ) throws(CheckpointError) -> [Block] {
        guard let list = json[key].list, list.count == count else {
            throw .invalid(
                "\(name) has \(key) = \(json[key].description), but \(count) block types are expected, one a level.")
        }
        var blocks: [Block] = []
        for item in list {
            switch item.text {
            case plain: blocks.append(.plain)
            case attention: blocks.append(.crossAttention)
            default:
                throw .invalid(
                    "\(name) has the block \(item.description) in \(key), but only \(plain) and \(attention) are supported."
                )
            }
        }
        return blocks
    }
}
