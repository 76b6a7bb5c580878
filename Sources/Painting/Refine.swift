import Checkpoints
import Networks
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
        /// What runs in each loop, and from which level.
        package let loops: [(skip: Skip, plan: RunPlan)]
        /// It was painted again in 32 bits, since bfloat16 gave no picture.
        package fileprivate(set) var isExact = false

        /// Of the first loop.
        package var plan: RunPlan { loops[0].plan }
        package var steps: [Step] { plan.steps }
        /// σ at the start, noise for one part of picture.
        package var sigma: Double { plan.sigma }
        /// Steps of all loops.
        package var stepCount: Int { loops.reduce(0) { $0 + $1.plan.steps.count } }
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
        for skip in skips + [settings.loops.last].compactMap({ $0 }) {
            guard let runSteps = settings.runSteps else { break }
            let most = studio.model.room(for: skip, settings.sampler)
            guard runSteps <= most || skip.run(of: 1) == 0 else {
                throw .usage(
                    "--run-steps is \(runSteps), but skip \(skip.percent(of: settings.steps)) has room for \(most) steps. Lower --run-steps or the skip."
                )
            }
        }
        let plans = skips.map { settings.plan($0, scheduler) }
        if settings.inversion != nil,
            let skip = zip(skips, plans).first(where: { $1.start?.ratio.isFinite == false })?.0
        {
            throw .usage(
                "--from-inversion cannot reach the level of skip \(skip.percent(of: settings.steps)), where \(studio.model.name) has noise alone. Raise the skip."
            )
        }
        for (index, plan) in plans.enumerated() {
            guard let twin = plans[..<index].firstIndex(of: plan) else { continue }
            let names = [twin, index].map { "skip \(skips[$0].percent(of: settings.steps))" }
            throw .usage(
                "\(names[0].capitalisedFirst) and \(names[1]) would both run \(plan.steps.count) steps from the same level. Leave one out."
            )
        }
    }

    package func rungs() -> [Rung] {
        let loops = skips.map { skip in
            settings.loops.skips(from: skip, steps: settings.steps).map {
                (skip: $0, plan: settings.plan($0, studio.model.scheduler))
            }
        }
        return seeds.flatMap { seed in
            zip(skips, loops).map { skip, loops in
                Rung(skip: skip, percent: skip.percent(of: settings.steps), seed: seed, loops: loops)
            }
        }
    }

    /// A picture as it will be painted.
    ///
    /// - Parameters:
    ///   - sketch: RGB of its size that painting starts from, where that is not the picture itself
    ///   - mask: of its size, as it is in its file
    ///   - name: what messages call the picture
    ///   - isPlan: whether it is only planned and never painted
    /// - Throws: ``PaintingError`` where the size cannot be painted
    package func canvas(
        _ source: Picture, sketch: FloatPicture? = nil, mask: Mask? = nil, name: String = "the picture",
        isPlan: Bool = false
    ) throws(PaintingError) -> Canvas {
        if let masking = settings.masking, let outpainting = masking.outpainting {
            let margins = try outpainting.margins(of: source.size, name: name)
            // What cannot be painted is refused before it is filled.
            _ = try workSize.plan(margins.around(source.size), for: studio.model)
            let (picture, mask) = outpainting.enlarged(source, by: margins, isPlan: isPlan, threads: threads)
            let place = Rectangle(
                x: margins.left, y: margins.top, width: source.size.width, height: source.size.height)
            return try Canvas(
                picture, sketch: nil, mask: mask, masking, workSize, for: studio.model, enlarged: place)
        }
        let masking = mask.map { _ in settings.masking ?? Masking() }
        return try Canvas(
            source, sketch: sketch, mask: mask.flatMap { masking?.shaped($0, threads: threads) }, masking, workSize,
            for: studio.model)
    }

    package func plan(_ rung: Rung, _ canvas: Canvas, input: String?) throws(PaintingError) -> PaintingEvent.Plan {
        let (working, runs) = (canvas.plan.working, runs(rung, canvas))
        let estimate =
            runs
            ? try studio.model.estimate(
                working, predictions: settings.predictions, encodes: true,
                runs: rung.loops.map { calls($0.plan, $0.skip) },
                step: stepWork(working, rung.plan)) : Estimate.nothing
        return PaintingEvent.Plan(
            source: canvas.enlarged?.size ?? canvas.source.size,
            enlarged: canvas.enlarged == nil ? nil : canvas.source.size,
            area: canvas.mask == nil ? nil : canvas.frame, masked: canvas.mask?.share, working: working,
            tiles: (runs ? tiles(working)?.count : nil) ?? 1, steps: settings.steps,
            run: runs ? rung.stepCount : 0,
            loops: runs && rung.loops.count > 1
                ? rung.loops.map { .init(strength: $0.skip.strength(of: settings.steps), run: $0.plan.steps.count) }
                : [],
            sigma: runs ? rung.sigma : 0,
            seconds: estimate.seconds, bytes: estimate.bytes, disk: estimate.disk,
            times: runs ? rung.steps.map(\.from.time) : [],
            input: input, skip: rung.percent, seed: rung.seed, sampler: settings.sampler.rawValue,
            schedule: settings.schedule.rawValue, guidance: settings.effectiveGuidance,
            words: studio.count(settings, evaluations: rung.plan.evaluations), networks: studio.networks(in: settings),
            departures: settings.departures, beginning: settings.beginning)
    }

    /// How a picture beyond the good area is looked at where it is painted at its own size: in tiles that advance together.
    private func tiles(_ working: PixelSize) -> LatentTiles? {
        guard case .source = workSize, working.area > studio.model.goodArea else { return nil }
        return studio.model.latentTiles(working)
    }

    private func stepWork(_ size: PixelSize, _ run: RunPlan) -> Work {
        studio.model.stepWork(size, settings, run, in: tiles(size))
    }

    /// Whether a rung paints anything.
    package func runs(_ rung: Rung, _ canvas: Canvas) -> Bool {
        rung.loops.contains { $0.plan.start != nil } && !canvas.isKept
    }

    /// Times that the network is asked in a loop.
    private func calls(_ plan: RunPlan, _ skip: Skip) -> Int {
        plan.evaluations + (settings.way(plan, skip, studio.model.scheduler)?.evaluations ?? 0)
    }

    /// Pictures that are encoded once for all rungs.
    private func encodings(_ canvas: Canvas) -> Int {
        guard canvas.mask != nil, let masking = settings.masking else { return 1 }
        let fills: Bool
        switch masking.fill {
        case .blur, .colour: fills = true
        default: fills = settings.perlinInit != nil
        }
        return 1 + (fills ? 1 : 0) + (studio.model.takesMask ? 1 : 0)
    }

    /// Work of all rungs over a canvas, for progress.
    package func work(_ canvas: Canvas) -> Double {
        work(canvas.plan.working, encodings: encodings(canvas)) { runs($0, canvas) }
    }

    /// The same of a picture of which only the size is known yet.
    ///
    /// - Throws: ``PaintingError`` where the size cannot be painted
    package func work(_ source: PixelSize) throws(PaintingError) -> Double {
        let source =
            try settings.masking?.outpainting?.margins(of: source, name: "the picture").around(source) ?? source
        return work(try workSize.plan(source, for: studio.model).working, encodings: 1) {
            $0.loops.contains { $0.plan.start != nil }
        }
    }

    private func work(_ size: PixelSize, encodings: Int, runs: (Rung) -> Bool) -> Double {
        let model = studio.model
        let codec = model.codecWork(size, decoding: true).operations
        let encoding = model.codecWork(size, decoding: false).operations
        let times = encodings * (settings.beginsBySeed ? seeds.count : 1)
        return rungs().filter(runs).reduce(encoding * Double(times)) { sum, rung in
            let painted = rung.loops.filter { $0.plan.start != nil }
            return painted.reduce(sum + encoding * Double(painted.count - 1)) { sum, loop in
                let step = stepWork(size, loop.plan).operations
                return sum + Double(calls(loop.plan, loop.skip)) * step + codec
            }
        }
    }

    /// Paints every rung of one canvas and hands each over as soon as it is done.
    ///
    /// - Parameters:
    ///   - history: recipes of the source's past
    ///   - advance: told of work done, in the unit of ``work(_:)``; may throw to stop
    ///   - deliver: takes each result
    package func paint(
        _ canvas: Canvas, history: Int = 0, depth: Int? = nil,
        advance: @escaping (_ work: Double, _ stage: String) throws -> Void,
        deliver: (Rung, Picture) throws -> Void
    ) throws {
        let (plan, model) = (canvas.plan, studio.model)
        var prepared: (ground: Ground, seed: UInt64)?
        var encoded: (latents: [Tensor], seed: UInt64)?
        var beside: Tensor?
        for rung in rungs() {
            guard runs(rung, canvas) else {
                try deliver(rung, canvas.unpainted(depth: depth, threads: threads))
                continue
            }
            var own = settings
            own.seed = rung.seed
            let begun = prepared.flatMap { !settings.beginsBySeed || $0.seed == rung.seed ? $0.ground : nil }
            let ground = begun ?? Ground(canvas, own, pass: history, for: model, threads: threads)
            if begun == nil { (prepared, beside) = ((ground, rung.seed), nil) }
            var rung = rung
            var painted: FloatPicture?
            for (loop, (skip, run)) in rung.loops.enumerated() where run.start != nil {
                var settings = settings
                // Generators that know no passes are seeded anew, as the web UI does.
                settings.seed = settings.rng == .position ? rung.seed : rung.seed &+ UInt64(loop)
                var painter = LatentPainter(studio, settings, size: plan.working, pass: history + loop)
                let latents: [Tensor]
                var advanced = 0
                if let last = painted {
                    latents = [try painter.encode(Tensor(picture: between(last, ground)))]
                    advanced = 1
                } else {
                    let known = encoded.flatMap {
                        settings.encode == .mean && !settings.beginsBySeed || $0.seed == settings.seed
                            ? $0.latents : nil
                    }
                    latents = try painter.encode([ground.picture] + [ground.filled].compactMap { $0 }, known: known)
                    encoded = (latents, settings.seed)
                    if known == nil { advanced = encodings(canvas) }
                }
                if let plane = ground.plane, beside == nil {
                    beside = plane.cells.joined(try model.codec.encode(plane.picture))
                }
                if advanced > 0 {
                    let encoding = model.codecWork(plan.working, decoding: false).operations
                    try advance(encoding * Double(advanced), "reading the picture")
                }
                let stage =
                    "skip \(rung.percent)" + (seeds.count > 1 ? ", seed \(rung.seed)" : "")
                    + (rung.loops.count > 1 ? ", loop \(loop + 1)" : "")
                let step = stepWork(plan.working, run).operations
                let held = ground.cells.map {
                    LatentPainter.Held(
                        source: latents[0], strength: $0.strength, fill: settings.masking?.fill ?? .original)
                }
                let way = settings.way(run, skip, model.scheduler)
                let (decoded, isExact) = try painter.picture(
                    " at skip \(rung.percent)", from: ground.picture
                ) { painter in
                    try painter.paint(
                        latents[latents.count - 1], run, held: held, beside: beside, tiles: tiles(plan.working),
                        way: way
                    ) { try advance(step, stage) }
                }
                try advance(model.codecWork(plan.working, decoding: true).operations, stage)
                rung.isExact = rung.isExact || isExact
                painted = decoded
            }
            guard let painted else { continue }
            try deliver(rung, finished(plan.restore(painted, threads: threads), canvas, ground, depth: depth))
        }
        Storage.trim()
    }

    /// What one loop made as the next one takes it: broad colours are drawn back to those of the first source, not the last's.
    private func between(_ painted: FloatPicture, _ ground: Ground) -> FloatPicture {
        var picture = anchored(
            painted, to: ground.picture.picture(), amount: settings.colourAnchor, threads: threads)
        picture.values = picture.values.map { min(1, max(0, $0)) }
        return picture
    }

    /// What was painted, laid over the source.
    private func finished(_ painted: FloatPicture, _ canvas: Canvas, _ ground: Ground, depth: Int?) -> Picture {
        if let mask = canvas.mask, let cells = ground.cells {
            return Joint(
                canvas: canvas, mask: mask, cells: cells, amount: settings.colourAnchor,
                factor: studio.model.codec.factor, blur: settings.masking?.ramp ?? 0, threads: threads
            ).laid(
                painted, keepsColour: settings.keepsColour, hasResidue: settings.perlinInit == nil, depth: depth)
        }
        let restored = anchored(
            painted, to: canvas.space.seen(canvas.source.floats(threads: threads), threads: threads),
            amount: settings.colourAnchor, threads: threads)
        return Painting.finished(restored, over: canvas, settings, depth: depth, threads: threads)
    }
}
