import Raster
import Sampling
import Tensors
import Threads

/// Paints from noise alone, or from a picture of Perlin noise: no init image.
package struct PaintFromNoise {
    package var studio: Studio
    package var settings: Settings
    /// Size of the picture; painted at the next multiples and cut.
    package var size: PixelSize

    /// The noise level at which a picture of Perlin noise is taken up.
    package var skip: Skip?

    /// - Parameter skip: with ``Settings/perlinInit`` alone
    package init(_ studio: Studio, _ settings: Settings, size: PixelSize, skip: Skip? = nil) {
        (self.studio, self.settings, self.size, self.skip) = (studio, settings, size, skip)
    }

    package func workingPlan() throws(PaintingError) -> WorkingPlan {
        do throws(FitError) {
            return try WorkingPlan(source: size, multiple: studio.model.multiple)
        } catch {
            throw .unsuitable(error.description)
        }
    }

    package func run() -> RunPlan { settings.plan(skip, studio.model.scheduler) }

    package func plan() throws(PaintingError) -> PaintingEvent.Plan {
        let (working, run) = (try workingPlan().working, run())
        let estimate = try studio.model.estimate(
            working, predictions: settings.predictions, encodes: skip != nil, runs: [run.evaluations],
            step: studio.model.stepWork(working, settings, run))
        return PaintingEvent.Plan(
            source: nil, working: working, steps: settings.steps, run: run.steps.count, sigma: run.sigma,
            seconds: estimate.seconds, bytes: estimate.bytes, disk: estimate.disk, times: run.steps.map(\.from.time),
            input: nil, skip: skip?.percent(of: settings.steps),
            seed: settings.seed, sampler: settings.sampler.rawValue, schedule: settings.schedule.rawValue,
            guidance: settings.effectiveGuidance,
            words: studio.count(settings, evaluations: run.evaluations), networks: studio.networks(in: settings),
            departures: settings.departures, beginning: settings.beginning)
    }

    package func work() throws(PaintingError) -> Double {
        let (working, model) = (try workingPlan().working, studio.model)
        let run = run()
        let encoding = skip == nil ? 0 : model.codecWork(working, decoding: false).operations
        return encoding + Double(run.evaluations) * model.stepWork(working, settings, run).operations
            + model.codecWork(working, decoding: true).operations
    }

    /// - Returns: the picture, and whether it was painted again in 32 bits since bfloat16 gave none
    package func paint(depth: Int, advance: @escaping (_ work: Double, _ stage: String) throws -> Void) throws
        -> (Picture, isExact: Bool)
    {
        let (plan, model) = (try workingPlan(), studio.model)
        let start = settings.perlinStart(plan.working, threads: model.engine.threads)
        // Nothing runs: it comes back as it is.
        if let start, run().start == nil { return (plan.restore(start).picture(depth: depth), false) }
        let step = model.stepWork(plan.working, settings, run()).operations
        var painter = LatentPainter(studio, settings, size: plan.working)
        let latents = try start.map { try painter.encode(Tensor(picture: $0)) }
        if start != nil { try advance(model.codecWork(plan.working, decoding: false).operations, "painting") }
        let (decoded, isExact) = try painter.picture { painter in
            try painter.paint(latents, run()) { try advance(step, "painting") }
        }
        try advance(model.codecWork(plan.working, decoding: true).operations, "painting")
        return (plan.restore(decoded).picture(depth: depth), isExact)
    }
}
