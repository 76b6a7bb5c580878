/// An autoencoder in one file by the names and configuration of the diffusers layout, which it may have already.
///
/// Its attention is of 1×1 convolutions in the original layout, which are taken as matrices where they are asked for.
struct OriginalAutoencoder {
    let file: TensorFile
    let configuration: JSON

    /// - Parameter scale: what latents are multiplied by
    init(_ original: TensorFile, scale: Double) {
        let levels = original.countOf { "decoder.up.\($0).block.0.conv1.weight" }
        var entries: [String: TensorFile.Entry] = [:]
        for (key, entry) in original.entries where !key.hasPrefix("loss.") && !key.hasPrefix("model_ema.") {
            entries[Self.renamed(key, levels: levels)] = entry
        }
        let file = original.with(entries)
        self.file = file
        func block(_ level: Int, _ layer: Int) -> String {
            "encoder.down_blocks.\(level).resnets.\(layer).conv1.weight"
        }
        let channels = (0..<file.countOf { block($0, 0) }).map { file.side(block($0, 0), 0) ?? 0 }
        configuration = .object([
            "in_channels": .integer(file.side("encoder.conv_in.weight", 1) ?? 3),
            "latent_channels": .integer(file.side("decoder.conv_in.weight", 1) ?? 4),
            "block_out_channels": .list(channels.map { .integer($0) }),
            "layers_per_block": .integer(max(file.countOf { block(0, $0) }, 1)),
            "use_quant_conv": .bool(file.entries["quant_conv.weight"] != nil),
            "use_post_quant_conv": .bool(file.entries["post_quant_conv.weight"] != nil),
            "mid_block_add_attention": .bool(
                file.entries.keys.contains { $0.hasPrefix("encoder.mid_block.attentions.") }),
            "scaling_factor": .number(scale),
        ])
    }

    private static let attention = [
        "norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0",
    ]

    private static func renamed(_ key: String, levels: Int) -> String {
        var names = key.split(separator: ".").map(String.init)
        guard names.count > 2, names[0] == "encoder" || names[0] == "decoder" else { return key }
        switch names[1] {
        case "norm_out": names[1] = "conv_norm_out"
        case "mid" where names[2] == "attn_1" && names.count > 3:
            names.replaceSubrange(1...3, with: ["mid_block.attentions.0", attention[names[3]] ?? names[3]])
        case "mid":
            names.replaceSubrange(1...2, with: ["mid_block.resnets", names[2] == "block_1" ? "0" : "1"])
        case "down" where names.count > 4, "up" where names.count > 4:
            let isDown = names[1] == "down"
            guard let level = Int(names[2]) else { return key }
            names[2] = "\(isDown ? level : levels - 1 - level)"
            names[1] = isDown ? "down_blocks" : "up_blocks"
            switch names[3] {
            case "block": names[3] = "resnets"
            case "downsample": names[3] = "downsamplers.0"
            case "upsample": names[3] = "upsamplers.0"
            default: break
            }
        default: break
        }
        return names.map { $0 == "nin_shortcut" ? "conv_shortcut" : $0 }.joined(separator: ".")
    }
}
