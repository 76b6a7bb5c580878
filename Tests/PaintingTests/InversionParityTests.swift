import Checkpoints
import Painting
import Raster
import Sampling
import Tensors
import TestKit
import Testing

/// The way up to the noise that a picture would have come from, and the way down again, against Python:
/// `Tools/golden/inversion.py`.
@Suite struct InversionParityTests {
    @Test(
        "the noise is the web UI's, with and without its sigma adjustment, and so is what Euler makes of it",
        arguments: ["plain", "adjusted", "random", "partial", "partial-adjusted"])
    func parity(name: String) throws {
        let entry = try #require(try Golden.json("inversion/cases.json").list?.first { $0["name"].text == name })
        let golden = try Golden.tensors("inversion/latents.safetensors")
        let studio = try Studio(model: Golden.path("img2img/model"), on: try Engine())
        var settings = Settings()
        (settings.sampler, settings.schedule, settings.rng) = (.euler, .uniform, .torch)
        settings.prompt = try #require(entry["prompt"].text)
        settings.negative = try #require(entry["negative"].text)
        settings.guidance = try #require(entry["guidance"].double)
        settings.steps = try #require(entry["steps"].integer)
        settings.seed = UInt64(try #require(entry["seed"].integer))
        var inversion = Inversion()
        inversion.prompt = entry["source"].text
        inversion.guidance = try #require(entry["inner"].double)
        inversion.adjustsSigma = entry["adjusted"].bool == true
        inversion.randomness = try #require(entry["randomness"].double)
        settings.inversion = inversion
        let skip = try #require(Skip(percent: entry["skip"].integer.map(String.init) ?? ""))
        let plan = settings.plan(skip, studio.model.scheduler)
        let way = try #require(settings.way(plan, skip, studio.model.scheduler))
        let latents = try golden.tensor("init")
        let size = PixelSize(width: latents.shape[3] * 8, height: latents.shape[2] * 8)
        var painter = LatentPainter(studio, settings, size: size)
        let start = try #require(plan.start)
        var random = TorchGenerator(seed: settings.seed)
        var asked = 0
        let found = try painter.inverted(
            latents, way, plan, from: start, unit: random.normal(latents.shape)
        ) { asked += 1 }
        #expect(asked == plan.steps.count - (inversion.adjustsSigma ? 1 : 0))
        // The golden one is picture + σ·noise. A network of random weights is asked ten times over.
        expectClose(
            (1 / start.alpha) * found, try golden.tensor("\(name).start"), absolute: 5e-3, relative: 1e-3, "start")
        let painted = try painter.paint(latents, plan, way: way) {}
        expectClose(painted, try golden.tensor("\(name).final"), absolute: 2e-2, relative: 2e-3, "final")
    }
}
