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
        try Studio(model: options.modelName, on: Engine(threads: options.makeThreads()))
    }

    /// Words, where none were given, from the picture's own past; and its past for the recipe.
    func inherit(_ settings: inout Settings, from picture: Picture, options: PaintingOptions, input: String) throws -> [String] {
        let past = Inheritance(picture.metadata)
        if options.prompt == nil, !options.noInherit, let prompt = past.prompt, let keyword = past.keyword {
            settings.prompt = prompt
            if options.negative == nil { settings.negative = past.negative ?? "" }
            if options.guidance == nil, let guidance = past.guidance, guidance.isFinite, (0...1000).contains(guidance) {
                settings.guidance = guidance
            }
            let rest = settings.negative.isEmpty ? "" : ", without “\(settings.negative)”"
            try console.report(
                .note("\(input): prompt from its \(keyword) text: “\(prompt)”\(rest), guidance \(Console.number(settings.guidance)). (--no-inherit refuses)"))
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
                    text: "\(option) has more than the \(studio.model.text.room) tokens that the model reads. Left out: “\(cut)”", path: nil))
        }
    }

    func recipe(_ command: String, _ settings: Settings, _ studio: Studio, steps: [Step], working: PixelSize) throws -> Recipe {
        Recipe(
            command, settings, steps: steps, working: working, model: (studio.model.name, try studio.modelHash()),
            kernels: try studio.kernels())
    }

    /// Writes a result with its recipe beside its place and renames it.
    func write(_ picture: Picture, to path: String, recipe: Recipe) throws {
        var picture = picture
        let old = picture.metadata.texts
        picture.metadata.texts = output.writesRecipe
            ? recipe.texts(replacing: old)
            : old.filter { $0.keyword != Recipe.keyword && $0.keyword != "parameters" }
        try PictureFile.write(
            picture, to: path,
            options: .init(format: output.format, quality: output.quality, overwrite: output.overwrite))
    }
}

/// A picture with the hash of its file.
struct InputPicture {
    let path: String
    let picture: Picture

    init(_ path: String) throws {
        self.path = path
        picture = try PictureFile.read(path)
    }

    /// The file's name without folders, and the SHA-256 of its bytes.
    func identity() throws -> (name: String, hash: String) {
        (path.split(separator: "/").last.map(String.init) ?? path, try fileHash(path))
    }
}
