/// A text encoder of an original checkpoint by the names and configuration of the transformers library.
struct OriginalText {
    let file: TensorFile
    let configuration: JSON
    var entries: [String: TensorFile.Entry] { file.entries }

    /// CLIP as transformers has it already; the oldest files leave out one level of names, which the network knows.
    static func clip(_ file: TensorFile) -> OriginalText {
        let known = ["text_model.", "embeddings.", "encoder.", "final_layer_norm."]
        let entries = file.entries.filter { key, _ in known.contains { key.hasPrefix($0) } }
        let root = entries.keys.contains { $0.hasPrefix("text_model.") } ? "text_model." : ""
        return OriginalText(file.with(entries), root: root, activation: "quick_gelu", projection: nil)
    }

    /// OpenCLIP: queries, keys and values are one matrix there, and the projection stands on its side.
    ///
    /// - Parameter layersLeftOut: layers at the end that the model never uses
    static func openCLIP(_ file: TensorFile, layersLeftOut: Int, projects: Bool) -> OriginalText {
        let layers = file.countOf { "transformer.resblocks.\($0).ln_1.weight" } - layersLeftOut
        var entries: [String: TensorFile.Entry] = [:]
        for (key, entry) in file.entries {
            switch key {
            case "ln_final.weight", "ln_final.bias":
                entries["text_model.final_layer_norm." + (key.split(separator: ".").last ?? "")] = entry
            case "token_embedding.weight": entries["text_model.embeddings.token_embedding.weight"] = entry
            case "positional_embedding": entries["text_model.embeddings.position_embedding.weight"] = entry
            case "text_projection": if projects { entries["text_projection.weight"] = entry.transposed ?? entry }
            case "text_projection.weight": if projects { entries[key] = entry }
            case "logit_scale", "attn_mask": break
            default:
                let names = key.split(separator: ".").map(String.init)
                guard names.count > 4, names[0] == "transformer", names[1] == "resblocks", let layer = Int(names[2])
                else {
                    entries[key] = entry
                    continue
                }
                guard layer < layers else { continue }
                add(entry, Array(names[3...]), under: "text_model.encoder.layers.\(layer).", to: &entries)
            }
        }
        return OriginalText(
            file.with(entries), root: "text_model.", activation: "gelu",
            projection: projects ? entries["text_projection.weight"]?.shape.first ?? 1 : nil)
    }

    private static let parts = [
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
        "attn.out_proj": "self_attn.out_proj",
    ]

    private static func add(
        _ entry: TensorFile.Entry, _ names: [String], under prefix: String, to entries: inout [String: TensorFile.Entry]
    ) {
        let name = names.joined(separator: ".")
        for kind in ["weight", "bias"] where name == "attn.in_proj_\(kind)" {
            for (part, letter) in ["q", "k", "v"].enumerated() {
                entries["\(prefix)self_attn.\(letter)_proj.\(kind)"] = entry.rows(part: part, of: 3)
            }
            return
        }
        let (part, kind) = (names.dropLast().joined(separator: "."), names.last ?? "")
        entries["\(prefix)\(parts[part] ?? part).\(kind)"] = entry
    }

    private init(_ file: TensorFile, root: String, activation: String, projection: Int?) {
        self.file = file
        let width = file.side("\(root)embeddings.token_embedding.weight", 1) ?? 1
        var members: [String: JSON] = [
            "hidden_size": .integer(width),
            "vocab_size": .integer(file.side("\(root)embeddings.token_embedding.weight", 0) ?? 1),
            "max_position_embeddings": .integer(file.side("\(root)embeddings.position_embedding.weight", 0) ?? 77),
            "intermediate_size": .integer(file.side("\(root)encoder.layers.0.mlp.fc1.weight", 0) ?? 1),
            "num_hidden_layers": .integer(
                max(file.countOf { "\(root)encoder.layers.\($0).layer_norm1.weight" }, 1)),
            // All of CLIP's encoders have heads of 64.
            "num_attention_heads": .integer(max(width / 64, 1)), "hidden_act": .text(activation),
            "eos_token_id": .integer(49407),
        ]
        if let projection {
            members["architectures"] = .list([.text("CLIPTextModelWithProjection")])
            members["projection_dim"] = .integer(projection)
        }
        configuration = .object(members)
    }
}
