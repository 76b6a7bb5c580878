import Foundation
import Raster
import TestKit
import Testing

/// `refine --loops` and `--from-inversion` as a user meets them: each test of an option fails when the option is ignored.
@Suite struct LoopTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture()
    }

    private static let loops = ["--loops", "3"]
    private static let curved = ["--loops", "3", "--final-strength", "0.9"]
    private static let inverted = ["--from-inversion", "--prompt", "a painting of lake at day", "--guidance", "2"]

    static let variants: [OptionVariant] = [
        .init("loops", [], loops), .init("loops", loops, ["--loops", "2"]),
        .init("final-strength", loops, curved),
        .init("loop-curve", curved, curved + ["--loop-curve", "lazy"]),
        .init("loop-curve", curved + ["--loop-curve", "aggressive"], curved + ["--loop-curve", "lazy"]),
        .init("colour-anchor", loops, loops + ["--colour-anchor", "1"]),
        .init("from-inversion", Array(inverted.dropFirst()), inverted),
        .init("inversion-prompt", inverted, inverted + ["--inversion-prompt", "a painting of sea at night"]),
        .init("inversion-guidance", inverted, inverted + ["--inversion-guidance", "3"]),
        .init("inversion-steps", inverted, inverted + ["--inversion-steps", "12"]),
        .init("inversion-randomness", inverted, inverted + ["--inversion-randomness", "0.4"]),
        .init("inversion-sigma-adjustment", inverted, inverted + ["--inversion-sigma-adjustment"]),
    ]

    @Test("an option changes the picture and is written into its recipe", arguments: variants)
    func optionsCount(variant: OptionVariant) throws {
        try variant.check { try place.refined($0) }
    }

    @Test("without a seed's noise a picture comes from its own: other seeds change nothing until they are mixed in")
    func seeds() throws {
        let own = try place.refined(Self.inverted + ["--seed", "1"])
        #expect(try place.refined(Self.inverted + ["--seed", "2"]).samples == own.samples)
        let mixed = Self.inverted + ["--inversion-randomness", "0.5"]
        #expect(
            try place.refined(mixed + ["--seed", "1"]).samples != place.refined(mixed + ["--seed", "2"]).samples)
    }

    @Test("the way up and down again with the same words comes nearer to the picture than a seed's noise does")
    func thereAndBack() throws {
        let source = try place.read("in.png")
        let words = ["--prompt", "a painting of lake at day", "--guidance", "1", "--steps", "20", "--skip", "30"]
        let seeded = try place.refined(words).difference(source)
        let found = try place.refined(words + ["--from-inversion"]).difference(source)
        #expect(found < 0.7 * seeded, "\(found) of \(seeded)")
    }

    @Test("what the picture shows is taken from its own recipe, else from --prompt")
    func inversionPrompt() throws {
        try place.succeed([
            "refine", "in.png", "--prompt", "a painting of forest at dawn", "--steps", "2", "--seed", "1", "-o",
            "mid.png",
        ])
        let recipe = try place.refined(Self.inverted, input: "mid.png").recipe()
        #expect(recipe["inversion-prompt"] as? String == "a painting of forest at dawn")
        #expect(try place.refined(Self.inverted).recipe()["inversion-prompt"] as? String == "a painting of lake at day")
        let text = try #require(try place.refined(Self.inverted).metadata["parameters"])
        #expect(text.contains("Decode prompt: a painting of lake at day") && text.contains("Randomness: 0"))
    }

    @Test("--explain tells of each loop")
    func explain() throws {
        let command = ["refine", "in.png", "--seed", "1", "--explain"] + Self.curved
        #expect(
            try place.succeed(command).output.contains(
                "runs 105 steps in 3 loops of strength 0.5, 0.7, 0.9, from sigma"))
        let plan = try #require(try jsonLines(try place.succeed(command + ["--json"]).output).first)
        let loops = try #require(plan["loops"] as? [[String: Any]])
        #expect(loops.compactMap { $0["run"] as? Int } == [25, 35, 45] && plan["run"] as? Int == 105)
    }

    @Test(
        "a rerun has the same bytes, and a picture that was painted in loops has been painted as often",
        arguments: [
            curved + ["--loop-curve", "lazy"],
            inverted + ["--inversion-steps", "9", "--inversion-randomness", "0.25", "--inversion-sigma-adjustment"],
            inverted + loops,
        ])
    func rerun(arguments: [String]) throws {
        try place.succeed(["refine", "in.png", "--steps", "5", "--seed", "3", "-o", "out.png"] + arguments)
        try place.succeed(["rerun", "out.png"])
        #expect(try place.bytes("out.png") == place.bytes("out-rerun.png"))
    }

    @Test("lines of a manifest have loops of their own")
    func batch() throws {
        try place.write("input,output,loops,from-inversion\nin.png,a.png,2,\nin.png,b.png,,true\n", to: "jobs.csv")
        try place.succeed(["batch", "jobs.csv", "--steps", "4", "--seed", "1", "-o", "out/"])
        #expect(try place.read("out/a.png").recipe()["loops"] as? Int == 2)
        #expect(try place.read("out/b.png").recipe()["from-inversion"] as? Bool == true)
    }

    @Test("options that contradict each other or make no sense are refused")
    func refusals() throws {
        for (arguments, parts) in [
            (["--loops", "0"], ["--loops is 0", "32"]), (["--loops", "33"], ["--loops is 33"]),
            (["--final-strength", "0.5"], ["--final-strength", "--loops 2"]),
            (["--loops", "2", "--final-strength", "1.5"], ["--final-strength is \"1.5\""]),
            (["--loops", "2", "--loop-curve", "lazy"], ["--loop-curve", "--final-strength"]),
            (["--inversion-prompt", "a"], ["--inversion-prompt", "--from-inversion"]),
            (["--inversion-sigma-adjustment"], ["--inversion-sigma-adjustment", "--from-inversion"]),
            (["--from-inversion", "--inversion-guidance", "-1"], ["--inversion-guidance is -1"]),
            (["--from-inversion", "--inversion-steps", "0"], ["--inversion-steps is 0"]),
            (["--from-inversion", "--inversion-randomness", "2"], ["--inversion-randomness is 2"]),
            (["--from-inversion", "--inversion-prompt", "a <lora:x:1>"], ["<lora:x:1>", "--prompt"]),
        ] {
            try place.refuse(["refine", "in.png"] + arguments, code: 64, naming: parts)
        }
    }
}
