import Checkpoints
import Foundation
import RasterFiles
import TestKit
import Testing

@Suite struct ModelsTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test("the list names the built-in model, and the environment's as the default")
    func list() throws {
        let usual = try place.succeed(["models", "list"])
        #expect(usual.outputLines.count == 1 && usual.output.hasPrefix("miniature") && usual.output.contains("default"))
        let chosen = try place.succeed(
            ["models", "list", "--json"], environment: ["VELATURA_MODEL": "elsewhere/model"])
        let events = try jsonLines(chosen.output)
        #expect(events.map { $0["name"] as? String } == ["miniature", "elsewhere/model"])
        #expect(events.map { $0["default"] as? Bool } == [false, true])
    }

    @Test("inspecting says what a model is")
    func inspect() throws {
        let own = try place.succeed(["models", "inspect", "miniature"]).output
        #expect(own.contains("unshuffle") && own.contains("1024²"))
        let other = try jsonLines(try place.succeed(["models", "inspect", Workplace.smallModel, "--json"]).output)
        #expect(other.first?["codec"] as? String != nil && other.first?["name"] as? String == "model")
        try place.refuse(["models", "inspect", "nowhere"], code: 66, naming: ["nowhere"])
    }

    @Test("inspecting tells what said each thing, and what is asked for wins")
    func sources() throws {
        let own = try jsonLines(try place.succeed(["models", "inspect", Workplace.smallModel, "--json"]).output).first
        #expect(own?["predicts"] as? String == "epsilon")
        #expect(own?["predicts by"] as? String == "scheduler/scheduler_config.json")
        let asked = try jsonLines(
            try place.succeed(
                ["models", "inspect", Workplace.smallModel, "--json", "--prediction", "v", "--kind", "sd1-lightning"])
                .output
        ).first
        #expect(asked?["predicts"] as? String == "v" && asked?["predicts by"] as? String == "--prediction")
        #expect(asked?["kind"] as? String == "sd1-lightning" && asked?["kind by"] as? String == "--kind")
        try place.refuse(
            ["models", "inspect", Workplace.smallModel, "--kind", "sdxl"], code: 65, naming: ["sdxl", "sd1"])
        try place.refuse(["models", "inspect", Workplace.smallModel, "--kind", "sd9"], code: 64, naming: ["sd9"])
    }

    @Test("verifying finds a sound model sound, and names each number and key that is not")
    func verify() throws {
        #expect(try place.succeed(["models", "verify", "miniature"]).output.contains("every key is there"))
        try place.copyModel()
        #expect(try place.succeed(["models", "verify", "model"]).errors == "")
        // A NaN in the last tensor of the file, and a key that is called otherwise.
        var bytes = try place.bytes("model/unet/diffusion_pytorch_model.safetensors")
        bytes.replaceSubrange(bytes.count - 4..<bytes.count, with: [0, 0, 0xc0, 0x7f])
        let name = Array("conv_in.bias".utf8)
        let at = try #require(bytes.indices.first { bytes[$0...].starts(with: name) })
        bytes[at] = UInt8(ascii: "k")
        try WholeFile.write(bytes, to: place.file("model/unet/diffusion_pytorch_model.safetensors"))
        let finished = try place.run(["models", "verify", "model"])
        #expect(finished.code == 65 && finished.errorLines.count == 3)
        for part in ["no finite numbers", "conv_in.bias is missing", "konv_in.bias is not part"] {
            #expect(finished.errors.contains(part), "\(part) is not in: \(finished.errors)")
        }
        try place.write("hello", to: "text.ckpt")
        try place.refuse(["models", "verify", "text.ckpt"], code: 65, naming: ["text.ckpt"])
        try place.refuse(["models", "verify", "nowhere"], code: 66, naming: ["nowhere"])
    }

    @Test("converting writes the same tensors as safetensors, once")
    func convert() throws {
        let archive = Golden.path("torch/trained.ckpt")
        #expect(try place.succeed(["models", "convert", archive, "new.safetensors"]).output == "new.safetensors\n")
        let (old, new) = (try TensorFile(path: archive), try TensorFile(path: place.file("new.safetensors")))
        #expect(old.entries.keys.sorted() == new.entries.keys.sorted() && new.metadata["global_step"] == "470000")
        for (key, entry) in new.entries {
            let before = try #require(old.entries[key])
            #expect(before.format == entry.format && before.shape == entry.shape && entry.strides == nil)
            let same = old.withBytes(of: before) { a in new.withBytes(of: entry) { a.elementsEqual($0) } }
            #expect(same, "the bytes of \(key) differ")
        }
        try place.refuse(
            ["models", "convert", archive, "new.safetensors"], code: 73, naming: ["new.safetensors", "--overwrite"])
        try place.succeed(["models", "convert", archive, "new.safetensors", "--overwrite"])
        try place.refuse(["models", "convert", archive, "new.ckpt"], code: 64, naming: [".safetensors"])
        try place.refuse(["models", "convert", "nowhere.ckpt", "a.safetensors"], code: 66, naming: ["nowhere.ckpt"])
        #expect(place.names() == ["new.safetensors"])
    }

    @Test("a hostile archive is refused by the name that it asks for, with 65")
    func hostile() throws {
        let pickle: [UInt8] =
            [0x80, 2] + Array("cposix\nsystem\nX\u{4}\0\0\0true\u{85}R.".unicodeScalars.map { UInt8($0.value) })
        try WholeFile.write(pickle, to: place.file("evil.ckpt"))
        for command in ["inspect", "verify"] {
            try place.refuse(["models", command, "evil.ckpt"], code: 65, naming: ["evil.ckpt", "posix.system"])
        }
        try place.refuse(
            ["paint", "-o", "a.png", "--size", "64x64", "--model", "evil.ckpt"], code: 65, naming: ["posix.system"])
    }

    @Test(
        "a checkpoint in one file paints; its kind gives steps, guidance and spacing; its own tokenizer is not needed")
    func oneFile() throws {
        let checkpoint = try FormulaCheckpoint("sd1", base: "sd1")
        try FormulaCheckpoint.write(checkpoint.original(), to: place.file("it.safetensors"))
        let base = ["paint", "--size", "64x64", "--seed", "1", "--prompt", "a lake", "--model", "it.safetensors"]
        try place.succeed(base + ["-o", "plain.png", "--steps", "2"])
        let plain = try place.read("plain.png")
        let recipe = try plain.recipe()
        #expect(recipe["guidance"] as? Double == 7.5 && (recipe["model"] as? [String: Any])?["name"] as? String == "it")
        try place.succeed(base + ["-o", "turbo.png", "--kind", "sd1-turbo"])
        let turbo = try place.read("turbo.png").recipe()
        #expect(
            turbo["steps"] as? Int == 4 && turbo["guidance"] as? Double == 0 && turbo["sampler"] as? String == "euler")
        try place.succeed(base + ["-o", "v.png", "--steps", "2", "--prediction", "v"])
        #expect(try place.read("v.png").samples != plain.samples)
        try place.succeed(["models", "convert", "it.safetensors", "copy.safetensors"])
        try place.succeed(base.dropLast() + ["copy.safetensors", "-o", "copy.png", "--steps", "2"])
        #expect(try place.read("copy.png").samples == plain.samples)
    }

    @Test("a network that is told of guidance runs once a step, and is told what --guidance says, whatever the prompt")
    func toldGuidance() throws {
        try place.picture()
        try FormulaCheckpoint.write(
            FormulaCheckpoint("sd1-lcm", base: "sd1").original(), to: place.file("it.safetensors"))
        let model = ["--model", "it.safetensors", "--steps", "3", "--skip", "0"]
        let usual = try place.refined(["--prompt", "a lake"] + model)
        #expect(try usual.recipe()["guidance"] as? Double == 8.5)
        #expect(try usual.recipe()["sampler"] as? String == "lcm")
        #expect(try place.refined(["--prompt", "a lake", "--guidance", "8.5"] + model).samples == usual.samples)
        #expect(try place.refined(["--prompt", "a lake", "--guidance", "2"] + model).samples != usual.samples)
        #expect(try place.refined(["--prompt", "a lake", "--negative", "fog"] + model).samples == usual.samples)
        let parts = ["--prompt", "a (lake:1.3):0.6 AND [sea|sky]:0.4"]
        let mixed = try place.refined(parts + model)
        #expect(try place.refined(parts + ["--guidance", "2"] + model).samples != mixed.samples)
        let plan = try place.succeed(["refine", "in.png", "--prompt", "a", "--seed", "1", "--explain"] + model)
        #expect(plan.output.contains("guidance 8.5"))
        try place.write(mixed, to: "out.png")
        try place.succeed(["rerun", "out.png", "-o", "again.png"])
        #expect(try place.read("again.png").samples == mixed.samples)
    }

    @Test("a model for inpainting, which sees more channels, paints under every kind of prompt, and again")
    func inpaintingModel() throws {
        try place.picture()
        try FormulaCheckpoint.write(
            FormulaCheckpoint("sd1-inpaint", base: "sd1").original(), to: place.file("it.safetensors"))
        let model = ["--model", "it.safetensors", "--steps", "3", "--skip", "0"]
        var seen: Set<[UInt8]> = []
        for prompt in ["", "a lake", "a lake AND sea:0.5", "a lake \(String(repeating: "fog, ", count: 40))"] {
            try place.succeed(
                ["refine", "in.png", "--seed", "1", "--prompt", prompt, "-o", "out.png", "--overwrite"] + model)
            try place.succeed(["rerun", "out.png", "-o", "again.png", "--overwrite"])
            #expect(try place.bytes("again.png") == place.bytes("out.png"))
            guard case .eight(let samples) = try place.read("out.png").samples else {
                Issue.record("8 bits are expected")
                return
            }
            #expect(seen.insert(samples).inserted, "the prompt “\(prompt.prefix(20))” changes nothing")
        }
    }

    @Test("another autoencoder changes the picture; a file that is none is refused")
    func autoencoder() throws {
        let base = ["paint", "--size", "64x64", "--steps", "2", "--seed", "1", "--model", Workplace.smallModel]
        try place.succeed(base + ["-o", "plain.png"])
        try place.succeed(base + ["-o", "same.png", "--vae", Workplace.smallModel + "/vae"])
        #expect(try place.read("plain.png").samples == place.read("same.png").samples)
        try place.succeed(base + ["-o", "tiny.png", "--vae", Golden.path("vae-tiny/taesd_decoder.safetensors")])
        #expect(try place.read("plain.png").samples != place.read("tiny.png").samples)
        try place.refuse(base + ["-o", "a.png", "--vae", "nowhere"], code: 66, naming: ["nowhere", "--vae"])
        try place.refuse(base + ["-o", "a.png", "--vae", ""], code: 64, naming: ["--vae"])
        try place.refuse(
            base + ["-o", "a.png", "--vae", Golden.path("torch/state.safetensors")], code: 65,
            naming: ["state.safetensors"])
    }
}

@Suite struct DoctorTests {
    @Test("the doctor tells libraries, formats and model, and finds nothing missing")
    func healthy() throws {
        let finished = try Workplace().succeed(["doctor"])
        for word in [
            "velatura", "processors", "memory", "oneDNN", "png", "jpeg", "tiff", "profiles by Little CMS",
            "miniature loads",
        ] {
            #expect(finished.output.contains(word), "\(word) is not told")
        }
        #expect(finished.errors == "")
    }

    @Test("a model that is not there is told, with 69")
    func missingModel() throws {
        let finished = try Workplace().run(["doctor"], environment: ["VELATURA_MODEL": "nowhere"])
        #expect(finished.code == 69)
        #expect(finished.output.contains("nowhere"))
    }
}
