import ArgumentParser
import Painting
import Raster
import RasterFiles

extension PerlinPicture.Mode: ExpressibleByArgument {}

/// "x", "y" or "xy"
struct WrapArgument: ExpressibleByArgument {
    let text: String

    var wrap: PerlinField.Wrap { .init(across: text.contains("x"), down: text.contains("y")) }

    init?(argument: String) {
        guard Self.allValueStrings.contains(argument) else { return nil }
        text = argument
    }

    static let allValueStrings = ["x", "y", "xy"]
}

/// "12,8" or "10"
struct OctavesArgument: ExpressibleByArgument {
    let counts: [Int]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard let first = parts.first, let coarse = first else { return nil }
        // As far apart as Disco's own.
        let counts = parts.count == 1 ? [coarse, max(1, coarse - 4)] : parts.compactMap { $0 }
        guard counts.count == 2, zip(counts, PerlinPicture.mostOctaves).allSatisfy({ (1...$1).contains($0) }) else {
            return nil
        }
        self.counts = counts
    }
}

struct PerlinCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "perlin",
        abstract: "Make a cloudy picture of Perlin noise, to start painting from.",
        discussion: """
            This is Disco Diffusion's Perlin start: the mean of a coarse field and a finer one, each stretched to full \
            contrast. refine, paint, inpaint and outpaint take it as their init image with --perlin-init.

              velatura perlin -o clouds.png --size 640x448 --seed 3
              velatura perlin -o tile.png --size 512x512 --mode gray --wrap xy --seed 3
            """)

    @Option(name: .long, help: ArgumentHelp("Size of the picture.", valueName: "WxH"))
    var size: SizeArgument

    @Option(name: .long, help: "Both fields in colour, both grey, or the coarse one in colour and the finer one grey.")
    var mode: PerlinPicture.Mode = .mixed

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Octaves of the coarse field and of the finer one; of one number, the finer one has four fewer. (default: 12,8)",
            valueName: "n[,n]"))
    var octaves: OctavesArgument?

    @Option(name: .long, help: "Sides along which it is to go on at the opposite one, so that copies join.")
    var wrap: WrapArgument?

    @Option(name: .long, help: ArgumentHelp("The noise to use. (default: random, told and recorded)", valueName: "n"))
    var seed: UInt64?

    @OptionGroup var threading: ThreadOptions

    @OptionGroup var limits: SizeLimitOptions
    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws {
        if results.output == nil, !telling.explain {
            throw ValidationError("There is no input to name the result after. Give -o a file or a folder.")
        }
    }

    func run() throws {
        try telling.telling { console in
            let began = clock()
            try limits.check(size.size, of: "perlin", mend: "Ask for a smaller --size")
            let output = try results.options()
            var names = OutputPlan(output, results: 1)
            let path = telling.explain ? "" : try names.path(for: .init(input: "velatura", command: "perlin"))
            let picture = PerlinPicture(
                mode, octaves: octaves?.counts ?? PerlinPicture.defaultOctaves, wrap: wrap?.wrap ?? .init())
            let start = PerlinStart(picture, seed: seed ?? randomSeed())
            let session = PaintingSession(console: console, output: output, threads: threading.pool)
            let recipe = PerlinRecipe(start, wrap: wrap?.text, size: size.size, form: session.form(at: path))
            if telling.explain {
                return console.say(
                    recipe.plan, [("event", .text("plan"))] + recipe.members.filter { $0.0 != "plan" })
            }
            if seed == nil { try console.report(.note("seed \(start.seed)")) }
            // Noise is no smaller for being looked at longer.
            try session.write(
                size.size, channels: picture.channels, depth: output.depth ?? 8, recipe, over: .init(), to: path,
                input: nil, seed: start.seed, began: began, compression: 1
            ) { send in
                // What is gone through beforehand, for its contrast, is not counted.
                let meter = ProgressMeter(total: Double(size.size.area), now: clock)
                try withoutActuallyEscaping(send) { send in
                    try start.bands(
                        size.size, depth: output.depth ?? 8, threads: threading.pool,
                        pause: { try Interruption.check() }
                    ) { band in
                        try send(band)
                        try console.report(.progress(meter.add(Double(band.size.area), stage: "perlin")))
                    }
                }
            }
        }
    }
}
