import Painting
import Raster
import RasterFiles

/// One picture on its way through ``Repainting``.
final class RepaintingWork: ItemWork {
    let item: Item
    let session: PaintingSession
    private let repainting: Repainting
    /// As the options say; what belongs to the picture and the model comes to it later.
    private let settings: Settings
    private let skips: [Skip]
    private let seeds: [UInt64]
    private let read: (Item) throws -> Subject

    private var job = Job()
    private var subject: Subject?
    private var prepared: Prepared?

    /// Where the results go.
    private struct Job {
        var paths: [String] = []
        var sheet: String?
        var page: String?
    }

    /// Everything that is known once the model is.
    private struct Prepared {
        var subject: Subject
        var studio: Studio
        var refine: Refine
        var canvas: Canvas
        var history: [String]
        /// One for each rung.
        var recipes: [Recipe] = []
    }

    init(
        _ repainting: Repainting, _ item: Item, _ session: PaintingSession, _ settings: Settings, skips: [Skip],
        seeds: [UInt64], read: @escaping (Item) throws -> Subject
    ) {
        (self.repainting, self.item, self.session, self.settings) = (repainting, item, session, settings)
        (self.skips, self.seeds, self.read) = (skips, seeds, read)
    }

    private var command: String { repainting.command }
    private var painting: PaintingOptions { repainting.painting }

    // MARK: Names

    var resultCount: Int { skips.count * seeds.count }
    var paths: [String] { job.paths + [job.sheet, job.page].compactMap { $0 } }

    func settle(_ names: inout OutputPlan) throws {
        names.options = session.output
        func result(_ skip: Skip? = nil, _ seed: UInt64? = nil) -> OutputPlan.Result {
            .init(
                input: item.input, command: command, skip: skip?.percent(of: painting.stepCount),
                seed: seeds.count > 1 ? seed : nil, soleSeed: seeds.count == 1 ? seeds[0] : nil,
                subfolder: item.subfolder)
        }
        job = Job()
        for seed in seeds {
            for skip in skips { job.paths.append(try names.path(for: result(skip, seed))) }
        }
        if job.paths.count > 1 {
            job.sheet = try names.path(beside: result(), suffix: "ladder.png")
            job.page = try names.path(beside: result(), suffix: "ladder.html")
        }
    }

    // MARK: Files and model

    func check(_ size: PixelSize, mask: PixelSize?) throws {
        _ = try repainting.masking?.outpainting?.margins(of: size, name: item.input)
        guard let masking = repainting.masking, let path = item.mask, let mask else { return }
        try masking.check(mask, name: path, for: item.input, size)
    }

    func request() throws -> StudioRequest? {
        try session.request(
            painting, try worded(),
            inheritingFrom: item.words == nil ? subject.map { ($0.name, $0.picture.metadata) } : nil)
    }

    private func worded() throws -> Settings { try session.worded(settings, painting, item) }

    func open() throws { subject = try read(item) }

    func prepare(_ studio: Studio?) throws {
        guard let subject, let studio else { return }
        var settings = try worded()
        try painting.complete(&settings, for: studio.model, skips: skips)
        if let masking = repainting.masking, masking.conditioning != 1, !studio.model.takesMask {
            throw PaintingError.usage(
                "--inpainting-mask-weight changes nothing with \(studio.model.name), which sees no mask. Leave it out, or choose a model for inpainting."
            )
        }
        let history =
            item.words == nil
            ? try session.inherit(
                &settings, from: subject.picture.metadata, options: painting, input: subject.name,
                isFewStep: studio.model.scheduler.fewStep != nil)
            : Inheritance(subject.picture.metadata).history
        try studio.checkLength(settings)
        if settings.inversion != nil, settings.inversion?.prompt == nil {
            let own = Inheritance(subject.picture.metadata).prompt
            settings.inversion?.prompt = own.map { PromptTags($0).rest } ?? PromptTags(settings.prompt).rest
        }
        try settings.checkInversion(of: subject.name)
        settings.masking = settings.masking?.settled(for: subject.picture.size)
        let refine = Refine(studio, settings, skips: skips, seeds: seeds, workSize: repainting.finish.size)
        try refine.checkPlans()
        // Every size is settled, and refused where it must be, before the first line is told.
        let canvas = try refine.canvas(
            subject.picture, sketch: subject.sketch, mask: subject.mask, name: subject.name,
            isPlan: repainting.telling.explain)
        prepared = Prepared(subject: subject, studio: studio, refine: refine, canvas: canvas, history: history)
    }

    func work(_ size: PixelSize, _ studio: Studio?) throws -> Double {
        guard let studio else { return 0 }
        var settings = try worded()
        try painting.complete(&settings, for: studio.model, skips: skips)
        return try Refine(studio, settings, skips: skips, seeds: seeds, workSize: repainting.finish.size).work(size)
    }

    var work: Double { prepared.map { $0.refine.work($0.canvas) } ?? 0 }

    func close() { (subject, prepared) = (nil, nil) }

    // MARK: Recipes

    func recipes() throws -> [ExpectedResult] {
        guard let ready = prepared else { return [] }
        let made = try made()
        let rungs = try zip(job.paths, made).map { path, recipe in
            var exact = recipe
            exact.kernels = try ready.studio.model.engine.kernels(isExact: true)
            return ExpectedResult(
                path: path, recipes: [recipe.hash, exact.hash], carriesRecipe: session.output.writesRecipe)
        }
        let hash = ladderHash(made)
        return rungs
            + [job.sheet, job.page].compactMap { $0 }.map { .init(path: $0, recipes: [hash], carriesRecipe: false) }
    }

    /// What the sheet and the page of a ladder are made from.
    private func ladderHash(_ rungs: [Recipe]) -> String {
        SHA256.hash(Array(rungs.map(\.hash).joined(separator: " ").utf8))
    }

    /// The recipe of each rung, as planned.
    private func made() throws -> [Recipe] {
        guard let ready = prepared else { return [] }
        if !ready.recipes.isEmpty { return ready.recipes }
        let (refine, canvas, subject) = (ready.refine, ready.canvas, ready.subject)
        let recipes = try zip(refine.rungs(), job.paths).map { rung, path in
            var settings = refine.settings
            settings.seed = rung.seed
            var recipe = try session.recipe(
                command, settings, ready.studio, rung.plan, working: canvas.plan.working, at: path)
            recipe.run = rung.stepCount
            if !refine.runs(rung, canvas) { (recipe.run, recipe.startSigma) = (0, 0) }
            (recipe.skip, recipe.strength) = (rung.percent, rung.skip.strength(of: settings.steps))
            (recipe.source, recipe.sourceSize, recipe.history) = (subject.identity, canvas.source.size, ready.history)
            (recipe.mask, recipe.strokes) = (subject.maskFile?.identity, subject.strokes?.identity)
            return recipe
        }
        prepared?.recipes = recipes
        return recipes
    }

    // MARK: Telling

    func tell() throws {
        guard let ready = prepared else { return }
        let console = session.console
        let (refine, canvas, subject) = (ready.refine, ready.canvas, ready.subject)
        try session.warnOfWords(refine.settings, ready.studio)
        if let warning = canvas.plan.warning {
            try console.report(.warning(code: "reduced", text: "\(subject.name): \(warning)", path: subject.path))
        }
        try warnOfMask(ready)
        try console.warnOfColour(
            subject.picture, named: subject.name, in: job.paths.first.map(session.output.format))
        if let strokes = subject.strokes { try console.warnOfColour(strokes.picture, named: strokes.path) }
        if let path = job.paths.first { try session.warnOfForm(subject.picture, at: path) }
        for rung in refine.rungs() {
            let plan = try refine.plan(rung, canvas, input: subject.path)
            if repainting.telling.explain { console.explain(plan) } else { try console.report(.plan(plan)) }
        }
    }

    /// Tells of a mask that lets nothing through, and of greys that steps are too few for.
    private func warnOfMask(_ ready: Prepared) throws {
        if ready.canvas.enlarged != nil, ready.canvas.isKept {
            return try session.console.report(
                .warning(
                    code: "nothing-new",
                    text:
                        "\(ready.subject.name) has these proportions already, so it is copied and nothing is painted.",
                    path: ready.subject.path))
        }
        guard let file = ready.subject.mask else { return }
        let subject = ready.subject
        let name = subject.maskFile?.path ?? "the transparency of \(subject.name)"
        if ready.canvas.isKept {
            return try session.console.report(
                .warning(
                    code: "mask-black",
                    text: "\(name) lets nothing through, so \(subject.name) is copied and nothing is painted.",
                    path: subject.path))
        }
        var told: Set<Int> = []
        for rung in ready.refine.rungs() where told.insert(rung.steps.count).inserted {
            guard let (greys, kept) = Masking.levels(of: file, steps: rung.steps.count) else { continue }
            try session.console.report(
                .warning(
                    code: "mask-greys",
                    text:
                        "\(name) has \(greys) greys but skip \(rung.percent) runs \(rung.steps.count) steps: they are rounded up to \(kept) strengths.",
                    path: subject.path))
        }
    }

    // MARK: Painting

    func make(_ advance: Share) throws {
        guard let ready = prepared else { return }
        let (refine, canvas, subject) = (ready.refine, ready.canvas, ready.subject)
        let recipes = try made()
        var ladder = Ladder(
            source: canvas.source, title: subject.identity?.name ?? subject.strokes?.identity.name ?? subject.name,
            prompt: refine.settings.prompt)
        var (next, began) = (0, clock())
        func report(_ path: String, _ rung: Refine.Rung? = nil, _ hash: String? = nil) throws {
            let now = clock()
            try session.console.report(
                .result(
                    .init(
                        path: path, input: subject.path, command: command, skip: rung?.percent, seed: rung?.seed,
                        seconds: now - began, hash: hash)))
            began = now
        }
        try refine.paint(
            canvas, history: Inheritance(subject.picture.metadata).passes, depth: session.output.depth,
            advance: { try advance($0, $1) }
        ) { rung, painted in
            let path = job.paths[next]
            var recipe = recipes[next]
            next += 1
            try session.note(rung.isExact, in: &recipe, ready.studio, at: path)
            try session.write(painted, to: path, recipe: recipe)
            try report(path, rung, recipe.hash)
            if job.sheet != nil {
                ladder.add(
                    painted, skip: rung.percent, seed: seeds.count > 1 ? rung.seed : nil, sigma: rung.sigma,
                    run: recipe.run)
            }
        }
        guard let sheet = job.sheet, let page = job.page else { return }
        let files = try ladder.files(threads: ready.studio.model.engine.threads)
        let hash = ladderHash(recipes)
        for (path, bytes) in [(sheet, files.sheet), (page, files.page)] {
            try session.write(bytes, to: path, hash: hash)
            try report(path)
        }
    }
}
