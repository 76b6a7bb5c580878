import Checkpoints
import Networks
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import TestKit
import Testing

/// The model inside the program against the same weights run by PyTorch: `Tools/golden/miniature.py`.
@Suite struct MiniatureParityTests {
    @Test("one prediction is PyTorch's, and so is the text")
    func worked() throws {
        let studio = try Studio(model: "miniature", on: try Engine())
        let reference = try Golden.tensors("miniature/reference.safetensors")
        let ids = try reference.integers("token_ids").values
        let encoder = try TextEncoder.load(.miniature, "text_encoder", on: studio.model.engine)
        let text = try encoder([ids]).last
        expectClose(text, try reference.tensor("text"), absolute: 2e-5, relative: 1e-5, "text")
        let clean = try studio.model.unet(
            try reference.tensor("noisy"), times: try reference.doubles("t"), context: text)
        expectClose(clean, try reference.tensor("clean"), absolute: 2e-4, relative: 1e-4, "clean")
    }

    @Test("ten steps of DDIM on the coffee give PyTorch's picture")
    func coffee() throws {
        let entry = try Golden.json("miniature/coffee-ddim10.json")
        let studio = try Studio(model: "miniature", on: try Engine())
        var settings = Settings()
        settings.prompt = try #require(entry["prompt"].text)
        settings.negative = try #require(entry["negative"].text)
        settings.guidance = try #require(entry["guidance"].double)
        settings.steps = try #require(entry["steps"].integer)
        settings.seed = UInt64(try #require(entry["seed"].integer))
        settings.rng = .torch
        let plan = settings.plan(Skip(steps: settings.steps - 5), studio.model.scheduler)
        #expect(plan.steps.map(\.from.time) == entry["timesteps"].list?.compactMap(\.double))

        let source = try PictureFile.read(Golden.repository + "/samples/coffee.png")
        let working = PixelSize(width: 608, height: 400)
        let padded = source.floats().padded(
            by: .init(right: working.width - source.width, bottom: working.height - source.height))
        var painter = LatentPainter(studio, settings, size: working)
        let painted = try painter.paint(try painter.encode(Tensor(picture: padded)), plan) {}
        let picture = try studio.model.codec.decode(painted).picture()
            .cropped(to: .init(source.size)).picture(depth: 8)
        let expected = try PictureFile.read(Golden.path("miniature/coffee-ddim10.png"))
        guard case .eight(let ours) = picture.samples, case .eight(let theirs) = expected.samples else {
            Issue.record("both pictures have 8 bits")
            return
        }
        #expect(ours.count == theirs.count)
        let largest = zip(ours, theirs).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
        #expect(largest <= 2, "8-bit values differ by \(largest)")
    }
}
