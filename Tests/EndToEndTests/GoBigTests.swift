import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// `gobig` as a user meets it: each test of an option fails when the option is ignored.
@Suite struct GoBigTests {
    let place: Workplace
    /// Small tiles, so that a small picture has several.
    private static let small = ["--tile", "64", "--overlap", "16", "--steps", "5", "--seed", "7"]

    init() throws {
        place = try Workplace()
        // The left half is flat.
        let picture = try place.picture("in.png", 80, 56)
        let flat = Picture(
            size: PixelSize(width: 40, height: 56), channels: .rgb,
            eight: (0..<40 * 56 * 3).map { [90, 120, 160][$0 % 3] })
        var half = picture
        half.put(flat, x: 0, y: 0)
        try place.write(half, to: "in.png")
        try place.mask()
        // The mask of other tests is as large as their pictures.
        let mask = try place.read("mask.png")
        try place.write(mask.resized(to: PixelSize(width: 80, height: 56), filter: .box), to: "mask.png")
    }

    private func enlarged(_ arguments: [String] = [], base: [String] = small) throws -> Picture {
        let name = "result-\(UUID().uuidString).png"
        try place.succeed(["gobig", "in.png", "-o", name] + base + arguments)
        return try place.read(name)
    }

    static let variants: [OptionVariant] = [
        .init("tile", [], ["--tile", "96x64"]), .init("overlap", [], ["--overlap", "32"]),
        .init("mode", [], ["--mode", "joint"]), .init("layout", [], ["--layout", "sd-upscale"]),
        .init("layout", ["--layout", "ultimate"], ["--layout", "progrock"]),
        .init("layout", ["--layout", "progrock-grid"], ["--layout", "grid"]),
        .init("jitter", ["--tile", "80"], ["--tile", "80", "--jitter", "16"]),
        .init("wrap", [], ["--wrap", "xy"]), .init("wrap", ["--wrap", "x"], ["--wrap", "y"]),
        .init("map", [], ["--map", "flat"]), .init("map", [], ["--map", "mask.png"]),
        .init("mask", [], ["--mask", "mask.png"]),
        .init("repair", [], ["--repair", "band"]),
        .init("composition", [], ["--composition", "0"]), .init("noise", [], ["--noise", "12"]),
        .init("repair", ["--repair", "half-tile"], ["--repair", "intersections"]),
        .init("fidelity", [], ["--fidelity", "0"]), .init("fidelity", [], ["--fidelity", "0.5"]),
        .init("colour-anchor", ["--fidelity", "0"], ["--fidelity", "0", "--colour-anchor", "0"]),
        .init("skip", [], ["--skip", "80"]),
        .init("seed", [], ["--seed", "8"]), .init("prompt", [], ["--prompt", "a lake at sunset"]),
        .init("scale", [], ["--scale", "1.5"]), .init("upscaler", [], ["--upscaler", "miniature"]),
    ]

    @Test("an option changes the picture and is written into its recipe", arguments: variants)
    func optionsCount(variant: OptionVariant) throws {
        try variant.check { options in
            // An option that is given twice holds as it was given last; some refuse to be, and some layouts have their own.
            let own = options.contains("progrock") ? ["--tile", "--overlap"] : []
            let settled = options + (options.contains("ultimate") ? ["--overlap"] : own)
            let base = stride(from: 0, to: Self.small.count, by: 2).flatMap {
                settled.contains(Self.small[$0]) ? [] : [Self.small[$0], Self.small[$0 + 1]]
            }
            return try enlarged(options, base: base)
        }
    }

    @Test("skip 100 is the enlarged source to the bit, at either depth and with transparency, and costs nothing")
    func nothing() throws {
        for (channels, depth) in [(Picture.Channels.rgb, 8), (.rgb, 16), (.grey, 8), (.greyAlpha, 16), (.rgba, 8)] {
            let source = try place.picture("in.png", 80, 56, channels, depth: depth)
            let result = try enlarged(["--skip", "100", "--scale", "2.5"])
            #expect(
                result.samples == source.resized(to: PixelSize(width: 200, height: 140)).samples, "\(channels) \(depth)"
            )
        }
    }

    @Test("what is black in the mask stays the enlarged source to the bit; depth, channels and metadata stay")
    func masked() throws {
        for (channels, depth) in [(Picture.Channels.rgb, 8), (.rgba, 16), (.grey, 8)] {
            var source = try place.picture("in.png", 80, 56, channels, depth: depth)
            source.metadata.resolution = .init(horizontal: 5000, vertical: 5000)
            try place.write(source, to: "in.png")
            let result = try enlarged(["--mask", "mask.png"])
            let plain = source.resized(to: PixelSize(width: 160, height: 112))
            let mask = try place.read("mask.png")
            #expect(
                result.channels == channels && result.depth == depth
                    && result.metadata.resolution == source.metadata.resolution)
            var changed = 0
            for y in 0..<112 {
                for x in 0..<160 {
                    let same = (0..<channels.count).allSatisfy { result[x, y, $0] == plain[x, y, $0] }
                    if mask[x / 2, y / 2, 0] == 0 { #expect(same, "\(x),\(y)") }
                    changed += same ? 0 : 1
                }
            }
            #expect(changed > 500, "\(channels): \(changed)")
            if channels.hasAlpha { #expect(result.alpha == plain.alpha) }
        }
    }

    @Test("tiles that the mask leaves nothing to paint in are not counted on")
    func idle() throws {
        for (name, width) in [("white.png", 80), ("corner.png", 8)] {
            let values = (0..<80 * 56).map { UInt8($0 % 80 < width && $0 / 80 < width ? 255 : 0) }
            try place.write(
                Picture(size: PixelSize(width: 80, height: 56), channels: .grey, eight: values), to: name)
        }
        func seconds(_ mask: String) throws -> Double {
            let lines = try jsonLines(
                place.succeed(
                    ["gobig", "in.png", "--explain", "--json", "--tile", "64", "--overlap", "16", "--steps", "1000"]
                        + ["--mask", mask]
                ).output)
            return try #require(lines.first?["seconds"] as? Double)
        }
        let (all, corner) = (try seconds("white.png"), try seconds("corner.png"))
        // One tile of six, and half a second for whatever is done.
        #expect(corner - 0.5 < 0.25 * (all - 0.5), "\(corner) of \(all)")
    }

    @Test("in parts, in any order, the same bytes as at once; a tile may be told its own words or be left out")
    func parts() throws {
        let options = Self.small + ["--prompt", "a lake", "--repair", "band"]
        try place.succeed(["gobig", "in.png", "-o", "whole.png"] + options)
        try place.succeed(["gobig", "plan", "in.png", "-o", "plan.json"] + options)
        #expect(try place.run(["gobig", "plan", "in.png", "-o", "plan.json"] + options).code == 73)
        let early = try place.run(["gobig", "assemble", "plan.json", "-o", "early.png"])
        #expect(early.code == 66 && early.errors.contains("gobig render"))
        // The bands of the second shard's wave wait for tiles of the others.
        #expect(try place.succeed(["gobig", "render", "plan.json", "--shard", "3/3"]).errors.contains("wait"))
        for shard in ["1/3", "2/3", "3/3", "1/3", "2/3"] {
            try place.succeed(["gobig", "render", "plan.json", "--shard", shard])
        }
        try place.succeed(["gobig", "assemble", "plan.json", "-o", "parts.png"])
        #expect(try place.bytes("parts.png") == place.bytes("whole.png"))

        var plan = try #require(
            try JSONSerialization.jsonObject(with: Data(place.bytes("plan.json"))) as? [String: Any])
        var tiles = try #require(plan["tiles"] as? [[String: Any]])
        let before = place.names("plan.tiles").count
        tiles[0]["prompt"] = "a forest"
        tiles[1]["paint"] = false
        (tiles[2]["skip"], tiles[3]["seed-offset"]) = (80, 3)
        // A band that is told the general skip, in place of its own.
        tiles[tiles.count - 1]["skip"] = NSNull()
        plan["tiles"] = tiles
        try place.write(String(decoding: JSONSerialization.data(withJSONObject: plan), as: UTF8.self), to: "plan.json")
        try place.succeed(["gobig", "render", "plan.json"])
        // Painted anew: the tile itself and the bands on it and on the tile that is left out.
        let added = place.names("plan.tiles").count - before
        #expect(added >= 5 && added <= 12, "\(added) of 13")
        try place.succeed(["gobig", "assemble", "plan.json", "-o", "edited.png"])
        let (whole, edited) = (try place.read("whole.png"), try place.read("edited.png"))
        #expect(whole.samples != edited.samples)
        // Those that were told nothing are not in the recipe, and of the others only what they were told.
        let told = try #require(try edited.recipe()["tiles"] as? [[String: Any]])
        #expect(
            told.map { Set($0.keys).subtracting(["tile", "frame"]) }
                == [["prompt"], ["paint"], ["skip"], ["seed-offset"], []])
        let rerun = try place.succeed(["rerun", "edited.png", "-o", "again.png"])
        #expect(!rerun.errors.contains("not followed"), "\(rerun.errors)")
        #expect(try place.bytes("again.png") == place.bytes("edited.png"))
        try place.picture("larger.png", 120, 80)
        let other = try place.run(["rerun", "edited.png", "-o", "other.png", "--input", "larger.png"])
        #expect(other.code == 65 && other.errors.contains("tile 2"), "\(other.errors)")

        tiles[2]["colour"] = "red"
        plan["tiles"] = tiles
        try place.write(String(decoding: JSONSerialization.data(withJSONObject: plan), as: UTF8.self), to: "plan.json")
        let odd = try place.run(["gobig", "render", "plan.json"])
        #expect(odd.code == 65 && odd.errors.contains("colour"))
        for kind in [["--mode", "joint", "--overlap", "16"], ["--layout", "ultimate"]] {
            try place.succeed(
                ["gobig", "plan", "in.png", "-o", "no.json", "--overwrite", "--tile", "64", "--steps", "5"] + kind)
            #expect(try place.run(["gobig", "render", "no.json", "--shard", "1/2"]).code == 64)
        }
        try place.picture("in.png", 80, 56, .grey)
        #expect(try place.run(["gobig", "render", "plan.json"]).code == 65)
    }

    @Test("a tile that was damaged or put in another's place is painted again; two runs refuse each other")
    func damaged() throws {
        let options = Self.small + ["--skip", "80"]
        try place.succeed(["gobig", "in.png", "-o", "whole.png"] + options)
        try place.succeed(["gobig", "plan", "in.png", "-o", "plan.json"] + options)
        try place.succeed(["gobig", "render", "plan.json"])
        let tiles = place.names("plan.tiles").filter { $0.hasPrefix("tile-") }.map { "plan.tiles/" + $0 }
        #expect(tiles.count == 6)
        let good = try tiles.map { try place.bytes($0) }
        var flipped = good[1]
        flipped[flipped.count / 2] ^= 0x40
        for (number, bytes) in [(0, Array(good[0].dropLast(99))), (1, flipped), (2, []), (3, good[5])] {
            try WholeFile.write(bytes, to: place.file(tiles[number]))
        }
        #expect(try place.run(["gobig", "assemble", "plan.json", "-o", "parts.png"]).code == 66)
        try place.succeed(["gobig", "render", "plan.json"])
        #expect(try tiles.map { try place.bytes($0) } == good)
        // A result that stands already is in no tile's way.
        try place.write("another", to: "in-gobig-skip80.png")
        try place.succeed(["gobig", "render", "plan.json"])
        try place.succeed(["gobig", "assemble", "plan.json", "-o", "parts.png"])
        #expect(try place.read("parts.png").samples == place.read("whole.png").samples)

        try place.picture("large.png", 160, 120)
        let slow = ["gobig", "large.png", "-o", "large-result.png", "--work", "large.tiles", "--steps", "40"]
        let running = try place.start(slow + ["--verbose"])
        while running.isRunning, !place.names("large.tiles").contains(where: { $0.hasPrefix("tile-") }) { usleep(5000) }
        let second = try place.run(slow)
        #expect(second.code == 73 && second.errors.contains("large.tiles/ is being painted into by another run"))
        running.kill()
    }

    @Test("a plan's explanation writes no plan")
    func explained() throws {
        let told = try place.succeed(["gobig", "plan", "in.png", "-o", "plan.json", "--explain"] + Self.small)
        #expect(told.output.contains("tiles") && !place.names().contains("plan.json"))
    }

    @Test("killed at random moments and run again, it has the same bytes", arguments: ["tiles", "joint"])
    func killed(mode: String) throws {
        try place.picture("in.png", 120, 90)
        let base = [
            "gobig", "in.png", "--tile", "64", "--overlap", "16", "--steps", "30", "--seed", "7", "--mode", mode,
        ]
        try place.succeed(base + ["-o", "whole.png"])
        var (kills, kept) = (0, 0)
        for attempt in 0..<5 {
            let running = try place.start(base + ["-o", "killed.png"])
            // Some more of it is there each time; the moment within a tile or a step is as it comes.
            while running.isRunning, place.names("killed.tiles").count < 2 * attempt + 1 {
                Thread.sleep(forTimeInterval: 0.002)
            }
            if running.isRunning { kills += 1 }
            running.kill()
            kept = max(kept, place.names("killed.tiles").count)
            if place.names().contains("killed.png") { break }
        }
        #expect(kills >= 2 && kept > 1, "\(kills) kills, \(kept) files kept")
        if !place.names().contains("killed.png") { try place.succeed(base + ["-o", "killed.png"]) }
        #expect(try place.bytes("killed.png") == place.bytes("whole.png"))
        // What was only for going on is gone.
        #expect(!place.names().contains { $0.hasSuffix(".tiles") })
    }

    @Test(
        "a rerun has the same bytes",
        arguments: [
            ["--scale", "1.7", "--prompt", "a lake", "--jitter", "8"],
            ["--size", "170x119", "--map", "flat", "--repair", "band"],
            ["--layout", "progrock-grid"], ["--layout", "progrock-grid", "--overlap", "0"],
            ["--mode", "joint", "--mask", "mask.png"],
            ["--noise", "6", "--composition", "0.5", "--fidelity", "0.25"],
            ["--upscaler", "miniature", "--map", "mask.png"],
        ])
    func rerun(arguments: [String]) throws {
        try place.succeed(["gobig", "in.png", "-o", "out.png"] + Self.small + arguments)
        try place.succeed(["rerun", "out.png", "-o", "again.png"])
        #expect(try place.bytes("again.png") == place.bytes("out.png"))
    }

    @Test("layouts that have their own tiles and overlaps repeat without them", arguments: ["progrock", "ultimate"])
    func ownTiles(layout: String) throws {
        let tile = layout == "ultimate" ? ["--tile", "64"] : []
        try place.succeed(
            ["gobig", "in.png", "-o", "out.png", "--layout", layout, "--steps", "5", "--seed", "7"] + tile)
        let recipe = try place.read("out.png").recipe()
        #expect(recipe["overlap"] is NSNull && (recipe["tile"] is NSNull) == (layout == "progrock"))
        try place.succeed(["rerun", "out.png", "-o", "again.png"])
        #expect(try place.bytes("again.png") == place.bytes("out.png"))
    }

    @Test("the words that a render was painted from are painted from again")
    func inherits() throws {
        try place.succeed([
            "refine", "in.png", "-o", "render.png", "--prompt", "a lake at sunset", "--guidance", "2", "--steps", "3",
            "--seed", "1",
        ])
        try FileManager.default.moveItem(atPath: place.file("render.png"), toPath: place.file("in.png.new"))
        try FileManager.default.removeItem(atPath: place.file("in.png"))
        try FileManager.default.moveItem(atPath: place.file("in.png.new"), toPath: place.file("in.png"))
        let (own, refused) = (try enlarged(), try enlarged(["--no-inherit"]))
        let (recipe, without) = (try own.recipe(), try refused.recipe())
        #expect(recipe["prompt"] as? String == "a lake at sunset" && recipe["guidance"] as? Double == 2)
        #expect(without["prompt"] as? String == "" && own.samples != refused.samples)
    }

    @Test("refine at a large source's own size paints joined tiles as gobig --scale 1 does")
    func ownSize() throws {
        try place.picture("large.png", 1056, 1024)
        let common = ["large.png", "--seed", "3", "--steps", "4", "--skip", "75"]
        let plan = try jsonLines(
            try place.succeed(["refine"] + common + ["--work-size", "source", "--explain", "--json"]).output)[0]
        #expect(plan["tiles"] as? Int == 30)
        try place.succeed(["refine"] + common + ["--work-size", "source", "-o", "refined.png"])
        try place.succeed(
            ["gobig"] + common + [
                "--scale", "1", "--mode", "joint", "--colour-anchor", "0", "--composition", "0", "-o", "big.png",
            ])
        let (refined, big) = (try place.read("refined.png"), try place.read("big.png"))
        var worst = 0
        for y in 0..<1024 {
            for x in 0..<1056 {
                for c in 0..<3 { worst = max(worst, abs(refined[x, y, c] - big[x, y, c])) }
            }
        }
        // gobig's pixels are of 16 bits before they are of 8.
        #expect(worst <= 1)
        try place.succeed(["rerun", "refined.png", "-o", "again.png"])
        #expect(try place.bytes("again.png") == place.bytes("refined.png"))
    }

    @Test("the bytes depend neither on threads nor on where tiles are kept; kept tiles are not painted again")
    func work() throws {
        let options = ["gobig", "in.png"] + Self.small
        try place.succeed(options + ["-o", "one.png", "--threads", "1"])
        try place.succeed(options + ["-o", "two.png", "--threads", "2", "--work", "kept"])
        #expect(try place.bytes("one.png") == place.bytes("two.png"))
        let tiles = place.names("kept").filter { $0.hasPrefix("tile-") }
        #expect(tiles.count > 4)
        let number =
            try FileManager.default.attributesOfItem(atPath: place.file("kept/" + tiles[0]))[.systemFileNumber]
            as? NSNumber
        try place.succeed(options + ["-o", "three.tif", "--work", "kept"])
        let after =
            try FileManager.default.attributesOfItem(atPath: place.file("kept/" + tiles[0]))[.systemFileNumber]
            as? NSNumber
        #expect(number == after && place.names("kept").filter { $0.hasPrefix("tile-") } == tiles)
        #expect(try place.read("three.tif").samples == place.read("two.png").samples)
        // More depth makes another picture of what is enlarged, a little truer.
        try place.succeed(options + ["-o", "four.png", "--work", "kept", "--depth", "16"])
        let (deep, plain) = (try place.read("four.png"), try place.read("two.png"))
        #expect(deep.depth == 16 && deep.size == plain.size)
        let (one, other) = (deep.converted(depth: 8).floats().values, plain.floats().values)
        #expect(zip(one, other).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(one.count) < 1.0 / 255)
    }

    @Test("--explain tells tiles and size and paints nothing; --report writes a page with every seam")
    func telling() throws {
        let plan = try jsonLines(try place.succeed(["gobig", "in.png", "--explain", "--json"] + Self.small).output)[0]
        #expect(plan["tiles"] as? Int == 6 && plan["enlarged"] as? [Int] == [160, 112] && plan["run"] as? Int == 2)
        #expect(!place.names().contains { $0.contains("gobig") })
        try place.succeed(["gobig", "in.png", "-o", "out.png", "--report"] + Self.small)
        let page = try place.text("out-report.html")
        #expect(try place.run(["gobig", "in.png", "-o", "out.png", "--report"] + Self.small).code == 73)
        try place.write("", to: "new-report.html")
        let refused = try place.run(["gobig", "in.png", "-o", "new.png", "--report"] + Self.small)
        #expect(refused.code == 73 && refused.errors.contains("new-report.html") && !place.names().contains("new.png"))
        #expect(page.contains("fine") && page.contains("y 57") && page.contains("data:image/jpeg;base64,"))
        #expect(page.components(separatedBy: "<rect").count == 7 && !page.contains("http"))
        let line = try place.succeed([
            "gobig", "in.png", "-o", "max.png", "--max-seam", "1", "--json", "--tile", "64", "--overlap", "0",
            "--steps", "5",
            "--seed", "7", "--skip", "40", "--colour-anchor", "0", "--fidelity", "0", "--prompt", "a lake at sunset",
        ])
        #expect(try jsonLines(line.output).contains { ($0["text"] as? String)?.contains("painted again") == true })
    }

    @Test(
        "what cannot be is refused before a model loads",
        arguments: [
            (["--scale", "0.5"], "1 to 64"), (["--size", "40x28"], "larger"), (["--size", "300x100"], "shape"),
            (["--scale", "2", "--size", "160x112"], "only one"), (["--overlap", "40", "--tile", "64"], "0 to 32"),
            (["--tile", "61"], "multiples"), (["--mode", "joint", "--wrap", "x"], "--wrap"),
            (["--skip", "40,60"], "2 values"),
            (["--max-seam", "0.5"], "1 to 100"), (["--repair", "all"], "--repair"),
            (["--jitter", "60", "--tile", "64"], "--jitter"), (["--composition", "2"], "0 to 1"),
            (["--fidelity", "1.5"], "0 to 1"),
            (["--layout", "progrock", "--overlap", "64"], "--overlap changes nothing"),
            (["--layout", "progrock", "--tile", "64"], "--tile changes nothing"),
            (["--layout", "ultimate", "--overlap", "32"], "--overlap changes nothing"),
        ])
    func refused(arguments: [String], words: String) throws {
        let finished = try place.run(["gobig", "in.png"] + arguments)
        #expect(finished.code == 64 && finished.errors.contains(words), "\(finished.errors)")
    }
}
