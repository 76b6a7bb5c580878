import Painting
import Raster
import RasterFiles
import Tensors

/// The main job from file to pictures: a photograph repainted at three skip levels of 50 guided steps.
struct Demo {
    let engine: Engine
    let report: Report

    func run(_ path: String) throws {
        report.heading("The demo: \(path) at skip 40, 50 and 60 of 50 guided steps")
        Storage.trim()
        PeakMemory.reset()
        let clock = Stopwatch.wall
        var steps = 0
        var loading = 0.0
        var painting = 0.0
        let whole = try clock.measure {
            var studio: Studio?
            var source: Picture?
            loading = try clock.measure {
                studio = try Studio(model: "miniature", on: engine)
                source = try PictureFile.read(path)
            }
            guard let studio, let source else { return }
            var settings = Settings()
            (settings.prompt, settings.seed, settings.guidance) = (Steps.prompt, 7, 2)
            let skips = ["40", "50", "60"].compactMap { Skip(percent: $0) }
            let refine = Refine(studio, settings, skips: skips, seeds: [settings.seed])
            steps = refine.rungs().reduce(0) { $0 + $1.steps.count }
            painting = try clock.measure {
                try refine.paint(try refine.canvas(source), advance: { _, _ in }, deliver: { _, _ in })
            }
        }
        let peak = PeakMemory.bytes
        let rate = Double(steps) / painting
        report.line(
            "\(whole.duration): \(loading.duration) loading, \(painting.duration) painting, \(steps) steps "
                + "at \(rate.fixed(1)) a second, peak memory \(peak.megabytes)",
            [
                ("bench", .text("demo")), ("seconds", .number(whole)), ("painting", .number(painting)),
                ("steps", .integer(steps)), ("threads", .integer(engine.threads.count)), ("peak", .number(peak)),
            ])
    }
}
