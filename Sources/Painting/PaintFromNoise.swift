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
        let estimate = try studio.model.estimate(
            working, predictions: settings.predictions, encodes: false, runs: [run.evaluations],
            step: studio.model.stepWork(working, settings, run))
        return PaintingEvent.Plan(
            source: nil, working: working, steps: settings.steps, run: run.steps.count, sigma: run.sigma,
            seconds: estimate.seconds, bytes: estimate.bytes, disk: estimate.disk, times: run.steps.map(\.from.time),
            input: nil, skip: nil,
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

    /// - Returns: the picture, and whether it was painted again in 32 bits since bfloat16 gave none
    package func paint(depth: Int, advance: @escaping (_ work: Double, _ stage: String) throws -> Void) throws
        -> (Picture, isExact: Bool)
    {
        let (plan, model) = (try workingPlan(), studio.model)
        let step = model.stepWork(plan.working, settings, run()).operations
        var painter = LatentPainter(studio, settings, size: plan.working)
        let (decoded, isExact) = try painter.picture { painter in
            try painter.paint(nil, run()) { try advance(step, "painting") }
        }
        try advance(model.codecWork(plan.working, decoding: true).operations, "painting")
        return (plan.restore(decoded).picture(depth: depth), isExact)
    }
}
