import Checkpoints
import Raster
import RasterFiles
import Sampling
import Tensors
import Threads

/// Repaints a picture from one or several noise levels: the ladder. All rungs share the same noise, the text is read once
/// and the picture encoded once.
package struct Refine {
    package var studio: Studio
    package var settings: Settings
    package var skips: [Skip]
    package var seeds: [UInt64]
    /// How the working size is chosen.
    package var workSize: WorkSize

    package enum WorkSize: Sendable {
        /// The model's good area at most.
        case good
        case source
        case size(PixelSize)
    }

    package init(_ studio: Studio, _ settings: Settings, skips: [Skip], seeds: [UInt64], workSize: WorkSize = .good) {
        (self.studio, self.settings, self.skips) = (studio, settings, skips)
        (self.seeds, self.workSize) = (seeds, workSize)
    }

    /// One result to paint.
    package struct Rung: Sendable {
        package let skip: Skip
        /// The percentage, as in names.
        package let percent: String
        package let seed: UInt64
        package let plan: RunPlan
        /// It was painted again in 32 bits, since bfloat16 gave no picture.
        package fileprivate(set) var isExact = false

        package var steps: [Step] { plan.steps }
        /// σ at the start, noise for one part of picture.
        package var sigma: Double { plan.sigma }
    }

    /// Pixels that can be painted in one piece.
    package static let largestArea = 1 << 26

    private var threads: Threads { studio.model.engine.threads }

    /// Skips that would run the same steps from the same level are refused, before any model is loaded.
    ///
    /// - Throws: ``PaintingError/usage(_:)``
    package static func checkRungs(_ skips: [Skip], steps: Int) throws(PaintingError) {
        for (index, skip) in skips.enumerated() {
            guard let twin = skips[..<index].first(where: { $0.run(of: steps) == skip.run(of: steps) }) else {
                continue
            }
            let run = skip.run(of: steps)
            let what = run == 0 ? "run nothing" : "run the same last \(run) of \(steps) steps"
            throw .usage(
                "Skip \(twin.percent(of: steps)) and skip \(skip.percent(of: steps)) both \(what). Leave one out, or raise --steps."
            )
        }
    }

    /// Rungs that would run the same steps from the same level after all, once the model's schedule is known, are refused,
    /// and so are more steps than a level has room for.
    ///
    /// - Throws: ``PaintingError/usage(_:)``
    package func checkPlans() throws(PaintingError) {
        let scheduler = studio.model.scheduler
        for skip in skips {
            guard let runSteps = settings.runSteps else { break }
            let most = studio.model.room(for: skip, settings.sampler)
            guard runSteps <= most || skip.run(of: 1) == 0 else {
                throw .usage(
                    "--run-steps is \(runSteps), but skip \(skip.percent(of: settings.steps)) has room for \(most) steps. Lower --run-steps or the skip."
                )
            }
        }
        let plans = skips.map { settings.plan($0, scheduler) }
        for (index, plan) in plans.enumerated() {
            guard let twin = plans[..<index].firstIndex(of: plan) else { continue }
            let names = [twin, index].map { "skip \(skips[$0].percent(of: settings.steps))" }
            throw .usage(
                "\(names[0].capitalisedFirst) and \(names[1]) would both run \(plan.steps.count) steps from the same level. Leave one out."
            )
        }
    }

    package func rungs() -> [Rung] {
        let plans = skips.map { settings.plan($0, studio.model.scheduler) }
        return seeds.flatMap { seed in
            zip(skips, plans).map { skip, plan in
                Rung(skip: skip, percent: skip.percent(of: settings.steps), seed: seed, plan: plan)
            }
        }
    }

    package func workingPlan(_ source: PixelSize) throws(PaintingError) -> WorkingPlan {
        let (multiple, area) = (studio.model.multiple, studio.model.goodArea)
        let asked: PixelSize =
            switch workSize {
            case .good: PixelSize(width: 1, height: 1)
            case .source: source
            case .size(let size): size
            }
        // Sides first: their product might not be a number.
        guard max(asked.width, asked.height) <= Self.largestArea, asked.area <= Self.largestArea else {
            throw .unsuitable(
                "The working size \(asked) has more than the \(Self.largestArea) pixels that can be painted at once. Paint smaller."
            )
        }
        do throws(FitError) {
            switch workSize {
            case .good: return try WorkingPlan(source: source, multiple: multiple, goodArea: area)
            case .source: return try WorkingPlan(source: source, multiple: multiple)
            case .size(let size): return try WorkingPlan(source: source, multiple: multiple, size: size)
            }
        } catch {
            throw .unsuitable(error.description)
        }
    }

    package func plan(_ rung: Rung, source: PixelSize, input: String?) throws(PaintingError) -> PaintingEvent.Plan {
        let working = try workingPlan(source).working
        let estimate =
            rung.plan.start == nil
            ? Estimate.nothing
            : try studio.model.estimate(
                working, predictions: settings.predictions, encodes: true, runs: [rung.plan.evaluations])
        return PaintingEvent.Plan(
            source: source, working: working, steps: settings.steps, run: rung.steps.count, sigma: rung.sigma,
            seconds: estimate.seconds, bytes: estimate.bytes, disk: estimate.disk, times: rung.steps.map(\.from.time),
            input: input, skip: rung.percent, seed: rung.seed, sampler: settings.sampler.rawValue,
            schedule: settings.schedule.rawValue, guidance: settings.effectiveGuidance,
            words: studio.count(settings, evaluations: rung.plan.evaluations))
    }

    /// Work of all rungs over a picture, for progress.
    package func work(_ source: PixelSize) throws(PaintingError) -> Double {
        let size = try workingPlan(source).working
        let model = studio.model
        let step = model.stepWork(size, predictions: settings.predictions).operations
        let codec = model.codecWork(size, decoding: true).operations
        return rungs().reduce(model.codecWork(size, decoding: false).operations) {
            $0 + ($1.plan.start == nil ? 0 : Double($1.plan.evaluations) * step + codec)
        }
    }

    /// Paints every rung of one picture and hands each over as soon as it is done.
    ///
    /// - Parameters:
    ///   - history: recipes of the source's past
    ///   - advance: told of work done, in the unit of ``work(_:)``; may throw to stop
    ///   - deliver: takes each result
    package func paint(
        _ source: Picture, history: Int = 0, depth: Int? = nil,
        advance: @escaping (_ work: Double, _ stage: String) throws -> Void,
        deliver: (Rung, Picture) throws -> Void
    ) throws {
        let plan = try workingPlan(source.size)
        let model = studio.model
        let rungs = rungs()
        var working: Tensor?
        var encoded: (latents: Tensor, seed: UInt64)?
        for rung in rungs {
            guard rung.plan.start != nil else {
                // Everything skipped: the source's own pixels, never decoded or rounded.
                try deliver(rung, depth.map { source.converted(depth: $0) } ?? source)
                continue
            }
            var settings = settings
            settings.seed = rung.seed
            var painter = LatentPainter(studio, settings, size: plan.working, pass: history)
            let picture =
                working
                ?? Tensor(
                    picture: plan.prepare(
                        source.floats(threads: threads).bleedingColours(threads: threads), threads: threads))
            working = picture
            let known = encoded.flatMap { settings.encode == .mean || $0.seed == rung.seed ? $0.latents : nil }
            let latents = try painter.encode(picture, known: known)
            if known == nil {
                try advance(model.codecWork(plan.working, decoding: false).operations, "reading the picture")
            }
            encoded = (latents, rung.seed)
            let stage = "skip \(rung.percent)" + (seeds.count > 1 ? ", seed \(rung.seed)" : "")
            let step = model.stepWork(plan.working, predictions: settings.predictions).operations
            let (decoded, isExact) = try painter.picture(" at skip \(rung.percent)") { painter in
                try painter.paint(latents, rung.plan) { try advance(step, stage) }
            }
            try advance(model.codecWork(plan.working, decoding: true).operations, stage)
            var rung = rung
            rung.isExact = isExact
            let restored = anchored(
                plan.restore(decoded, threads: threads), to: source.floats(threads: threads),
                amount: settings.colourAnchor,
                threads: threads)
            try deliver(
                rung,
                finished(restored, over: source, keepsColour: settings.keepsColour, depth: depth, threads: threads))
        }
        Storage.trim()
    }
}
