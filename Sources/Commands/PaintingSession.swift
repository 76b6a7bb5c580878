import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import Threads

/// What the painting commands share: the studio, the console, writing results.
struct PaintingSession {
    let console: Console
    let output: OutputOptions

    /// Loads the model.
    func studio(_ options: PaintingOptions) throws -> Studio {
        try Studio(model: options.modelName, on: options.makeEngine())
    }

    /// Words, where none were given, from the picture's own past; and its past for the recipe.
    ///
    /// - Parameter isFewStep: the model has a guidance of its own, which another model's picture does not know
    func inherit(
        _ settings: inout Settings, from picture: Picture, options: PaintingOptions, input: String, isFewStep: Bool
    ) throws -> [String] {
        let past = Inheritance(picture.metadata)
        if options.prompt == nil, !options.noInherit, let prompt = past.prompt, let keyword = past.keyword {
            settings.prompt = prompt
            if options.negative == nil { settings.negative = past.negative ?? "" }
            if options.guidance == nil, !isFewStep, let guidance = past.guidance, guidance.isFinite,
                (0...1000).contains(guidance)
            {
                settings.guidance = guidance
            }
            let rest = settings.negative.isEmpty ? "" : ", without “\(settings.negative)”"
            try console.report(
                .note(
                    "\(input): prompt from its \(keyword) text: “\(prompt)”\(rest), guidance \(Console.number(settings.guidance)). (--no-inherit refuses)"
                ))
        }
        return past.history
    }

    /// Warns of what a prompt loses.
    func warnOfLength(_ settings: Settings, _ studio: Studio) throws {
        for (option, text) in [("--prompt", settings.prompt), ("--negative", settings.negative)] {
            let cut = studio.model.text.cut(text)
            guard !cut.isEmpty else { continue }
            try console.report(
                .warning(
                    code: "prompt-too-long",
                    text:
                        "\(option) has more than the \(studio.model.text.room) tokens that the model reads. Left out: “\(cut)”",
                    path: nil))
        }
    }

    func recipe(
        _ command: String, _ settings: Settings, _ studio: Studio, _ plan: RunPlan, working: PixelSize, at path: String
    ) throws -> Recipe {
        var recipe = Recipe(
            command, settings, plan, working: working,
            model: .init(name: studio.model.name, parts: try studio.modelHashes()), kernels: try studio.kernels())
        let format = output.format(at: path)
        recipe.form = .init(
            format: format, depth: output.depth, quality: format == .jpeg ? output.quality : nil)
        return recipe
    }

    /// Writes a result with its recipe beside its place and renames it.
    func write(_ picture: Picture, to path: String, recipe: Recipe) throws {
        var picture = picture
        picture.metadata =
            output.writesRecipe
            ? recipe.added(to: picture.metadata, as: output.format(at: path)) : Recipe.removed(from: picture.metadata)
        try PictureFile.write(
            picture, to: path,
            options: .init(format: output.format, quality: output.quality, overwrite: output.overwrite))
    }

    /// Tells which promise a result's form gives up, once for each file.
    func warnOfForm(_ source: Picture, at path: String) throws {
        let format = output.format(at: path)
        var lost: [String] = []
        if format == .jpeg {
            lost.append("pixels are not kept to the bit")
            if source.hasTransparency { lost.append("transparency is laid over white") }
        }
        let depth = format == .jpeg ? 8 : output.depth ?? source.depth
        if depth < source.depth { lost.append("\(source.depth) bits become \(depth)") }
        guard !lost.isEmpty else { return }
        let mend = format == .jpeg ? "Write PNG or TIFF to keep them." : "Leave --depth out to keep them."
        try console.report(
            .warning(code: "form", text: "\(path): \(lost.joined(separator: ", ")). \(mend)", path: path))
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
