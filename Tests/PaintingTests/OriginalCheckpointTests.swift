import Checkpoints
import Networks
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import TestKit
import Testing

/// Whole checkpoints of every family in one file, and as folders, against diffusers: `Tools/golden/checkpoints.py`.
@Suite(.serialized) struct OriginalCheckpointTests {
    /// A case of the golden script.
    private struct Case {
        let json: JSON
        let family: String
        let checkpoint: FormulaCheckpoint

        init(_ family: String) throws {
            json = try #require(try Golden.json("checkpoints/cases.json").list?.first { $0["family"].text == family })
            self.family = family
            checkpoint = try FormulaCheckpoint(family, base: try #require(json["base"].text))
        }

        var options: ModelOptions {
            ModelOptions(
                kind: json["says"]["kind"].text.flatMap(ModelKind.init(name:)),
                prediction: json["says"]["prediction"].text.flatMap(Prediction.init(rawValue:)))
        }

        /// The picture of the case, painted with a model at a path.
        func painted(_ path: String, _ options: ModelOptions) throws -> [UInt8] {
            let studio = try Studio(model: path, as: options, on: try Engine())
            var settings = Settings()
            settings.prompt = try #require(json["prompt"].text)
            settings.negative = json["negative"].text ?? ""
            settings.readsEmptyNegative = !json["negative"].isNull
            settings.guidance = try #require(json["guidance"].double)
            settings.embedsGuidance = studio.model.embedsGuidance
            settings.sampler = try #require(Sampler(rawValue: json["sampler"].text ?? ""))
            settings.seed = UInt64(try #require(json["seed"].integer))
            settings.rng = .torch
            let count = try #require(json["steps"].integer)
            let percent = try #require(json["skip"].integer)
            let skip = try #require(Skip(percent: "\(percent)"))
            settings.steps = count
            let plan = settings.plan(skip, studio.model.scheduler)
            let source = try PictureFile.read(Golden.path("checkpoints/init.png"))
            var painter = LatentPainter(studio, settings, size: source.size)
            let painted = try painter.paint(try painter.encode(Tensor(picture: source.floats())), plan) {}
            let picture = try studio.model.codec.decode(painted).picture().picture(depth: 8)
            guard case .eight(let samples) = picture.samples else { return [] }
            return samples
        }

        func expect(_ ours: [UInt8], _ what: String) throws {
            guard case .eight(let theirs) = try PictureFile.read(Golden.path("checkpoints/\(family).png")).samples
            else {
                Issue.record("8 bits are expected")
                return
            }
            let largest = zip(ours, theirs).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
            #expect(ours.count == theirs.count && largest <= 1, "\(family), \(what): values differ by \(largest)")
        }
    }

    @Test(
        "a checkpoint of each family paints diffusers' picture, from one file and from a folder",
        arguments: ["sd1", "sd2-v", "sdxl", "sd1-inpaint", "sd2-turbo", "sd1-lcm"])
    func parity(family: String) throws {
        let it = try Case(family)
        try withTemporaryFolder { place in
            let file = "\(place)/model.safetensors"
            try FormulaCheckpoint.write(it.checkpoint.original(), to: file)
            try it.expect(try it.painted(file, it.options), "one file")
            try it.checkpoint.writeFolder("\(place)/folder", scheduler: it.json["scheduler"])
            try it.expect(try it.painted("\(place)/folder", .init()), "folder")
        }
    }

    /// What decides in a checkpoint with these additions, and files beside it.
    private func character(
        _ family: String, add: [String] = [], metadata: [String: String] = [:], beside: [String: String] = [:],
        kind: String? = nil, prediction: Prediction? = nil,
        change: ([FormulaCheckpoint.Tensor]) -> [FormulaCheckpoint.Tensor] = { $0 }
    ) throws -> DiffusionModel {
        let it = try Case(family)
        return try withTemporaryFolder { place in
            let marks = add.map { FormulaCheckpoint.Tensor(key: $0, format: "F32", shape: [0], bytes: []) }
            try FormulaCheckpoint.write(
                change(it.checkpoint.original()) + marks, metadata: metadata, to: "\(place)/model.safetensors")
            for (name, text) in beside { try write(Array(text.utf8), to: "\(place)/\(name)") }
            return try Studio(
                model: "\(place)/model.safetensors",
                as: .init(kind: kind.flatMap(ModelKind.init(name:)), prediction: prediction), on: try Engine()
            ).model
        }
    }

    private func said(_ model: DiffusionModel, _ key: String) -> String {
        model.facts.first { $0.key == key }.map { "\($0.value) by \($0.by ?? "")" } ?? ""
    }

    @Test("what shapes cannot say is decided by the first source that speaks, and told")
    func order() throws {
        let yaml = "model:\n  params:\n    parameterization: \"v\"  # as trained\n    linear_end: 0.011\n"
        let all = try character(
            "sd1", add: ["ztsnr"], metadata: ["modelspec.predict_key": "epsilon"], beside: ["model.yaml": yaml],
            prediction: .sample)
        #expect(said(all, "predicts") == "sample by --prediction")
        #expect(said(all, "zero SNR") == "yes by its key ztsnr" && all.scheduler.spacing == .trailing)

        let described = try character(
            "sd1", metadata: ["modelspec.predict_key": "epsilon"], beside: ["model.yaml": yaml])
        #expect(said(described, "predicts") == "v by model.yaml beside it")
        #expect(described.scheduler.training.alphaBars.last ?? 0 > 0.0046)  // 0.0047 with the usual end

        let scheduler =
            #"{"prediction_type":"v_prediction","beta_schedule":"scaled_linear","beta_start":0.00085,"beta_end":0.012,"timestep_spacing":"trailing"}"#
        let file = try character(
            "sd1", beside: ["scheduler_config.json": scheduler, "model.yaml": "parameterization: eps"])
        #expect(said(file, "predicts") == "v by scheduler_config.json beside it" && file.scheduler.spacing == .trailing)

        #expect(said(try character("sd1", add: ["v_pred"]), "predicts") == "v by its key v_pred")
        #expect(
            said(try character("sd1", metadata: ["modelspec.prediction_type": "v"]), "predicts")
                == "v by its modelspec.prediction_type")
        let plain = try character("sd1")
        #expect(said(plain, "predicts") == "epsilon by the family's default")
        #expect(
            said(plain, "heads") == "8, 8, 8, 8 by the family's default"
                && said(plain, "kind") == "sd1 by its keys and shapes")
        #expect(
            plain.scheduler.spacing == nil && plain.scheduler.stepsOffset == 1 && plain.scheduler.endsClean != false)
    }

    @Test("SD 2 is asked itself what it predicts")
    func trial() throws {
        /// With its last bias far below, the network gives what one that predicts v gives.
        func biased(_ bias: Float) throws -> DiffusionModel {
            try character("sd2-v") { tensors in
                tensors.map { tensor in
                    guard tensor.key == "model.diffusion_model.out.2.bias" else { return tensor }
                    var tensor = tensor
                    tensor.bytes = (0..<4).flatMap { _ in withUnsafeBytes(of: bias.bitPattern.littleEndian, Array.init)
                    }
                    return tensor
                }
            }
        }
        #expect(said(try biased(-6), "predicts") == "v by a trial of the network")
        #expect(said(try biased(6), "predicts") == "epsilon by a trial of the network")
    }

    @Test("few-step models have steps, guidance and spacing of their own; another family's kind is refused")
    func kinds() throws {
        let turbo = try character("sd1", kind: "sd1-turbo")
        #expect(said(turbo, "kind") == "sd1-turbo by --kind" && turbo.scheduler.spacing == .trailing)
        #expect(turbo.defaultGuidance == 0 && turbo.scheduler.fewStep?.steps == 4)
        let consistent = try character("sd1-lcm")
        #expect(consistent.kind.value == ModelKind(.sd1, .lcm) && consistent.embedsGuidance)
        #expect(throws: PaintingError.self) { try character("sd1", kind: "sdxl") }
    }

    @Test("an autoencoder in a file of its own is read in each of its forms")
    func separateAutoencoders() throws {
        let it = try Case("sd1")
        let original = it.checkpoint.original().filter { $0.key.hasPrefix("first_stage_model.") }
        let bare = original.map { tensor in
            var tensor = tensor
            tensor.key = tensor.key.replacing("first_stage_model.", with: "")
            return tensor
        }
        try withTemporaryFolder { place in
            let source = try PictureFile.read(Golden.path("checkpoints/init.png"))
            let engine = try Engine()
            var latents: [[Float]] = []
            for tensors in [original, bare, it.checkpoint.part("vae")] {
                let path = "\(place)/vae\(latents.count).safetensors"
                try FormulaCheckpoint.write(tensors, to: path)
                let codec = try Codec(path, scale: 0.18215, on: engine)
                latents.append(try codec.encode(Tensor(picture: source.floats())).values)
            }
            #expect(latents.count == 3 && latents[0].allSatisfy(\.isFinite))
            let same = latents[0] == latents[1] && latents[0] == latents[2]
            #expect(same)
            // A checkpoint without one says what to do.
            let rest = it.checkpoint.original().filter { !$0.key.hasPrefix("first_stage_model.") }
            try FormulaCheckpoint.write(rest, to: "\(place)/model.safetensors")
            let line = refusal { _ = try Studio(model: "\(place)/model.safetensors", on: engine) }
            #expect(line?.contains("--vae") == true, "\(line ?? "not refused")")
            _ = try Studio(
                model: "\(place)/model.safetensors", as: .init(autoencoder: "\(place)/vae1.safetensors"), on: engine)
        }
    }

    @Test("the oldest text keys load, and tensors that no network needs are let be")
    func oldKeys() throws {
        let model = try character("sd1", add: ["model_ema.decay", "betas", "cond_stage_model.logit_scale"]) { tensors in
            tensors.map { tensor in
                var tensor = tensor
                tensor.key = tensor.key.replacing("transformer.text_model.", with: "transformer.")
                return tensor
            }
        }
        #expect(model.family == .sd1)
    }

    @Test(
        "files that are no whole model are refused by what they are",
        arguments: [
            ("lora_unet_mid_block_attentions_0_proj_in.lora_down.weight", "LoRA"),
            ("model.diffusion_model.x_embedder.proj.weight", "Stable Diffusion 3"),
            ("double_blocks.0.img_attn.qkv.weight", "Flux"),
            ("control_model.input_blocks.0.0.weight", "ControlNet"), ("time_embedding.linear_1.weight", "folder"),
            ("decoder.conv_in.weight", "--vae"), ("emb_params", "embedding"), ("nothing.known", "nothing.known"),
        ])
    func others(key: String, part: String) throws {
        try withTemporaryFolder { place in
            try FormulaCheckpoint.write(
                [.init(key: key, format: "F32", shape: [1], bytes: [0, 0, 0, 0])], to: "\(place)/it.safetensors")
            let line = refusal { _ = try ModelFolder(path: "\(place)/it.safetensors") }
            #expect(line?.isOneLine == true && line?.contains(part) == true, "\(line ?? "not refused")")
        }
    }
}
