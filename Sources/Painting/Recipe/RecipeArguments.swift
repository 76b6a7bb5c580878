import Checkpoints
import Sampling

/// A recipe as the command line that made the picture, without input, output and model, which are found by whoever runs it.
package struct RecipeArguments: Sendable {
    /// "refine", "inpaint", "outpaint", "sketch" or "paint".
    package var command: String
    package var options: [String] = []
    /// The init image's name and hash, where there was one.
    package var source: (name: String, hash: String)?
    package var mask: (name: String, hash: String)?
    /// What was drawn over the init image or an empty canvas.
    package var strokes: (name: String, hash: String)?
    /// Says where an enlarged picture is changed, and what enlarged it.
    package var map, upscaler: (name: String, hash: String)?
    /// What single tiles of an enlarged picture were told, as ``TileEdits`` reads it.
    package var tiles: [JSON] = []
    package var model: (name: String, parts: [String: String])?
    /// Of the web UI's text, the beginning of the hash of the model's file.
    package var modelHash: String?
    /// Another autoencoder than the model's own, with the beginning of its hash at least.
    package var autoencoder: (name: String, hash: String)?
    /// The embeddings that the prompts name, each with the beginning of its hash at least.
    package var embeddings: [(name: String, hash: String)] = []
    /// LoRAs, each with its weight where an option gave one; the prompt's tags have their own.
    package var adapters: [(name: String, hash: String, weight: Double, byPrompt: Bool)] = []
    /// Hypernetworks, in the same way.
    package var hypernetworks: [(name: String, hash: String, weight: Double, byPrompt: Bool)] = []
    package var format: String?
    /// Settings that nothing here can follow, in words.
    package var unhonoured: [String] = []
    /// Whether an init image is wanted that the text does not name.
    package var lacksSource = false
    /// Size that the picture was painted at by a tool that fits the input to it.
    package var paintedSize: String?

    /// Keys that are not settings of one painting, or that follow from the others.
    private static let facts: Set<String> = [
        "velatura", "command", "run", "sigma", "size", "working", "kernels", "history", "model", "source", "format",
        "tokens", "prompt-language", "embeddings", "loras", "hypernetworks", "vae", "mask", "strokes",
    ]

    private static let commands = ["refine", "inpaint", "outpaint", "sketch", "gobig", "paint"]

    /// From a recipe of ours.
    ///
    /// - Throws: ``PaintingError/unsuitable(_:)`` where the recipe is of no painting
    package init(recipe: JSON, picture: String) throws(PaintingError) {
        guard let command = recipe["command"].text, Self.commands.contains(command) else {
            let made = recipe["command"].text ?? "something else"
            throw .unsuitable(
                "\(picture) was made by \(made), which rerun does not repeat. Run velatura \(made) again."
            )
        }
        self.command = command
        var taken = Self.facts
        func value(_ key: String) -> String? {
            switch recipe[key] {
            case .text(let text): text
            case .integer(let number): "\(number)"
            case .number(let number): JSONText.number(number).string
            default: nil
            }
        }
        func give(_ key: String, as option: String? = nil, unless silent: String? = nil) {
            taken.insert(key)
            if let value = value(key), value != silent { options.append("--\(option ?? key)=\(value)") }
        }
        for key in ["prompt", "negative"] {
            taken.insert(key)
            if let text = recipe[key].text { options += Self.words(key, text) }
        }
        let sampler = recipe["sampler"].text.flatMap(Sampler.init)
        give("sampler")
        give("schedule", unless: "model")
        taken.formUnion(["steps", "eta"])
        if recipe["run-steps"].isNull { give("steps") }
        if sampler?.takesEta == true { give("eta") }
        for key in ["guidance", "run-steps", "skip", "seed", "variation", "rng", "encode", "compat", "clip-skip"] {
            give(key)
        }
        for key in ["kind", "prediction", "initial-noise-multiplier", "work-size", "depth", "quality"] { give(key) }
        give("eta-noise-delta", unless: "0")
        for key in ["noise", "perlin-init"] + Settings.departureNames { give(key) }
        if let precision = recipe["kernels"]["precision"].text { options.append("--precision=\(precision)") }
        taken.insert("colour")
        func file(_ key: String) -> (name: String, hash: String)? {
            recipe[key]["name"].text.map { ($0, recipe[key]["sha256"].text ?? "") }
        }
        (source, mask, strokes) = (file("source"), file("mask"), file("strokes"))
        if command != "paint" {
            give("colour-anchor")
            options.append("--no-inherit")
            if recipe["colour"].bool == true { options.append("--colour") }
        } else {
            taken.insert("colour-anchor")
        }
        if command == "paint" || (command == "sketch" && source == nil) {
            if let size = recipe["size"].text ?? recipe["working"].text { options.append("--size=\(size)") }
            give("background")
        }
        for key in ["loops", "final-strength", "loop-curve"] { give(key) }
        taken.insert("inversion-prompt")
        if let text = recipe["inversion-prompt"].text { options += Self.words("inversion-prompt", text) }
        for key in ["inversion-guidance", "inversion-steps", "inversion-randomness"] { give(key) }
        for key in ["left", "right", "up", "down"] { give(key, unless: "0") }
        for key in ["aspect", "method", "edge-seed", "falloff", "colour-variation"] { give(key) }
        for key in ["blur", "grow", "area", "padding", "mask-fit"] { give(key) }
        give("inpainting-mask-weight", unless: "1")
        if command == "inpaint", recipe["perlin-init"].isNull { give("fill") } else { taken.insert("fill") }
        for key in ["invert-mask", "mask-alpha", "from-inversion", "inversion-sigma-adjustment"] {
            taken.insert(key)
            if recipe[key].bool == true { options.append("--\(key)") }
        }
        for key in [
            "tile", "overlap", "composition", "fidelity", "mode", "layout", "wrap", "repair", "max-seam", "scale",
        ] {
            give(key)
        }
        give("jitter", unless: "0")
        if command == "gobig", recipe["scale"].isNull { give("enlarged", as: "size") }
        taken.formUnion(["enlarged", "map", "upscaler"])
        if let map = recipe["map"].text { options.append("--map=\(map)") }
        (map, upscaler) = (file("map"), file("upscaler"))
        if command == "gobig" {
            taken.insert("tiles")
            tiles = recipe["tiles"].list ?? []
        }
        var parts = (recipe["model"]["parts"].object ?? [:]).compactMapValues(\.text)
        if parts.isEmpty, let unet = recipe["model"]["sha256"].text { parts["unet"] = unet }
        model = recipe["model"]["name"].text.map { ($0, parts) }
        autoencoder = recipe["vae"]["name"].text.map { ($0, recipe["vae"]["sha256"].text ?? "") }
        embeddings = try Self.distinct(
            (recipe["embeddings"].list ?? []).compactMap { entry in
                entry["name"].text.map { ($0, entry["sha256"].text ?? "") }
            }, picture)
        for entry in recipe["loras"].list ?? [] {
            guard let name = entry["name"].text else { continue }
            adapters.append((name, entry["sha256"].text ?? "", entry["unet"].double ?? 1, entry["by"].text == "prompt"))
        }
        for entry in recipe["hypernetworks"].list ?? [] {
            guard let name = entry["name"].text else { continue }
            hypernetworks.append(
                (
                    name, entry["sha256"].text ?? "", entry["weight"].double ?? 1, entry["by"].text == "prompt"
                ))
        }
        try checkAdapters(picture)
        format = recipe["format"].text
        unhonoured = (recipe.object ?? [:]).filter { !taken.contains($0.key) && !$0.value.isNull }.map(\.key).sorted()
        // Whose rules hold decides how words are read; no other pair is ever written.
        var settings = Settings()
        settings.compatibility = recipe["compat"].text.flatMap(Settings.Compatibility.init) ?? .none
        if let language = recipe["prompt-language"].text, language != settings.conventions.prompts.rawValue {
            unhonoured.append("prompt-language: \(language)")
        }
    }

    /// A text as an option: one that begins like the name of a file is a text all the same, and so is one of nothing.
    private static func words(_ option: String, _ text: String) -> [String] {
        text.isEmpty ? ["--\(option)", ""] : ["--\(option)=\(text.hasPrefix("@") ? "@" : "")\(text)"]
    }

    // MARK: The web UI's text

    /// Fields that are honoured, or that say nothing about the pixels.
    private static let understood: Set<String> = [
        "Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model", "Model hash", "Variation seed",
        "Variation seed strength", "Denoising strength", "Clip skip", "ENSD", "RNG", "Noise multiplier", "Eta",
        "Eta DDIM", "TI hashes", "Lora hashes", "VAE", "VAE hash", "Version", "User", "Token merging ratio", "NGMS",
        "NGMS all steps", "Skip Early CFG", "Hypernet", "Hypernet hash", "Hypernet strength",
    ]

    /// From the `parameters` text of AUTOMATIC1111's web UI, under whose rules it is then painted. Values that are missing mean
    /// what they mean there.
    ///
    /// - Throws: ``PaintingError/unsuitable(_:)`` where the text is none of that tool's, or its sampler is unknown
    package init(parameters text: String, picture: String) throws(PaintingError) {
        let parsed = Parameters(text)
        let fields = parsed.fields
        guard let steps = fields["Steps"].flatMap(Int.init), let seed = fields["Seed"].flatMap(UInt64.init),
            let name = fields["Sampler"]
        else {
            throw .unsuitable(
                "\(picture) carries no recipe, and its text names no steps, sampler and seed. Nothing can be rerun.")
        }
        guard let (sampler, oldSchedule) = WebUINames.sampler(name) else {
            throw .unsuitable(
                "\(picture) was painted with the sampler \"\(name)\", which is not among Velatura's. Repaint it with refine and another --sampler."
            )
        }
        let isFromImage = fields["Denoising strength"] != nil && fields["Hires upscale"] == nil
        command = isFromImage ? "refine" : "paint"
        lacksSource = isFromImage
        options = ["--compat=webui", "--sampler=\(sampler.rawValue)", "--steps=\(steps)", "--seed=\(seed)"]
        options += Self.words("prompt", parsed.prompt) + Self.words("negative", parsed.negative)
        func give(_ field: String, as option: String) {
            if let value = fields[field], Double(value) != nil { options.append("--\(option)=\(value)") }
        }
        give("CFG scale", as: "guidance")
        give("Clip skip", as: "clip-skip")
        give("Noise multiplier", as: "initial-noise-multiplier")
        if sampler.takesEta { give(sampler == .ddim ? "Eta DDIM" : "Eta", as: "eta") }
        if isFromImage { give("Denoising strength", as: "strength") }
        let eta = (sampler == .ddim ? fields["Eta DDIM"] : fields["Eta"]).flatMap(Double.init) ?? sampler.defaultEta
        if sampler.draws(eta: eta) { give("ENSD", as: "eta-noise-delta") }
        if let other = fields["Variation seed"].flatMap(UInt64.init),
            let strength = fields["Variation seed strength"].flatMap(Double.init), strength > 0
        {
            options.append("--variation=\(other):\(strength)")
        }
        give("Token merging ratio", as: "merge-tokens")
        give("Skip Early CFG", as: "skip-early-cond")
        if let sigma = fields["NGMS"], Double(sigma) != nil {
            options.append("--ngms=\(sigma)" + (fields["NGMS all steps"] == "True" ? ":all" : ""))
        }
        switch fields["RNG"] {
        case "CPU": options.append("--rng=torch")
        case nil, "GPU", "NV": options.append("--rng=nv")
        case .some(let other): unhonoured.append("RNG: \(other)")
        }
        let asked = fields["Schedule type"] ?? "Automatic"
        if let schedule = WebUINames.schedule(asked) {
            let chosen = schedule == .model ? oldSchedule ?? .model : schedule
            if chosen != .model, sampler.takesSchedule { options.append("--schedule=\(chosen.rawValue)") }
        } else {
            unhonoured.append("Schedule type: \(asked)")
        }
        if isFromImage {
            options.append("--no-inherit")
            paintedSize = fields["Size"]
        } else if let size = fields["Size"] {
            options.append("--size=\(size)")
        } else {
            throw .unsuitable("\(picture) has a text that names no size. Nothing can be rerun.")
        }
        model = fields["Model"].map { ($0, [:]) }
        modelHash = fields["Model hash"]
        autoencoder = fields["VAE"].map { ($0, fields["VAE hash"] ?? "") }
        embeddings = try Self.distinct(Self.embeddings(fields["TI hashes"] ?? ""), picture)
        let hashes = Self.embeddings(fields["Lora hashes"] ?? "")
        for tag in PromptTags(parsed.prompt).tags {
            // What cannot be read is told by the command itself.
            switch try? NamedNetwork(tag) {
            case .lora(let name, _, _, _):
                adapters.append((name, hashes.first { $0.name == name }?.hash ?? "", 1, true))
            case .hypernetwork(let name, _): hypernetworks.append((name, "", 1, true))
            case nil: break
            }
        }
        if let name = fields["Hypernet"] {
            let weight = fields["Hypernet strength"].flatMap(Double.init) ?? 1
            hypernetworks.append((name, fields["Hypernet hash"] ?? "", weight, false))
        }
        try checkAdapters(picture)
        unhonoured += fields.filter { !Self.understood.contains($0.key) }.map { "\($0.key): \($0.value)" }.sorted()
    }

    /// "wisp: 0123456789ab, mist: …"
    private static func embeddings(_ text: String) -> [(name: String, hash: String)] {
        text.split(separator: ",").compactMap { part -> (name: String, hash: String)? in
            guard let colon = part.lastIndex(of: ":") else { return nil }
            let (name, hash) = (String(part[..<colon]), String(part[colon...].dropFirst()))
            return (name.trimmingWhiteSpace(), hash.trimmingWhiteSpace())
        }
    }

    /// Folders are searched for every one.
    private func checkAdapters(_ picture: String) throws(PaintingError) {
        for (count, kind) in [(adapters.count, "LoRAs"), (hypernetworks.count, "hypernetworks")] where count > 256 {
            throw .unsuitable("\(picture) names \(count) \(kind), but at most 256 are looked for.")
        }
    }

    /// Each name once: the web UI lists what both prompts name twice. Folders are searched for every one, so there is a limit.
    private static func distinct(
        _ embeddings: [(name: String, hash: String)], _ picture: String
    ) throws(PaintingError) -> [(name: String, hash: String)] {
        var seen: Set<String> = []
        let distinct = embeddings.filter { seen.insert($0.name).inserted }
        guard distinct.count <= 256 else {
            throw .unsuitable("\(picture) names \(distinct.count) embeddings, but at most 256 are looked for.")
        }
        return distinct
    }
}
