import ArgumentParser
import Checkpoints
import Painting
import Raster
import RasterFiles
import Tensors

struct RerunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rerun",
        abstract: "Paint a picture anew from the recipe that it carries.",
        usage: "velatura rerun [<options>] <out>",
        discussion: """
            The input, the model, its autoencoder, embeddings, LoRAs and hypernetworks are looked for by their hashes, beside the picture, in the current folder, then in --find. \
            Pictures that carry only the web UI's parameters are painted by that tool's rules; what cannot be honoured is told.

              velatura rerun in-refine-skip50.png -o again.png
            """)

    @Argument(help: ArgumentHelp("The picture to repeat.", valueName: "out"))
    var picture: String

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp(
            "A file, or a folder where it is one or ends in /. (default: beside it, -rerun)", valueName: "new"))
    var output: String?

    @Option(name: .long, help: ArgumentHelp("The init image, whatever its hash.", valueName: "file"))
    var input: String?

    @Option(name: .long, help: ArgumentHelp("A folder to look in, with all that is in it.", valueName: "folder"))
    var find: String?

    @Option(name: .long, help: ArgumentHelp("The model, whatever its hash.", valueName: "name|path"))
    var model: String?

    @Option(name: .long, help: ArgumentHelp("The autoencoder, whatever its hash.", valueName: "path"))
    var vae: String?

    @Option(name: .long, help: ArgumentHelp("Threads to use. (default: all processors)", valueName: "n"))
    var threads: Int?

    @Option(
        name: .long, help: ArgumentHelp("Most memory to use. (default: as much as is fastest)", valueName: "size"))
    var memoryLimit: MemoryLimit?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The most pixels that a picture may have, of what was fitted, roughened, enlarged or made of Perlin noise.",
            valueName: "n"))
    var limitPixels: Int?

    @Flag(name: .long, help: "Replace a result that is there already.")
    var overwrite = false

    @OptionGroup(title: "Telling") var telling: TellingOptions

    func run() throws {
        var command: any ParsableCommand = self
        try telling.telling { console in command = try repeated(console) }
        // The command itself repeats what it did, so that nothing can differ.
        try command.run()
    }

    /// Warns where layers run in other forms here than they did then.
    private func tellOfKernels(_ recipe: JSON, _ console: Console) throws {
        let engine = try Engine.chosen(threads: threads, precision: .auto, memoryLimit: nil, profile: nil)
        let others = try engine.kernels().filter { key, value in
            key != "precision" && recipe["kernels"][key].text.map { $0 != value } ?? false
        }.map { key, value in "\(key) \(recipe["kernels"][key].text ?? ""), and here it is \(value)" }
        guard !others.isEmpty else { return }
        try console.report(
            .warning(
                code: "kernels",
                text:
                    "\(picture) was painted with \(others.joined(separator: "; ")): values may differ in their last bits.",
                path: picture))
    }

    /// The command that made the picture, with its input and model found.
    private func repeated(_ console: Console) throws -> any ParsableCommand {
        // However large it is: none of its pixels are read.
        let metadata = try PictureFile.glance(
            picture, limits: .init(longestSide: .max, pixels: .max, fileBytes: .max)
        ).metadata
        var wanted: RecipeArguments
        let recipe = Recipe.read(metadata)
        if let recipe, recipe["command"].text == "upscale" { return try enlarged(recipe) }
        if let recipe, let command = try unpainted(recipe) { return command }
        try refuse([("--limit-pixels", limitPixels.map(String.init))], "painted")
        if let recipe {
            wanted = try RecipeArguments(recipe: recipe, picture: picture)
        } else if let text = metadata.parameters {
            wanted = try RecipeArguments(parameters: text, picture: picture)
        } else {
            throw PaintingError.unsuitable(
                "\(picture) carries no recipe and no parameters text. Only pictures that say how they were made can be rerun."
            )
        }
        let search = SourceSearch(beside: picture, find: find)
        let source = try source(wanted, search, console)
        var line = wanted.options
        if let source, let size = wanted.paintedSize.flatMap(SizeArgument.init)?.size,
            try PictureFile.glance(source).size != size
        {
            line.append("--work-size=\(size.width)x\(size.height)")
            try console.report(
                .warning(
                    code: "size",
                    text: "\(source) is painted at \(size), as \(picture) was, and comes back at its own size.",
                    path: source))
        }
        if let model = try chosenModel(wanted, search, console) { line.append("--model=\(model)") }
        if let autoencoder = try chosenAutoencoder(wanted, search, console) {
            line.append("--vae=\(autoencoder)")
        } else if let known = wanted.autoencoder, recipe == nil {
            wanted.unhonoured.append("VAE \(known.name), which is not \(search.places)")
        } else if let known = wanted.autoencoder {
            throw PaintingError.missing(
                "The autoencoder \(known.name) (\(Self.short(known.hash))), which \(picture) was painted with, is not \(search.places). Name it with --vae, or its folder with --find."
            )
        }
        for embedding in wanted.embeddings {
            if let found = search.embedding(named: embedding.name, hash: embedding.hash) {
                line.append("--embedding=\(found)")
            } else if recipe == nil {
                wanted.unhonoured.append("embedding \(embedding.name), which is not \(search.places)")
            } else {
                throw PaintingError.missing(
                    "The embedding \(embedding.name) (\(Self.short(embedding.hash))), which \(picture) was painted with, is not \(search.places). Put its file there under that name, or name its folder with --find."
                )
            }
        }
        for (option, what, file) in [
            ("mask", "mask", wanted.mask), ("strokes", "strokes", wanted.strokes), ("map", "map", wanted.map),
            ("upscaler", "upscaler", wanted.upscaler),
        ] {
            guard let file else { continue }
            if option == "upscaler", file.name == LearnedUpscaler.miniature {
                line.append("--upscaler=\(file.name)")
                continue
            }
            let known =
                option == "upscaler"
                ? search.upscaler(named: file.name, hash: file.hash) : search.file(named: file.name, hash: file.hash)
            guard let found = known else {
                throw PaintingError.missing(
                    "The \(what) \(file.name) (\(Self.short(file.hash))), which \(picture) was painted with, is not \(search.places). Put the file there, or name its folder with --find."
                )
            }
            line.append("--\(option)=\(found)")
        }
        var found: Set<String> = []
        for adapter in wanted.adapters {
            guard let path = search.adapter(named: adapter.name, hash: adapter.hash) else {
                let hash = adapter.hash.isEmpty ? "" : " (\(Self.short(adapter.hash)))"
                throw PaintingError.missing(
                    "The LoRA \(adapter.name)\(hash), which \(picture) was painted with, is not \(search.places). Put it there under its name, or name its folder with --find."
                )
            }
            // Tags of the prompt find their file by name, however many there are.
            if found.insert(path).inserted || !adapter.byPrompt { line.append("--lora=\(path):\(adapter.weight)") }
        }
        for net in wanted.hypernetworks {
            guard let path = search.hypernetwork(named: net.name, hash: net.hash) else {
                let hash = net.hash.isEmpty ? "" : " (\(Self.short(net.hash)))"
                throw PaintingError.missing(
                    "The hypernetwork \(net.name)\(hash), which \(picture) was painted with, is not \(search.places). Put it there under its name, or name its folder with --find."
                )
            }
            if found.insert(path).inserted || !net.byPrompt { line.append("--hypernetwork=\(path):\(net.weight)") }
        }
        if !wanted.unhonoured.isEmpty {
            let settings = wanted.unhonoured.joined(separator: ", ")
            try console.report(
                .warning(
                    code: "not-honoured", text: "\(picture) was made with settings that are not followed: \(settings).",
                    path: picture))
        }
        if let recipe { try tellOfKernels(recipe, console) }
        line += common(wanted.format)
        if let memoryLimit { line.append("--memory-limit=\(memoryLimit.argument)") }
        do {
            // A name that begins with a dash is a name all the same.
            let inputs = source.map { ["--", $0] } ?? []
            let command: any PaintingCommand =
                switch wanted.command {
                case "inpaint": try InpaintCommand.parse(line + inputs)
                case "outpaint": try OutpaintCommand.parse(line + inputs)
                case "sketch": try SketchCommand.parse(line + inputs)
                case "gobig": try enlarging(line + inputs, told: wanted.tiles)
                case "refine": try RefineCommand.parse(line + inputs)
                default: try PaintCommand.parse(line)
                }
            _ = try command.painting.settings()
            return command
        } catch {
            let fault = (error as? PaintingError).map { reported($0).line } ?? RefineCommand.message(for: error)
            throw PaintingError.unsuitable("\(picture) says that it was made in a way that cannot be: \(fault)")
        }
    }

    private func enlarging(_ line: [String], told: [JSON]) throws -> GoBigCommand {
        var command = try GoBigCommand.parse(line)
        command.told = told
        return command
    }

    /// Where the result goes, and what was asked of this command itself.
    private func common(_ format: String?) -> [String] {
        ["--output=\(result(format))"]
            + [
                (overwrite, "--overwrite"), (telling.explain, "--explain"), (telling.json, "--json"),
                (telling.quiet, "--quiet"), (telling.verbose, "--verbose"),
            ].filter(\.0).map(\.1) + (threads.map { ["--threads=\($0)"] } ?? [])
    }

    private var limit: [String] { limitPixels.map { ["--limit-pixels=\($0)"] } ?? [] }

    /// The command that made a picture for which nothing was painted; nil of others.
    private func unpainted(_ recipe: JSON) throws -> (any ParsableCommand)? {
        guard let name = recipe["command"].text, ["compose", "fit", "noise", "perlin"].contains(name) else {
            return nil
        }
        let takesInput = name == "fit" || name == "noise"
        if let option = [
            ("--input", takesInput ? nil : input), ("--model", model), ("--vae", vae),
            ("--memory-limit", memoryLimit?.argument),
        ].first(where: { $0.1 != nil })?.0 {
            throw PaintingError.usage(
                "\(picture) was made by \(name), which \(option) has no part in. Leave it out.")
        }
        let search = SourceSearch(beside: picture, find: find)
        func found(_ file: ComposeRecipe.File) throws -> String {
            guard let found = search.file(named: file.name, hash: file.hash) else {
                throw PaintingError.missing(
                    "\(file.name) (\(Self.short(file.hash))), which \(picture) was made from, is not \(search.places). Name its folder with --find."
                )
            }
            return found
        }
        func named(_ key: String) throws -> String? {
            try recipe[key]["name"].text.map { try found(($0, recipe[key]["sha256"].text ?? "")) }
        }
        func source() throws -> [String] {
            guard let path = try input ?? named("source") else {
                throw PaintingError.unsuitable("\(picture) does not say what it was made from. Name it with --input.")
            }
            return ["--", path]
        }
        if name == "compose" { try refuse([("--limit-pixels", limitPixels.map(String.init))], "composed") }
        let common = common(recipe["format"].text) + limit
        do {
            switch name {
            case "fit": return try FitCommand.parse(FitRecipe.options(recipe) + common + source())
            case "noise":
                let mask = try named("mask").map { ["--mask=\($0)"] } ?? []
                return try NoiseCommand.parse(NoiseRecipe.options(recipe) + mask + common + source())
            case "perlin": return try PerlinCommand.parse(PerlinRecipe.options(recipe) + common)
            default:
                let (options, base) = try ComposeRecipe.arguments(recipe, picture: picture, find: found)
                return try ComposeCommand.parse(options + common + ["--", base])
            }
        } catch let error as PaintingError {
            throw error
        } catch {
            throw PaintingError.unsuitable(
                "\(picture) says that it was made in a way that cannot be: \(Self.message(for: error))")
        }
    }

    /// The same picture enlarged again.
    private func enlarged(_ recipe: JSON) throws -> any ParsableCommand {
        try refuse([("--model", model), ("--vae", vae)], "enlarged")
        let search = SourceSearch(beside: picture, find: find)
        var options = try UpscaleRecipe.arguments(recipe, picture: picture) { name, hash in
            if name == LearnedUpscaler.miniature, try LearnedUpscaler.miniatureHash() == hash { return name }
            guard let found = search.upscaler(named: name, hash: hash) else {
                throw PaintingError.missing(
                    "The upscaler \(name) (\(Self.short(hash))), which enlarged \(picture), is not \(search.places). Put its file there under that name, or name its folder with --find."
                )
            }
            return found
        }
        var source = input
        if source == nil, let name = recipe["source"]["name"].text, let hash = recipe["source"]["sha256"].text {
            source = search.file(named: name, hash: hash)
        }
        guard let source else {
            let name = recipe["source"]["name"].text ?? "The picture"
            throw PaintingError.missing(
                "\(name), which \(picture) was enlarged from, is not \(search.places). Name it with --input, or its folder with --find."
            )
        }
        options += common(recipe["format"].text) + limit
        if let memoryLimit { options.append("--memory-limit=\(memoryLimit.argument)") }
        do {
            return try UpscaleCommand.parse(options + ["--", source])
        } catch {
            throw PaintingError.unsuitable(
                "\(picture) says that it was made in a way that cannot be: \(UpscaleCommand.message(for: error))")
        }
    }

    /// Refuses options that have no part in how the picture was made.
    private func refuse(_ options: [(name: String, value: String?)], _ made: String) throws {
        guard let option = options.first(where: { $0.value != nil })?.name else { return }
        throw PaintingError.usage("\(picture) was \(made), which \(option) has no part in. Leave it out.")
    }

    private func result(_ format: String?) -> String {
        let name = picture.split(separator: "/").last.map(String.init) ?? picture
        let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
        let ending = (format.flatMap(PictureFormat.init(rawValue:)) ?? PictureFormat(path: picture) ?? .png)
            .fileExtension
        let new = "\(stem)-rerun.\(ending)"
        guard let output else {
            return picture.lastIndex(of: "/").map { String(picture[...$0]) + new } ?? new
        }
        guard OutputPlan.isFolder(output) else { return output }
        return output.hasSuffix("/") ? output + new : "\(output)/\(new)"
    }

    private func source(_ wanted: RecipeArguments, _ search: SourceSearch, _ console: Console) throws -> String? {
        guard wanted.command != "paint", wanted.command != "sketch" || wanted.source != nil else { return nil }
        if let input {
            if let source = wanted.source, let identity = try? InputPicture(input).identity,
                identity.hash != source.hash
            {
                try console.report(
                    .warning(
                        code: "other-input",
                        text:
                            "\(input) is not the picture that \(picture) was painted from (\(source.name), \(Self.short(source.hash))).",
                        path: input))
            }
            return input
        }
        guard let source = wanted.source else {
            throw PaintingError.missing(
                "\(picture) was painted from an init image that its text does not name. Name it with --input.")
        }
        guard let found = search.file(named: source.name, hash: source.hash) else {
            throw PaintingError.missing(
                "\(source.name) (\(Self.short(source.hash))), which \(picture) was painted from, is not \(search.places). Name it with --input, or its folder with --find."
            )
        }
        return found
    }

    private func chosenModel(_ wanted: RecipeArguments, _ search: SourceSearch, _ console: Console) throws -> String? {
        guard let known = wanted.model else { return model }
        func differences(_ path: String) throws -> [String] {
            if known.parts.isEmpty { return [] }
            let hashes = Dictionary(uniqueKeysWithValues: try Studio.modelHashes(of: path).map { ($0.part, $0.hash) })
            return known.parts.filter { hashes[$0.key] != $0.value }.keys.sorted()
        }
        if let model {
            let other = try differences(model)
            if !other.isEmpty {
                try console.report(
                    .warning(
                        code: "other-model",
                        text:
                            "\(model) is not the model \(known.name) that \(picture) was painted with: \(other.joined(separator: ", ")) differ.",
                        path: model))
            }
            return model
        }
        var candidates = search.models(named: known.name)
        if known.name == "miniature" { candidates.insert("miniature", at: 0) }
        if let chosen = environment("VELATURA_MODEL"),
            let last = chosen.split(separator: "/").last, last == known.name || last.hasPrefix(known.name + ".")
        {
            candidates.append(chosen)
        }
        candidates = candidates.filter { (try? differences($0))?.isEmpty == true }
        if let hash = wanted.modelHash, hash.count == 10, let first = candidates.first {
            let same = candidates.first {
                (try? Studio.modelHashes(of: $0))?.first?.hash.hasPrefix(hash.lowercased()) == true
            }
            if same == nil {
                try console.report(
                    .warning(
                        code: "other-model",
                        text:
                            "\(first) has the name of the model that \(picture) was painted with, but not its hash \(hash).",
                        path: first))
            }
            return same ?? first
        }
        if let found = candidates.first { return found }
        let hash = (known.parts["unet"] ?? known.parts["file"]).map { " (\(Self.short($0)))" } ?? ""
        throw PaintingError.missing(
            "The model \(known.name)\(hash), which \(picture) was painted with, is not \(search.places). Name it with --model, or its folder with --find."
        )
    }

    /// The autoencoder that was painted with beside the model; nil where there was none, or it is not found.
    private func chosenAutoencoder(_ wanted: RecipeArguments, _ search: SourceSearch, _ console: Console) throws
        -> String?
    {
        func isIt(_ path: String) -> Bool {
            guard let known = wanted.autoencoder, known.hash.count >= 8 else { return false }
            return (try? Studio.autoencoderHash(of: path))?.hasPrefix(known.hash.lowercased()) == true
        }
        guard let vae else {
            return wanted.autoencoder.flatMap { search.autoencoders(named: $0.name).first(where: isIt) }
        }
        if !isIt(vae) {
            let known = wanted.autoencoder.map { "the autoencoder \($0.name)" } ?? "the model's own autoencoder"
            try console.report(
                .warning(
                    code: "other-autoencoder", text: "\(vae) is not \(known) that \(picture) was painted with.",
                    path: vae))
        }
        return vae
    }

    private static func short(_ hash: String) -> String { "sha256 \(hash.prefix(12))…" }
}
