import Checkpoints
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import TestKit
import Testing

/// Against diffusers' `StableDiffusionXLImg2ImgPipeline`: `Tools/golden/img2img_sdxl.py`.
@Suite struct SDXLParityTests {
    @Test("SDXL's picture is diffusers' picture, with a negative prompt, without one, and with an empty one")
    func parity() throws {
        let studio = try Studio(model: Golden.path("img2img-sdxl/model"), on: try Engine())
        #expect(studio.model.family == .sdxl)
        let source = try PictureFile.read(Golden.path("img2img-sdxl/init.png"))
        let cases = try #require(try Golden.json("img2img-sdxl/cases.json").list)
        #expect(cases.count == 3)
        for entry in cases {
            let name = try #require(entry["name"].text)
            var settings = Settings()
            settings.prompt = try #require(entry["prompt"].text)
            settings.negative = entry["negative"].text ?? ""
            settings.readsEmptyNegative = !entry["negative"].isNull
            settings.guidance = try #require(entry["guidance"].double)
            settings.sampler = .euler
            settings.seed = UInt64(try #require(entry["seed"].integer))
            settings.rng = .torch
            let count = try #require(entry["steps"].integer)
            let percent = try #require(entry["skip"].integer)
            let skip = try #require(Skip(percent: "\(percent)"))
            settings.steps = count
            let plan = settings.plan(skip, studio.model.scheduler)
            var painter = LatentPainter(studio, settings, size: source.size)
            let painted = try painter.paint(try painter.encode(Tensor(picture: source.floats())), plan) {}
            let picture = try studio.model.codec.decode(painted).picture().picture(depth: 8)
            let expected = try PictureFile.read(Golden.path("img2img-sdxl/\(name).png"))
            guard case .eight(let ours) = picture.samples, case .eight(let theirs) = expected.samples else {
                Issue.record("both pictures have 8 bits")
                continue
            }
            let largest = zip(ours, theirs).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
            #expect(ours.count == theirs.count && largest <= 1, "\(name): 8-bit values differ by \(largest)")
        }
    }
}
