import Raster
import Sampling
import Tensors
import Threads

/// Paints from noise alone: no init image.
package struct PaintFromNoise {
    package var studio: Studio
    package var settings: Settings
    /// Size of the picture; painted at the next multiples and cut.
    package var size: PixelSize

    package init(_ studio: Studio, _ settings: Settings, size: PixelSize) {
        (self.studio, self.settings, self.size) = (studio, settings, size)
    }

    package func workingPlan() throws(PaintingError) -> WorkingPlan {
        do throws(FitError) {
            return try WorkingPlan(source: size, multiple: studio.model.multiple)
        } catch {
            throw .unsuitable(error.description)
        }
    }

    package func run() -> RunPlan { settings.plan(nil, studio.model.scheduler) }

    package func plan() throws(PaintingError) -> PaintingEvent.Plan {
        let (working, run) = (try workingPlan().working, run())
        let estimate = studio.model.estimate(
            working, predictions: settings.predictions, encodes: false, runs: [run.evaluations],
            step: studio.model.stepWork(working, settings, run))
        return PaintingEvent.Plan(
            source: nil, working: working, steps: settings.steps, run: run.steps.count, sigma: run.sigma,
            seconds: estimate.seconds, bytes: estimate.bytes, times: run.steps.map(\.from.time), input: nil, skip: nil,
            seed: settings.seed, sampler: settings.sampler.rawValue, schedule: settings.schedule.rawValue,
            guidance: settings.effectiveGuidance,
            words: studio.count(settings, evaluations: run.evaluations), networks: studio.networks(in: settings),
            departures: settings.departures)
    }

    package func work() throws(PaintingError) -> Double {
        let (working, model) = (try workingPlan().working, studio.model)
        let run = run()
        return Double(run.evaluations) * model.stepWork(working, settings, run).operations
            + model.codecWork(working, decoding: true).operations
    }

    package func paint(depth: Int, advance: @escaping (_ work: Double, _ stage: String) throws -> Void) throws
        -> Picture
    {
        let (plan, model) = (try workingPlan(), studio.model)
        let step = model.stepWork(plan.working, settings, run()).operations
        var painter = LatentPainter(studio, settings, size: plan.working)
        let latents = try painter.paint(nil, run()) { try advance(step, "painting") }
        let decoded = try model.codec.decode(latents).picture()
        try advance(model.codecWork(plan.working, decoding: true).operations, "painting")
        guard decoded.values.allSatisfy(\.isFinite) else {
            throw PaintingError.unsuitable(
                "The model \(model.name) painted values that are not numbers. Check it with models inspect, or lower --guidance."
            )
        }
        return plan.restore(decoded).picture(depth: depth)
    }
}
