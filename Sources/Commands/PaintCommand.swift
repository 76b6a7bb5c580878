import ArgumentParser
import Painting
import Raster
import RasterFiles
import Sampling
import Threads

struct PaintCommand: PaintingCommand {
    static let configuration = CommandConfiguration(
        commandName: "paint",
        abstract: "Paint a picture from noise alone, or from a picture of Perlin noise.",
        discussion: """
              velatura paint -o lake.png --size 384x288 --prompt "a painting of lake at sunset" --seed 3
              velatura paint -o lake.png --size 384x288 --perlin-init mixed --skip 20 --prompt "a painting of lake" --seed 3
            """)

    @Option(name: .long, help: ArgumentHelp("Size of the picture.", valueName: "WxH"))
    var size: SizeArgument

    @Option(name: .long, help: "Start from Perlin noise, as velatura perlin makes it.")
    var perlinInit: PerlinPicture.Mode?

    @OptionGroup(title: "Noise level, with --perlin-init") var level: LevelOptions
    @OptionGroup(title: "Painting") var painting: PaintingOptions
    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws {
        try level.check(with: painting)
        let given = [("--skip", level.skip), ("--strength", level.strength), ("--skip-steps", level.skipSteps)]
        if perlinInit == nil, let option = given.first(where: { $0.1 != nil })?.0 {
            throw ValidationError(
                "\(option) says where a picture is taken up, and there is none. Pass --perlin-init, or leave it out.")
        }
        if painting.noInherit {
            throw ValidationError(
                "--no-inherit changes nothing: there is no picture to take a prompt from. Leave it out.")
        }
        if results.output == nil, !telling.explain {
            throw ValidationError("There is no input to name the result after. Give -o a file or a folder.")
        }
        guard size.size.area <= Refine.largestArea else {
            throw ValidationError(
                "--size is \(size.size), but at most \(Refine.largestArea) pixels can be painted at once.")
        }
    }

    func run() throws {
        try telling.telling { console in
            let seeds = painting.seed?.seeds ?? [randomSeed()]
            guard Set(seeds).count == seeds.count else {
                throw PaintingError.usage("--seed names a seed twice. Leave one out.")
            }
            let skips = try level.skips(default: LevelOptions.skipOfPerlin, steps: painting.stepCount)
            guard skips.count == 1 else {
                throw PaintingError.usage(
                    "paint takes one noise level, but \(skips.count) are given. Give one, or paint once for each.")
            }
            let skip = perlinInit == nil ? nil : skips[0]
            let session = PaintingSession(
                console: console, output: try results.options(), threads: Threads(painting.threads))
            var outputs = OutputPlan(session.output, results: seeds.count)
            let paths =
                telling.explain
                ? []
                : try seeds.map {
                    try outputs.path(for: .init(input: "velatura", command: "paint", seed: seeds.count > 1 ? $0 : nil))
                }
            var settings = try painting.settings()
            settings.perlinInit = perlinInit
            let studio = try session.studio(painting, settings.networks())
            let levels = skip.map { [$0] } ?? []
            try painting.complete(&settings, for: studio.model, skips: levels)
            try studio.checkLength(settings)
            try Refine(studio, settings, skips: levels, seeds: seeds).checkPlans()
            if painting.seed == nil, !telling.explain { try console.report(.note("seed \(seeds[0])")) }
            try session.warnOfWords(settings, studio)

            let paintings = seeds.map { seed in
                var settings = settings
                settings.seed = seed
                return PaintFromNoise(studio, settings, size: size.size, skip: skip)
            }
            for painting in paintings {
                let plan = try painting.plan()
                if telling.explain { console.explain(plan) } else { try console.report(.plan(plan)) }
            }
            if telling.explain { return }
            let start = clock()
            let meter = ProgressMeter(total: try paintings.reduce(0) { $0 + (try $1.work()) }, now: clock)
            for (painting, path) in zip(paintings, paths) {
                let began = clock()
                let (picture, isExact) = try painting.paint(depth: session.output.depth ?? 8) { work, stage in
                    try console.report(.progress(meter.add(work, stage: stage)))
                }
                var recipe = try session.recipe(
                    "paint", painting.settings, studio, painting.run(),
                    working: try painting.workingPlan().working, at: path)
                recipe.sourceSize = size.size
                recipe.skip = skip?.percent(of: painting.settings.steps)
                try session.note(isExact, in: &recipe, studio, at: path)
                try session.write(picture, to: path, recipe: recipe)
                try console.report(
                    .result(
                        .init(
                            path: path, input: nil, command: "paint", seed: painting.settings.seed,
                            seconds: clock() - began, hash: recipe.hash)))
            }
            session.tellProfile(of: studio, seconds: clock() - start)
        }
    }
}
