/// A whole model in one file, in the layout of the programs that Stable Diffusion was trained with, seen as the folder that
/// it would be in the diffusers layout: the same tensors under the names that our networks ask for, and configurations
/// read from their shapes. No number is moved.
///
/// Source of the names: CompVis/latent-diffusion, Stability-AI/generative-models, mlfoundations/open_clip.
package struct OriginalCheckpoint: Sendable {
    package enum Family: String, Sendable {
        case sd1, sd2, sdxl
    }

    package let family: Family
    /// The file as it is.
    package let file: TensorFile
    /// A yaml file of the original programs that lies beside, as far as it is read.
    package let description: OriginalDescription?
    /// What said how many heads attention has.
    package let headsSource: String
    /// "unet", "vae", "text_encoder", "text_encoder_2", by the names of the diffusers layout.
    let parts: [String: TensorFile]
    let configurations: [String: JSON]

    private static let unet = "model.diffusion_model."
    private static let autoencoder = "first_stage_model."

    /// - Throws: ``CheckpointError/invalid(_:)`` when the file holds something else than a model that can be painted with
    package init(_ file: TensorFile, description: OriginalDescription? = nil) throws(CheckpointError) {
        (self.file, self.description) = (file, description)
        let keys = file.entries
        guard keys[Self.unet + "input_blocks.0.0.weight"] != nil else { throw Self.other(file) }
        if keys["edm_vpred.sigma_max"] != nil || keys["edm_mean"] != nil {
            throw .invalid(
                "\(file.name) is an EDM model of SDXL, whose schedule is not built. Take an epsilon or v model.")
        }
        if keys["conditioner.embedders.0.model.ln_final.weight"] != nil {
            throw .invalid("\(file.name) is the refiner of SDXL, which is not read. Take the base model.")
        }

        let (first, second) = ("conditioner.embedders.0.transformer.", "conditioner.embedders.1.model.")
        var parts = ["unet": file.part(Self.unet)]
        var texts: [(name: String, part: OriginalText)] = []
        if keys[second + "ln_final.weight"] != nil {
            family = .sdxl
            texts = [
                ("text_encoder", .clip(file.part(first))),
                ("text_encoder_2", .openCLIP(file.part(second), layersLeftOut: 0, projects: true)),
            ]
        } else if keys["cond_stage_model.model.ln_final.weight"] != nil {
            family = .sd2
            // The last layer is there but was never used: texts are taken before it.
            texts = [
                (
                    "text_encoder",
                    .openCLIP(file.part("cond_stage_model.model."), layersLeftOut: 1, projects: false)
                )
            ]
        } else {
            family = .sd1
            texts = [("text_encoder", .clip(file.part("cond_stage_model.transformer.")))]
        }
        var configurations: [String: JSON] = [:]
        for (name, text) in texts {
            guard !text.entries.isEmpty else {
                throw .invalid(
                    "\(file.name) has a UNet but no text encoder, so it cannot read a prompt. Take the whole model.")
            }
            parts[name] = text.file
            configurations[name] = text.configuration
        }

        let heads: OriginalUNet.Heads
        if let said = description?.heads {
            (heads, headsSource) = (said, "its yaml")
        } else {
            // SD 1 splits every level in eight; the later ones split into heads of 64.
            (heads, headsSource) = (family == .sd1 ? .count(8) : .width(64), "the family's default")
        }
        let network = try OriginalUNet(
            try Self.required(parts["unet"], file), heads: heads,
            pooledWidth: configurations["text_encoder_2"]?["projection_dim"].integer,
            sampleSize: family == .sdxl ? 128 : family == .sd2 ? 96 : 64)
        if family == .sd2, network.configuration["projection_class_embeddings_input_dim"] != .null {
            throw .invalid("\(file.name) is an unCLIP model, which paints from pictures and is not read.")
        }
        (parts["unet"], configurations["unet"]) = (network.file, network.configuration)

        let codec = file.part(Self.autoencoder)
        if !codec.entries.isEmpty {
            let network = OriginalAutoencoder(codec, scale: description?.scale ?? Self.scale(family))
            (parts["vae"], configurations["vae"]) = (network.file, network.configuration)
        }
        (self.parts, self.configurations) = (parts, configurations)
    }

    /// What latents are multiplied by.
    package static func scale(_ family: Family) -> Double { family == .sdxl ? 0.13025 : 0.18215 }

    private static func required(_ part: TensorFile?, _ file: TensorFile) throws(CheckpointError) -> TensorFile {
        guard let part else { throw other(file) }
        return part
    }

    /// What a file is that is no such model, for people who took the wrong one.
    private static func other(_ file: TensorFile) -> CheckpointError {
        let keys = file.entries.keys
        func any(_ test: (String) -> Bool) -> Bool { keys.contains(where: test) }
        let what =
            if any({ $0.contains("x_embedder.proj.weight") }) {
                "is a Stable Diffusion 3 model, which is not read. Take one of SD 1, SD 2 or SDXL."
            } else if any({ $0.contains("double_blocks.0.") }) {
                "is a Flux model, which is not read. Take one of SD 1, SD 2 or SDXL."
            } else if any({
                $0.contains(".lora_down.") || $0.contains(".lora_A.") || $0.contains("lora_unet")
                    || $0.contains(".hada_w1_a")
            }) {
                "is a LoRA, which changes a model but is none. Give --model the model that it was made for."
            } else if any({ $0.hasPrefix("control_model.") || $0.contains("controlnet_") || $0.contains("zero_convs.") }
            ) {
                "is a ControlNet, which steers a model but is none. Give --model the model that it was made for."
            } else if any({ $0 == "down_blocks.0.resnets.0.norm1.weight" || $0 == "time_embedding.linear_1.weight" }) {
                "is a UNet alone in the diffusers layout. Give --model the whole model's folder."
            } else if any({
                $0.hasSuffix("encoder.conv_in.weight") || $0.hasSuffix("decoder.conv_in.weight")
                    || $0.hasPrefix("decoder.layers.")
            }) {
                "is an autoencoder alone. Give it to --vae, and a whole model to --model."
            } else if any({ $0.hasPrefix("string_to_param") || $0 == "emb_params" }) {
                "is an embedding, which teaches a model a word but is none. Give --model the model that it was made for."
            } else if any({ $0.contains("text_model.encoder.layers.0.") }) {
                "is a text encoder alone. Give --model the whole model."
            } else {
                "is no model that is known: its first key is \(keys.min() ?? "nothing"). Take a Stable Diffusion 1, 2 or SDXL checkpoint."
            }
        return .invalid("\(file.name) \(what)")
    }
}

extension TensorFile {
    /// The tensors whose names begin so, without that beginning.
    func part(_ prefix: String) -> TensorFile {
        var entries: [String: Entry] = [:]
        for (key, entry) in self.entries where key.hasPrefix(prefix) {
            entries[String(key.dropFirst(prefix.count))] = entry
        }
        return with(entries)
    }

    /// Other names for places in the same file.
    func with(_ entries: [String: Entry]) -> TensorFile {
        var file = self
        file.entries = entries
        return file
    }

    /// Side `side` of a tensor's shape, where it has one.
    func side(_ key: String, _ side: Int) -> Int? {
        entries[key].flatMap { $0.shape.indices.contains(side) ? $0.shape[side] : nil }
    }

    /// How many of `name(0)`, `name(1)`, … have something under them.
    func countOf(_ name: (Int) -> String) -> Int {
        var count = 0
        while count < 256, entries[name(count)] != nil { count += 1 }
        return count
    }
}
