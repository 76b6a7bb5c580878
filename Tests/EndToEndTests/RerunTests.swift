import Foundation
import Painting
import Raster
import RasterFiles
import TestKit
import Testing

/// Pictures that say how they were made are made again.
@Suite struct RerunTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture()
    }

    private func paint(_ arguments: [String], to name: String = "out.png") throws {
        try place.succeed(["refine", "in.png", "--steps", "6", "--seed", "7", "-o", name] + arguments)
    }

    @Test(
        "a rerun has the same bytes",
        arguments: [
            [], ["--prompt", "a painting of lake at sunset", "--negative", "", "--guidance", "3", "--skip", "37.5"],
            ["--sampler", "dpmpp-sde", "--schedule", "karras", "--eta", "0.3", "--variation", "9:0.25"],
            ["--compat", "webui", "--sampler", "euler-a", "--eta-noise-delta", "31337"],
            ["--rng", "torch", "--encode", "sample", "--initial-noise-multiplier", "0.9", "--colour-anchor", "0.5"],
            [
                "--work-size", "90x60", "--depth", "16", "--clip-skip", "2", "--prompt",
                "@@home -- \"quoted\"\nnext, -line",
            ],
            ["--skip-steps", "5", "--model", Workplace.smallModel, "--compat", "diffusers", "--prediction", "v"],
            [
                "--prompt", "a (lake:1.3) [at:by:0.5] sea AND [fog|sun]:0.4", "--negative", "[x]", "--sampler",
                "dpmpp-2s-a",
            ],
            ["--prompt", "a (lake:1.3) AND sea", "--compat", "diffusers"],
        ])
    func sameBytes(arguments: [String]) throws {
        try paint(arguments)
        let model = arguments.contains("--model") ? ["--model", Workplace.smallModel] : []
        let finished = try place.succeed(["rerun", "out.png"] + model)
        #expect(finished.output == "out-rerun.png\n")
        #expect(try place.bytes("out.png") == place.bytes("out-rerun.png"))
    }

    @Test("exact steps, pictures from noise, JPEG and pictures of pictures are repeated too")
    func kinds() throws {
        try place.succeed(["refine", "in.png", "--run-steps", "2", "--seed", "1", "-o", "few.png"])
        try place.succeed(["rerun", "few.png", "-o", "few-2.png"])
        #expect(try place.bytes("few.png") == place.bytes("few-2.png"))

        try place.succeed(["paint", "--size", "50x34", "--steps", "4", "--seed", "3", "-o", "new.png"])
        try place.succeed(["rerun", "new.png"])
        #expect(try place.bytes("new.png") == place.bytes("new-rerun.png"))

        try paint(["--quality", "71"], to: "out.jpg")
        try place.succeed(["rerun", "out.jpg", "--quiet"])
        #expect(try place.bytes("out.jpg") == place.bytes("out-rerun.jpg"))

        try paint([])
        try place.succeed(["refine", "out.png", "--steps", "4", "--seed", "2", "-o", "third.png"])
        try place.succeed(["rerun", "third.png"])
        #expect(try place.bytes("third.png") == place.bytes("third-rerun.png"))
    }

    @Test("the input is found by its hash: beside the picture, under another name, or in --find")
    func finding() throws {
        try paint([])
        try FileManager.default.createDirectory(atPath: place.file("far/deep"), withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: place.file("away"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: place.file("out.png"), toPath: place.file("away/out.png"))
        // In the current folder.
        try place.succeed(["rerun", "away/out.png", "-o", "1.png"])
        // Beside it, under another name; a picture of the right name is another.
        try FileManager.default.moveItem(atPath: place.file("in.png"), toPath: place.file("away/renamed.png"))
        try place.picture("in.png", 48, 40)
        try place.succeed(["rerun", "away/out.png", "-o", "2.png"])
        #expect(try place.read("1.png").samples == place.read("2.png").samples)
        // Nowhere.
        try FileManager.default.moveItem(atPath: place.file("away/renamed.png"), toPath: place.file("far/deep/x.png"))
        try place.refuse(
            ["rerun", "away/out.png", "-o", "3.png"], code: 66, naming: ["in.png", "sha256", "--input", "--find"])
        try place.succeed(["rerun", "away/out.png", "-o", "3.png", "--find", "far"])
        #expect(try place.read("3.png").samples == place.read("1.png").samples)
        // Another picture on purpose.
        let other = try place.succeed(["rerun", "away/out.png", "-o", "4.png", "--input", "in.png"])
        #expect(other.errors.contains("Warning: in.png is not the picture"))
        #expect(try place.read("4.png").size == PixelSize(width: 48, height: 40))
    }

    @Test("the model is found by its hash, and one that is missing or another is told")
    func models() throws {
        try place.copyModel()
        try paint(["--model", "model"])
        try place.succeed(["rerun", "out.png", "-o", "1.png"])
        #expect(try place.bytes("out.png") == place.bytes("1.png"))
        try FileManager.default.createDirectory(atPath: place.file("far"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: place.file("model"), toPath: place.file("far/model"))
        try place.refuse(["rerun", "out.png", "-o", "2.png"], code: 66, naming: ["model", "sha256", "--model"])
        try place.succeed(["rerun", "out.png", "-o", "2.png", "--find", "far"])
        let other = try place.succeed(["rerun", "out.png", "-o", "3.png", "--model", "miniature"])
        #expect(other.errors.contains("miniature is not the model"))
        let recipe = try place.read("out.png").recipe()
        let parts = try #require((recipe["model"] as? [String: Any])?["parts"] as? [String: String])
        #expect(Set(parts.keys) == ["unet", "vae", "text_encoder"])
        #expect(Set(parts.values).count == 3)
    }

    @Test("a model in one file is found by the hash of the file, with its kind, prediction and other autoencoder")
    func oneFile() throws {
        let checkpoint = try FormulaCheckpoint("sd1", base: "sd1")
        try FormulaCheckpoint.write(checkpoint.original(), to: place.file("it.safetensors"))
        try FileManager.default.createDirectory(atPath: place.file("far/deep"), withIntermediateDirectories: true)
        for part in ["encoder", "decoder"] {
            try FileManager.default.copyItem(
                atPath: Golden.path("vae-tiny/taesd_\(part).safetensors"),
                toPath: place.file("far/deep/taesd_\(part).safetensors"))
        }
        try paint([
            "--model", "it.safetensors", "--kind", "sd1-turbo", "--prediction", "v", "--steps", "3", "--vae",
            "far/deep/taesd_decoder.safetensors",
        ])
        let picture = try place.read("out.png")
        let recipe = try picture.recipe()
        let model = try #require(recipe["model"] as? [String: Any])
        let file = SHA256.hash(try place.bytes("it.safetensors"))
        #expect(model["parts"] as? [String: String] == ["file": file] && model["sha256"] as? String == file)
        #expect(recipe["kind"] as? String == "sd1-turbo" && recipe["prediction"] as? String == "v")
        let both =
            try place.bytes("far/deep/taesd_encoder.safetensors")
            + place.bytes("far/deep/taesd_decoder.safetensors")
        let autoencoder = SHA256.hash(both)
        #expect(
            recipe["vae"] as? [String: String] == ["name": "taesd_decoder.safetensors", "sha256": autoencoder])
        let text = try #require(picture.metadata["parameters"])
        #expect(
            text.contains("Model hash: \(file.prefix(10)), Model: it, ")
                && text.contains("VAE hash: \(autoencoder.prefix(10)), VAE: taesd_decoder.safetensors"))
        #expect(try place.succeed(["history", "out.png"]).output.contains("autoencoder taesd_decoder.safetensors"))

        try place.refuse(
            ["rerun", "out.png", "-o", "1.png"], code: 66, naming: ["taesd_decoder.safetensors", "--vae", "--find"])
        try place.succeed(["rerun", "out.png", "-o", "1.png", "--find", "far"])
        #expect(try place.bytes("1.png") == place.bytes("out.png"))
        // Deep in a folder; one of the right name and other numbers is passed over.
        let file2 = place.file("far/deep/it.safetensors")
        try FileManager.default.moveItem(atPath: place.file("it.safetensors"), toPath: file2)
        let other = try FormulaCheckpoint("sd1-inpaint", base: "sd1")
        try FormulaCheckpoint.write(other.original(), to: place.file("it.safetensors"))
        try place.succeed(["rerun", "out.png", "-o", "2.png", "--find", "far"])
        #expect(try place.bytes("2.png") == place.bytes("out.png"))
        try place.refuse(
            ["rerun", "out.png", "-o", "3.png", "--vae", "far/deep/taesd_encoder.safetensors"], code: 66,
            naming: ["The model it", "sha256"])
        let changed = try place.succeed([
            "rerun", "out.png", "-o", "3.png", "--find", "far", "--vae", Workplace.smallModel + "/vae",
        ])
        #expect(changed.errors.contains("is not the autoencoder taesd_decoder.safetensors"))
        #expect(try place.read("3.png").samples != picture.samples)

        // The web UI's text names the file's hash too, and of several of one name the one with the hash is taken.
        try webUI(
            "a lake\nSteps: 3, Sampler: Euler, CFG scale: 2, Seed: 3, Size: 64x64, Model hash: \(file.prefix(10)), Model: it, VAE hash: \(autoencoder.prefix(10)), VAE: taesd_decoder.safetensors"
        )
        try place.succeed(["rerun", "web.png", "-o", "4.png", "--find", "far", "--quiet"])
        let painted = try place.read("4.png").recipe()
        #expect((painted["model"] as? [String: Any])?["sha256"] as? String == file)
        #expect((painted["vae"] as? [String: String])?["sha256"] == autoencoder)
        let near = try place.succeed(["rerun", "web.png", "-o", "5.png"])
        #expect(near.errors.contains("not its hash") && near.errors.contains("VAE taesd_decoder.safetensors"))
    }

    @Test("embeddings are found by hash under their own names, and one that is missing is told")
    func embeddings() throws {
        func copy(_ name: String, to path: String) throws {
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: place.file(path)).deletingLastPathComponent().path,
                withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: Golden.path("prompts/embeddings/\(name).safetensors"), toPath: place.file(path))
        }
        func move(_ from: String, _ to: String) throws {
            try FileManager.default.moveItem(atPath: place.file(from), toPath: place.file(to))
        }
        let model = ["--model", Workplace.smallModel]
        try copy("wisp", to: "words/wisp.safetensors")
        try copy("Wisp Glow", to: "words/more/Wisp Glow.safetensors")
        try paint(["--prompt", "a (wisp:1.2)", "--negative", "wisp glow", "--embedding", "words"] + model)
        try paint(["--prompt", "a wisp", "--embedding", "words", "--compat", "diffusers"] + model, to: "plain.png")
        #expect(try place.succeed(["history", "out.png"]).output.contains("embeddings Wisp Glow, wisp"))

        try place.refuse(
            ["rerun", "out.png", "-o", "1.png"] + model, code: 66,
            naming: ["Wisp Glow", "sha256", "--find", "current folder"])
        try place.succeed(["rerun", "out.png", "-o", "1.png", "--find", "words"] + model)
        #expect(try place.bytes("out.png") == place.bytes("1.png"))
        try move("words/wisp.safetensors", "wisp.safetensors")
        try move("words/more/Wisp Glow.safetensors", "Wisp Glow.safetensors")
        try place.succeed(["rerun", "out.png", "-o", "2.png"] + model)
        #expect(try place.bytes("out.png") == place.bytes("2.png"))
        try place.succeed(["rerun", "plain.png", "-o", "3.png"] + model)
        #expect(try place.bytes("plain.png") == place.bytes("3.png"))

        var crowd = try place.read("plain.png")
        crowd.metadata.texts = [
            .init(
                keyword: "velatura",
                text:
                    #"{"command":"paint","size":"8x8","embeddings":[\#((0..<257).map { #"{"name":"e\#($0)"}"# }.joined(separator: ","))]}"#
            )
        ]
        try place.write(crowd, to: "crowd.png")
        try place.refuse(["rerun", "crowd.png"], code: 65, naming: ["crowd.png", "257", "256"])

        // Another file of that name, and the right one under another.
        try move("wisp.safetensors", "renamed.safetensors")
        try copy("narrow", to: "wisp.safetensors")
        try place.refuse(["rerun", "plain.png", "-o", "4.png"] + model, code: 66, naming: ["wisp", "--find"])

        // The web UI's text has the first digits of each hash; what it names and is not there is told.
        let recorded = try #require(try place.read("plain.png").recipe()["embeddings"] as? [[String: String]])
        let hash = try #require(recorded[0]["sha256"]).prefix(12)
        try webUI(
            "a wisp\nSteps: 6, Sampler: Euler, CFG scale: 2, Seed: 3, Size: 48x32, TI hashes: \"wisp: \(hash), gone: 0123456789ab, wisp: \(hash)\""
        )
        func rerun(_ name: String) throws -> String {
            try place.succeed(["rerun", "web.png", "-o", name] + model).errorLines.filter { $0.hasPrefix("Warning: ") }
                .joined()
        }
        let without = try rerun("5.png")
        #expect(without.contains("embedding wisp") && without.contains("embedding gone"))
        try FileManager.default.removeItem(atPath: place.file("wisp.safetensors"))
        try move("renamed.safetensors", "wisp.safetensors")
        let with = try rerun("6.png")
        #expect(!with.contains("embedding wisp") && with.contains("embedding gone"))
        #expect(try place.read("5.png").samples != place.read("6.png").samples)
        #expect(try (place.read("6.png").recipe()["embeddings"] as? [[String: String]])?.count == 1)
    }

    /// A picture as the web UI writes it.
    private func webUI(_ text: String, to name: String = "web.png") throws {
        var picture = Picture.sample(48, 32, .rgb)
        picture.metadata.texts = [.init(keyword: "parameters", text: text)]
        try place.write(picture, to: name)
    }

    static let parameters = """
        a lake
        Negative prompt: fog
        Steps: 10, Sampler: DPM++ 2M SDE, Schedule type: Karras, CFG scale: 3, Seed: 77, Size: 48x32, Model hash: 0123456789, \
        Model: miniature, Variation seed: 5, Variation seed strength: 0.2, Denoising strength: 0.5, Clip skip: 2, \
        Noise multiplier: 0.9, Mask blur: 4, Version: v1.10.1
        """

    @Test("a picture with the web UI's text is painted by that tool's rules, and what is not followed is told")
    func fromWebUI() throws {
        try webUI(Self.parameters)
        try place.refuse(["rerun", "web.png"], code: 66, naming: ["web.png", "--input"])
        let finished = try place.succeed(["rerun", "web.png", "--input", "in.png"])
        #expect(finished.errors.contains("Mask blur: 4"))
        try place.succeed([
            "refine", "in.png", "--compat", "webui", "--sampler", "dpmpp-2m-sde", "--schedule", "karras", "--steps",
            "10",
            "--guidance", "3", "--seed", "77", "--strength", "0.5", "--clip-skip", "2", "--initial-noise-multiplier",
            "0.9",
            "--variation", "5:0.2", "--prompt", "a lake", "--negative", "fog", "-o", "same.png",
        ])
        let rerun = try place.read("web-rerun.png")
        #expect(rerun.samples == (try place.read("same.png")).samples)
        let recipe = try rerun.recipe()
        #expect(
            recipe["rng"] as? String == "nv" && recipe["compat"] as? String == "webui" && recipe["run"] as? Int == 6)
    }

    @Test("older names, other random sources, pictures from noise, and JPEG's comment are understood")
    func variants() throws {
        try webUI(
            "a lake\nSteps: 6, Sampler: DPM++ 2M Karras, CFG scale: 2, Seed: 3, Size: 40x24, RNG: CPU, Model: miniature"
        )
        try place.succeed(["rerun", "web.png"])
        let painted = try place.read("web-rerun.png")
        #expect(painted.size == PixelSize(width: 40, height: 24))
        let recipe = try painted.recipe()
        #expect(recipe["command"] as? String == "paint" && recipe["schedule"] as? String == "karras")
        #expect(recipe["rng"] as? String == "torch")

        try webUI(
            "x\nSteps: 6, Sampler: Euler a, CFG scale: 1, Seed: 3, Size: 40x24, ENSD: 31337, Model: miniature",
            to: "e.png")
        try place.succeed(["rerun", "e.png"])
        #expect(try place.read("e-rerun.png").recipe()["eta-noise-delta"] as? Int == 31337)

        // Exif with a comment in UTF-16, high byte first.
        let text = Array("a lake\nSteps: 6, Sampler: Euler, CFG scale: 1, Seed: 4, Size: 40x24, Model: miniature".utf16)
        let comment = Array("UNICODE\0".utf8) + text.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        func four(_ n: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: n >> $0) } }
        let exif: [UInt8] =
            [0x4D, 0x4D, 0, 42] + four(8) + [0, 1, 0x87, 0x69, 0, 4] + four(1) + four(26) + four(0)
            + [0, 1, 0x92, 0x86, 0, 7] + four(comment.count) + four(44) + four(0) + comment
        var picture = Picture.sample(40, 24, .rgb)
        picture.metadata.exif = exif
        try place.write(picture, to: "web.jpg")
        try place.succeed(["rerun", "web.jpg", "-o", "from-jpeg.png"])
        #expect(try place.read("from-jpeg.png").recipe()["seed"] as? Int == 4)
        #expect(try place.read("from-jpeg.png").recipe()["prompt"] as? String == "a lake")
    }

    @Test("what cannot be rerun is refused")
    func refusals() throws {
        try place.refuse(["rerun", "in.png"], code: 65, naming: ["in.png", "no recipe"])
        try place.refuse(["rerun", "nowhere.png"], code: 66, naming: ["nowhere.png"])
        var foreign = Picture.sample(8, 8, .rgb)
        foreign.metadata.texts = [.init(keyword: "velatura", text: #"{"command":"knit"}"#)]
        try place.write(foreign, to: "knitted.png")
        try place.refuse(["rerun", "knitted.png"], code: 65, naming: ["knitted.png", "knit"])
        try webUI("a lake\nSteps: 6, Sampler: Restart, CFG scale: 2, Seed: 3, Size: 40x24")
        try place.refuse(["rerun", "web.png"], code: 65, naming: ["Restart"])
        // Words that name what is not there, and recipes of both ways of reading at once.
        try webUI("a lake <lora:ink:1>\nSteps: 6, Sampler: Euler, CFG scale: 2, Seed: 3, Size: 40x24", to: "lora.png")
        try place.refuse(["rerun", "lora.png"], code: 66, naming: ["lora.png", "LoRA ink"])
        var mixed = Picture.sample(8, 8, .rgb)
        let both =
            #"{"command":"paint","size":"40x24","steps":4,"seed":1,"sampler":"ddim","compat":"none","prompt-language":"plain","embeddings":[{"name":"../x"},7]}"#
        mixed.metadata.texts = [.init(keyword: "velatura", text: both)]
        try place.write(mixed, to: "mixed.png")
        try place.refuse(["rerun", "mixed.png"], code: 66, naming: ["../x"])
        mixed.metadata.texts = [
            .init(keyword: "velatura", text: both.replacingOccurrences(of: #"{"name":"../x"},7"#, with: ""))
        ]
        try FileManager.default.removeItem(atPath: place.file("mixed.png"))
        try place.write(mixed, to: "mixed.png")
        #expect(try place.succeed(["rerun", "mixed.png"]).errors.contains("prompt-language: plain"))
        // Strangers' recipes.
        for (recipe, parts) in [
            (#"{"command":"paint","sampler":"magic","size":"40x24"}"#, ["magic"]),
            (#"{"command":"paint","steps":-5,"size":"40x24"}"#, ["--steps"]),
            (#"{"command":"paint","size":"999999x999999"}"#, ["999999"]),
            (#"{"command":"paint"}"#, ["--size"]), (#"{"command":"rm"}"#, ["rm"]), ("{}", ["something else"]),
        ] {
            var picture = Picture.sample(8, 8, .rgb)
            picture.metadata.texts = [.init(keyword: "velatura", text: recipe)]
            try? FileManager.default.removeItem(atPath: place.file("strange.png"))
            try place.write(picture, to: "strange.png")
            try place.refuse(["rerun", "strange.png"], code: 65, naming: ["strange.png"] + parts)
        }
        try paint([])
        try place.succeed(["rerun", "out.png"])
        try place.refuse(["rerun", "out.png"], code: 73, naming: ["out-rerun.png", "--overwrite"])
        try place.succeed(["rerun", "out.png", "--overwrite"])
        let plan = try jsonLines(try place.succeed(["rerun", "out.png", "--explain", "--json"]).output)
        #expect(plan.first?["event"] as? String == "plan")
    }

    @Test("history tells all that was done to a picture, oldest first")
    func history() throws {
        try paint(["--prompt", "a lake"])
        try place.succeed(["refine", "out.png", "--steps", "4", "--seed", "2", "--skip", "75", "-o", "third.png"])
        let told = try place.succeed(["history", "third.png"])
        #expect(told.output.contains("1. refine in.png: skip 50, seed 7, 3 of 6 steps from sigma"))
        #expect(told.output.contains("2. refine out.png: skip 75, seed 2, 1 of 4 steps"))
        #expect(told.output.contains("“a lake”") && told.output.contains("model miniature"))
        let lines = try jsonLines(try place.succeed(["history", "third.png", "--json"]).output)
        #expect(lines.count == 2 && lines.compactMap { $0["index"] as? Int } == [1, 2])
        #expect((lines[1]["recipe"] as? [String: Any])?["seed"] as? Int == 2)
        try place.refuse(["history", "in.png"], code: 65, naming: ["in.png", "no recipe"])
        try webUI(Self.parameters)
        #expect(try place.succeed(["history", "web.png"]).output.hasPrefix("1. a lake\n   Negative prompt: fog\n"))
    }
}
