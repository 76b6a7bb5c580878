import ArgumentParser
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import Threads

/// A command that paints.
protocol PaintingCommand: ParsableCommand {
    var painting: PaintingOptions { get }
}

/// What the painting commands share: the studio, the console, writing results.
struct PaintingSession {
    let console: Console
    let output: OutputOptions
    /// Where the results are noted, where they are a batch's.
    var journal: Journal?
    /// What writing results may use.
    let threads: Threads

    /// The model with the LoRAs and hypernetworks that options and words ask for.
    ///
    /// - Parameter picture: where the words come from that no option gives
    func request(
        _ options: PaintingOptions, _ settings: Settings,
        inheritingFrom picture: (name: String, metadata: PictureMetadata)? = nil
    ) throws -> StudioRequest {
        let inherits = options.prompt == nil && !options.noInherit && picture != nil
        var words = settings
        if inherits, let picture {
            words.prompt = Inheritance(picture.metadata).prompt ?? settings.prompt
            try words.checkWords(from: picture.name)
        }
        let networks = try words.networks()
        let traits = options.traits
        // All that loading depends on.
        let parts: [String?] =
            [
                options.modelName, traits.kind?.name, traits.prediction?.rawValue, traits.vae,
                options.precision.rawValue, options.threads.map(String.init), options.memoryLimit?.argument,
            ] + options.lora + ["|"] + options.hypernetwork + ["|"] + options.embedding
        let key = "\(parts) \(networks)"
        return StudioRequest(key: key) {
            try studio(options, networks, from: inherits ? picture?.name : nil)
        }
    }

    /// The settings with the words that lie beside a picture.
    func worded(_ settings: Settings, _ options: PaintingOptions, _ item: Item) throws -> Settings {
        var settings = settings
        if options.prompt == nil, let words = item.words {
            settings.prompt = try readText(words, "the words of \(item.input)").trimmingNewlines()
            try settings.checkWords(from: words)
        }
        return settings
    }

    /// Loads the model.
    func studio(_ options: PaintingOptions, _ networks: [NamedNetwork], from picture: String? = nil) throws -> Studio {
        let embeddings = try EmbeddingFiles(options.embedding)
        let files = (try AdapterFiles(options.lora), try HypernetworkFiles(options.hypernetwork))
        let adapters = try files.0.chosen(by: networks, from: picture)
        let hypernetworks = try files.1.chosen(by: networks, from: picture)
        let studio = try Studio(
            model: options.modelName, as: options.traits.options, adapters: adapters, hypernetworks: hypernetworks,
            on: options.makeEngine(profile: console.verbose ? Profile() : nil))
        for (net, leftOut) in zip(hypernetworks, studio.model.leftOutOfHypernetworks) {
            if let leftOut { try console.report(.warning(code: "hypernetwork", text: leftOut + ".", path: net.path)) }
        }
        for (adapter, leftOut) in zip(adapters, studio.model.leftOut) {
            if let leftOut { try console.report(.warning(code: "lora", text: leftOut + ".", path: adapter.path)) }
        }
        try studio.load(embeddings) { text, path in
            try console.report(.warning(code: "embedding", text: text, path: path))
        }
        return studio
    }

    /// Words, where none were given, from the picture's own past; and its past for the recipe.
    ///
    /// - Parameter isFewStep: the model has a guidance of its own, which another model's picture does not know
    func inherit(
        _ settings: inout Settings, from metadata: PictureMetadata, options: PaintingOptions, input: String,
        isFewStep: Bool
    ) throws -> [String] {
        let past = Inheritance(metadata)
        if options.prompt == nil, !options.noInherit, let prompt = past.prompt, let keyword = past.keyword {
            settings.prompt = prompt
            if options.negative == nil { settings.negative = past.negative ?? "" }
            if options.guidance == nil, !isFewStep, let guidance = past.guidance, guidance.isFinite,
                (0...1000).contains(guidance)
            {
                settings.guidance = guidance
            }
            try settings.checkWords(from: input)
            let rest = settings.negative.isEmpty ? "" : ", without “\(settings.negative)”"
            try console.report(
                .note(
                    "\(input): prompt from its \(keyword) text: “\(prompt)”\(rest), guidance \(Console.number(settings.guidance)). (--no-inherit refuses)"
                ))
        }
        return past.history
    }

    /// Warns of words that do not do what they seem to, and of what is lost.
    func warnOfWords(_ settings: Settings, _ studio: Studio) throws {
        func warn(_ code: String, _ text: String) throws {
            try console.report(.warning(code: code, text: text, path: nil))
        }
        if settings.conventions.prompts == .plain {
            for (option, text) in [("--prompt", settings.prompt), ("--negative", settings.negative)] {
                let cut = studio.model.text.cut(text)
                guard !cut.isEmpty else { continue }
                try warn(
                    "prompt-too-long",
                    "\(option) has more than the \(studio.model.text.room) tokens that the model reads. Left out: “\(cut)”"
                )
            }
        } else {
            for tag in PromptTags(settings.prompt).tags where try NamedNetwork(tag) == nil {
                try warn("unknown-tag", "The prompt's tag \(tag.text) is of no known kind and is left out.")
            }
            if let weight = settings.loneWeight, abs(weight) > 2 {
                try warn(
                    "prompt-weight",
                    "The prompt ends in :\(Console.number(weight)), so it is guided towards \(Console.number(weight)) times as hard. Write a comma behind it if that is not a weight."
                )
            }
            for tag in PromptTags(settings.negative).tags {
                try warn(
                    "tag-in-negative", "\(tag.text) in the negative prompt is read as words. Tags belong in --prompt.")
            }
        }
        for line in studio.model.idleDepartures(settings) { try warn("departure", line) }
        if let skip = settings.clipSkip, !studio.model.takesClipSkip {
            try warn(
                "clip-skip",
                "--clip-skip \(skip) changes nothing here: the text encoder of \(studio.model.name) is always read at its own layer."
            )
        }
    }

    /// What every operation took, where --verbose asks for it.
    ///
    /// - Parameter seconds: that painting took as a whole
    func tellProfile(of studio: Studio, seconds: Double) { tellProfile(of: studio.model.engine, seconds: seconds) }

    func tellProfile(of engine: Engine, seconds: Double) {
        guard let profile = engine.profile else { return }
        console.clearBar()
        for line in profile.report(of: seconds, on: engine) { console.tell(line) }
    }

    func recipe(
        _ command: String, _ settings: Settings, _ studio: Studio, _ plan: RunPlan, working: PixelSize, at path: String
    ) throws -> Recipe {
        var recipe = Recipe(
            command, settings, plan, working: working,
            model: .init(name: studio.model.name, parts: try studio.modelHashes()),
            kernels: try studio.model.engine.kernels())
        let format = output.format(at: path)
        recipe.form = .init(
            format: format, depth: output.depth, quality: format == .jpeg ? output.quality : nil)
        recipe.autoencoder = try studio.autoencoder()
        (recipe.words, recipe.embeddings) = (
            studio.count(settings, evaluations: plan.evaluations), studio.embeddings(in: settings)
        )
        recipe.adapters = studio.adapters.map(Recipe.Adapter.init)
        recipe.hypernetworks = studio.hypernetworks
        return recipe
    }

    /// Tells, here and in the recipe, that a picture had to be painted again in 32 bits.
    func note(_ isExact: Bool, in recipe: inout Recipe, _ studio: Studio, at path: String) throws {
        guard isExact else { return }
        recipe.kernels = try studio.model.engine.kernels(isExact: true)
        try console.report(
            .warning(
                code: "precision",
                text:
                    "\(path): rounded to bfloat16 the model gave no picture, so it was painted again in 32 bits. Pass --precision f32 to save the first attempt.",
                path: path))
    }

    /// Writes a result with its recipe beside its place and renames it.
    func write(_ picture: Picture, to path: String, recipe: Recipe) throws {
        var picture = picture
        picture.metadata =
            output.writesRecipe
            ? recipe.added(to: picture.metadata, as: output.format(at: path)) : Recipe.removed(from: picture.metadata)
        try write(picture, to: path, hash: recipe.hash)
    }

    /// Writes a picture that carries what it is to say of itself.
    ///
    /// - Parameter hash: of its recipe
    func write(_ picture: Picture, to path: String, hash: String) throws {
        try write(
            picture.size, channels: picture.channels, depth: picture.depth, metadata: picture.metadata, to: path,
            hash: hash, compression: 6
        ) { send in try send(picture) }
    }

    /// Writes a picture that comes strip by strip.
    ///
    /// - Parameters:
    ///   - metadata: what it is to say of itself, the recipe of this hash in it
    ///   - format: without one, what is asked for of results
    ///   - compression: PNG's
    ///   - body: calls what it is given with one strip after the other
    func write(
        _ size: PixelSize, channels: Picture.Channels, depth: Int, metadata: PictureMetadata, to path: String,
        hash: String, format: PictureFormat? = nil, compression: Int = 4,
        _ body: (_ send: (Picture) throws -> Void) throws -> Void
    ) throws {
        let options = PictureFile.WriteOptions(
            format: format ?? output.format(at: path), quality: output.quality, compression: compression,
            // What stands there was looked at before a batch's picture is painted.
            overwrite: output.overwrite || journal != nil, threads: threads)
        try PictureFile.write(
            size, channels: channels, depth: depth, metadata: metadata, to: path, options: options,
            before: { file in
                guard let journal else { return }
                try journal.make(path, .init(recipe: hash, bytes: SHA256.hash(file)))
            }, body)
    }

    func write(_ bytes: [UInt8], to path: String, hash: String) throws {
        try journal?.make(path, .init(recipe: hash, bytes: SHA256.hash(bytes)))
        // What stands there was looked at before a batch's picture is painted.
        try WholeFile.write(bytes, to: path, overwrite: output.overwrite || journal != nil)
    }

    /// Tells that a file has more pages than the one that is taken, where none was named.
    func tellPages(of input: String) throws {
        guard PagedPath(input).page == nil, let look = PictureFile.look(input), look.pages > 1 else { return }
        try console.report(
            .warning(
                code: "pages",
                text: "\(input) has \(look.pages) pages, and the first is taken. Name another: \(input)#page=2.",
                path: input))
    }

    /// Tells which promise a result's form gives up, once for each file.
    func warnOfForm(_ source: Picture, at path: String) throws {
        try warnOfForm(
            depth: source.depth, hasTransparency: source.hasTransparency, metadata: source.metadata, at: path)
    }

    /// - Parameter sourceDepth: bits of the source's samples
    func warnOfForm(depth sourceDepth: Int, hasTransparency: Bool, metadata: PictureMetadata, at path: String) throws {
        let format = output.format(at: path)
        if metadata.hasUnreadableExif {
            try console.report(
                .warning(
                    code: "exif",
                    text:
                        "\(path): the source's EXIF data begin with no byte order and are left out. Mend the source: exiftool -all= -tagsfromfile @ -all:all FILE.",
                    path: path))
        }
        var lost: [String] = []
        if format == .jpeg {
            lost.append("pixels are not kept to the bit")
            if hasTransparency { lost.append("transparency is laid over white") }
        }
        let depth = min(format.mostDepth, output.depth ?? sourceDepth)
        if depth < sourceDepth { lost.append("\(sourceDepth) bits become \(depth)") }
        if format == .jpeg, let exif = metadata.exif, exif.count > PictureFormat.mostExifInJPEG {
            lost.append("its \(exif.count) bytes of EXIF data find no room")
        }
        func warn(_ text: String) throws {
            try console.report(.warning(code: "form", text: "\(path): \(text)", path: path))
        }
        if !lost.isEmpty {
            let mend =
                format == .jpeg
                ? "Write PNG or TIFF to keep them."
                : output.depth == nil ? "Write TIFF to keep them." : "Leave --depth out to keep them."
            try warn("\(lost.joined(separator: ", ")). \(mend)")
        }
        if output.isQualityGiven, format != .jpeg { try warn("--quality changes nothing in \(format.name).") }
        if output.depth == 16, format == .jpeg { try warn("--depth 16 changes nothing: JPEG has 8 bits.") }
    }
}

/// A picture with the hash of its file.
struct InputPicture {
    let path: String
    let picture: Picture
    /// The file's name without folders, and the SHA-256 of its bytes.
    let identity: (name: String, hash: String)

    init(_ path: String) throws {
        self.path = path
        // Read once: a pipe has its bytes only once, and what is hashed must be what is painted on.
        let limits = PictureFile.Limits()
        let bytes = try WholeFile.read(path, limit: limits.fileBytes)
        picture = try PictureFile.decode(bytes, name: path, limits: limits)
        identity = (path.split(separator: "/").last.map(String.init) ?? path, SHA256.hash(bytes))
    }
}
