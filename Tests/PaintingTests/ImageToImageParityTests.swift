import Checkpoints
import Networks
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import TestKit
import Testing

/// The whole image-to-image run against diffusers' `StableDiffusionImg2ImgPipeline`: `Tools/golden/img2img.py`.
@Suite struct ImageToImageParityTests {
    static let names = [
        "ddim", "ddim-unguided", "ddim-eta", "ddim-v-zero-snr", "ddim-v", "ddim-sample", "ddim-clip", "euler-linspace",
        "euler-leading", "euler-karras", "euler-v", "euler-a-linspace", "euler-a-leading", "ddpm", "ddpm-leading-1",
        "dpmpp-2m", "dpmpp-2m-karras", "dpmpp-2m-leading", "plms-whole", "plms-inside", "plms-inside-v", "unipc",
        "unipc-3-karras", "lcm", "few-euler-a", "few-euler",
    ]

    @Test("the picture is diffusers' picture, with the same seed", arguments: names)
    func parity(name: String) throws {
        let entry = try #require(try Golden.json("img2img/cases.json").list?.first { $0["name"].text == name })
        let scheduler = try SchedulerConfiguration(
            Self.configuration(entry["scheduler"]), name: name)
        let engine = try Engine()
        let studio = try Studio(model: Golden.path("img2img/model"), as: .init(scheduler: scheduler), on: engine)

        var settings = Settings()
        settings.prompt = try #require(entry["prompt"].text)
        settings.negative = try #require(entry["negative"].text)
        settings.guidance = try #require(entry["guidance"].double)
        settings.sampler = try #require(Sampler(rawValue: entry["sampler"].text ?? ""))
        settings.schedule = try #require(ScheduleName(rawValue: entry["schedule"].text ?? ""))
        settings.steps = try #require(entry["steps"].integer)
        settings.eta = settings.sampler == .eulerAncestral ? 1 : try #require(entry["eta"].double)
        settings.seed = UInt64(try #require(entry["seed"].integer))
        settings.rng = .torch
        // diffusers' own way of starting inside PNDM's list holds where its rules are asked for.
        if name.hasPrefix("plms-inside") { settings.compatibility = .diffusers }
        let skip = try #require(Skip(percent: entry["skip"].integer.map(String.init) ?? ""))
        let plan: RunPlan
        if name.hasPrefix("few-") {
            // What diffusers says by steps and strength, `--run-steps` says by what runs.
            #expect(scheduler.fewStep?.sampler == settings.sampler)
            settings.runSteps = skip.run(of: settings.steps)
            plan = settings.plan(skip, scheduler)
            let same = settings.sampler.schedule(.model, count: settings.steps, scheduler)
                .last(skip.run(of: settings.steps))
            #expect(plan.steps.map(\.from) == same.map(\.from))
        } else {
            plan = settings.plan(skip, scheduler)
        }

        let reference = try Golden.tensors("img2img/\(name).safetensors")
        let initImage = try PictureFile.read(Golden.path("img2img/init.png"))
        var painter = LatentPainter(studio, settings, size: initImage.size)
        let latents = try painter.encode(Tensor(picture: initImage.floats()))
        expectClose(latents, try reference.tensor("init_latents"), absolute: 1e-4, relative: 1e-4, "init latents")
        let painted = try painter.paint(latents, plan) {}
        expectClose(painted, try reference.tensor("final_latents"), absolute: 2e-3, relative: 1e-3, "final latents")

        let picture = try studio.model.codec.decode(painted).picture().picture(depth: 8)
        let expected = try PictureFile.read(Golden.path("img2img/\(name).png"))
        #expect(picture.size == expected.size)
        guard case .eight(let ours) = picture.samples, case .eight(let theirs) = expected.samples else {
            Issue.record("both pictures have 8 bits")
            return
        }
        #expect(zip(ours, theirs).allSatisfy { abs(Int($0) - Int($1)) <= 1 }, "8-bit values differ by more than 1")
    }

    static func configuration(_ scheduler: JSON) -> JSON {
        guard case .object(var members) = scheduler["config"] else { return .null }
        members["_class_name"] = scheduler["class"]
        return .object(members)
    }
}
