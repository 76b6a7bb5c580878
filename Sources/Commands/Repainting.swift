import Painting
import Raster
import RasterFiles
import Sampling

/// A picture that is to be repainted, with what belongs to it.
struct Subject {
    /// As the user named it; nil where painting begins on an empty canvas.
    var path: String?
    var picture: Picture
    var identity: (name: String, hash: String)?
    /// RGB that painting starts from, where that is not the picture itself.
    var sketch: FloatPicture?
    /// As its file has it, fitted to the picture.
    var mask: Mask?
    var maskFile: InputPicture?
    var strokes: InputPicture?

    init(_ input: InputPicture) { (path, picture, identity) = (input.path, input.picture, input.identity) }

    init(canvas: Picture) { picture = canvas }

    /// What messages call it.
    var name: String { path ?? strokes?.path ?? "the canvas" }
}

/// The way of every command that repaints pictures: names first, then files, then the model, then every plan, then paint.
struct Repainting {
    var command: String
    var level: LevelOptions
    var painting: PaintingOptions
    var finish: FinishOptions
    var results: ResultOptions
    var telling: TellingOptions
    /// Percent skipped where no level is given.
    var defaultSkip: String
    var defaultAnchor: Double
    var masking: Masking?
    var background: Colour?

    /// - Parameters:
    ///   - names: what results are named after, one for each subject
    ///   - subjects: reads all files and checks them; called once every name is settled
    func run(_ names: [String], subjects: (Console) throws -> [Subject]) throws {
        try telling.telling { console in
            let skips = try level.skips(default: defaultSkip, steps: painting.stepCount)
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
            let jobs = try jobs(names, session, skips, seeds)

            var settings = try painting.settings()
            finish.apply(to: &settings, anchor: defaultAnchor)
            (settings.masking, settings.background) = (masking, background)
            let subjects = try subjects(console)
            let studio = try session.studio(painting, settings, subjects: subjects)
            try painting.complete(&settings, for: studio.model, skips: skips)
            if let masking, masking.conditioning != 1, !studio.model.takesMask {
                throw PaintingError.usage(
                    "--inpainting-mask-weight changes nothing with \(studio.model.name), which sees no mask. Leave it out, or choose a model for inpainting."
                )
            }
            try paint(session, studio, settings, zip(jobs, subjects).map { ($0, $1) }, skips, seeds)
        }
    }

    /// Where the results of one subject go.
    private struct Job {
        var paths: [String] = []
        var sheet: String?
        var page: String?
    }

    /// Every name is settled, and refused where it must be, before anything is loaded.
    private func jobs(_ names: [String], _ session: PaintingSession, _ skips: [Skip], _ seeds: [UInt64]) throws -> [Job]
    {
        var plan = OutputPlan(session.output, results: names.count * skips.count * seeds.count)
        let explains = telling.explain
        return try names.map { name in
            var job = Job()
            if explains { return job }
            for seed in seeds {
                for skip in skips {
                    job.paths.append(
                        try plan.path(
                            for: .init(
                                input: name, command: command, skip: skip.percent(of: painting.stepCount),
                                seed: seeds.count > 1 ? seed : nil)))
                }
            }
            if job.paths.count > 1 {
                job.sheet = try plan.path(beside: .init(input: name, command: command), suffix: "ladder.png")
                job.page = try plan.path(beside: .init(input: name, command: command), suffix: "ladder.html")
            }
            return job
        }
    }

    /// A subject with everything that is known once the model is.
    private struct Prepared {
        var job: Job
        var subject: Subject
        var refine: Refine
        var canvas: Canvas
        var history: [String]
    }

    private func paint(
        _ session: PaintingSession, _ studio: Studio, _ settings: Settings, _ jobs: [(Job, Subject)],
        _ skips: [Skip], _ seeds: [UInt64]
    ) throws {
        let console = session.console
        var prepared: [Prepared] = []
        for (job, subject) in jobs {
            var settings = settings
            let history = try session.inherit(
                &settings, from: subject.picture, options: painting, input: subject.name,
                isFewStep: studio.model.scheduler.fewStep != nil)
            try studio.checkLength(settings)
            let refine = Refine(studio, settings, skips: skips, seeds: seeds, workSize: finish.size)
            try refine.checkPlans()
            // Every size is settled, and refused where it must be, before the first line is told.
            let canvas = try refine.canvas(subject.picture, sketch: subject.sketch, mask: subject.mask)
            prepared.append(
                Prepared(job: job, subject: subject, refine: refine, canvas: canvas, history: history))
        }
        if painting.seed == nil, !telling.explain { try console.report(.note("seed \(seeds[0])")) }
        for item in prepared {
            try session.warnOfWords(item.refine.settings, studio)
            if let warning = item.canvas.plan.warning {
                try console.report(
                    .warning(code: "reduced", text: "\(item.subject.name): \(warning)", path: item.subject.path))
            }
            try warnOfMask(item, console)
            if let path = item.job.paths.first { try session.warnOfForm(item.subject.picture, at: path) }
            for rung in item.refine.rungs() {
                let plan = item.refine.plan(rung, item.canvas, input: item.subject.path)
                if telling.explain { console.explain(plan) } else { try console.report(.plan(plan)) }
            }
        }
        if telling.explain { return }

        let meter = ProgressMeter(total: prepared.reduce(0.0) { $0 + $1.refine.work($1.canvas) }, now: clock)
        for item in prepared {
            try paint(session, studio, item) { work, stage in
                try console.report(
                    .progress(meter.add(work, stage: jobs.count > 1 ? "\(item.subject.name), \(stage)" : stage)))
            }
        }
        console.clearBar()
    }

    /// Tells of a mask that lets nothing through, and of greys that steps are too few for.
    private func warnOfMask(_ item: Prepared, _ console: Console) throws {
        guard let file = item.subject.mask else { return }
        let name = item.subject.maskFile?.path ?? "the transparency of \(item.subject.name)"
        if item.canvas.isKept {
            return try console.report(
                .warning(
                    code: "mask-black",
                    text: "\(name) lets nothing through, so \(item.subject.name) is copied and nothing is painted.",
                    path: item.subject.path))
        }
        var told: Set<Int> = []
        for rung in item.refine.rungs() where told.insert(rung.steps.count).inserted {
            guard let (greys, kept) = Masking.levels(of: file, steps: rung.steps.count) else { continue }
            try console.report(
                .warning(
                    code: "mask-greys",
                    text:
                        "\(name) has \(greys) greys but skip \(rung.percent) runs \(rung.steps.count) steps: they are rounded up to \(kept) strengths.",
                    path: item.subject.path))
        }
    }

    private func paint(
        _ session: PaintingSession, _ studio: Studio, _ item: Prepared,
        advance: @escaping (_ work: Double, _ stage: String) throws -> Void
    ) throws {
        let (refine, canvas, subject) = (item.refine, item.canvas, item.subject)
        var ladder = Ladder(
            source: canvas.source, title: subject.identity?.name ?? subject.strokes?.identity.name ?? subject.name,
            prompt: refine.settings.prompt)
        var (next, began) = (0, clock())
        try refine.paint(canvas, history: item.history.count, depth: session.output.depth, advance: advance) {
            rung, painted in
            let path = item.job.paths[next]
            next += 1
            var settings = refine.settings
            settings.seed = rung.seed
            var recipe = try session.recipe(
                command, settings, studio, rung.plan, working: canvas.plan.working, at: path)
            if !refine.runs(rung, canvas) { (recipe.run, recipe.startSigma) = (0, 0) }
            (recipe.skip, recipe.strength) = (rung.percent, rung.skip.strength(of: settings.steps))
            (recipe.source, recipe.sourceSize, recipe.history) = (subject.identity, canvas.source.size, item.history)
            (recipe.mask, recipe.strokes) = (subject.maskFile?.identity, subject.strokes?.identity)
            try session.write(painted, to: path, recipe: recipe)
            let now = clock()
            try session.console.report(
                .result(
                    .init(
                        path: path, input: subject.path, command: command, skip: rung.percent, seed: rung.seed,
                        seconds: now - began, hash: recipe.hash)))
            began = now
            if item.job.sheet != nil {
                ladder.add(
                    painted, skip: rung.percent, seed: refine.seeds.count > 1 ? rung.seed : nil, sigma: rung.sigma,
                    run: recipe.run)
            }
        }
        guard let sheet = item.job.sheet, let page = item.job.page else { return }
        try ladder.write(
            sheet: sheet, page: page, overwrite: session.output.overwrite, threads: studio.model.engine.threads)
        for path in [sheet, page] {
            try session.console.report(
                .result(
                    .init(path: path, input: subject.path, command: command, seconds: clock() - began)))
        }
    }
}
