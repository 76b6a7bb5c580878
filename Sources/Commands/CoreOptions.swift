import ArgumentParser
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import Threads

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension Engine.Precision: ExpressibleByArgument {}
extension Sampler: ExpressibleByArgument {}
extension ScheduleName: ExpressibleByArgument {}
extension Prediction: ExpressibleByArgument {}
extension ModelKind: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { all.map(\.name) }
}
extension Conventions.RandomSource: ExpressibleByArgument {}
extension Conventions.Encoding: ExpressibleByArgument {}

/// Whole numbers separated by commas.
struct SeedList: ExpressibleByArgument {
    let seeds: [UInt64]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { UInt64($0) }
        guard !parts.contains(nil) else { return nil }
        seeds = parts.compactMap { $0 }
    }
}

/// "640x427"
struct SizeArgument: ExpressibleByArgument {
    let size: PixelSize

    init?(argument: String) {
        let parts = argument.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let width = parts[0], let height = parts[1], width > 0, height > 0, width <= 1 << 20,
            height <= 1 << 20
        else { return nil }
        size = PixelSize(width: width, height: height)
    }
}

/// "2.5GB", "2500MB", "4GiB"
struct MemoryLimit: ExpressibleByArgument {
    let bytes: Int
    let argument: String

    init?(argument: String) {
        guard let bytes = MemorySize.bytes(argument) else { return nil }
        (self.bytes, self.argument) = (bytes, argument)
    }
}

/// What a model may not say of itself.
struct ModelTraits: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "What kind of model it is, where its file does not say: sd1, sd2 or sdxl, each alone or with -turbo, -lcm or -lightning.",
            valueName: "kind"))
    var kind: ModelKind?

    @Option(name: .long, help: "What the model predicts, where its file does not say.")
    var prediction: Prediction?

    @Option(
        name: .long,
        help: ArgumentHelp("Another autoencoder: a file or folder, a tiny one (TAESD) too.", valueName: "path"))
    var vae: String?

    func validate() throws {
        if vae?.isEmpty == true { throw ValidationError("--vae is \"\", but a file or a folder is expected.") }
    }

    var options: ModelOptions { ModelOptions(kind: kind, prediction: prediction, autoencoder: vae) }
}

/// How a picture is painted: shared by every command that paints.
struct PaintingOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The built-in model, a model folder, or a checkpoint file.",
            discussion: "VELATURA_MODEL names another default.", valueName: "name|path"))
    var model: String?

    @OptionGroup var traits: ModelTraits

    @Option(
        name: .long,
        help: ArgumentHelp("What the picture should show; @FILE reads it from a file.", valueName: "text|@file"))
    var prompt: String?

    @Option(name: .long, help: ArgumentHelp("What it should not show.", valueName: "text|@file"))
    var negative: String?

    @Flag(name: .long, help: "Take no prompt from the picture's own recipe.")
    var noInherit = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How closely to follow the prompt; 1 or less runs it alone. (default: 7.5; few-step models 0)",
            valueName: "g"))
    var guidance: Double?

    @Option(
        name: .long, help: "The sampler. (default: ddim for the miniature, dpmpp-2m otherwise, a few-step model's own)")
    var sampler: Sampler?

    @Option(name: .long, help: "How steps are spread over noise levels.")
    var schedule: ScheduleName = .model

    @Option(
        name: .long,
        help: ArgumentHelp("Length of the full noise schedule, 1 to 1000. (default: 50)", valueName: "n"))
    var steps: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Share of fresh noise in each step, for ddim and the samplers in -a and sde. (default: 0 for ddim, else 1)",
            valueName: "e"))
    var eta: Double?

    @Option(
        name: .long, help: ArgumentHelp("The noise to use. (default: random, told and recorded)", valueName: "n[,n…]"))
    var seed: SeedList?

    @OptionGroup(title: "Sampling") var sampling: SamplingOptions

    @Option(
        name: .long,
        help: ArgumentHelp("Take the text at this layer from the end, 1 to 12; 1 is the last.", valueName: "n")
    )
    var clipSkip: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "An embedding (textual inversion), or a folder of them, for prompts to name; may be repeated.",
            valueName: "path"))
    var embedding: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A LoRA, applied with weight W (1), or a folder of them, for prompts to name; may be repeated.",
            valueName: "path[:w]"))
    var lora: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A hypernetwork, applied with weight W (1), or a folder of them, for prompts to name; may be repeated.",
            valueName: "path[:w]"))
    var hypernetwork: [String] = []

    @OptionGroup(title: "Speed against exactness") var shortcuts: ShortcutOptions

    @Option(
        name: .long,
        help: "What large matrix products are rounded to; auto is bf16 where the processor has it and gains by it.")
    var precision: Engine.Precision = .auto

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Most memory to use, such as 2.5GB; the picture does not depend on it.", valueName: "size"))
    var memoryLimit: MemoryLimit?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Threads to use; the picture does not depend on it. (default: all processors)", valueName: "n"))
    var threads: Int?

    func validate() throws {
        if let guidance, !guidance.isFinite || guidance < 0 || guidance > 1000 {
            throw ValidationError("--guidance is \(guidance), but a number from 0 to 1000 is expected.")
        }
        if let eta, !(0...1).contains(eta) {
            throw ValidationError("--eta is \(eta), but a number from 0 to 1 is expected.")
        }
        if let steps, !(1...1000).contains(steps) {
            throw ValidationError("--steps is \(steps), but a whole number from 1 to 1000 is expected.")
        }
        if steps != nil, sampling.runSteps != nil {
            throw ValidationError(
                "--steps and --run-steps contradict each other: one is the length of the whole schedule, the other what is run. Leave one out."
            )
        }
        if let clipSkip, !(1...12).contains(clipSkip) {
            throw ValidationError("--clip-skip is \(clipSkip), but a whole number from 1 to 12 is expected.")
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads), but a whole number from 1 to 1024 is expected.")
        }
        if let sampler, eta != nil, !sampler.takesEta {
            throw ValidationError(
                "--eta changes nothing with --sampler \(sampler.rawValue). Leave it out, or choose ddim or euler-a.")
        }
        if let sampler, let fault = sampling.fault(with: sampler, eta: eta ?? sampler.defaultEta) {
            throw ValidationError(fault)
        }
        if let sampler, schedule != .model, !sampler.takesSchedule {
            throw ValidationError(
                "--schedule \(schedule.rawValue) cannot be used with --sampler \(sampler.rawValue), whose steps are whole timesteps. Choose euler, euler-a or dpmpp-2m."
            )
        }
    }

    /// Length of the full schedule, where a model does not run a few steps of its own.
    var stepCount: Int { steps ?? sampling.runSteps ?? 50 }

    /// The model's name: as given, else the environment's, else the built-in.
    var modelName: String { model ?? environment("VELATURA_MODEL") ?? "miniature" }

    /// The settings as far as they are known before a model is loaded. Prompts are read from their files here.
    func settings() throws -> Settings {
        var settings = Settings()
        settings.prompt = try Self.text(prompt ?? "", "--prompt")
        settings.negative = try Self.text(negative ?? "", "--negative")
        settings.readsEmptyNegative = negative != nil
        settings.guidance = guidance ?? settings.guidance
        settings.schedule = schedule
        settings.steps = stepCount
        settings.clipSkip = clipSkip
        (settings.kind, settings.prediction) = (traits.kind, traits.prediction)
        sampling.apply(to: &settings)
        shortcuts.apply(to: &settings)
        // Whose rules hold decides how words are read.
        try settings.checkWords()
        return settings
    }

    /// Fills in what depends on the model, and checks what could not be checked before.
    ///
    /// - Parameter skips: the noise levels; empty where painting starts from noise alone
    func complete(_ settings: inout Settings, for model: DiffusionModel, skips: [Skip] = []) throws {
        settings.sampler = sampler ?? model.defaultSampler
        // Under the web UI's rules `model` is its "Automatic".
        if schedule == .model, settings.conventions.counting != .webUI {
            settings.schedule = settings.sampler.resolved(.model, model.scheduler)
        }
        settings.guidance = guidance ?? model.defaultGuidance
        settings.embedsGuidance = model.embedsGuidance
        if let few = model.scheduler.fewStep {
            if steps == nil, sampling.runSteps == nil, settings.conventions == .ours,
                !skips.contains(where: \.isInSteps)
            {
                let room = skips.map { model.room(for: $0, settings.sampler) }.filter { $0 > 0 }.min() ?? few.steps
                settings.runSteps = min(few.steps, room)
                settings.steps = settings.runSteps ?? settings.steps
            }
        }
        let steps = settings.steps
        if eta != nil, !settings.sampler.takesEta {
            throw PaintingError.usage(
                "--eta changes nothing with the model's sampler \(settings.sampler.rawValue). Leave it out, or choose --sampler ddim or euler-a."
            )
        }
        if schedule != .model, !settings.sampler.takesSchedule {
            throw PaintingError.usage(
                "--schedule \(schedule.rawValue) cannot be used with the model's sampler \(settings.sampler.rawValue). Choose --sampler euler, euler-a or dpmpp-2m."
            )
        }
        guard steps <= model.scheduler.training.count else {
            throw PaintingError.usage(
                "--steps is \(steps), but the model \(model.name) was trained with \(model.scheduler.training.count).")
        }
        if settings.sampler.family(model.scheduler) == .multistep, steps >= model.scheduler.training.count {
            throw PaintingError.usage(
                "--steps is \(steps), but \(settings.sampler.rawValue) can take at most \(model.scheduler.training.count - 1) of the model's \(model.scheduler.training.count) timesteps."
            )
        }
        let table = model.scheduler.consistency.originalSteps
        if settings.sampler == .lcm, steps > table {
            throw PaintingError.usage(
                "--steps is \(steps), but lcm takes its steps out of the \(table) that consistency models are distilled with. Choose at most \(table)."
            )
        }
        if let fault = sampling.fault(with: settings.sampler, eta: eta ?? settings.sampler.defaultEta) {
            throw PaintingError.usage(fault)
        }
        try shortcuts.check(against: model)
        if let clipSkip, model.takesClipSkip, clipSkip > model.text.layers {
            throw PaintingError.usage(
                "--clip-skip is \(clipSkip), but the text encoder of \(model.name) has \(model.text.layers) layers.")
        }
        settings.eta = eta ?? settings.sampler.defaultEta
    }

    func makeEngine(profile: Profile? = nil) throws -> Engine {
        try Engine.chosen(threads: threads, precision: precision, memoryLimit: memoryLimit, profile: profile)
    }

    /// A text, or the one in the file that it names.
    static func text(_ argument: String, _ option: String) throws -> String {
        guard argument.hasPrefix("@") else { return argument }
        // A text that itself begins so.
        if argument.hasPrefix("@@") { return String(argument.dropFirst()) }
        let path = String(argument.dropFirst())
        if path.isEmpty {
            throw PaintingError.usage(
                "\(option) is @, but the name of a file is expected behind it. @@ begins a text that begins with @.")
        }
        return try readText(path, "which \(option) names").trimmingNewlines()
    }
}

/// Where results go and what is printed.
struct ResultOptions: ParsableArguments {
    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("A file, or a folder where it is one or ends in /.", valueName: "out"))
    var output: String?

    @Option(name: .long, help: "Format of the results. (default: png; tiff for floats and CMYK)")
    var format: PictureFormat?

    @Option(name: .long, help: ArgumentHelp("Quality of JPEG results, 1 to 100. (default: 95)", valueName: "q"))
    var quality: Int?

    @Option(name: .long, help: ArgumentHelp("Bits of each sample, 8 or 16. (default: the source's)", valueName: "bits"))
    var depth: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Name of each result; {stem}, {command}, {skip} and {seed} are replaced.", valueName: "template"))
    var name: String?

    @Flag(name: .long, help: "Write no recipe into the results.")
    var noRecipe = false

    @Flag(name: .long, help: "Replace results that are there already.")
    var overwrite = false

    func validate() throws {
        if let quality, !(1...100).contains(quality) {
            throw ValidationError("--quality is \(quality), but a whole number from 1 to 100 is expected.")
        }
        if let depth, depth != 8, depth != 16 { throw ValidationError("--depth is \(depth), but 8 or 16 is expected.") }
        if output?.isEmpty == true { throw ValidationError("-o is \"\", but a file or a folder is expected.") }
        if let name, name.isEmpty || name.contains("/") {
            throw ValidationError(
                "--name is \"\(name)\", but a file name without / is expected. Choose the folder with -o.")
        }
        var rest = name ?? ""
        for part in ["stem", "command", "skip", "seed"] { rest.replace("{\(part)}", with: "") }
        if let name, rest.contains("{") || rest.contains("}") {
            throw ValidationError(
                "--name is \"\(name)\", but only {stem}, {command}, {skip} and {seed} are replaced. Take other braces out."
            )
        }
    }

    func options() throws -> OutputOptions {
        var options = OutputOptions()
        (options.path, options.format, options.depth) = (output, format, depth)
        (options.quality, options.isQualityGiven) = (quality ?? options.quality, quality != nil)
        (options.template, options.overwrite, options.writesRecipe) = (name, overwrite, !noRecipe)
        return try options.checked()
    }
}

extension PictureFormat: ExpressibleByArgument {
    public init?(argument: String) {
        guard let format = PictureFormat(rawValue: argument), format.isWritten else { return nil }
        self = format
    }
    public static var allValueStrings: [String] { allCases.filter(\.isWritten).map(\.rawValue) }
}

/// What is printed.
struct TellingOptions: ParsableArguments {
    @Flag(name: .long, help: "Print the whole plan and paint nothing.")
    var explain = false

    @Flag(name: .long, help: "Print JSON lines on standard output.")
    var json = false

    @Flag(name: .long, help: "Print nothing but errors.")
    var quiet = false

    @Flag(
        name: .long,
        help: "Print more: the plan, how long each result took and, where a model paints, each kind of operation.")
    var verbose = false

    func validate() throws {
        if quiet, verbose { throw ValidationError("--quiet and --verbose contradict each other. Leave one out.") }
    }

    func console() -> Console { Console(json: json, quiet: quiet, verbose: verbose) }

    /// Runs the body; with `--json`, an error is also told as a JSON line.
    func telling(_ body: (Console) throws -> Void) throws { try console().telling(body) }
}

func environment(_ name: String) -> String? {
    guard let value = getenv(name), value.pointee != 0 else { return nil }
    return String(cString: value)
}

/// A seed for pictures that were not given one.
func randomSeed() -> UInt64 { UInt64(UInt32.random(in: 0 ... .max)) }

extension String {
    func trimmingNewlines() -> String {
        var text = self[...]
        while text.last?.isNewline == true { text.removeLast() }
        return String(text)
    }
}
