import Foundation
import Raster
import RasterFiles
import Tensors
import TestKit
import Testing

/// Exact numbers of steps, few-step models, other tools' rules.
@Suite struct SamplingTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture()
    }

    private func plan(_ arguments: [String]) throws -> [String: Any] {
        let finished = try place.succeed(["refine", "in.png", "--seed", "1", "--explain", "--json"] + arguments)
        return try #require(try jsonLines(finished.output).first { $0["event"] as? String == "plan" })
    }

    /// A small model whose scheduler is described so.
    private func model(_ scheduler: [String: Any]) throws {
        try? FileManager.default.removeItem(atPath: place.file("model"))
        try place.copyModel()
        let name = "model/scheduler/scheduler_config.json"
        try FileManager.default.removeItem(atPath: place.file(name))
        let usual: [String: Any] = ["beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012]
        let data = try JSONSerialization.data(withJSONObject: usual.merging(scheduler) { $1 })
        try place.write(String(decoding: data, as: UTF8.self), to: name)
    }

    @Test("--run-steps runs exactly so many, whatever the skip, which sets the level")
    func runSteps() throws {
        for skip in ["10", "50", "90"] {
            let plan = try plan(["--run-steps", "3", "--skip", skip])
            #expect(plan["run"] as? Int == 3 && plan["steps"] as? Int == 3)
        }
        let (low, high) = (
            try plan(["--run-steps", "3", "--skip", "90"]), try plan(["--run-steps", "3", "--skip", "10"])
        )
        #expect((low["sigma"] as? Double ?? 0) < (high["sigma"] as? Double ?? 0) / 5)
        try place.succeed(["refine", "in.png", "--run-steps", "3", "--seed", "1", "-o", "few.png"])
        let painted = try place.read("few.png")
        #expect(try painted.recipe()["run-steps"] as? Int == 3)
    }

    @Test("--precision bf16 and auto round and are recorded; f32 does not; rerun keeps it")
    func precision() throws {
        func paint(_ precision: String) throws -> Picture {
            try place.succeed(
                [
                    "refine", "in.png", "--precision", precision, "--skip", "80", "--steps", "10", "--seed", "1",
                    "--prompt", "a lake", "-o", "\(precision).png",
                ])
            return try place.read("\(precision).png")
        }
        guard try Engine().hasBFloat16 else {
            let finished = try place.run(["refine", "in.png", "--precision", "bf16", "--seed", "1"])
            #expect(finished.code == 69)
            return
        }
        let (exact, auto, rounded) = (try paint("f32"), try paint("auto"), try paint("bf16"))
        let (autoDiffers, differs) = (exact.samples != auto.samples, exact.samples != rounded.samples)
        #expect(autoDiffers && differs)
        #expect(
            try rounded.recipe()["kernels"] as? [String: String] ?? [:] != exact.recipe()["kernels"]
                as? [String: String])
        try place.succeed(["rerun", "bf16.png", "-o", "again.png"])
        let again = try place.read("again.png").samples == rounded.samples
        #expect(again)
    }

    @Test("few-step models run four steps without guidance by default, and as asked otherwise")
    func fewSteps() throws {
        for (scheduler, sampler) in [
            (["_class_name": "LCMScheduler"], "lcm"),
            (["_class_name": "EulerAncestralDiscreteScheduler", "timestep_spacing": "trailing"], "euler-a"),
            (["_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"], "euler"),
        ] {
            try model(scheduler)
            let options = ["--model", "model", "--prompt", "a lake"]
            let usual = try plan(options)
            #expect(usual["run"] as? Int == 4 && usual["sampler"] as? String == sampler)
            #expect(usual["guidance"] is NSNull)
            #expect(try plan(options + ["--guidance", "3"])["guidance"] as? Double == 3)
            // A whole schedule of eight, of which half runs.
            let whole = try plan(options + ["--steps", "8"])
            #expect(whole["run"] as? Int == 4 && whole["steps"] as? Int == 8)
            #expect(try plan(options + ["--run-steps", "2"])["run"] as? Int == 2)
        }
        try model(["_class_name": "EulerDiscreteScheduler", "timestep_spacing": "leading"])
        #expect(try plan(["--model", "model"])["steps"] as? Int == 50)
        try model([
            "_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing", "rescale_betas_zero_snr": true,
            "prediction_type": "v_prediction",
        ])
        #expect(try plan(["--model", "model"])["steps"] as? Int == 50)
    }

    @Test("a few-step model's picture hands no other model's guidance on")
    func guidance() throws {
        try model(["_class_name": "LCMScheduler"])
        try place.succeed([
            "refine", "in.png", "--prompt", "a lake", "--guidance", "5", "--steps", "4", "--seed", "1", "-o",
            "told.png",
        ])
        let told = try place.succeed(["refine", "told.png", "--seed", "1", "--model", "model", "--explain", "--json"])
        let plan = try #require(try jsonLines(told.output).first { $0["event"] as? String == "plan" })
        #expect(plan["guidance"] is NSNull)
    }

    @Test("the web UI's rules: one step more over sigma, one fewer over timesteps, a card's noise, a sampled encoding")
    func webUI() throws {
        let rules = ["--compat", "webui", "--steps", "20", "--strength", "0.5"]
        #expect(try plan(rules + ["--sampler", "euler"])["run"] as? Int == 11)
        #expect(try plan(rules + ["--sampler", "ddim"])["run"] as? Int == 9)
        let recipe = try place.refined(["--compat", "webui", "--sampler", "euler"]).recipe()
        #expect(recipe["rng"] as? String == "nv" && recipe["encode"] as? String == "sample")
        let torch = try place.refined(["--compat", "diffusers", "--sampler", "euler"]).recipe()
        #expect(torch["rng"] as? String == "torch" && torch["encode"] as? String == "sample")
        // Nothing skipped is nothing left out: skip 100 runs a step over sigma, and over timesteps only noise is laid on.
        #expect(try plan(["--compat", "webui", "--skip", "100", "--sampler", "euler"])["run"] as? Int == 1)
        for sampler in ["ddim", "plms", "unipc"] {
            #expect(try plan(["--compat", "webui", "--skip", "100", "--sampler", sampler])["run"] as? Int == 0)
            let painted = try place.refined(["--compat", "webui", "--skip", "100", "--sampler", sampler])
            #expect(painted.samples != (try place.read("in.png")).samples)
            try place.succeed(
                [
                    "paint", "--compat", "webui", "--sampler", sampler, "--steps", "1", "--size", "16x16", "-o",
                    "\(sampler).png",
                ])
        }
        // Rules can be taken back one by one.
        let own = try place.refined(["--compat", "webui", "--rng", "position", "--encode", "mean"]).recipe()
        #expect(own["rng"] as? String == "position" && own["encode"] as? String == "mean")
    }

    @Test("rungs that would run the same steps from the same level are refused under every rule")
    func twins() throws {
        try place.refuse(
            ["refine", "in.png", "--run-steps", "2", "--skip", "50,49.99"], code: 64,
            naming: ["50", "49.99", "same level"])
        try place.refuse(
            ["refine", "in.png", "--compat", "webui", "--steps", "10", "--skip", "50,45"], code: 64,
            naming: ["same level"])
    }

    @Test("the noise of a variation lies between two seeds")
    func variation() throws {
        let paint = { (arguments: [String]) in
            try place.refined(["--skip", "0", "--sampler", "euler"] + arguments)
        }
        let one = try paint(["--seed", "1"])
        #expect(try paint(["--seed", "1", "--variation", "2:0"]).samples == one.samples)
        #expect(try paint(["--seed", "1", "--variation", "2:1"]).samples == paint(["--seed", "2"]).samples)
        let near = try paint(["--seed", "1", "--variation", "2:0.1"])
        #expect(near.difference(one) < near.difference(try paint(["--seed", "2"])))
    }
}
