import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// `compose`: parts of pictures laid over another, to the bit where the mask says so.
@Suite struct ComposeTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    private func grey(_ width: Int, _ height: Int, _ value: (_ x: Int, _ y: Int) -> UInt8) -> Picture {
        Picture(
            size: PixelSize(width: width, height: height), channels: .grey,
            eight: (0..<width * height).map { value($0 % width, $0 / width) })
    }

    private func flat(_ value: Int, _ width: Int = 48, _ height: Int = 32, depth: Int = 8) -> Picture {
        let size = PixelSize(width: width, height: height)
        return depth == 16
            ? Picture(size: size, channels: .rgb, sixteen: .init(repeating: UInt16(value), count: size.area * 3))
            : Picture(size: size, channels: .rgb, eight: .init(repeating: UInt8(value), count: size.area * 3))
    }

    /// Black on the left third, white on the right, grey between.
    private func thirds() -> Picture { grey(48, 32) { x, _ in x < 16 ? 0 : x < 32 ? 128 : 255 } }

    private func composed(_ arguments: [String], _ name: String = "out.png") throws -> Picture {
        try place.succeed(["compose"] + arguments + ["-o", name, "--overwrite"])
        return try place.read(name)
    }

    static let kinds: [(Picture.Channels, Int)] = [
        (.rgb, 8), (.rgba, 8), (.grey, 8), (.greyAlpha, 8), (.rgb, 16), (.rgba, 16), (.grey, 16), (.greyAlpha, 16),
    ]

    @Test("black keeps the base to the bit and white takes the layer to the bit", arguments: kinds)
    func ends(channels: Picture.Channels, depth: Int) throws {
        let base = try place.picture("base.png", 48, 32, channels, depth: depth)
        // The same picture upside down: other colours, another alpha.
        let layer = base.turned(from: .upsideDown)
        try place.write(layer, to: "layer.png")
        try place.write(thirds(), to: "mask.png")
        let result = try composed(["base.png", "--layer", "layer.png:mask.png"])
        #expect(result.channels == channels && result.depth == depth)
        var between = 0
        for y in 0..<32 {
            for x in 0..<48 {
                for channel in 0..<channels.count {
                    let (low, high) = (base[x, y, channel], layer[x, y, channel])
                    if x < 16 { #expect(result[x, y, channel] == low) }
                    if x >= 32 { #expect(result[x, y, channel] == high) }
                    guard (16..<32).contains(x) else { continue }
                    // One more for rounding.
                    #expect((min(low, high) - 1...max(low, high) + 1).contains(result[x, y, channel]))
                    if result[x, y, channel] != low, result[x, y, channel] != high { between += 1 }
                }
            }
        }
        #expect(between > 300)
    }

    @Test("grey mixes as light is mixed")
    func light() throws {
        try place.write(flat(0), to: "base.png")
        try place.write(flat(255), to: "layer.png")
        try place.write(grey(48, 32) { _, _ in 128 }, to: "mask.png")
        // 128/255 of white light, encoded by sRGB's curve, is 188; mixed as values it would be 128.
        #expect(try composed(["base.png", "--layer", "layer.png:mask.png"])[3, 3, 0] == 188)
    }

    @Test("equal pixels stay as they are under any mask, at sixteen bits too")
    func equal() throws {
        let base = try place.picture("base.png", 48, 32, .rgba, depth: 16)
        try place.write(Picture.sample(48, 32, .grey), to: "mask.png")
        #expect(try composed(["base.png", "--layer", "base.png:mask.png"]).samples == base.samples)
    }

    @Test("a mix is weighed by alpha: what cannot be seen gives no colour")
    func alpha() throws {
        let size = PixelSize(width: 1, height: 1)
        try place.write(Picture(size: size, channels: .rgba, eight: [255, 0, 0, 0]), to: "base.png")
        try place.write(Picture(size: size, channels: .rgba, eight: [0, 0, 200, 200]), to: "layer.png")
        try place.write(Picture(size: size, channels: .grey, eight: [51]), to: "mask.png")
        let result = try composed(["base.png", "--layer", "layer.png:mask.png"])
        #expect((0..<4).map { result[0, 0, $0] } == [0, 0, 200, 40])
    }

    @Test("layers lie in the order given, the first lowest")
    func order() throws {
        try place.write(flat(10), to: "base.png")
        try place.write(flat(100), to: "a.png")
        try place.write(flat(200), to: "b.png")
        try place.write(grey(48, 32) { x, _ in x < 32 ? 255 : 0 }, to: "left.png")
        try place.write(grey(48, 32) { x, _ in x >= 16 ? 255 : 0 }, to: "right.png")
        let result = try composed(["base.png", "--layer", "a.png:left.png", "--layer", "b.png:right.png"])
        #expect([0, 20, 40].map { result[$0, 0, 0] } == [100, 200, 200])
        let other = try composed(["base.png", "--layer", "b.png:right.png", "--layer", "a.png:left.png"])
        #expect([0, 20, 40].map { other[$0, 0, 0] } == [100, 100, 200])
    }

    @Test("--opacity takes less of a layer: one for all, or one for each")
    func opacity() throws {
        try place.write(flat(0), to: "base.png")
        try place.write(flat(255), to: "a.png")
        try place.write(grey(48, 32) { x, _ in x < 16 ? 255 : 0 }, to: "left.png")
        try place.write(grey(48, 32) { x, _ in x >= 32 ? 255 : 0 }, to: "right.png")
        let layers = ["base.png", "--layer", "a.png:left.png", "--layer", "a.png:right.png"]
        func values(_ arguments: [String]) throws -> [Int] {
            let result = try composed(layers + arguments)
            return [0, 20, 40].map { result[$0, 0, 0] }
        }
        #expect(try values([]) == [255, 0, 255])
        #expect(try values(["--opacity", "0.5"]) == [188, 0, 188])
        #expect(try values(["--opacity", "0,1"]) == [0, 0, 255])
        #expect(try values(["--opacity", "1", "--opacity", "0.5"]) == [255, 0, 188])
        try place.refuse(["compose"] + layers + ["--opacity", "1,1,1", "-o", "x.png"], code: 64, naming: ["2", "3"])
        try place.refuse(["compose"] + layers + ["--opacity", "1.5", "-o", "x.png"], code: 64, naming: ["1.5"])
    }

    @Test("--feather softens inwards: black stays black, and far inside all of the layer is taken")
    func feather() throws {
        let base = try place.picture("base.png", 64, 64)
        let layer = base.turned(from: .upsideDown)
        try place.write(layer, to: "layer.png")
        try place.write(grey(64, 64) { x, _ in x < 20 ? 0 : 255 }, to: "mask.png")
        let hard = try composed(["base.png", "--layer", "layer.png:mask.png"])
        let soft = try composed(["base.png", "--layer", "layer.png:mask.png", "--feather", "10"])
        for y in 0..<64 {
            for channel in 0..<3 {
                for x in 0..<20 { #expect(soft[x, y, channel] == base[x, y, channel]) }
                for x in 30..<64 { #expect(soft[x, y, channel] == layer[x, y, channel]) }
            }
        }
        #expect(hard.samples != soft.samples)
        // Near the edge nearly the base.
        #expect(abs(soft[20, 5, 0] - base[20, 5, 0]) < abs(layer[20, 5, 0] - base[20, 5, 0]))
    }

    @Test("a mask or a layer of another size is an error with the mend, and --mask-fit mends the mask")
    func sizes() throws {
        try place.picture("base.png")
        try place.write(flat(9, 40, 32), to: "small.png")
        try place.write(flat(200), to: "layer.png")
        try place.write(grey(24, 32) { x, y in x < 12 || y < 12 ? 0 : 255 }, to: "mask.png")
        try place.write(grey(32, 48) { _, y in y < 24 ? 255 : 0 }, to: "turned.png")
        try place.write(thirds(), to: "right.png")
        try place.refuse(
            ["compose", "base.png", "--layer", "small.png:right.png", "-o", "x.png"], code: 65,
            naming: ["small.png is 40×32", "base.png is 48×32", "velatura fit"])
        try place.refuse(
            ["compose", "base.png", "--layer", "layer.png:mask.png", "-o", "x.png"], code: 65,
            naming: ["mask.png is 24×32", "base.png is 48×32", "--mask-fit stretch"])
        try place.refuse(
            ["compose", "base.png", "--layer", "layer.png:mask.png", "--mask-fit", "rotate", "-o", "x.png"], code: 65,
            naming: ["24×32", "--mask-fit stretch"])
        let stretched = try composed(["base.png", "--layer", "layer.png:mask.png", "--mask-fit", "stretch"])
        #expect(stretched[40, 16, 0] == 200 && stretched[4, 16, 0] != 200)
        let cropped = try composed(["base.png", "--layer", "layer.png:mask.png", "--mask-fit", "crop"], "c.png")
        #expect(cropped[40, 18, 0] == 200 && cropped.samples != stretched.samples)
        let turned = try composed(["base.png", "--layer", "layer.png:turned.png", "--mask-fit", "rotate"], "t.png")
        #expect(turned[40, 16, 0] == 200 && turned[4, 16, 0] != 200)
    }

    @Test("the deepest of all pictures and the most channels are kept")
    func forms() throws {
        try place.write(flat(10), to: "base.png")
        try place.write(flat(40_000, depth: 16), to: "deep.png")
        try place.write(thirds(), to: "mask.png")
        let result = try composed(["base.png", "--layer", "deep.png:mask.png"])
        #expect(result.depth == 16 && result[40, 0, 0] == 40_000 && result[0, 0, 0] == 2570)
        #expect(try composed(["base.png", "--layer", "deep.png:mask.png", "--depth", "8"]).depth == 8)
        // What a form cannot hold is told.
        try place.write(flat(40_000, depth: 16), to: "deep-base.png")
        let told = try place.succeed(["compose", "deep-base.png", "--layer", "deep.png:mask.png", "-o", "small.jpg"])
        #expect(told.errors.contains("16 bits become 8"))
        try place.write(Picture.sample(48, 32, .greyAlpha), to: "clear.png")
        let clear = try composed(["base.png", "--layer", "clear.png:mask.png"])
        #expect(clear.channels == .rgba && clear[47, 0, 3] == 255 && clear[0, 0, 3] == 255)
    }

    @Test("the recipe names base, layers and masks, and rerun puts the same bytes together")
    func rerun() throws {
        try place.picture("base.png")
        try place.succeed([
            "refine", "base.png", "--steps", "4", "--seed", "1", "--prompt", "a lake", "-o", "rung.png",
        ])
        try place.write(grey(24, 16) { x, _ in x < 12 ? 0 : 255 }, to: "mask.png")
        let arguments = [
            "--layer", "rung.png:mask.png", "--mask-fit", "stretch", "--feather", "3", "--opacity", "0.75",
        ]
        try place.succeed(["compose", "base.png", "-o", "one.png"] + arguments)
        let recipe = try place.read("one.png").recipe()
        #expect(recipe["command"] as? String == "compose" && recipe["feather"] as? Int == 3)
        let layer = try #require((recipe["layers"] as? [[String: Any]])?.first)
        #expect((layer["picture"] as? [String: Any])?["name"] as? String == "rung.png")
        #expect((layer["made"] as? [String: Any])?["prompt"] as? String == "a lake")
        #expect((layer["mask"] as? [String: Any])?["name"] as? String == "mask.png")
        #expect((recipe["source"] as? [String: Any])?["name"] as? String == "base.png")

        try place.succeed(["rerun", "one.png", "-o", "two.png"])
        #expect(try place.bytes("one.png") == place.bytes("two.png"))
        // Found by hash under other names, in a folder that is named.
        for name in ["base.png", "rung.png", "mask.png"] {
            let bytes = try place.bytes(name)
            try WholeFile.write(bytes, to: place.file("far/away/other-\(name)"))
            try FileManager.default.removeItem(atPath: place.file(name))
        }
        try place.refuse(["rerun", "one.png", "-o", "three.png"], code: 66, naming: ["rung.png", "--find"])
        try place.refuse(
            ["rerun", "one.png", "--model", "miniature", "--find", "far", "-o", "three.png"], code: 64,
            naming: ["--model"])
        try place.succeed(["rerun", "one.png", "--find", "far", "-o", "three.png"])
        #expect(try place.read("three.png").samples == place.read("one.png").samples)
        #expect(try place.succeed(["history", "one.png"]).output.contains("compose base.png: rung.png"))
    }

    @Test("a name with a colon is found, and one without a mask is refused")
    func colons() throws {
        try place.write(flat(10), to: "base.png")
        try place.write(flat(200), to: "a:b.png")
        try place.write(thirds(), to: "mask.png")
        #expect(try composed(["base.png", "--layer", "a:b.png:mask.png"])[40, 0, 0] == 200)
        try place.refuse(["compose", "base.png", "--layer", "a.png", "-o", "x.png"], code: 64, naming: ["a.png"])
        try place.refuse(["compose", "base.png", "--layer", "c:d", "-o", "x.png"], code: 66, naming: ["c "])
    }

    @Test("a result is named beside the base, and an explanation writes nothing")
    func results() throws {
        try place.write(flat(10), to: "base.png")
        try place.write(thirds(), to: "mask.png")
        let arguments = ["compose", "base.png", "--layer", "base.png:mask.png"]
        let told = try place.succeed(arguments + ["--explain"])
        #expect(told.output.contains("white on 33 %, grey on 33 %"))
        #expect(place.names() == ["base.png", "mask.png"])
        #expect(try place.succeed(arguments).output == "base-compose.png\n")
        try place.refuse(arguments, code: 73, naming: ["base-compose.png"])
        let event = try #require(try jsonLines(try place.succeed(arguments + ["--json", "--overwrite"]).output).last)
        #expect(event["command"] as? String == "compose" && (event["hash"] as? String)?.count == 64)
    }
}
