import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// `outpaint` as a user meets it: each test of an option fails when the option is ignored.
@Suite struct OutpaintTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture("in.png", 64, 48)
    }

    private func outpainted(_ arguments: [String] = [], sides: [String] = ["--left", "40"]) throws
        -> Picture
    {
        let name = "result-\(UUID().uuidString).png"
        var all = ["outpaint", "in.png", "-o", name] + sides
        if !arguments.contains("--seed") { all += ["--seed", "7"] }
        if !arguments.contains("--steps") { all += ["--steps", "6"] }
        try place.succeed(all + arguments)
        return try place.read(name)
    }

    static let variants: [OptionVariant] = [
        .init("method", [], ["--method", "spectral"]), .init("blur", [], ["--blur", "5"]),
        .init("blur", ["--blur", "0"], ["--blur", "9"]), .init("grow", [], ["--grow", "6"]),
        .init("edge-seed", [], ["--edge-seed", "3"]),
        .init("falloff", ["--method", "spectral"], ["--method", "spectral", "--falloff", "2"]),
        .init(
            "colour-variation", ["--method", "spectral"], ["--method", "spectral", "--colour-variation", "0.9"]),
        .init("area", [], ["--area", "masked"]),
        .init(
            "padding", ["--area", "masked", "--work-size", "source"],
            ["--area", "masked", "--padding", "2", "--work-size", "source"]),
        .init("colour-anchor", [], ["--colour-anchor", "0"]), .init("skip", [], ["--skip", "50"]),
        .init("seed", [], ["--seed", "8"]), .init("prompt", [], ["--prompt", "a painting of lake at sunset"]),
        .init("working", [], ["--work-size", "128x64"]),
    ]

    @Test("an option changes the picture and is written into its recipe", arguments: variants)
    func optionsCount(variant: OptionVariant) throws {
        try variant.check { try outpainted($0) }
    }

    @Test("each side grows by as much as was asked, and what was there is the same to the bit")
    func sides() throws {
        for (channels, depth) in [(Picture.Channels.rgb, 8), (.grey, 16), (.rgba, 8)] {
            let source = try place.picture("in.png", 64, 48, channels, depth: depth)
            let result = try outpainted(
                ["--steps", "3"], sides: ["--left", "9", "--right", "10", "--up", "11", "--down", "12"])
            #expect(result.size == PixelSize(width: 83, height: 71))
            #expect(result.channels == channels && result.depth == depth)
            #expect(
                result.cropped(to: Rectangle(x: 9, y: 11, width: 64, height: 48)).samples == source.samples)
            let recipe = try result.recipe()
            for (key, pixels) in [("left", 9), ("right", 10), ("up", 11), ("down", 12)] {
                #expect(recipe[key] as? Int == pixels)
            }
            if channels.hasAlpha { #expect((0..<83).allSatisfy { result[$0, 0, 3] == 255 }) }
        }
    }

    @Test("--grow repaints a band inside, and no more than that")
    func grow() throws {
        let source = try place.read("in.png")
        let result = try outpainted(["--grow", "10", "--blur", "0"], sides: ["--right", "30"])
        func changed(_ x: Int) -> Bool {
            (0..<48).contains { y in (0..<3).contains { result[x, y, $0] != source[x, y, $0] } }
        }
        #expect(!(0..<54).contains(where: changed))
        #expect((54..<64).contains(where: changed))
    }

    @Test("--aspect enlarges to the proportions, and copies what has them already")
    func aspect() throws {
        let wide = try outpainted(sides: ["--aspect", "2:1"])
        #expect(wide.size == PixelSize(width: 96, height: 48))
        #expect(try wide.recipe()["aspect"] as? String == "2:1")
        #expect(try outpainted(sides: ["--aspect", "1:1"]).size == PixelSize(width: 64, height: 64))
        let finished = try place.succeed([
            "outpaint", "in.png", "--aspect", "4:3", "--seed", "1", "--json", "-o", "same.png",
        ])
        #expect(try place.read("same.png").samples == place.read("in.png").samples)
        #expect(try jsonLines(finished.output).contains { $0["code"] as? String == "nothing-new" })
    }

    @Test("defaults: skip 0, colours anchored, extend; skip 100 gives what painting starts from")
    func defaults() throws {
        let recipe = try outpainted().recipe()
        #expect(recipe["skip"] as? Double == 0 && recipe["run"] as? Int == 6)
        #expect(recipe["colour-anchor"] as? Double == 1 && recipe["method"] as? String == "extend")
        #expect(recipe["blur"] as? Double == 48 && recipe["grow"] as? Int == 0)
        let (extended, noisy) = (
            try outpainted(["--skip", "100"]), try outpainted(["--skip", "100", "--method", "spectral"])
        )
        #expect(extended.samples != noisy.samples)
        #expect(try extended.recipe()["run"] as? Int == 0)
    }

    @Test("a mirrored picture with mirrored sides begins mirrored, to the bit")
    func mirrored() throws {
        let source = try place.read("in.png")
        let forth = try outpainted(["--skip", "100"], sides: ["--left", "30", "--up", "20"])
        try place.write(source.mirrored(), to: "turned.png")
        try place.succeed([
            "outpaint", "turned.png", "--right", "30", "--up", "20", "--skip", "100", "--seed", "7", "-o", "back.png",
        ])
        #expect(try place.read("back.png").mirrored().samples == forth.samples)
    }

    @Test("several pictures, a ladder, and --explain with both sizes")
    func several() throws {
        try place.picture("two.png", 40, 56, .grey)
        let finished = try place.succeed([
            "outpaint", "in.png", "two.png", "--right", "16", "--steps", "4", "--skip", "0,50", "--seed", "2", "-o",
            "out/",
        ])
        for name in ["in-outpaint-skip0.png", "two-outpaint-skip50.png", "in-ladder.png", "two-ladder.html"] {
            #expect(finished.outputLines.contains("out/\(name)"))
        }
        #expect(try place.read("out/two-outpaint-skip50.png").size == PixelSize(width: 56, height: 56))
        let explain = ["outpaint", "in.png", "--right", "16", "--seed", "2", "--explain"]
        #expect(try place.succeed(explain).output.contains("64×48 → 80×48, painted at"))
        let plan = try #require(try jsonLines(try place.succeed(explain + ["--json"]).output).first)
        #expect(plan["source"] as? [Int] == [64, 48] && plan["enlarged"] as? [Int] == [80, 48])
    }

    @Test("a folder and a manifest are worked through, each line with its own sides")
    func batch() throws {
        try FileManager.default.createDirectory(atPath: place.file("in"), withIntermediateDirectories: true)
        try place.picture("in/a.png", 32, 32)
        try place.picture("in/b.png", 48, 32)
        try place.succeed([
            "outpaint", "in", "--aspect", "2:1", "--steps", "2", "--seed", "1", "-o", "out/",
        ])
        for (name, width) in [("a", 64), ("b", 64)] {
            #expect(try place.read("out/\(name)-outpaint-skip0.png").size == PixelSize(width: width, height: 32))
        }
        try place.write(
            "command,input,left,aspect,method\noutpaint,in/a.png,8,,spectral\noutpaint,in/b.png,,,\n", to: "jobs.csv")
        try place.succeed([
            "batch", "jobs.csv", "--aspect", "3:1", "--steps", "2", "--seed", "1", "-o", "jobs/",
        ])
        #expect(try place.read("jobs/in/a-outpaint-skip0.png").size == PixelSize(width: 40, height: 32))
        #expect(try place.read("jobs/in/a-outpaint-skip0.png").recipe()["method"] as? String == "spectral")
        #expect(try place.read("jobs/in/b-outpaint-skip0.png").size == PixelSize(width: 96, height: 32))
    }

    @Test(
        "a rerun has the same bytes",
        arguments: [
            ["--left", "20", "--up", "9"], ["--aspect", "2:1", "--blur", "12", "--edge-seed", "5", "--grow", "3"],
            [
                "--down", "20", "--method", "spectral", "--falloff", "1.5", "--colour-variation", "0.3", "--area",
                "masked", "--padding", "5",
            ],
        ])
    func rerun(arguments: [String]) throws {
        try place.succeed(["outpaint", "in.png", "--steps", "5", "--seed", "3", "-o", "out.png"] + arguments)
        try place.succeed(["rerun", "out.png"])
        #expect(try place.bytes("out.png") == place.bytes("out-rerun.png"))
    }

    @Test("a model for inpainting sees what is new")
    func nineChannels() throws {
        try place.copyModel()
        try FileManager.default.removeItem(atPath: place.file("model/unet"))
        try FileManager.default.copyItem(atPath: Golden.path("inpaint/unet"), toPath: place.file("model/unet"))
        let own = try outpainted(["--model", "model"])
        let half = try outpainted(["--model", "model", "--inpainting-mask-weight", "0.5"])
        #expect(own.samples != half.samples)
    }

    @Test("options that contradict each other or make no sense are refused")
    func refusals() throws {
        for (arguments, parts) in [
            ([], ["Nothing says where", "--left", "--aspect 16:9"]), (["--left", "0"], ["Nothing says where"]),
            (["--left=-4"], ["--left is -4", "16384"]), (["--down", "20000"], ["--down is 20000"]),
            (["--left", "8", "--aspect", "1:1"], ["--left and --aspect"]),
            (["--aspect", "wide"], ["--aspect is \"wide\"", "16:9"]),
            (["--left", "8", "--falloff", "2"], ["--falloff", "--method spectral"]),
            (["--left", "8", "--colour-variation", "0.5"], ["--colour-variation", "--method spectral"]),
            (["--left", "8", "--method", "spectral", "--falloff", "5"], ["--falloff is 5"]),
            (["--left", "8", "--method", "spectral", "--colour-variation", "2"], ["--colour-variation is 2"]),
            (["--left", "8", "--blur", "-1"], ["--blur is -1"]), (["--left", "8", "--grow", "-1"], ["--grow is -1"]),
            (["--left", "8", "--padding", "5"], ["--padding", "--area masked"]),
            (["--left", "8", "--inpainting-mask-weight", "2"], ["--inpainting-mask-weight is 2"]),
        ] {
            try place.refuse(["outpaint", "in.png"] + arguments, code: 64, naming: parts)
        }
        try place.refuse(["outpaint", "nowhere.png", "--left", "8"], code: 66, naming: ["nowhere.png"])
        try place.picture("thin.png", 1, 60_000, .grey)
        try place.refuse(
            ["outpaint", "thin.png", "--up", "16000", "--seed", "1"], code: 65,
            naming: ["thin.png would become 1×76000", "65535"])
    }
}

extension Picture {
    /// The same seen in a mirror.
    fileprivate func mirrored() -> Picture {
        let floats = floats()
        var result = floats
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<channels.count { result[x, y, channel] = floats[width - 1 - x, y, channel] }
            }
        }
        return result.picture(depth: depth)
    }
}
