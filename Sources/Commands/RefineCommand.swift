import ArgumentParser
import Painting
import Raster
import RasterFiles
import Sampling

struct RefineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "refine",
        abstract: "Repaint pictures from one noise level or a ladder of them.",
        discussion: """
            Each skip level keeps that percentage of the noise schedule to the picture: skip 60 changes less than skip 40. \
            All rungs of a ladder start from the same noise, so that their best parts go together.

              velatura refine samples/chelsea.png --skip 40,50,60 --prompt "a painting of forest at dawn" --seed 7
            """)

    @Argument(help: ArgumentHelp("Pictures to refine.", valueName: "in"))
    var inputs: [String]

    @OptionGroup(title: "Noise level") var level: LevelOptions
    @OptionGroup(title: "Painting") var painting: PaintingOptions

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Paint at this size, or at the source's own. (default: the source's, within the model's good area)",
            valueName: "WxH|source"))
    var workSize: String?

    @Option(name: .long, help: ArgumentHelp("Draw broad colours back to the source's, 0 to 1.", valueName: "x"))
    var colourAnchor = 0.0

    @Flag(name: .long, help: "Let a grey picture become coloured.")
    var colour = false

    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws {
        if level.skipSteps != nil, painting.sampling.runSteps != nil {
            throw ValidationError(
                "--skip-steps and --run-steps contradict each other: steps that are left out say nothing about a noise level. Give --skip."
            )
        }
        guard (0...1).contains(colourAnchor) else {
            throw ValidationError("--colour-anchor is \(colourAnchor), but a number from 0 to 1 is expected.")
        }
        if let workSize, workSize != "source", SizeArgument(argument: workSize) == nil {
            throw ValidationError("--work-size is \"\(workSize)\", but a size such as 768x512, or source, is expected.")
        }
    }

    func run() throws {
        try telling.telling { console in
            let skips = try level.skips(default: "50", steps: painting.stepCount)
            // Where the model may have its own way of counting, once it is loaded.
            if painting.sampling.runSteps == nil, painting.sampling.compat == .none,
                painting.steps != nil || level.skipSteps != nil
            {
                try Refine.checkRungs(skips, steps: painting.stepCount)
            }
            let seeds = painting.seed?.seeds ?? [randomSeed()]
            guard Set(seeds).count == seeds.count else {
                throw PaintingError.usage("--seed names a seed twice. Leave one out.")
            }
            let session = PaintingSession(console: console, output: try results.options())
            let jobs = try jobs(session, skips, seeds)

            var settings = try painting.settings()
            settings.colourAnchor = colourAnchor
            settings.keepsColour = colour
            settings.workSize = workSize
            let pictures = try jobs.map { try InputPicture($0.input) }
            let studio = try session.studio(painting, settings, pictures: pictures)
            try painting.complete(&settings, for: studio.model, skips: skips)
            try paint(session, studio, settings, zip(jobs, pictures).map { ($0, $1) }, skips, seeds)
        }
    }

    /// An input and where its results go.
    private struct Job {
        var input: String
        var paths: [String]
        var sheet: String?
        var page: String?
    }

    /// Every name is settled, and refused where it must be, before anything is loaded.
    private func jobs(_ session: PaintingSession, _ skips: [Skip], _ seeds: [UInt64]) throws -> [Job] {
        var plan = OutputPlan(session.output, results: inputs.count * skips.count * seeds.count)
        let explains = telling.explain
        return try inputs.map { input in
            var job = Job(input: input, paths: [])
            if explains { return job }
            for seed in seeds {
                for skip in skips {
                    job.paths.append(
                        try plan.path(
                            for: .init(
                                input: input, command: "refine", skip: skip.percent(of: painting.stepCount),
                                seed: seeds.count > 1 ? seed : nil)))
                }
            }
            if job.paths.count > 1 {
                job.sheet = try plan.path(beside: .init(input: input, command: "refine"), suffix: "ladder.png")
                job.page = try plan.path(beside: .init(input: input, command: "refine"), suffix: "ladder.html")
            }
            return job
        }
    }

    private func paint(
        _ session: PaintingSession, _ studio: Studio, _ settings: Settings, _ jobs: [(Job, InputPicture)],
        _ skips: [Skip],
        _ seeds: [UInt64]
    ) throws {
        let console = session.console
        let size: Refine.WorkSize =
            workSize.map { $0 == "source" ? .source : SizeArgument(argument: $0).map { .size($0.size) } ?? .good }
            ?? .good
        var prepared: [(job: Job, picture: InputPicture, refine: Refine, history: [String])] = []
        for (job, picture) in jobs {
            var settings = settings
            let history = try session.inherit(
                &settings, from: picture.picture, options: painting, input: job.input,
                isFewStep: studio.model.scheduler.fewStep != nil)
            try studio.checkLength(settings)
            let refine = Refine(studio, settings, skips: skips, seeds: seeds, workSize: size)
            try refine.checkPlans()
            prepared.append((job, picture, refine, history))
        }
        // Every size is settled, and refused where it must be, before the first line is told.
        let total = try prepared.reduce(0.0) { $0 + (try $1.refine.work($1.picture.picture.size)) }
        if painting.seed == nil, !telling.explain { try console.report(.note("seed \(seeds[0])")) }
        for item in prepared {
            try session.warnOfWords(item.refine.settings, studio)
            let source = item.picture.picture.size
            if let warning = try item.refine.workingPlan(source).warning {
                try console.report(
                    .warning(code: "reduced", text: "\(item.job.input): \(warning)", path: item.job.input))
            }
            if let path = item.job.paths.first { try session.warnOfForm(item.picture.picture, at: path) }
            for rung in item.refine.rungs() {
                let plan = try item.refine.plan(rung, source: source, input: item.job.input)
                if telling.explain { console.explain(plan) } else { try console.report(.plan(plan)) }
            }
        }
        if telling.explain { return }

        let began = clock()
        let meter = ProgressMeter(total: total, now: clock)
        for item in prepared {
            try paint(session, studio, item.job, item.picture, item.refine, item.history) { work, stage in
                try console.report(
                    .progress(meter.add(work, stage: jobs.count > 1 ? "\(item.job.input), \(stage)" : stage)))
            }
        }
        console.clearBar()
        session.tellProfile(of: studio, seconds: clock() - began)
    }

    private func paint(
        _ session: PaintingSession, _ studio: Studio, _ job: Job, _ input: InputPicture, _ refine: Refine,
        _ history: [String],
        advance: @escaping (_ work: Double, _ stage: String) throws -> Void
    ) throws {
        var ladder = Ladder(source: input.picture, title: input.identity.name, prompt: refine.settings.prompt)
        let working = try refine.workingPlan(input.picture.size).working
        var (next, began) = (0, clock())
        try refine.paint(input.picture, history: history.count, depth: session.output.depth, advance: advance) {
            rung, painted in
            let path = job.paths[next]
            next += 1
            var settings = refine.settings
            settings.seed = rung.seed
            var recipe = try session.recipe("refine", settings, studio, rung.plan, working: working, at: path)
            (recipe.skip, recipe.strength) = (rung.percent, rung.skip.strength(of: settings.steps))
            (recipe.source, recipe.sourceSize, recipe.history) = (input.identity, input.picture.size, history)
            try session.note(rung.isExact, in: &recipe, studio, at: path)
            try session.write(painted, to: path, recipe: recipe)
            let now = clock()
            try session.console.report(
                .result(
                    .init(
                        path: path, input: job.input, command: "refine", skip: rung.percent, seed: rung.seed,
                        seconds: now - began, hash: recipe.hash)))
            began = now
            if job.sheet != nil {
                ladder.add(
                    painted, skip: rung.percent, seed: refine.seeds.count > 1 ? rung.seed : nil, sigma: rung.sigma,
                    run: rung.steps.count)
            }
        }
        guard let sheet = job.sheet, let page = job.page else { return }
        try ladder.write(
            sheet: sheet, page: page, overwrite: session.output.overwrite, threads: studio.model.engine.threads)
        for path in [sheet, page] {
            try session.console.report(
                .result(.init(path: path, input: job.input, command: "refine", seconds: clock() - began)))
        }
    }
}

/// Skip, strength or steps left out: the same thing said in three ways.
struct LevelOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Percent of the schedule that the picture stands in for. (default: 50)", valueName: "p[,p…]")
    )
    var skip: String?

    @Option(name: .long, help: ArgumentHelp("The same the other way round: skip = 100·(1 − s).", valueName: "s[,s…]"))
    var strength: String?

    @Option(name: .long, help: ArgumentHelp("The same in steps that are left out.", valueName: "n[,n…]"))
    var skipSteps: String?

    func validate() throws {
        let given = [("--skip", skip), ("--strength", strength), ("--skip-steps", skipSteps)].filter { $0.1 != nil }
            .map(\.0)
        if given.count > 1 {
            throw ValidationError(
                "\(given.joined(separator: " and ")) say the same thing in two ways. Give only one of them.")
        }
    }

    func skips(default percent: String, steps: Int) throws -> [Skip] {
        func list(_ text: String, _ option: String, _ expected: String, _ read: (String) -> Skip?) throws -> [Skip] {
            try text.split(separator: ",", omittingEmptySubsequences: false).map { part in
                guard let skip = read(String(part).trimmingSpaces()) else {
                    throw PaintingError.usage("\(option) is \"\(part)\", but \(expected) is expected.")
                }
                return skip
            }
        }
        if let strength {
            return try list(strength, "--strength", "a number from 0 to 1 with at most 8 decimals") {
                Skip(strength: $0)
            }
        }
        if let skipSteps {
            return try list(skipSteps, "--skip-steps", "a whole number from 0 to \(steps)") { text in
                Int(text).flatMap { (0...steps).contains($0) ? Skip(steps: $0) : nil }
            }
        }
        return try list(skip ?? percent, "--skip", "a percentage from 0 to 100 with at most 6 decimals") {
            Skip(percent: $0)
        }
    }
}

extension String {
    func trimmingSpaces() -> String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
