/// A network of a model that adapters change, by its part of the diffusers layout.
package enum AdaptedNetwork: String, Sendable {
    case unet
    case text = "text_encoder"
    case secondText = "text_encoder_2"
}

/// A module that an adapter changes: its path with underscores for dots, since most writers keep no dots.
struct AdapterPlace: Hashable, Sendable {
    let network: AdaptedNetwork
    let module: String
}

/// What a tensor of an adapter is to its module.
///
/// Source: kohya-ss/sd-scripts, `networks/lora.py`; KohakuBlueleaf/LyCORIS, `lycoris/modules`; huggingface/peft.
enum AdapterPart: String, Sendable {
    case down, up, mid, alpha, scale
    /// DoRA's lengths: of columns or rows, and PEFT's of rows.
    case doraScale = "dora_scale"
    case magnitude
    case hadaW1A = "hada_w1_a"
    case hadaW1B = "hada_w1_b"
    case hadaW2A = "hada_w2_a"
    case hadaW2B = "hada_w2_b"
    case hadaT1 = "hada_t1"
    case hadaT2 = "hada_t2"
    case lokrW1 = "lokr_w1"
    case lokrW1A = "lokr_w1_a"
    case lokrW1B = "lokr_w1_b"
    case lokrW2 = "lokr_w2"
    case lokrW2A = "lokr_w2_a"
    case lokrW2B = "lokr_w2_b"
    case lokrT2 = "lokr_t2"
    case difference = "diff"
    case biasDifference = "diff_b"
    case normDifference = "w_norm"
    case normBiasDifference = "b_norm"
    /// IA³'s factors, and whether they are of columns.
    case factors = "weight"
    case onInput = "on_input"

    var changesBias: Bool { self == .biasDifference || self == .normBiasDifference }
}

/// A key of an adapter's file, taken apart.
enum AdapterKey {
    case known(AdapterPlace, AdapterPart)
    /// Of a kind of adapter that is not built, by the kind's name.
    case refused(String)
    case stranger

    private static let endings: [String: AdapterPart] = [
        "lora_down.weight": .down, "lora_up.weight": .up, "lora_mid.weight": .mid, "lora_A.weight": .down,
        "lora_B.weight": .up, "lora_A.default.weight": .down, "lora_B.default.weight": .up, "lora.down.weight": .down,
        "lora.up.weight": .up, "lora_linear_layer.down.weight": .down, "lora_linear_layer.up.weight": .up,
        "down.weight": .down, "up.weight": .up, "lora_magnitude_vector": .magnitude,
        "lora_magnitude_vector.weight": .magnitude, "lora_magnitude_vector.default.weight": .magnitude,
    ]

    private static let notBuilt = [
        ("oft_", "OFT"), (".a1.", "GLoRA"), (".a2.", "GLoRA"), (".b1.", "GLoRA"), (".b2.", "GLoRA"),
        ("lora_embedding_", "LoRA of an embedding table"), ("lokr_t1", "LoKr with t1"), ("vera_lambda", "VeRA"),
        ("bias_indices", "LyCORIS with sparse biases"), ("lora_A.bias", "LoRA with biases"), ("lora_E", "AdaLoRA"),
        ("lora_B.bias", "LoRA with biases"), ("lora_down.bias", "LoRA with biases"),
        ("lora_up.bias", "LoRA with biases"), (".scalar", "LyCORIS with scalars"), ("set_weight", "replaced weights"),
        ("reshape_weight", "reshaped weights"),
    ]

    init(_ key: String) {
        if let (_, kind) = Self.notBuilt.first(where: { key.contains($0.0) }) {
            self = .refused(kind)
            return
        }
        let names = key.split(separator: ".", omittingEmptySubsequences: false)
        // The longest ending that is known.
        for length in [3, 2, 1] where names.count > length {
            let ending = names.suffix(length).joined(separator: ".")
            guard let part = Self.endings[ending] ?? AdapterPart(rawValue: ending),
                let place = Self.place(names.dropLast(length).map(String.init))
            else { continue }
            // A model's own weights end so too.
            if part == .factors, !key.hasPrefix("lora_") { continue }
            if ending == "down.weight" || ending == "up.weight", !names[names.count - 3].hasSuffix("_lora") { continue }
            self = .known(place, part)
            return
        }
        self = .stranger
    }

    private static let flat: [(String, AdaptedNetwork)] = [
        ("lora_unet_", .unet), ("lora_te1_", .text), ("lora_te2_", .secondText), ("lora_te_", .text),
        ("lora_cond_stage_model_", .text), ("lora_conditioner_embedders_0_", .text),
        ("lora_conditioner_embedders_1_", .secondText),
    ]
    private static let dotted: [String: AdaptedNetwork] = [
        "unet": .unet, "text_encoder": .text, "text_encoder_2": .secondText,
    ]
    private static let unetRoots: Set = [
        "down_blocks", "mid_block", "up_blocks", "conv_in", "conv_out", "time_embedding", "add_embedding",
    ]

    private static func place(_ names: [String]) -> AdapterPlace? {
        guard let first = names.first else { return nil }
        if names.count == 1, let (prefix, network) = flat.first(where: { first.hasPrefix($0.0) }) {
            return place(network, first.dropFirst(prefix.count).split(separator: ".").map(String.init))
        }
        var names = names
        if names.starts(with: ["base_model", "model"]) { names.removeFirst(2) }
        guard let root = names.first else { return nil }
        if root == "cond_stage_model" { return place(.text, Array(names.dropFirst())) }
        if root == "conditioner", names.count > 3, names[1] == "embedders", let index = Int(names[2]) {
            return place(index == 0 ? .text : .secondText, Array(names.dropFirst(3)))
        }
        if let network = dotted[root] { return place(network, Array(names.dropFirst())) }
        if unetRoots.contains(root) { return place(.unet, names) }
        return root == "text_model" ? place(.text, names) : nil
    }

    /// Names of layers in the attention processors of early diffusers.
    private static let early: [AdaptedNetwork: [String: String]] = [
        .unet: ["to_q_lora": "to_q", "to_k_lora": "to_k", "to_v_lora": "to_v", "to_out_lora": "to_out_0"],
        .text: ["to_q_lora": "q_proj", "to_k_lora": "k_proj", "to_v_lora": "v_proj", "to_out_lora": "out_proj"],
    ]

    private static func place(_ network: AdaptedNetwork, _ names: [String]) -> AdapterPlace? {
        let layers = early[network == .unet ? .unet : .text] ?? [:]
        let module = names.filter { $0 != "processor" }.map { layers[$0] ?? $0 }.joined(separator: "_")
        guard !module.isEmpty else { return nil }
        return AdapterPlace(network: network, module: network == .unet ? module : textModule(module))
    }

    /// The path of a text encoder's module, flat, as CLIP has it: with the outermost name that some writers leave out, and with
    /// CLIP's names for OpenCLIP's.
    static func textModule(_ flat: String) -> String {
        if ["encoder_layers_", "embeddings_", "final_layer_norm"].contains(where: { flat.hasPrefix($0) }) {
            return "text_model_" + flat
        }
        var rest = flat[...]
        for outer in ["model_", "transformer_"] where rest.hasPrefix(outer) { rest = rest.dropFirst(outer.count) }
        if rest == "ln_final" { return "text_model_final_layer_norm" }
        if rest.hasPrefix("text_model_") { return String(rest) }
        guard rest.hasPrefix("resblocks_") else { return flat }
        rest = rest.dropFirst("resblocks_".count)
        let layer = rest.prefix(while: \.isNumber)
        guard let part = openCLIP[String(rest.dropFirst(layer.count + 1))] else { return flat }
        return "text_model_encoder_layers_\(layer)_\(part)"
    }

    /// Parts of one of OpenCLIP's layers; queries, keys and values are the rows of one matrix there.
    private static let openCLIP = [
        "ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp_c_fc": "mlp_fc1", "mlp_c_proj": "mlp_fc2",
        "attn_out_proj": "self_attn_out_proj", "attn_in_proj": "self_attn_in_proj",
    ]

    /// The module that a text encoder's query, key or value is a third of in OpenCLIP, and which.
    static func wholeOfThird(_ module: String) -> (module: String, third: Int)? {
        for (third, name) in ["q_proj", "k_proj", "v_proj"].enumerated() where module.hasSuffix("_self_attn_" + name) {
            return (module.dropLast(name.count) + "in_proj", third)
        }
        return nil
    }
}
