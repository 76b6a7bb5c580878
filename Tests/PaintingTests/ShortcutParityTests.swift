import Checkpoints
import Networks
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import TestKit
import Testing

/// Whole runs in which something is left out: `Tools/golden/shortcuts.py`.
@Suite struct ShortcutParityTests {
    private static let names = [
        "exact", "guidance-range", "ngms", "ngms-all", "skip-early-cond", "deep-cache", "merge-tokens", "all",
    ]

    private func settings(_ golden: JSON, _ name: String) throws -> Settings {
        var settings = Settings()
        settings.prompt = try #require(golden["prompt"].text)
        settings.negative = try #require(golden["negative"].text)
        settings.guidance = try #require(golden["guidance"].double)
        settings.steps = try #require(golden["steps"].integer)
        settings.seed = UInt64(try #require(golden["seed"].integer))
        settings.rng = .torch
        let run = try #require(golden["runs"].list?.first { $0["name"].text == name })
        for (option, value) in try #require(run["options"].object) {
            let parts = (value.text ?? "").split { ",:".contains($0) }
            let numbers = parts.compactMap { Double($0) }
            switch option {
            case "guidance-range": settings.shortcuts.guidanceRange = (numbers[0], numbers[1])
            case "ngms": settings.shortcuts.minimumSigma = .init(sigma: numbers[0], always: parts.last == "all")
            case "skip-early-cond": settings.shortcuts.skippedEarly = numbers[0]
            case "deep-cache":
                settings.shortcuts.deepCache = .init(
                    interval: Int(numbers[0]), branch: numbers.count > 1 ? Int(numbers[1]) : 0)
            case "merge-tokens": settings.shortcuts.mergedTokens = numbers[0]
            case "freeu": settings.freeU = FreeU(b1: numbers[0], b2: numbers[1], s1: numbers[2], s2: numbers[3])
            default: Issue.record("\(option) is unknown")
            }
        }
        return settings
    }

    @Test("a run that leaves something out ends where the reference's does", arguments: names)
    func runs(name: String) throws {
        let golden = try Golden.json("shortcuts/cases.json")
        let settings = try settings(golden, name)
        let entry = try #require(try Golden.json("img2img/cases.json").list?.first { $0["name"].text == "ddim" })
        let scheduler = try SchedulerConfiguration(
            ImageToImageParityTests.configuration(entry["scheduler"]), name: "ddim")
        let studio = try Studio(model: Golden.path("img2img/model"), as: .init(scheduler: scheduler), on: try Engine())
        let latents = try Golden.tensors("img2img/ddim.safetensors").tensor("init_latents")
        let skip = try #require(Skip(percent: "20"))
        var painter = LatentPainter(studio, settings, size: PixelSize(width: 96, height: 64))
        let plan = settings.plan(skip, scheduler)
        #expect(plan.steps.count == golden["run"].integer)
        var calls = 0
        let painted = try painter.paint(latents, plan) { calls += 1 }
        #expect(calls == plan.evaluations)
        // The bound of whole runs, whose steps each carry the network's rounding.
        let expected = try Golden.tensors("shortcuts/latents.safetensors")
        expectClose(painted, try expected.tensor(name), absolute: 2e-3, relative: 1e-3, name)
        // No other run of these ends there.
        for other in Self.names where other != name {
            let distances = zip(painted.values, try expected.tensor(other).values).map { abs($0 - $1) }
            let distance = distances.max() ?? 0
            #expect(distance > 0.02, "\(name) and \(other)")
        }
    }

    @Test("deep features are forgotten when the words change, so that every text has its own")
    func changingWords() throws {
        let studio = try Studio(model: Golden.path("img2img/model"), on: try Engine())
        let latents = try Golden.tensors("img2img/ddim.safetensors").tensor("init_latents")
        var settings = Settings()
        (settings.guidance, settings.steps, settings.rng) = (5, 4, .torch)
        let skip = try #require(Skip(percent: "0"))
        func painted(_ prompt: String, _ interval: Int?) throws -> [Float] {
            settings.prompt = prompt
            settings.shortcuts.deepCache = interval.map { .init(interval: $0) }
            var painter = LatentPainter(studio, settings, size: PixelSize(width: 96, height: 64))
            let plan = settings.plan(skip, studio.model.scheduler)
            return try painter.paint(latents, plan) {}.values
        }
        // The first of these texts holds for two calls, each of the others for one: only the second call takes what is old.
        #expect(try painted("[a lake|a hill]", 4) == painted("[a lake|a hill]", 2))
        #expect(try painted("[a lake|a hill]", 4) != painted("[a lake|a hill]", nil))
        #expect(try painted("a lake", 4) != painted("a lake", 2))
    }
}
