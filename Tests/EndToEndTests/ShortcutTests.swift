import Foundation
import Raster
import TestKit
import Testing

/// What is left out to be done sooner, and FreeU: docs/faster.md.
@Suite struct ShortcutTests {
    let place: Workplace

    private static let model = ["--model", Workplace.smallModel]
    private static let options = [
        ["--deep-cache", "2"], ["--deep-cache", "2:1"], ["--deep-cache", "3"], ["--merge-tokens", "0.5"],
        ["--merge-tokens", "0.25"], ["--guidance-range", "0,0.5"], ["--guidance-range", "0.5,1"], ["--ngms", "3"],
        ["--ngms", "3:all"], ["--skip-early-cond", "0.2"], ["--freeu", "1.2,1.1,0.9,0.5"],
        ["--freeu", "1.2,1.1,0.9,0.8"],
    ]

    init() throws {
        place = try Workplace()
        try place.picture()
    }

    @Test("every one changes the picture in a way of its own, whatever the threads, and rerun paints the same bytes")
    func options() throws {
        var seen: [Picture.Samples] = []
        let settings = ["--skip", "10", "--seed", "3", "--steps", "10", "--prompt", "a lake", "--guidance", "4"]
        func painted(_ more: [String], _ name: String) throws -> Picture {
            try place.succeed(["refine", "in.png", "-o", name] + settings + Self.model + more)
            return try place.read(name)
        }
        seen.append(try painted([], "exact.png").samples)
        for (number, options) in Self.options.enumerated() {
            let name = "out\(number).png"
            let picture = try painted(options + ["--threads", "1"], name)
            #expect(!seen.contains(picture.samples), "\(options)")
            seen.append(picture.samples)
            let key = String(options[0].dropFirst(2))
            #expect(try picture.recipe()[key] as? String == options[1])
            #expect(try place.succeed(["history", name]).output.contains("\(key) \(options[1])"))
            try place.succeed(
                ["rerun", name, "-o", "again\(number).png", "--threads", "3", "--model", Workplace.smallModel])
            #expect(try place.bytes("again\(number).png") == place.bytes(name), "\(options)")
        }
        // What reaches no call is the exact picture.
        for idle in [["--guidance-range", "0,1"], ["--ngms", "0.001"], ["--deep-cache", "2:3"]] {
            let isExact = try painted(idle, "idle-\(idle[0]).png").samples == seen[0]
            #expect(isExact == (idle[0] != "--deep-cache"), "\(idle)")
        }
    }

    @Test("paint takes them too")
    func paint() throws {
        func painted(_ name: String, _ more: [String]) throws -> Picture.Samples {
            try place.succeed(
                ["paint", "-o", name, "--size", "32x32", "--seed", "1", "--steps", "4", "--prompt", "x"] + Self.model
                    + more)
            return try place.read(name).samples
        }
        #expect(try painted("1.png", []) != painted("2.png", ["--deep-cache", "2"]))
    }

    @Test("inpaint takes them too: each counts under the mask, and what is black stays to the bit")
    func inpaint() throws {
        let source = try place.picture("in.png", 64, 48)
        try place.mask()
        let mask = try place.read("mask.png")
        var seen: [Picture.Samples] = []
        for (number, options) in ([[]] + Self.options).enumerated() {
            let name = "masked\(number).png"
            try place.succeed(
                [
                    "inpaint", "in.png", "-o", name, "--mask", "mask.png", "--grow", "0", "--skip", "10", "--seed", "3",
                    "--steps", "10", "--prompt", "a lake", "--guidance", "4",
                ] + Self.model + options)
            let picture = try place.read(name)
            #expect(!seen.contains(picture.samples), "\(options)")
            seen.append(picture.samples)
            for y in 0..<48 {
                for x in 0..<64 where mask[x, y, 0] == 0 {
                    #expect((0..<3).allSatisfy { picture[x, y, $0] == source[x, y, $0] }, "\(options) \(x),\(y)")
                }
            }
        }
    }

    @Test("plans name them and promise to be done sooner")
    func plans() throws {
        func plan(_ more: [String]) throws -> [String: Any] {
            let finished = try place.succeed(
                [
                    "refine", "in.png", "--seed", "1", "--explain", "--json", "--prompt", "x", "--work-size",
                    "1024x1024",
                ] + more)
            return try #require(try jsonLines(finished.output).first { $0["event"] as? String == "plan" })
        }
        let exact = try #require(try plan([])["seconds"] as? Double)
        for options in [["--deep-cache", "3"], ["--guidance-range", "0,0.5"], ["--ngms", "20:all"]] {
            let plan = try plan(options)
            #expect(try #require(plan["seconds"] as? Double) < 0.9 * exact, "\(options)")
            #expect(
                plan["departures"] as? [String: String] == [String(options[0].dropFirst(2)): options[1]], "\(options)")
        }
        let told = try place.succeed(
            ["refine", "in.png", "--seed", "1", "--explain", "--prompt", "x", "--freeu", "1.1,1,1,0.9"])
        #expect(told.output.contains("--freeu 1.1,1,1,0.9"))
    }

    @Test("what changes nothing is told")
    func idle() throws {
        func warning(_ arguments: [String]) throws -> String? {
            let finished = try place.succeed(["refine", "in.png", "--seed", "1", "--explain", "--json"] + arguments)
            let line = try jsonLines(finished.output).first { $0["code"] as? String == "departure" }
            return line?["text"] as? String
        }
        #expect(try warning(["--prompt", "x", "--ngms", "2", "--deep-cache", "2", "--merge-tokens", "0.5"]) == nil)
        #expect(try warning(["--ngms", "2"])?.contains("--ngms") == true)
        #expect(
            try warning(["--prompt", "x", "--guidance", "1", "--guidance-range", "0,0.5", "--skip-early-cond", "0.1"])?
                .contains("--guidance-range, --skip-early-cond change nothing here: nothing is guided") == true)
        #expect(try warning(["--prompt", "x", "--run-steps", "1", "--deep-cache", "2"])?.contains("once") == true)
        #expect(
            try warning(["--prompt", "x", "--compat", "webui", "--sampler", "ddim", "--merge-tokens", "0.5"])?
                .contains("full size") == true)
    }

    @Test("pictures of the web UI bring theirs along")
    func webUI() throws {
        var picture = Picture.sample(40, 24, .rgb)
        picture.metadata.texts.append(
            .init(
                keyword: "parameters",
                text:
                    "a lake\nNegative prompt: fog\nSteps: 6, Sampler: Euler, CFG scale: 3, Seed: 3, Size: 40x24, Model: model, Token merging ratio: 0.5, NGMS: 2.5, NGMS all steps: True, Skip Early CFG: 0.2"
            ))
        try place.write(picture, to: "web.png")
        let finished = try place.succeed(["rerun", "web.png", "-o", "again.png", "--model", Workplace.smallModel])
        #expect(!finished.errors.contains("not followed"))
        let again = try place.read("again.png")
        let recipe = try again.recipe()
        #expect(recipe["merge-tokens"] as? String == "0.5" && recipe["ngms"] as? String == "2.5:all")
        #expect(recipe["skip-early-cond"] as? String == "0.2")
        let parameters = try #require(again.metadata["parameters"])
        for field in ["Token merging ratio: 0.5", "NGMS: 2.5, NGMS all steps: True", "Skip Early CFG: 0.2"] {
            #expect(parameters.contains(field), "\(parameters)")
        }
    }

    @Test(
        "values that are none are refused before a model is loaded",
        arguments: [
            ["--deep-cache", "1"], ["--deep-cache", "2:x"], ["--deep-cache", "2:-1"], ["--merge-tokens", "0"],
            ["--merge-tokens", "1.5"], ["--merge-tokens", "nan"], ["--guidance-range", "0.5"],
            ["--guidance-range", "0.7,0.2"], ["--guidance-range", "0,2"], ["--ngms", "0"], ["--ngms", "2:some"],
            ["--skip-early-cond", "0"], ["--freeu", "1,1,1"], ["--freeu", "1,1,1,x"], ["--freeu", "1,1,1,99"],
        ])
    func refusals(arguments: [String]) throws {
        let finished = try place.run(["refine", "in.png", "--model", "nowhere"] + arguments)
        #expect(finished.code == 64 && finished.errors.contains(arguments[0]), "\(arguments): \(finished.errors)")
    }

    @Test("a branch that the network has not is refused with how many it has")
    func branches() throws {
        try place.refuse(
            ["refine", "in.png", "--seed", "1", "--prompt", "x", "--deep-cache", "2:4"] + Self.model, code: 64,
            naming: ["branch 4", "4 layers", "at most 3"])
    }
}
