import Checkpoints
import Raster
import RasterFiles
import Sampling
import Tensors

/// How a picture was made: every setting with its value, carried inside the picture.
///
/// Threads, folders and times are not in it: they change no byte of the picture.
package struct Recipe: Sendable {
    package var command: String
    package var settings: Settings
    /// Percentage skipped, as text; nil where there was no init image.
    package var skip: String?
    package var strength: Double?
    package var run: Int
    package var startSigma: Double
    package var sourceSize: PixelSize?
    package var workingSize: PixelSize
    package var source: (name: String, hash: String)?
    package var mask: (name: String, hash: String)?
    /// What was drawn over the source.
    package var strokes: (name: String, hash: String)?
    package var model: Model
    /// Another autoencoder than the model's own.
    package var autoencoder: (name: String, hash: String)?
    /// The form that was asked for.
    package var form = Form()
    package var kernels: [(String, String)]
    /// Tokens of the prompts, and the embeddings that they name.
    package var words: WordCount?
    package var embeddings: [(name: String, hash: String)] = []
    /// LoRAs in the order in which they were merged.
    package var adapters: [Adapter] = []
    /// Hypernetworks in the order in which attention looks through them.
    package var hypernetworks: [HypernetworkFiles.Chosen] = []
    /// What a person set for single tiles of a plan.
    package var edits: [JSONText] = []
    /// Recipes of the source's own past, oldest first, as JSON.
    package var history: [String] = []

    package struct Model: Sendable {
        package var name: String
        /// SHA-256 of each part's weights, the UNet first; of a model in one file, of the file.
        package var parts: [(part: String, hash: String)]

        package init(name: String, parts: [(part: String, hash: String)]) { (self.name, self.parts) = (name, parts) }
    }

    package struct Adapter: Sendable {
        package var name, hash, shortHash: String
        package var textEncoder, unet: Double
        package var rank: Int?
        /// A tag of the prompt asked for it.
        package var byPrompt: Bool

        package init(_ chosen: AdapterFiles.Chosen) {
            (name, hash, shortHash, byPrompt) = (chosen.name, chosen.hash, chosen.shortHash, chosen.byPrompt)
            let adapter = chosen.adapter
            (textEncoder, unet, rank) = (adapter.textEncoder, adapter.unet, adapter.rank)
        }

        var json: JSONText {
            .object([
                ("name", .text(name)), ("sha256", .text(hash)), ("by", .text(byPrompt ? "prompt" : "option")),
                ("te", .number(textEncoder)), ("unet", .number(unet)), ("dyn", rank.map(JSONText.integer) ?? .null),
            ])
        }
    }

    package struct Form: Sendable {
        package var format = PictureFormat.png
        /// Bits as they were asked for; nil for the source's.
        package var depth: Int?
        /// Of a JPEG.
        package var quality: Int?

        package init(format: PictureFormat = .png, depth: Int? = nil, quality: Int? = nil) {
            (self.format, self.depth, self.quality) = (format, depth, quality)
        }
    }

    /// A recipe of what every painting has; what belongs to an init image is set afterwards.
    package init(
        _ command: String, _ settings: Settings, _ plan: RunPlan, working: PixelSize, model: Model,
        kernels: [(String, String)]
    ) {
        (self.command, self.settings, self.model, self.kernels) = (command, settings, model, kernels)
        (run, startSigma, workingSize) = (plan.steps.count, plan.sigma, working)
    }

    /// Keyword of the text entry in PNG.
    package static let keyword = "velatura"
    package static let version = "0.1.0"

    package var json: String {
        let s = settings
        func named(_ pair: (name: String, hash: String)) -> JSONText {
            .object([("name", .text(pair.name)), ("sha256", .text(pair.hash))])
        }
        var members: [(String, JSONText)] = [
            ("velatura", .text(Self.version)), ("command", .text(command)), ("prompt", .text(s.prompt)),
            ("negative", s.negative.isEmpty && !s.readsEmptyNegative ? .null : .text(s.negative)),
            ("prompt-language", .text(s.conventions.prompts.rawValue)),
            ("guidance", .number(s.guidance)), ("sampler", .text(s.sampler.rawValue)),
            ("schedule", .text(s.schedule.rawValue)), ("steps", .integer(s.steps)),
            ("run-steps", s.runSteps.map(JSONText.integer) ?? .null),
            ("skip", skip.flatMap(Double.init).map(JSONText.number) ?? .null), ("run", .integer(run)),
            ("sigma", .number(startSigma)), ("eta", .number(s.eta)), ("seed", .unsigned(s.seed)),
            (
                "variation",
                s.variation.map { .text("\($0.seed):\(JSONText.number($0.strength).string)") } ?? .null
            ),
            ("rng", .text(s.rng.rawValue)), ("eta-noise-delta", .integer(s.etaNoiseDelta)),
            ("encode", .text(s.encode.rawValue)),
            ("compat", .text(s.compatibility.rawValue)), ("clip-skip", s.clipSkip.map(JSONText.integer) ?? .null),
            ("kind", s.kind.map { .text($0.name) } ?? .null),
            ("prediction", s.prediction.map { .text($0.rawValue) } ?? .null),
            ("initial-noise-multiplier", .number(s.initialNoiseMultiplier)), ("colour-anchor", .number(s.colourAnchor)),
            ("colour", .bool(s.keepsColour)),
            ("size", sourceSize.map { .text("\($0.width)x\($0.height)") } ?? .null),
            ("work-size", s.workSize.map(JSONText.text) ?? .null),
            ("working", .text("\(workingSize.width)x\(workingSize.height)")),
            ("format", .text(form.format.rawValue)), ("depth", form.depth.map(JSONText.integer) ?? .null),
            ("quality", form.quality.map(JSONText.integer) ?? .null),
            (
                "model",
                .object([
                    ("name", .text(model.name)), ("sha256", .text(model.parts.first?.hash ?? "")),
                    ("parts", .object(model.parts.map { ($0.part, .text($0.hash)) })),
                ])
            ),
        ]
        members += (s.beginning + s.departures).map { ($0.name, .text($0.value)) }
        if let autoencoder { members.append(("vae", named(autoencoder))) }
        if let words {
            func tokens(_ count: TextCount) -> JSONText { .integer(count.tokens.upperBound) }
            members.append(("tokens", .list((words.prompt + [words.negative].compactMap { $0 }).map(tokens))))
        }
        if !embeddings.isEmpty { members.append(("embeddings", .list(embeddings.map(named)))) }
        if !adapters.isEmpty { members.append(("loras", .list(adapters.map(\.json)))) }
        if !hypernetworks.isEmpty {
            let entries = hypernetworks.map { net -> JSONText in
                .object([
                    ("name", .text(net.name)), ("sha256", .text(net.hash)),
                    ("by", .text(net.byPrompt ? "prompt" : "option")), ("weight", .number(net.weight)),
                ])
            }
            members.append(("hypernetworks", .list(entries)))
        }
        if let source { members.append(("source", named(source))) }
        if s.loops.count > 1 {
            members.append(("loops", .integer(s.loops.count)))
            if let last = s.loops.last {
                members += [
                    ("final-strength", .number(last.strength(of: s.steps))),
                    ("loop-curve", .text(s.loops.curve.rawValue)),
                ]
            }
        }
        if let inversion = s.inversion {
            members += [
                ("from-inversion", .bool(true)), ("inversion-prompt", inversion.prompt.map(JSONText.text) ?? .null),
                ("inversion-guidance", .number(inversion.guidance)),
                ("inversion-steps", inversion.steps.map(JSONText.integer) ?? .null),
                ("inversion-randomness", .number(inversion.randomness)),
                ("inversion-sigma-adjustment", .bool(inversion.adjustsSigma)),
            ]
        }
        if let masking = s.masking { members += masking.members }
        if let enlarging = s.enlarging { members += enlarging.members }
        if !edits.isEmpty { members.append(("tiles", .list(edits))) }
        if let mask { members.append(("mask", named(mask))) }
        if let strokes { members.append(("strokes", named(strokes))) }
        if let background = s.background { members.append(("background", .text(background.text))) }
        members.append(("kernels", .object(kernels.map { ($0.0, .text($0.1)) })))
        if !history.isEmpty { members.append(("history", .list(history.map(JSONText.raw)))) }
        return JSONText.object(members).string
    }

    /// Hash of the whole recipe.
    package var hash: String { SHA256.hash(Array(json.utf8)) }

    /// The text that users of other tools know. Source: AUTOMATIC1111's web UI, `modules/processing.py`,
    /// `create_infotext`.
    package var parameters: String {
        let s = settings
        var fields: [(String, String)] = [
            ("Steps", "\(s.steps)"), ("Sampler", WebUINames.name(s.sampler)),
            ("Schedule type", WebUINames.name(s.schedule)), ("CFG scale", short(s.guidance)), ("Seed", "\(s.seed)"),
            ("Size", "\(workingSize.width)x\(workingSize.height)"),
            ("Model hash", String((model.parts.first?.hash ?? "").prefix(10))), ("Model", model.name),
        ]
        if let autoencoder {
            fields += [("VAE hash", String(autoencoder.hash.prefix(10))), ("VAE", autoencoder.name)]
        }
        if let variation = s.variation {
            fields += [
                ("Variation seed", "\(variation.seed)"), ("Variation seed strength", short(variation.strength)),
            ]
        }
        if let strength { fields.append(("Denoising strength", short(strength))) }
        if let masking = s.masking, masking.conditioning != 1 {
            fields.append(("Conditional mask weight", short(masking.conditioning)))
        }
        if let clipSkip = s.clipSkip, clipSkip > 1 { fields.append(("Clip skip", "\(clipSkip)")) }
        if s.etaNoiseDelta != 0 { fields.append(("ENSD", "\(s.etaNoiseDelta)")) }
        if let ratio = s.shortcuts.mergedTokens { fields.append(("Token merging ratio", short(ratio))) }
        switch s.rng {
        case .position: fields.append(("RNG", "Velatura position"))
        case .torch: fields.append(("RNG", "CPU"))
        case .nv: fields.append(("RNG", "NV"))
        }
        if let masking = s.masking { fields += masking.fields }
        if s.initialNoiseMultiplier != 1 { fields.append(("Noise multiplier", short(s.initialNoiseMultiplier))) }
        if let inversion = s.inversion {
            fields += [
                ("Decode prompt", inversion.prompt ?? s.prompt), ("Decode negative prompt", s.negative),
                ("Decode CFG scale", short(inversion.guidance)), ("Decode steps", "\(inversion.steps ?? s.steps)"),
                ("Randomness", short(inversion.randomness)),
                ("Sigma Adjustment", inversion.adjustsSigma ? "True" : "False"),
            ]
        }
        if let skipped = s.shortcuts.skippedEarly { fields.append(("Skip Early CFG", short(skipped))) }
        if let minimum = s.shortcuts.minimumSigma {
            fields.append(("NGMS", short(minimum.sigma)))
            if minimum.always { fields.append(("NGMS all steps", "True")) }
        }
        // The text has room for one that no tag names.
        if let net = hypernetworks.first(where: { !$0.byPrompt }) {
            fields += [
                ("Hypernet", net.name), ("Hypernet hash", String(net.hash.prefix(10))),
                ("Hypernet strength", short(net.weight)),
            ]
        }
        if !embeddings.isEmpty {
            let hashes = embeddings.map { "\($0.name): \($0.hash.prefix(12))" }
            fields.append(("TI hashes", hashes.joined(separator: ", ")))
        }
        if !adapters.isEmpty {
            let hashes = adapters.map { "\($0.name): \($0.shortHash)" }
            fields.append(("Lora hashes", hashes.joined(separator: ", ")))
        }
        fields.append(("Version", "Velatura \(Self.version)"))
        let line = fields.map { key, value in
            let needsQuotes = value.contains { $0 == "," || $0 == "\n" || $0 == ":" }
            return "\(key): \(needsQuotes ? JSONText.quoted(value) : value)"
        }.joined(separator: ", ")
        let negative = s.negative.isEmpty ? "" : "\nNegative prompt: \(s.negative)"
        return (s.prompt + negative + "\n" + line).trimmingWhiteSpace()
    }

    private func short(_ value: Double) -> String { JSONText.number(value).string }

    /// What a picture that carries this recipe says about itself: in text entries of PNG, elsewhere in XMP and in EXIF's comment.
    package func added(to metadata: PictureMetadata, as format: PictureFormat) -> PictureMetadata {
        var metadata = Recipe.withoutOwn(metadata)
        if format == .png {
            metadata.texts.append(.init(keyword: Self.keyword, text: json))
        } else {
            metadata.xmp = XMP.packet(metadata.xmp, recipe: json)
        }
        metadata.tell(parameters: parameters, as: format)
        return metadata
    }

    /// Without any recipe, ours or the `parameters` of other tools: it would tell of another picture.
    package static func removed(from metadata: PictureMetadata) -> PictureMetadata {
        var metadata = withoutOwn(metadata)
        metadata.tell(parameters: nil, as: .png)
        return metadata
    }

    static func withoutOwn(_ metadata: PictureMetadata) -> PictureMetadata {
        var metadata = metadata
        metadata.texts.removeAll { $0.keyword == keyword }
        metadata.xmp = metadata.xmp.map(XMP.without)
        return metadata
    }
}

extension PictureMetadata {
    /// Says in other tools' words how a picture was made, where they look for it: in PNG's text `parameters`, elsewhere in the
    /// user's comment of EXIF. A comment that is no such text is someone's own and stays; one that is tells of an
    /// earlier picture and goes, in PNG too, where other tools would read it first.
    mutating func tell(parameters: String?, as format: PictureFormat) {
        texts.removeAll { $0.keyword == "parameters" }
        if format == .png, let parameters { texts.append(.init(keyword: "parameters", text: parameters)) }
        let isStale = comment.map { !Parameters($0).fields.isEmpty } ?? false
        guard isStale || (hasRoomForComment && format != .png && parameters != nil) else { return }
        let before = exif
        setComment(parameters)
        // Better none than a picture without its camera's data.
        guard format == .jpeg, let count = exif?.count, count > PictureFormat.mostExifInJPEG else { return }
        exif = before
        if isStale { setComment(nil) }
    }
}

extension String {
    var capitalisedFirst: String { prefix(1).uppercased() + dropFirst() }

    func trimmingWhiteSpace() -> String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
