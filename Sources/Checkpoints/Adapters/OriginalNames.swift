/// The names that the modules of a UNet have in the original layout, for adapters that were made for it: the way of
/// ``OriginalUNet`` backwards.
struct OriginalNames {
    /// Block by block.
    private var homes: [String: String] = [
        "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2",
        "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
    ]

    private static let parts = [
        "norm1": "in_layers.0", "conv1": "in_layers.2", "norm2": "out_layers.0", "conv2": "out_layers.3",
        "time_emb_proj": "emb_layers.1", "conv_shortcut": "skip_connection",
    ]

    /// - Parameter keys: of a whole UNet in the diffusers layout
    init(_ keys: some Sequence<String>) {
        // "down_blocks.0.resnets.1"
        let blocks = Set(keys.compactMap { Self.block($0)?.home })
        var block = 1
        for level in 0..<blocks.count {
            for layer in 0..<blocks.count where blocks.contains("down_blocks.\(level).resnets.\(layer)") {
                homes["down_blocks.\(level).resnets.\(layer)"] = "input_blocks.\(block).0"
                homes["down_blocks.\(level).attentions.\(layer)"] = "input_blocks.\(block).1"
                block += 1
            }
            if blocks.contains("down_blocks.\(level).downsamplers.0") {
                homes["down_blocks.\(level).downsamplers.0"] = "input_blocks.\(block).0"
                block += 1
            }
        }
        homes["mid_block.resnets.0"] = "middle_block.0"
        homes["mid_block.attentions.0"] = "middle_block.1"
        homes["mid_block.resnets.1"] =
            blocks.contains("mid_block.attentions.0") ? "middle_block.2" : "middle_block.1"
        block = 0
        for level in 0..<blocks.count {
            var attends = false
            for layer in 0..<blocks.count where blocks.contains("up_blocks.\(level).resnets.\(layer)") {
                homes["up_blocks.\(level).resnets.\(layer)"] = "output_blocks.\(block).0"
                homes["up_blocks.\(level).attentions.\(layer)"] = "output_blocks.\(block).1"
                attends = blocks.contains("up_blocks.\(level).attentions.\(layer)")
                block += 1
            }
            homes["up_blocks.\(level).upsamplers.0"] = "output_blocks.\(block - 1).\(attends ? 2 : 1)"
        }
    }

    private static func block(_ path: String) -> (home: String, rest: ArraySlice<String>)? {
        let names = path.split(separator: ".").map(String.init)
        let length = path.hasPrefix("mid_block.") ? 3 : 4
        guard path.contains("_block"), names.count > length else { return nil }
        return (names[..<length].joined(separator: "."), names[length...])
    }

    /// "input_blocks.1.1.proj_in" of "down_blocks.0.attentions.0.proj_in".
    ///
    /// - Parameter module: without "weight" or "bias"
    func name(_ module: String) -> String? {
        if let home = homes[module] { return home }
        guard let (block, rest) = Self.block(module), let home = homes[block], let first = rest.first else {
            return nil
        }
        let part: String =
            if block.contains(".resnets.") {
                Self.parts[first] ?? first
            } else if block.contains(".downsamplers.") {
                first == "conv" ? "op" : first
            } else {
                first
            }
        return ([home, part] + rest.dropFirst()).joined(separator: ".")
    }
}
