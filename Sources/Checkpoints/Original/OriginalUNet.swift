/// The UNet of an original checkpoint by the names and configuration of the diffusers layout.
///
/// The blocks of the way in and out are numbered through; levels end where a block halves or doubles the size, so that any
/// number of levels and layers is found from the names.
struct OriginalUNet {
    private(set) var file: TensorFile
    private(set) var configuration = JSON.null

    /// What shapes do not say: into how many heads attention is split.
    enum Heads: Sendable, Equatable {
        /// So many on every level.
        case count(Int)
        /// Heads so wide, as many as there are.
        case width(Int)

        func of(_ channels: Int) -> Int {
            switch self {
            case .count(let count): count
            case .width(let width): max(channels / max(width, 1), 1)
            }
        }
    }

    private struct Level {
        var channels = 0
        var layers = 0
        /// Transformer blocks in each attention; none where there is no attention.
        var depth = 0
        var attendsUp = false
    }

    /// - Parameters:
    ///   - file: the UNet's tensors by their original names
    ///   - pooledWidth: width of the text's summary, where the network is told of sizes
    init(_ file: TensorFile, heads: Heads, pooledWidth: Int?, sampleSize: Int) throws(CheckpointError) {
        self.file = file
        var levels = [Level()]
        /// Where each numbered block goes.
        var homes: [String: String] = [
            "input_blocks.0.0": "conv_in", "middle_block.0": "mid_block.resnets.0", "out.0": "conv_norm_out",
            "out.2": "conv_out", "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2",
            "time_embed.cond_proj": "time_embedding.cond_proj", "time_embedding.cond_proj": "time_embedding.cond_proj",
            "label_emb.0.0": "add_embedding.linear_1",
            "label_emb.0.2": "add_embedding.linear_2",
        ]
        func depth(_ attention: String) -> Int {
            file.countOf { "\(attention).transformer_blocks.\($0).norm1.weight" }
        }

        var block = 1
        while block < 256 {
            let name = "input_blocks.\(block)"
            let here = levels.count - 1
            if file.entries["\(name).0.op.weight"] != nil {
                homes["\(name).0"] = "down_blocks.\(here).downsamplers.0"
                levels.append(Level())
            } else if let channels = file.side("\(name).0.out_layers.3.weight", 0) {
                homes["\(name).0"] = "down_blocks.\(here).resnets.\(levels[here].layers)"
                homes["\(name).1"] = "down_blocks.\(here).attentions.\(levels[here].layers)"
                levels[here].channels = channels
                levels[here].depth = max(levels[here].depth, depth("\(name).1"))
                levels[here].layers += 1
            } else {
                break
            }
            block += 1
        }

        let middleDepth = depth("middle_block.1")
        if middleDepth > 0 { homes["middle_block.1"] = "mid_block.attentions.0" }
        homes[middleDepth > 0 ? "middle_block.2" : "middle_block.1"] = "mid_block.resnets.1"

        var (up, layer) = (0, 0)
        block = 0
        while block < 256, file.entries["output_blocks.\(block).0.out_layers.3.weight"] != nil {
            let name = "output_blocks.\(block)"
            homes["\(name).0"] = "up_blocks.\(up).resnets.\(layer)"
            let attends = depth("\(name).1") > 0
            if attends {
                homes["\(name).1"] = "up_blocks.\(up).attentions.\(layer)"
                if up < levels.count { levels[levels.count - 1 - up].attendsUp = true }
            }
            let enlarging = "\(name).\(attends ? 2 : 1)"
            layer += 1
            if file.entries["\(enlarging).conv.weight"] != nil {
                homes[enlarging] = "up_blocks.\(up).upsamplers.0"
                (up, layer) = (up + 1, 0)
            }
            block += 1
        }

        var entries: [String: TensorFile.Entry] = [:]
        for (key, entry) in file.entries { entries[Self.renamed(key, homes)] = entry }
        self.file = file.with(entries)
        configuration = try configuration(
            levels, middleDepth: middleDepth, heads: heads, pooledWidth: pooledWidth, sampleSize: sampleSize)
    }

    /// Parts of a residual block.
    private static let parts = [
        "in_layers.0": "norm1", "in_layers.2": "conv1", "out_layers.0": "norm2", "out_layers.3": "conv2",
        "emb_layers.1": "time_emb_proj",
    ]

    private static func renamed(_ key: String, _ homes: [String: String]) -> String {
        let names = key.split(separator: ".").map(String.init)
        // The longest beginning that has a home.
        for length in [3, 2] where names.count > length {
            guard let home = homes[names[..<length].joined(separator: ".")] else { continue }
            var rest = Array(names[length...])
            if home.contains(".resnets.") {
                if rest.first == "skip_connection" {
                    rest[0] = "conv_shortcut"
                } else if rest.count > 2, let part = parts[rest[..<2].joined(separator: ".")] {
                    rest.replaceSubrange(..<2, with: [part])
                }
            } else if home.contains(".downsamplers."), rest.first == "op" {
                rest[0] = "conv"
            }
            return ([home] + rest).joined(separator: ".")
        }
        return key
    }

    private func configuration(
        _ levels: [Level], middleDepth: Int, heads: Heads, pooledWidth: Int?, sampleSize: Int
    ) throws(CheckpointError) -> JSON {
        func side(_ key: String, _ side: Int) throws(CheckpointError) -> Int {
            guard let found = file.side(key, side) else {
                throw .invalid("\(file.name) has no \(key) of a UNet's shape, so it is damaged. Download it again.")
            }
            return found
        }
        let attention = file.entries.keys.filter { $0.contains(".attentions.") }.sorted()
        guard let context = attention.first(where: { $0.hasSuffix(".attn2.to_k.weight") }),
            let projection = attention.first(where: { $0.hasSuffix(".proj_in.weight") })
        else { throw .invalid("\(file.name) has a UNet that pays no attention to text, which is not read.") }

        func list(_ values: [Int]) -> JSON { .list(values.map { .integer($0) }) }
        func blocks(_ attends: [Bool], _ way: String) -> JSON {
            .list(attends.map { .text($0 ? "CrossAttn\(way)Block2D" : "\(way)Block2D") })
        }
        let last = levels.count - 1
        var members: [String: JSON] = [
            "in_channels": .integer(try side("conv_in.weight", 1)),
            "out_channels": .integer(try side("conv_out.weight", 0)),
            "block_out_channels": list(levels.map(\.channels)),
            "down_block_types": blocks(levels.map { $0.depth > 0 }, "Down"),
            "up_block_types": blocks(levels.reversed().map(\.attendsUp), "Up"),
            "mid_block_type": .text(middleDepth > 0 ? "UNetMidBlock2DCrossAttn" : "UNetMidBlock2D"),
            "layers_per_block": list(levels.map(\.layers)),
            // The middle has the last level's depth.
            "transformer_layers_per_block": list(
                levels.indices.map { max($0 == last ? max(middleDepth, levels[$0].depth) : levels[$0].depth, 1) }),
            "attention_head_dim": list(levels.map { heads.of($0.channels) }),
            "cross_attention_dim": .integer(try side(context, 1)),
            "use_linear_projection": .bool(file.entries[projection]?.shape.count == 2),
            "time_embedding_dim": .integer(try side("time_embedding.linear_1.weight", 0)),
            "sample_size": .integer(sampleSize),
        ]
        if let total = file.side("add_embedding.linear_1.weight", 1) {
            members["addition_embed_type"] = .text("text_time")
            members["projection_class_embeddings_input_dim"] = .integer(total)
            // Two sizes and a corner: six numbers.
            members["addition_time_embed_dim"] = .integer(max((total - (pooledWidth ?? 0)) / 6, 1))
        }
        if let width = file.side("time_embedding.cond_proj.weight", 1) {
            members["time_cond_proj_dim"] = .integer(width)
        }
        return .object(members)
    }
}
