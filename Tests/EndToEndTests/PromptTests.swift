import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// What stands in a prompt, and the options that decide how it is read: docs/prompts.md.
@Suite struct PromptTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture()
    }

    private func painted(_ prompt: String, _ more: [String] = []) throws -> Picture.Samples {
        try place.refined(["--prompt", prompt, "--skip", "0"] + more).samples
    }

    @Test("every construct of the language changes the picture, and does nothing where it says nothing")
    func constructs() throws {
        let (lake, sea) = (try painted("a lake"), try painted("a sea"))
        #expect(lake != sea)
        // The same words said in another way.
        for same in [
            "(a lake:1.0)", "[a lake:a sea:99]", "[a sea:a lake:0]", "[a lake:a sea:1.0]", "[a lake|a lake]",
            "a lake AND a sea:0",
            "a \\lake", "[a lake::50]", "[:a lake:0]",
        ] {
            #expect(try painted(same) == lake, "\(same)")
        }
        // Words that count differently.
        var seen: Set = [lake, sea]
        for other in [
            "a (lake:1.5)", "a (lake)", "a [lake]", "a (lake:0.3)", "(a lake:-1)", "a \\(lake\\)", "[a lake:a sea:2]",
            "[a lake:a sea:0.5]",
            "[a lake|a sea]", "a lake AND a sea", "a lake AND a sea:0.5", "a lake:1.5", "a lake BREAK a sea",
            "a lake a sea",
        ] {
            #expect(seen.insert(try painted(other)).inserted, "\(other)")
        }
        #expect(try painted("a lake:2", ["--guidance", "3"]) == painted("a lake", ["--guidance", "6"]))
        // Without guidance a prompt of weight one stands alone, and another is weighed against the negative prompt.
        #expect(try painted("a lake:0.5", ["--guidance", "1"]) != painted("a lake", ["--guidance", "1"]))
        #expect(try painted("[a lake:a sea:3]") != painted("[a lake:a sea:0.5]", ["--steps", "4"]))
    }

    @Test("negative prompts have weights and schedules too, but know no AND")
    func negatives() throws {
        func without(_ negative: String) throws -> Picture.Samples { try painted("a lake", ["--negative", negative]) }
        let fog = try without("fog")
        #expect(try without("(fog:1.5)") != fog)
        #expect(try without("[fog:sea:2]") != fog)
        #expect(try without("(fog:1)") == fog)
        #expect(try without("fog AND sea") == without("fog and sea"))
    }

    @Test("a long prompt is read to its end, in pieces that are told")
    func longPrompts() throws {
        let long = String(repeating: "a lake, ", count: 60)
        let (boat, sun) = (try painted(long + "with a boat"), try painted(long + "with a sun"))
        #expect(boat != sun)
        let finished = try place.succeed([
            "refine", "in.png", "--steps", "4", "--seed", "1", "--prompt", long, "--explain",
        ])
        #expect(finished.errors == "")
        #expect(finished.output.contains("tokens in ") && finished.output.contains(" pieces"))
        let plan = try #require(
            try jsonLines(
                try place.succeed([
                    "refine", "in.png", "--steps", "8", "--seed", "1", "--prompt", "\(long) AND [a:b:3] :0.5",
                    "--explain",
                    "--json",
                ]).output
            ).first)
        let prompt = try #require(plan["prompt"] as? [[String: Any]])
        #expect(prompt.count == 2)
        #expect((prompt[0]["pieces"] as? Int ?? 0) > 1 && (prompt[0]["tokens"] as? Int ?? 0) > 75)
        #expect(prompt[1]["weight"] as? Double == 0.5)
        #expect(prompt[1]["missed"] as? [Int] == [4], "four of eight steps run")
        #expect((plan["negative"] as? [String: Any])?["tokens"] as? Int == 0)
        let recipe = try place.refined(["--prompt", "a lake", "--negative", "fog"]).recipe()
        #expect((recipe["tokens"] as? [Int])?.count == 2)
        #expect(recipe["prompt-language"] as? String == "webui")
    }

    @Test("what cannot be read or applied is refused before a model is loaded")
    func refusals() throws {
        try place.write(String(repeating: "a ", count: 40_000), to: "endless.txt")
        for (prompt, parts) in [
            ("<lora:ink:much>", ["much", "<lora:ink:much>"]), ("<lora::1>", ["names nothing"]),
            ("@endless.txt", ["--prompt", "80000", "32768"]),
        ] {
            try place.refuse(
                ["refine", "in.png", "--prompt", prompt, "--model", "nowhere"], code: 64, naming: parts)
        }
        try place.write(String(repeating: "a b ", count: 8000), to: "long.txt")
        try place.refuse(
            ["refine", "in.png", "--seed", "1", "--prompt", "@long.txt"], code: 64, naming: ["pieces", "64"])
        for prompt in ["(a:99999999999)", "a:-10001", "((((a:99):99):99):99)"] {
            try place.refuse(["refine", "in.png", "--seed", "1", "--prompt", prompt], code: 64, naming: ["weight"])
        }
        #expect(place.names().filter { $0.hasSuffix(".png") } == ["in.png"])
    }

    @Test("a tag in the words of a picture must be found too, unless they are not taken")
    func inheritedTags() throws {
        var picture = try place.read("in.png")
        picture.metadata.texts.append(
            .init(keyword: "parameters", text: "a lake <lora:ink:1>\nSteps: 20, Sampler: Euler, CFG scale: 7"))
        try place.write(picture, to: "other.png")
        try place.refuse(
            ["refine", "other.png", "--seed", "1"], code: 66, naming: ["other.png", "<lora:ink>", "--prompt"])
        try place.succeed(["refine", "other.png", "--seed", "1", "--steps", "4", "--no-inherit"])
    }

    @Test("unknown tags, and tags in negative prompts, are told")
    func strangeTags() throws {
        func warnings(_ arguments: [String]) throws -> [String] {
            try jsonLines(
                try place.succeed(["refine", "in.png", "--seed", "1", "--explain", "--json"] + arguments).output
            ).filter { $0["event"] as? String == "warning" }.compactMap { $0["code"] as? String }
        }
        #expect(try warnings(["--prompt", "a <style:ink:1> lake"]) == ["unknown-tag"])
        #expect(try warnings(["--prompt", "a lake", "--negative", "<lora:ink:1>"]) == ["tag-in-negative"])
        #expect(try warnings(["--prompt", "a < b > c <3"]) == [])
        #expect(try warnings(["--prompt", "a lake at 16:9"]) == ["prompt-weight"])
        #expect(try warnings(["--prompt", "a lake at 16:9,"]) == [])
        #expect(try warnings(["--prompt", "a lake:1.2"]) == [])
        #expect(try painted("a <style:ink:1>lake") == painted("a lake"))
    }

    private static let small = ["--model", Workplace.smallModel]
    private static let sdxl = ["--model", Golden.path("img2img-sdxl/model")]
    private static func embedding(_ name: String) -> [String] { ["--embedding", Golden.path("prompts/" + name)] }

    @Test("an embedding is used where a prompt names it, whole and in any case, and is recorded")
    func embeddings() throws {
        let wisp = Self.small + Self.embedding("embeddings/wisp.safetensors")
        #expect(try painted("a lake", wisp) == painted("a lake", Self.small))
        let words = try painted("a wisp", Self.small)
        let learnt = try painted("a wisp", wisp)
        #expect(learnt != words)
        #expect(try painted("a WISP", wisp) == learnt)
        #expect(try painted("a (wisp:1.4)", wisp) != learnt)
        #expect(
            try painted("a lake", wisp + ["--negative", "wisp"])
                != painted("a lake", Self.small + ["--negative", "wisp"]))

        let picture = try place.refined(["--prompt", "a wisp"] + wisp)
        let recorded = try #require(try picture.recipe()["embeddings"] as? [[String: String]])
        #expect(recorded.count == 1 && recorded[0]["name"] == "wisp")
        let hash = try #require(recorded[0]["sha256"])
        #expect(hash.count == 64)
        #expect(try #require(picture.metadata["parameters"]).contains("TI hashes: \"wisp: \(hash.prefix(12))\""))
        #expect(try place.refined(["--prompt", "a lake"] + wisp).recipe()["embeddings"] == nil)

        // A concept goes by its token too, the longest name wins, and options may be repeated.
        let both =
            wisp + Self.embedding("embeddings/Wisp Glow.safetensors")
            + Self.embedding("embeddings/mist-concept.safetensors")
        #expect(try painted("a <mist>", both) == painted("a mist-concept", both))
        #expect(try painted("a <mist>", both) != painted("a <mist>", Self.small))
        #expect(try painted("a wisp glow", both) != painted("a wisp glow", wisp))
        #expect(
            try painted("wisp", Self.sdxl + Self.embedding("embeddings-sdxl/wisp.safetensors"))
                != painted("wisp", Self.sdxl))
    }

    @Test("embeddings of torch's are the same as safetensors: the web UI's, older programs', diffusers', SDXL's pairs")
    func torchEmbeddings() throws {
        for (file, words) in [
            ("wisp.pt", "a (wisp:1.2)"), ("Wisp Glow.pt", "a WISP glow"), ("mist-concept.bin", "a <mist>"),
        ] {
            let stem = try #require(file.split(separator: ".").first)
            let expected = try painted(words, Self.small + Self.embedding("embeddings/\(stem).safetensors"))
            #expect(try painted(words, Self.small) != expected)
            #expect(try painted(words, Self.small + Self.embedding("embeddings-torch/\(file)")) == expected, "\(file)")
        }
        #expect(
            try painted("a wisp", Self.sdxl + Self.embedding("embeddings-torch/sdxl/wisp.pt"))
                == painted("a wisp", Self.sdxl + Self.embedding("embeddings-sdxl/wisp.safetensors")))
        // In a folder what fits is taken, and one that is found by its hash has its own ending.
        let torch = Self.small + ["--embedding", Golden.path("prompts/embeddings-torch"), "--quiet"]
        let picture = try place.refined(["--prompt", "a wisp and <mist>"] + torch)
        try place.write(picture, to: "out.png")
        try place.succeed(
            ["rerun", "out.png", "-o", "again.png", "--find", Golden.path("prompts/embeddings-torch")] + Self.small)
        #expect(try place.read("again.png").samples == picture.samples)
    }

    @Test("a folder of embeddings gives all that fit, and tells what does not")
    func embeddingFolders() throws {
        try FileManager.default.copyItem(atPath: Golden.path("prompts/embeddings"), toPath: place.file("words"))
        try FileManager.default.createDirectory(
            atPath: place.file("words/more"), withIntermediateDirectories: false)
        try FileManager.default.moveItem(
            atPath: place.file("words/wisp.safetensors"), toPath: place.file("words/more/wisp.safetensors"))
        try place.write("junk", to: "words/junk.safetensors")
        try place.write("letter", to: "words/letter.txt")
        let finished = try place.succeed(
            ["refine", "in.png", "--seed", "1", "--steps", "4", "--prompt", "wisp", "--embedding", "words"] + Self.small
        )
        let warnings = finished.errorLines.filter { $0.hasPrefix("Warning: ") }
        #expect(warnings.count == 2, "\(warnings)")
        #expect(warnings.contains { $0.contains("narrow.safetensors") && $0.contains("20") && $0.contains("32") })
        #expect(warnings.contains { $0.contains("junk.safetensors") })
        let one = try painted("wisp", Self.small + Self.embedding("embeddings/wisp.safetensors"))
        #expect(try painted("wisp", Self.small + ["--embedding", "words", "--quiet"]) == one)
    }

    @Test("an embedding that is named must be there and fit")
    func unfittingEmbeddings() throws {
        func refuse(_ path: String, code: Int32, _ parts: [String], model: [String] = PromptTests.small) throws {
            try place.refuse(
                ["refine", "in.png", "--seed", "1", "--embedding", path] + model, code: code, naming: parts)
        }
        try refuse(
            "nowhere.safetensors", code: 66, ["nowhere.safetensors", "--embedding"], model: ["--model", "nowhere"])
        try refuse(Golden.path("prompts/embeddings/narrow.safetensors"), code: 65, ["narrow", "20", "32"])
        try refuse(
            Golden.path("prompts/embeddings/wisp.safetensors"), code: 65, ["wisp", "32", "16 and 24"], model: Self.sdxl)
        try refuse(Golden.path("prompts/embeddings-sdxl/odd.safetensors"), code: 65, ["odd.safetensors", "2 tensors"])
        for name in ["junk.safetensors", "junk.pt", "junk.bin"] {
            try place.write("junk", to: name)
            try refuse(name, code: 65, [name])
        }
        try place.write("junk", to: "junk.png")
        try refuse("junk.png", code: 65, ["junk.png", ".pt"], model: ["--model", "nowhere"])
        try refuse(Golden.path("torch/embedding.pt"), code: 65, ["embedding.pt", "4", "32"])
        #expect(place.names() == ["in.png", "junk.bin", "junk.png", "junk.pt", "junk.safetensors"])
    }

    @Test("--compat diffusers reads every character as a word's, cuts what is too long, and knows embeddings")
    func plainWords() throws {
        let plain = ["--compat", "diffusers"]
        func told(_ prompt: String, _ more: [String] = []) throws -> Picture {
            try place.refined(["--prompt", prompt, "--skip", "0"] + plain + more)
        }
        let lake = try told("a lake")
        #expect(try lake.recipe()["prompt-language"] as? String == "plain")
        for other in ["(a lake:1.0)", "[a lake:a sea:99]", "a lake AND a sea:0", "a lake:1", "a <style:ink:1>lake"] {
            #expect(try told(other).samples != lake.samples, "\(other)")
        }
        // What is a tag elsewhere is words.
        try place.succeed(
            ["refine", "in.png", "--seed", "1", "--steps", "4", "--prompt", "a <lora:ink:0.8>", "--explain"] + plain)
        let long = String(repeating: "a lake, ", count: 60)
        let finished = try place.succeed(
            ["refine", "in.png", "--seed", "1", "--steps", "4", "--prompt", long + "a boat", "--explain"] + plain)
        #expect(
            finished.errorLines.contains { $0.hasPrefix("Warning: --prompt has more than") && $0.hasSuffix("boat”") })
        #expect(try told(long + "a boat").samples == told(long + "a sun").samples)

        let wisp = Self.small + Self.embedding("embeddings/wisp.safetensors")
        let learnt = try told("a wisp", wisp)
        #expect(try learnt.samples != told("a wisp", Self.small).samples)
        #expect(try (learnt.recipe()["embeddings"] as? [[String: String]])?.first?["name"] == "wisp")
    }

    @Test(
        "prompts change by evaluations: twice a step under samplers of second order, and within exactly the steps asked for"
    )
    func clocks() throws {
        func changes(_ arguments: [String]) throws -> (at: [Int]?, missed: [Int]?) {
            let lines = try jsonLines(
                try place.succeed(
                    [
                        "refine", "in.png", "--seed", "1", "--prompt", "[a lake:a sea:0.5]", "--explain", "--json",
                    ] + arguments
                ).output)
            let plan = try #require(lines.first { $0["event"] as? String == "plan" })
            let prompt = (plan["prompt"] as? [[String: Any]])?.first
            return (prompt?["changes"] as? [Int], prompt?["missed"] as? [Int])
        }
        for (arguments, at, missed) in [
            (["--steps", "8", "--skip", "0"], [5], []), (["--steps", "8", "--skip", "50"], [], [5]),
            (["--steps", "8", "--skip", "25", "--sampler", "heun"], [9], []),
            (["--steps", "8", "--skip", "50", "--sampler", "dpmpp-sde"], [], [9]),
            (["--run-steps", "4", "--skip", "50"], [3], []),
            (["--run-steps", "4", "--skip", "50", "--sampler", "dpm2"], [5], []),
            // One evaluation more than steps.
            (["--steps", "8", "--skip", "37.5", "--sampler", "plms"], [5], []),
        ] as [([String], [Int], [Int])] {
            let told = try changes(arguments)
            #expect(told.at == at && told.missed == missed, "\(arguments): \(told)")
        }
        // What is told is what is painted.
        let heun = ["--steps", "6", "--skip", "0", "--sampler", "heun"]
        #expect(try painted("[a lake:a sea:7]", heun) == painted("[a lake:a sea:0.6]", heun))
        #expect(try painted("[a lake:a sea:6]", heun) != painted("[a lake:a sea:7]", heun))
    }

    @Test("clip skip is counted from the last layer, recorded, and told where it changes nothing")
    func clipSkip() throws {
        let prompt = ["--prompt", "a lake"] + Self.small
        let first = try place.refined(prompt + ["--clip-skip", "1"])
        #expect(try first.samples == place.refined(prompt).samples, "1 is the last layer")
        let second = try place.refined(prompt + ["--clip-skip", "2"])
        #expect(second.samples != first.samples)
        #expect(try second.recipe()["clip-skip"] as? Int == 2)
        #expect(try #require(second.metadata["parameters"]).contains(", Clip skip: 2, "))
        #expect(try !#require(first.metadata["parameters"]).contains("Clip skip"))
        try place.refuse(["refine", "in.png", "--clip-skip", "13"], code: 64, naming: ["--clip-skip", "13", "12"])
        try place.refuse(
            ["refine", "in.png", "--seed", "1", "--clip-skip", "3"] + Self.small, code: 64,
            naming: ["--clip-skip", "3", "2"])

        let finished = try place.succeed(
            [
                "refine", "in.png", "--steps", "6", "--seed", "7", "--prompt", "a lake", "--clip-skip", "2", "-o",
                "skipped.png",
            ]
                + Self.sdxl)
        #expect(finished.errorLines.contains { $0.hasPrefix("Warning: ") && $0.contains("--clip-skip 2") })
        #expect(try place.read("skipped.png").samples == place.refined(["--prompt", "a lake"] + Self.sdxl).samples)
    }

    @Test("the picture does not depend on threads, whatever the prompt")
    func threads() throws {
        let prompt = "(a lake:1.3) AND [sea|sky] \(String(repeating: "fog, ", count: 40)) AND moon:-0.2"
        #expect(try painted(prompt, ["--threads", "1"]) == painted(prompt, ["--threads", "3"]))
    }
}
