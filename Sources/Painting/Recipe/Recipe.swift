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
    package var model: (name: String, hash: String)
    package var kernels: [(String, String)]
    /// Tokens of the prompts, and the embeddings that they name.
    package var words: WordCount?
    package var embeddings: [(name: String, hash: String)] = []
    /// Recipes of the source's own past, oldest first, as JSON.
    package var history: [String] = []

    /// A recipe of what every painting has; what belongs to an init image is set afterwards.
    package init(
        _ command: String, _ settings: Settings, steps: [Step], working: PixelSize, model: (name: String, hash: String),
        kernels: [(String, String)]
    ) {
        (self.command, self.settings, self.model, self.kernels) = (command, settings, model, kernels)
        (run, startSigma, workingSize) = (steps.count, steps.first?.from.ratio ?? 0, working)
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
            ("negative", .text(s.negative)), ("prompt-language", .text(s.language.rawValue)),
            ("guidance", .number(s.guidance)), ("sampler", .text(s.sampler.rawValue)),
            ("schedule", .text(s.schedule.rawValue)), ("steps", .integer(s.steps)),
            ("skip", skip.flatMap(Double.init).map(JSONText.number) ?? .null), ("run", .integer(run)),
            ("sigma", .number(startSigma)), ("eta", .number(s.eta)), ("seed", .unsigned(s.seed)),
            ("rng", .text(s.rng.rawValue)), ("encode", .text(s.encode.rawValue)),
            ("clip-skip", s.clipSkip.map(JSONText.integer) ?? .null),
            ("prediction", s.prediction.map { .text($0.rawValue) } ?? .null),
            ("initial-noise-multiplier", .number(s.initialNoiseMultiplier)), ("colour-anchor", .number(s.colourAnchor)),
            ("colour", .bool(s.keepsColour)),
            ("size", sourceSize.map { .text("\($0.width)x\($0.height)") } ?? .null),
            ("working", .text("\(workingSize.width)x\(workingSize.height)")), ("model", named(model)),
        ]
        if let words {
            func tokens(_ count: TextCount) -> JSONText { .integer(count.tokens.upperBound) }
            members.append(("tokens", .list((words.prompt + [words.negative].compactMap { $0 }).map(tokens))))
        }
        if !embeddings.isEmpty { members.append(("embeddings", .list(embeddings.map(named)))) }
        if let source { members.append(("source", named(source))) }
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
            ("Steps", "\(s.steps)"), ("Sampler", Self.webUIName(s.sampler)),
            (
                "Schedule type",
                s.schedule == .karras
                    ? "Karras"
                    : s.schedule == .exponential
                        ? "Exponential" : s.schedule == .sgmUniform ? "SGM Uniform" : "Automatic"
            ),
            ("CFG scale", short(s.guidance)), ("Seed", "\(s.seed)"),
            ("Size", "\(workingSize.width)x\(workingSize.height)"), ("Model hash", String(model.hash.prefix(10))),
            ("Model", model.name),
        ]
        if let strength { fields.append(("Denoising strength", short(strength))) }
        if let clipSkip = s.clipSkip, clipSkip > 1 { fields.append(("Clip skip", "\(clipSkip)")) }
        fields.append(("RNG", s.rng == .torch ? "CPU" : "Velatura position"))
        if s.initialNoiseMultiplier != 1 { fields.append(("Noise multiplier", short(s.initialNoiseMultiplier))) }
        if !embeddings.isEmpty {
            let hashes = embeddings.map { "\($0.name): \($0.hash.prefix(12))" }
            fields.append(("TI hashes", hashes.joined(separator: ", ")))
        }
        fields.append(("Version", "Velatura \(Self.version)"))
        let line = fields.map { key, value in
            let needsQuotes = value.contains { $0 == "," || $0 == "\n" || $0 == ":" }
            return "\(key): \(needsQuotes ? JSONText.quoted(value) : value)"
        }.joined(separator: ", ")
        let negative = s.negative.isEmpty ? "" : "\nNegative prompt: \(s.negative)"
        return (s.prompt + negative + "\n" + line).trimmingWhiteSpace()
    }

    private static func webUIName(_ sampler: Sampler) -> String {
        switch sampler {
        case .ddim: "DDIM"
        case .ddpm: "DDPM"
        case .euler: "Euler"
        case .eulerAncestral: "Euler a"
        case .dpmpp2m: "DPM++ 2M"
        }
    }

    private func short(_ value: Double) -> String { JSONText.number(value).string }

    /// What a picture that carries this recipe says about itself: in text entries of PNG, in XMP elsewhere.
    package func added(to metadata: PictureMetadata, as format: PictureFormat) -> PictureMetadata {
        var metadata = Recipe.removed(from: metadata)
        if format == .png {
            metadata.texts += [
                .init(keyword: Self.keyword, text: json), .init(keyword: "parameters", text: parameters),
            ]
        } else {
            metadata.xmp = XMP.packet(metadata.xmp, recipe: json)
        }
        return metadata
    }

    /// Without any recipe, ours or the `parameters` of other tools: it would tell of another picture.
    package static func removed(from metadata: PictureMetadata) -> PictureMetadata {
        var metadata = metadata
        metadata.texts.removeAll { $0.keyword == keyword || $0.keyword == "parameters" }
        metadata.xmp = metadata.xmp.map(XMP.without)
        return metadata
    }
}

extension String {
    func trimmingWhiteSpace() -> String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
