import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// Every option of `refine` that decides what the picture looks like: each test fails when its option is ignored.
@Suite struct RefineOptionTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture()
    }

    static let prompt = ["--prompt", "a painting of lake at sunset"]
    static let variants: [OptionVariant] = [
        .init("skip", ["--skip", "20"], ["--skip", "60"]),
        .init("steps", ["--steps", "4"], ["--steps", "8"]),
        .init("guidance", prompt + ["--guidance", "3"], prompt + ["--guidance", "9"]),
        .init("prompt", prompt, ["--prompt", "a photograph of forest at dawn"]),
        .init("negative", prompt, prompt + ["--negative", "mountains"]),
        .init("seed", ["--seed", "1"], ["--seed", "2"]),
        .init("rng", ["--rng", "position"], ["--rng", "torch"]),
        .init("rng", ["--rng", "torch"], ["--rng", "nv"]),
        .init("variation", [], ["--variation", "5:0.3"]),
        .init("variation", ["--variation", "5:0.3"], ["--variation", "5:0.6"]),
        .init("variation", ["--rng", "nv", "--variation", "5:0.3"], ["--rng", "nv", "--variation", "6:0.3"]),
        .init("eta-noise-delta", ["--sampler", "euler-a"], ["--sampler", "euler-a", "--eta-noise-delta", "31337"]),
        .init(
            "eta-noise-delta", ["--rng", "nv", "--sampler", "euler-a"],
            ["--rng", "nv", "--sampler", "euler-a", "--eta-noise-delta", "31337"]),
        .init("compat", ["--rng", "nv"], ["--compat", "webui"]),
        .init("compat", ["--rng", "torch", "--sampler", "plms"], ["--compat", "diffusers", "--sampler", "plms"]),
        .init("eta", ["--sampler", "dpmpp-sde"], ["--sampler", "dpmpp-sde", "--eta", "0.3"]),
        .init("eta", ["--sampler", "dpmpp-2m-sde"], ["--sampler", "dpmpp-2m-sde", "--eta", "0.3"]),
        .init("rng", ["--sampler", "dpmpp-sde"], ["--sampler", "dpmpp-sde", "--rng", "torch"]),
        .init(
            "schedule", ["--sampler", "heun", "--schedule", "uniform"], ["--sampler", "heun", "--schedule", "karras"]),
        .init("eta", ["--eta", "0"], ["--eta", "1"]),
        .init("eta", ["--sampler", "euler-a"], ["--sampler", "euler-a", "--eta", "0.3"]),
        .init("clip-skip", prompt + ["--clip-skip", "1"], prompt + ["--clip-skip", "2"]),
        .init("prediction", ["--prediction", "sample"], ["--prediction", "v"]),
        .init("initial-noise-multiplier", [], ["--initial-noise-multiplier", "0.5"]),
        .init("colour-anchor", [], ["--colour-anchor", "1"]),
        .init("working", [], ["--work-size", "96x64"]),
        .init("schedule", ["--sampler", "euler"], ["--sampler", "euler", "--schedule", "karras"]),
        .init(
            "schedule", ["--sampler", "euler", "--schedule", "karras"],
            ["--sampler", "euler", "--schedule", "exponential"]),
        .init("schedule", ["--sampler", "euler"], ["--sampler", "euler", "--schedule", "sgm-uniform"]),
    ]

    @Test("an option changes the picture and is written into its recipe", arguments: variants)
    func optionsCount(variant: OptionVariant) throws {
        try variant.check { try place.refined($0) }
    }

    @Test("the same command gives the same bytes twice")
    func repeatable() throws {
        for arguments in [
            ["--rng", "position"], ["--rng", "torch"], ["--rng", "nv"], ["--sampler", "euler-a"],
            ["--sampler", "dpmpp-sde"], ["--sampler", "dpmpp-sde", "--rng", "torch"],
        ] {
            let (first, second) = (try place.refined(arguments), try place.refined(arguments))
            #expect(first == second, "\(arguments)")
        }
    }

    @Test("all samplers paint different pictures, and the recipe names them")
    func samplers() throws {
        var seen: Set<Picture.Samples> = []
        for sampler in [
            "ddim", "ddpm", "plms", "euler", "euler-a", "heun", "lms", "dpm2", "dpm2-a", "dpmpp-2s-a", "dpmpp-2m",
            "dpmpp-sde", "dpmpp-2m-sde", "unipc", "lcm",
        ] {
            let picture = try place.refined(["--sampler", sampler])
            #expect(seen.insert(picture.samples).inserted, "\(sampler) painted what another did")
            #expect(try picture.recipe()["sampler"] as? String == sampler)
        }
    }

    @Test("strength and skipped steps say what skip says, to the byte")
    func levels() throws {
        try place.succeed(["refine", "in.png", "--steps", "8", "--seed", "3", "--skip", "75", "-o", "skip.png"])
        try place.succeed([
            "refine", "in.png", "--steps", "8", "--seed", "3", "--strength", "0.25", "-o", "strength.png",
        ])
        try place.succeed(["refine", "in.png", "--steps", "8", "--seed", "3", "--skip-steps", "6", "-o", "steps.png"])
        let expected = try place.bytes("skip.png")
        #expect(try place.bytes("strength.png") == expected)
        #expect(try place.bytes("steps.png") == expected)
    }

    @Test("a decimal skip is counted exactly and named as it was written")
    func decimalSkip() throws {
        let finished = try place.succeed(["refine", "in.png", "--steps", "8", "--seed", "3", "--skip", "37.5"])
        #expect(finished.output == "in-refine-skip37.5.png\n")
        let recipe = try place.read("in-refine-skip37.5.png").recipe()
        #expect(recipe["skip"] as? Double == 37.5)
        #expect(recipe["run"] as? Int == 5)
    }

    @Test("the default skip is 50, and skip 60 of 50 steps runs the last 20")
    func defaultSkip() throws {
        #expect(try place.refined().recipe()["skip"] as? Double == 50)
        let plan = try jsonLines(
            try place.succeed(["refine", "in.png", "--skip", "60", "--seed", "1", "--explain", "--json"]).output)
        #expect(plan.first?["steps"] as? Int == 50)
        #expect(plan.first?["run"] as? Int == 20)
    }

    @Test("a rung of a ladder is the picture of that skip alone")
    func rungsAreRefines() throws {
        try place.succeed(["refine", "in.png", "--steps", "6", "--seed", "3", "--skip", "20,60", "-o", "ladder/"])
        try place.succeed(["refine", "in.png", "--steps", "6", "--seed", "3", "--skip", "60", "-o", "alone/"])
        #expect(try place.bytes("ladder/in-refine-skip60.png") == place.bytes("alone/in-refine-skip60.png"))
    }

    @Test("a list of seeds paints each of them, under its own name")
    func seedLists() throws {
        let finished = try place.succeed(["refine", "in.png", "--steps", "4", "--seed", "1,2", "-o", "seeds/"])
        #expect(
            finished.outputLines == [
                "seeds/in-refine-skip50-seed1.png", "seeds/in-refine-skip50-seed2.png", "seeds/in-ladder.png",
                "seeds/in-ladder.html",
            ])
        try place.succeed(["refine", "in.png", "--steps", "4", "--seed", "2", "-o", "alone.png"])
        #expect(try place.bytes("seeds/in-refine-skip50-seed2.png") == place.bytes("alone.png"))
    }

    @Test("a seed that was not given is random, told and recorded")
    func randomSeeds() throws {
        let first = try place.succeed(["refine", "in.png", "--steps", "4", "-o", "1.png"])
        let second = try place.succeed(["refine", "in.png", "--steps", "4", "-o", "2.png"])
        let seed = try #require(try place.read("1.png").recipe()["seed"] as? Int)
        #expect(first.errors.contains("seed \(seed)"))
        #expect(first.errors != second.errors)
        #expect(try place.read("1.png").samples != place.read("2.png").samples)
        try place.succeed(["refine", "in.png", "--steps", "4", "--seed", "\(seed)", "-o", "3.png"])
        #expect(try place.bytes("1.png") == place.bytes("3.png"))
    }

    @Test("a prompt is read from a file")
    func promptFiles() throws {
        try place.write("a painting of lake at sunset\n", to: "words.txt")
        try place.write("mountains\n", to: "not.txt")
        let direct = try place.refined(Self.prompt + ["--negative", "mountains"])
        let read = try place.refined(["--prompt", "@words.txt", "--negative", "@not.txt"])
        #expect(direct == read)
        try place.refuse(
            ["refine", "in.png", "--prompt", "@nowhere.txt"], code: 66, naming: ["nowhere.txt", "--prompt"])
    }

    @Test("without a prompt guidance changes nothing")
    func unguided() throws {
        #expect(try place.refined(["--guidance", "2"]).samples == place.refined(["--guidance", "9"]).samples)
    }

    @Test("a sample of the autoencoder's belief differs from its mean")
    func encode() throws {
        let model = ["--model", Workplace.smallModel]
        let (mean, sample) = (try place.refined(model), try place.refined(model + ["--encode", "sample"]))
        #expect(mean.samples != sample.samples)
        #expect(try sample.recipe()["encode"] as? String == "sample")
        #expect(try mean.recipe()["encode"] as? String == "mean")
    }

    @Test("the number of threads changes no byte", arguments: ["ddim", "euler-a", "dpmpp-sde"])
    func threads(sampler: String) throws {
        try place.picture("odd.png", 75, 53, .rgba)
        func paint(_ threads: String) throws -> Picture {
            try place.refined(["--threads", threads, "--sampler", sampler] + Self.prompt, input: "odd.png")
        }
        let one = try paint("1")
        #expect(try paint("2") == one)
        #expect(try paint("3") == one)
    }

    @Test("another model paints another picture, whether named by option or environment")
    func models() throws {
        let (own, other) = (try place.refined(), try place.refined(["--model", Workplace.smallModel]))
        #expect(own.samples != other.samples)
        let environment = ["VELATURA_MODEL": Workplace.smallModel]
        #expect(try place.refined(environment: environment) == other)
        #expect(try place.refined(["--model", "miniature"], environment: environment) == own)
        let name = try other.recipe()["model"] as? [String: Any]
        #expect(name?["name"] as? String == "model", "names are stored without folders")
    }

    @Test("a working size rounds to the model's multiples, and the result is still the source's size")
    func workSize() throws {
        let picture = try place.refined(["--work-size", "90x60"])
        #expect(picture.size == PixelSize(width: 48, height: 32))
        #expect(try picture.recipe()["working"] as? String == "96x64")
    }

    @Test("above the good area a picture is reduced with a warning, unless its own size is asked for")
    func reduction() throws {
        try place.picture("large.png", 1040, 1024)
        let plans = ["refine", "large.png", "--seed", "1", "--steps", "4", "--explain", "--json"]
        let (reduced, whole) = (try place.succeed(plans), try place.succeed(plans + ["--work-size", "source"]))
        let small = try #require(try jsonLines(reduced.output).first { $0["event"] as? String == "plan" })
        let working = try #require(small["working"] as? [Int])
        #expect(working[0] * working[1] <= 1024 * 1024)
        let warning = try #require(try jsonLines(reduced.output).first { $0["event"] as? String == "warning" })
        let text = try #require(warning["text"] as? String)
        #expect(text.contains("1040×1024") && text.contains("\(working[0])×\(working[1])"))
        #expect(text.contains("--work-size source"))
        let large = try jsonLines(whole.output)
        #expect(large.count == 1)
        #expect(large.first?["working"] as? [Int] == [1040, 1024])
    }

    @Test("a colour anchor draws broad colours back to the source's")
    func colourAnchor() throws {
        let source = try place.read("in.png")
        func mean(_ picture: Picture) -> Double {
            (0..<picture.height).reduce(0) { sum, y in
                sum + (0..<picture.width).reduce(0) { $0 + Double(picture[$1, y, 2]) }
            } / Double(picture.size.area)
        }
        let skip = ["--skip", "0", "--prompt", "a painting of lake at sunset"]
        let (free, anchored) = (try place.refined(skip), try place.refined(skip + ["--colour-anchor", "1"]))
        #expect(abs(mean(anchored) - mean(source)) < abs(mean(free) - mean(source)) / 2)
    }

    @Test("grey stays grey unless colour is asked for")
    func colour() throws {
        try place.picture("grey.png", 40, 24, .grey)
        let (grey, colour) = (try place.refined(input: "grey.png"), try place.refined(["--colour"], input: "grey.png"))
        #expect(grey.channels == .grey)
        #expect(colour.channels == .rgb)
        let coloured = (0..<24).contains { y in (0..<40).contains { x in colour[x, y, 0] != colour[x, y, 2] } }
        #expect(coloured, "a coloured result has colour")
    }
}
