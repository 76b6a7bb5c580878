import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// `--noise` and `--perlin-init`: what painting starts from.
@Suite struct BeginningTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture("in.png", 64, 48)
    }

    private func painted(_ arguments: [String], _ name: String = "out.png") throws -> Picture {
        try place.succeed(
            arguments + ["--steps", "5", "-o", name, "--overwrite"]
                + (arguments.contains("--seed") ? [] : ["--seed", "7"]))
        return try place.read(name)
    }

    /// A rerun and other threads give the same bytes.
    private func expectRepeated(_ arguments: [String], _ name: String = "out.png") throws {
        let bytes = try place.bytes(name)
        try place.succeed(["rerun", name, "-o", "again.png", "--threads", "1", "--overwrite"])
        #expect(try place.bytes("again.png") == bytes)
    }

    @Test("noise goes into what refine starts from, as much as was asked for, and is recorded and repeated")
    func refining() throws {
        let plain = try painted(["refine", "in.png"])
        #expect(try place.read("out.png").recipe()["noise"] == nil)
        let results = try ["12", "30%", "-6"].map { amount in
            let picture = try painted(["refine", "in.png", "--noise", amount])
            #expect(try picture.recipe()["noise"] as? String == amount)
            try expectRepeated(["refine"])
            return picture.samples
        }
        #expect(Set(results + [plain.samples]).count == 4)
        #expect(try place.succeed(["history", "out.png"]).output.contains("noise -6"))
        let explained = try place.succeed(["refine", "in.png", "--noise", "12", "--seed", "7", "--explain"]).output
        #expect(explained.contains("noise of 12 goes in first"))
        let source = try place.read("in.png")
        #expect(try painted(["refine", "in.png", "--noise", "12", "--skip", "100"]).samples == source.samples)
    }

    @Test("every seed has its own noise, and each rung is the one that it would be alone")
    func seeds() throws {
        try place.succeed(
            ["refine", "in.png", "--noise", "20", "--steps", "5", "--skip", "40,60", "--seed", "7,9", "-o", "rungs/"])
        for (skip, seed) in [(40, 7), (60, 9)] {
            let alone = try painted(["refine", "in.png", "--noise", "20", "--skip", "\(skip)", "--seed", "\(seed)"])
            #expect(try place.read("rungs/in-refine-skip\(skip)-seed\(seed).png").samples == alone.samples)
        }
        try place.succeed(
            [
                "refine", "in.png", "--perlin-init", "gray", "--steps", "5", "--skip", "40", "--seed", "7,9", "-o",
                "clouds/",
            ])
        let alone = try painted(["refine", "in.png", "--perlin-init", "gray", "--skip", "40", "--seed", "9"])
        #expect(try place.read("clouds/in-refine-skip40-seed9.png").samples == alone.samples)
    }

    @Test("under a mask only what is painted is roughened, and the rest stays to the bit")
    func inpainting() throws {
        let source = try place.read("in.png")
        let values = (0..<64 * 48).map { $0 % 64 < 40 ? 0 : 255 as UInt8 }
        try place.write(Picture(size: source.size, channels: .grey, eight: values), to: "mask.png")
        let base = ["inpaint", "in.png", "--mask", "mask.png", "--skip", "60"]
        let plain = try painted(base)
        let rough = try painted(base + ["--noise", "25"])
        try expectRepeated(["inpaint"])
        #expect(rough.samples != plain.samples)
        for y in 0..<48 {
            for x in 0..<40 {
                for channel in 0..<3 { #expect(rough[x, y, channel] == source[x, y, channel]) }
            }
        }
    }

    @Test("sketches are roughened too")
    func sketching() throws {
        let values = (0..<64 * 48).flatMap { $0 % 64 < 30 ? [200, 40, 40, 255] : [0, 0, 0, 0] as [UInt8] }
        try place.write(
            Picture(size: PixelSize(width: 64, height: 48), channels: .rgba, eight: values), to: "strokes.png")
        let base = ["sketch", "in.png", "--strokes", "strokes.png"]
        let plain = try painted(base)
        let rough = try painted(base + ["--noise", "25"])
        try expectRepeated(["sketch"])
        #expect(rough.samples != plain.samples)
    }

    @Test("paint starts from Perlin noise at the level that skip says", arguments: ["mixed", "gray", "color"])
    func painting(mode: String) throws {
        let base = ["paint", "--size", "64x48", "--prompt", "a painting of lake"]
        let plain = try painted(base)
        let clouds = try painted(base + ["--perlin-init", mode])
        let recipe = try clouds.recipe()
        #expect(recipe["perlin-init"] as? String == mode && recipe["skip"] as? Int == 10 && recipe["run"] as? Int == 4)
        try expectRepeated(["paint"])
        let more = try painted(base + ["--perlin-init", mode, "--skip", "60"])
        try expectRepeated(["paint"])
        #expect(Set([plain.samples, clouds.samples, more.samples]).count == 3)
        #expect(try place.succeed(["history", "out.png"]).output.contains("perlin-init \(mode)"))
        let explained = try place.succeed(base + ["--perlin-init", mode, "--explain"]).output
        #expect(explained.contains("starts from \(mode) Perlin noise") && explained.contains("skip 10"))
        // Nothing runs: what perlin makes.
        let whole = try painted(base + ["--perlin-init", mode, "--skip", "100"])
        try place.succeed(
            ["perlin", "--size", "64x48", "--mode", mode, "--seed", "7", "-o", "clouds.png", "--overwrite"])
        #expect(whole.samples == (try place.read("clouds.png")).colour().samples)
    }

    @Test("refine takes the size and the file of its input, and paints from Perlin noise instead of it")
    func refiningPerlin() throws {
        try place.write(try place.read("in.png").turned(from: .upsideDown), to: "other.png")
        let one = try painted(["refine", "in.png", "--perlin-init", "mixed"])
        let recipe = try one.recipe()
        #expect(recipe["perlin-init"] as? String == "mixed")
        try expectRepeated(["refine"])
        let other = try painted(["refine", "other.png", "--perlin-init", "mixed"])
        #expect(one.samples == other.samples)
        #expect(one.samples != (try painted(["refine", "in.png"])).samples)
    }

    @Test("inpaint and outpaint start from Perlin noise where they paint, and keep the rest to the bit")
    func maskedPerlin() throws {
        let source = try place.read("in.png")
        let values = (0..<64 * 48).map { $0 % 64 < 40 ? 0 : 255 as UInt8 }
        try place.write(Picture(size: source.size, channels: .grey, eight: values), to: "mask.png")
        for (base, skip, column) in [
            (["inpaint", "in.png", "--mask", "mask.png"], "25", 0), (["outpaint", "in.png", "--left", "32"], "10", 32),
        ] {
            let plain = try painted(base + ["--skip", skip])
            let results = try ["mixed", "gray"].map { mode in
                let picture = try painted(base + ["--perlin-init", mode])
                #expect(try picture.recipe()["perlin-init"] as? String == mode)
                #expect("\(try picture.recipe()["skip"] ?? "")" == skip)
                try expectRepeated(base)
                for y in 0..<48 {
                    for x in 0..<40 {
                        for channel in 0..<3 { #expect(picture[column + x, y, channel] == source[x, y, channel]) }
                    }
                }
                return picture.samples
            }
            #expect(Set(results + [plain.samples]).count == 3)
        }
        // With nearly nothing to run, the clouds themselves show: their own grey, not the picture's colours.
        let clouds = try painted(
            [
                "inpaint", "in.png", "--mask", "mask.png", "--perlin-init", "gray", "--skip", "80", "--colour-anchor",
                "0",
            ])
        try place.succeed(["perlin", "--size", "64x48", "--mode", "gray", "--seed", "7", "-o", "clouds.png"])
        let perlin = try place.read("clouds.png").colour()
        func distance(_ other: Picture) -> Int {
            (0..<48).reduce(0) { sum, y in
                (48..<64).reduce(sum) { sum, x in
                    (0..<3).reduce(sum) { $0 + abs(Int(clouds[x, y, $1]) - Int(other[x, y, $1])) }
                }
            }
        }
        #expect(distance(perlin) < distance(source))
    }

    @Test("what does not go together is refused before a model is loaded")
    func refusals() throws {
        for (arguments, parts) in [
            (
                ["refine", "in.png", "--noise", "5", "--perlin-init", "gray", "--model", "nowhere"],
                ["--noise", "--perlin-init"]
            ),
            (["refine", "in.png", "--noise", "loud"], ["loud"]),
            (["refine", "in.png", "--perlin-init", "blue"], ["blue"]),
            (
                ["inpaint", "in.png", "--mask", "no.png", "--fill", "blur", "--perlin-init", "gray"],
                ["--fill", "--perlin-init"]
            ),
            (
                ["outpaint", "in.png", "--left", "8", "--method", "spectral", "--perlin-init", "gray"],
                ["--method", "--perlin-init"]
            ),
            (["paint", "--size", "9x9", "-o", "x.png", "--skip", "20"], ["--skip", "--perlin-init"]),
            (
                ["paint", "--size", "9x9", "-o", "x.png", "--perlin-init", "gray", "--skip", "20,40"],
                ["one noise level"]
            ),
        ] {
            try place.refuse(arguments, code: 64, naming: parts)
        }
    }
}
