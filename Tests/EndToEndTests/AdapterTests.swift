import Foundation
import Raster
import TestKit
import Testing

/// `--lora` and the tags of prompts that name LoRAs: docs/adapters.md.
@Suite struct AdapterTests {
    let place: Workplace

    private static let model = ["--model", Workplace.smallModel]

    init() throws {
        place = try Workplace()
        try place.picture()
        try Self.write(to: place.file("ink.safetensors"))
    }

    /// A LoRA that is strong enough to be seen, for a text encoder and a UNet with texts 32 wide.
    private static func write(width: Int = 32, named module: String = "mid_block", to path: String) throws {
        func tensor(_ key: String, _ shape: [Int], _ seed: UInt64) -> FormulaCheckpoint.Tensor {
            var generator = SeededGenerator(seed)
            let values = (0..<shape.reduce(1, *)).map { _ in Float(Int64(generator.next() % 2001) - 1000) / 1500 }
            return .init(key: key, format: "F32", shape: shape, bytes: values.withUnsafeBytes { Array($0) })
        }
        let unet = "lora_unet_\(module)_attentions_0_transformer_blocks_0_attn2_to_k"
        let text = "lora_te_text_model_encoder_layers_0_mlp_fc2"
        try FormulaCheckpoint.write(
            [
                tensor("\(unet).lora_down.weight", [4, width], 1), tensor("\(unet).lora_up.weight", [32, 4], 2),
                tensor("\(text).lora_down.weight", [4, 64], 3), tensor("\(text).lora_up.weight", [32, 4], 4),
            ], metadata: ["ss_output_name": "indian ink"], to: path)
    }

    private func painted(_ arguments: [String], _ prompt: String = "a lake") throws -> Picture.Samples {
        try place.refined(["--skip", "0", "--prompt", prompt] + Self.model + arguments).samples
    }

    @Test("a LoRA changes the picture as strongly as it is told, and not at all with weight 0")
    func weights() throws {
        let without = try painted([])
        let (one, half) = (try painted(["--lora", "ink.safetensors"]), try painted(["--lora", "ink.safetensors:0.5"]))
        #expect(Set([without, one, half, try painted(["--lora", "ink.safetensors:-0.5"])]).count == 4)
        #expect(try painted(["--lora", "ink.safetensors:0"]) == without)
        #expect(try painted(["--lora", "ink.safetensors:1.0"]) == one)
        #expect(try painted(["--lora", "ink.safetensors:0.5", "--lora", "ink.safetensors:0.5"]) != half)
    }

    @Test("a tag applies what an option would, by the file's name or its trainer's, from a file or a folder")
    func tags() throws {
        try FileManager.default.createDirectory(atPath: place.file("nets/deep"), withIntermediateDirectories: true)
        try Self.write(to: place.file("nets/deep/ink.safetensors"))
        let half = try painted(["--lora", "ink.safetensors:0.5"])
        let without = try painted([])
        #expect(try painted(["--lora", "nets"]) == without, "a folder alone applies nothing")
        #expect(try painted(["--lora", "nets"], "a lake<lora:ink:0.5>") == half)
        #expect(try painted(["--lora", "nets"], "a lake<lora:indian ink:0.5>") == half)
        #expect(
            try painted(["--lora", "ink.safetensors"], "a lake<lora:ink:0.5>") == half, "the tag says how strongly")
        let (text, unet) = (
            try painted(["--lora", "nets"], "a lake<lora:ink:0.5:0>"),
            try painted(["--lora", "nets"], "a lake<lora:ink:te=0:unet=0.5>")
        )
        let cut = try painted(["--lora", "nets"], "a lake<lora:ink:0.5:dyn=2>")
        #expect(Set([without, half, text, unet, cut]).count == 5)
        #expect(try painted(["--lora", "nets"], "a lake<lora:ink:0>") == without)
        // Another tool's reading knows no tags.
        #expect(
            try painted(["--lora", "nets", "--compat", "diffusers"], "a lake<lora:ink:0.5>")
                == painted(["--compat", "diffusers"], "a lake<lora:ink:0.5>"))
    }

    @Test("recipes tell what was applied, and rerun paints the same bytes")
    func recipes() throws {
        for (number, arguments) in [
            ["--prompt", "a lake <lora:ink:0.5:unet=1>", "--lora", "ink.safetensors"],
            ["--prompt", "a lake", "--lora", "ink.safetensors:-0.75"],
        ].enumerated() {
            let out = "out\(number).png"
            try place.succeed(
                ["refine", "in.png", "-o", out, "--seed", "3", "--steps", "4"] + arguments + Self.model)
            let picture = try place.read(out)
            let lora = try #require((picture.recipe()["loras"] as? [[String: Any]])?.first)
            #expect(lora["name"] as? String == "ink" && lora["by"] as? String == (number == 0 ? "prompt" : "option"))
            #expect(lora["te"] as? Double == (number == 0 ? 0.5 : -0.75))
            #expect(lora["unet"] as? Double == (number == 0 ? 1 : -0.75))
            #expect((lora["sha256"] as? String)?.count == 64)
            #expect(try #require(picture.metadata["parameters"]).contains("Lora hashes: \"ink: "))
            #expect(try place.succeed(["history", out]).output.contains("LoRAs ink ("))
            try place.succeed(["rerun", out, "-o", "again\(number).png", "--model", Workplace.smallModel])
            #expect(try place.bytes("again\(number).png") == place.bytes(out))
        }
        try FileManager.default.moveItem(atPath: place.file("ink.safetensors"), toPath: place.file("ink.gone"))
        try place.refuse(
            ["rerun", "out1.png", "--model", Workplace.smallModel], code: 66, naming: ["LoRA ink", "sha256", "--find"])
        try Self.write(named: "up_blocks", to: place.file("ink.safetensors"))
        try place.refuse(["rerun", "out1.png", "--model", Workplace.smallModel], code: 66, naming: ["LoRA ink"])
    }

    @Test("pictures hand their LoRAs on with their words, and those that differ are not painted together")
    func inheritance() throws {
        let tag = ["--prompt", "a lake <lora:ink:0.5>", "--lora", "ink.safetensors"]
        try place.succeed(["refine", "in.png", "-o", "a.png", "--seed", "3", "--steps", "4"] + tag + Self.model)
        let again = ["--seed", "5", "--steps", "4"] + Self.model
        try place.refuse(["refine", "a.png"] + again, code: 66, naming: ["a.png", "<lora:ink>", "--lora"])
        try place.succeed(["refine", "a.png", "-o", "b.png", "--lora", "ink.safetensors"] + again)
        #expect(try (place.read("b.png").recipe()["loras"] as? [Any])?.count == 1)
        try place.refuse(
            ["refine", "a.png", "in.png", "--lora", "ink.safetensors"] + again, code: 64,
            naming: ["a.png", "in.png", "different LoRAs"])
    }

    @Test("what is missing or does not fit is refused, what is left over is told")
    func refusals() throws {
        func refuse(_ lora: String, code: Int32, _ parts: [String], _ more: [String] = AdapterTests.model) throws {
            try place.refuse(
                ["refine", "in.png", "--seed", "1", "--prompt", "x", "--lora", lora] + more, code: code, naming: parts)
        }
        let nowhere = ["--model", "nowhere"]
        try refuse("gone.safetensors", code: 66, ["gone.safetensors", "--lora"], nowhere)
        try refuse("gone.safetensors:0.5", code: 66, ["gone.safetensors", "--lora"], nowhere)
        try refuse("ink.safetensors:much", code: 64, ["much", "--lora"], nowhere)
        try refuse("ink.safetensors:nan", code: 64, ["nan", "--lora"], nowhere)
        try refuse(".:0.5", code: 64, [".:0.5", "folder"], nowhere)
        try place.write("junk", to: "junk.safetensors")
        try refuse("junk.safetensors", code: 65, ["junk.safetensors"], nowhere)
        try refuse(
            Golden.path("img2img/model/unet/diffusion_pytorch_model.safetensors"), code: 65, ["is no LoRA"], nowhere)
        try place.refuse(
            ["refine", "in.png", "--prompt", "a <lora:brush:1>", "--lora", "ink.safetensors"] + nowhere, code: 66,
            naming: ["<lora:brush>", "--lora"])
        try Self.write(width: 768, to: place.file("wide.safetensors"))
        try refuse("wide.safetensors", code: 65, ["Stable Diffusion 1", "768 wide", "model", "32 wide"])
        try Self.write(named: "joint_blocks", to: place.file("half.safetensors"))
        let finished = try place.succeed(
            ["refine", "in.png", "--seed", "1", "--explain", "--json", "--prompt", "x", "--lora", "half.safetensors"]
                + Self.model)
        let warning = try #require(
            try jsonLines(finished.output).first { $0["event"] as? String == "warning" }?["text"] as? String)
        #expect(warning.contains("2 of the 4 tensors in half.safetensors") && warning.contains("joint_blocks"))
    }

    @Test("paint takes LoRAs too")
    func paint() throws {
        func samples(_ name: String, _ more: [String]) throws -> Picture.Samples {
            try place.succeed(
                ["paint", "-o", name, "--size", "32x32", "--seed", "1", "--steps", "3", "--prompt", "x"] + Self.model
                    + more)
            return try place.read(name).samples
        }
        #expect(try samples("1.png", []) != samples("2.png", ["--lora", "ink.safetensors"]))
    }
}
