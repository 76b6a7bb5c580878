import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// `sketch` as a user meets it.
@Suite struct SketchTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture("in.png", 64, 48)
        try place.strokes()
    }

    private func sketched(_ arguments: [String] = [], input: [String] = ["in.png"]) throws -> Picture {
        let name = "result-\(UUID().uuidString).png"
        try place.succeed(
            ["sketch"] + input + ["--strokes", "strokes.png", "--steps", "6", "--seed", "7", "-o", name] + arguments)
        return try place.read(name)
    }

    @Test("without a mask the whole picture is refined from the sketch, at skip 25")
    func whole() throws {
        let (source, result) = (try place.read("in.png"), try sketched())
        #expect(try result.recipe()["skip"] as? Double == 25)
        #expect(result.size == source.size)
        try place.succeed(["refine", "in.png", "--steps", "6", "--seed", "7", "--skip", "25", "-o", "plain.png"])
        #expect(try place.read("plain.png").samples != result.samples)
        // What was drawn red has become redder than without.
        let plain = try place.read("plain.png")
        var (redder, count) = (0, 0)
        for y in 12..<36 {
            for x in 22..<30 {
                redder += result[x, y, 0] - result[x, y, 2] - plain[x, y, 0] + plain[x, y, 2]
                count += 1
            }
        }
        #expect(redder / count > 40, "\(redder / count)")
    }

    @Test("skip 100 lays the strokes over the picture as opaque as their alpha, and nothing else changes")
    func strokesAlone() throws {
        for (channels, depth) in [(Picture.Channels.rgb, 8), (.grey, 16), (.rgba, 8)] {
            let source = try place.picture("in.png", 64, 48, channels, depth: depth)
            let result = try sketched(["--skip", "100"])
            #expect(result.channels == channels && result.depth == depth)
            let strokes = try place.read("strokes.png")
            for y in 0..<48 {
                for x in 0..<64 {
                    let alpha = strokes[x, y, 3]
                    let same = (0..<channels.count).allSatisfy { result[x, y, $0] == source[x, y, $0] }
                    if alpha == 0 { #expect(same, "\(x),\(y)") }
                    guard channels == .rgb, alpha > 0 else { continue }
                    for channel in 0..<3 {
                        let expected =
                            (Double(alpha) * Double(strokes[x, y, channel]) + Double(255 - alpha)
                                * Double(source[x, y, channel])) / 255
                        #expect(abs(Double(result[x, y, channel]) - expected) <= 0.51)
                    }
                }
            }
            if channels == .rgba { #expect(result[26, 20, 3] >= 200) }
        }
    }

    @Test("with a mask only what it shows is painted, strokes too, and the rest stays to the bit")
    func masked() throws {
        try place.mask()
        let (source, mask) = (try place.read("in.png"), try place.read("mask.png"))
        for skip in ["25", "100"] {
            let result = try sketched(["--mask", "mask.png", "--skip", skip])
            var changed = 0
            for y in 0..<48 {
                for x in 0..<64 {
                    let same = (0..<3).allSatisfy { result[x, y, $0] == source[x, y, $0] }
                    if mask[x, y, 0] == 0 { #expect(same) }
                    changed += same ? 0 : 1
                }
            }
            #expect(changed > 100)
        }
        let plain = try sketched(["--mask", "mask.png"])
        for option in [["--blur", "0"], ["--grow", "4"], ["--invert-mask"], ["--area", "masked", "--padding", "4"]] {
            #expect(try sketched(["--mask", "mask.png"] + option).samples != plain.samples, "\(option)")
        }
        try place.mask("wide.png", 128, 48)
        #expect(try sketched(["--mask", "wide.png", "--mask-fit", "crop"]).samples != plain.samples)
    }

    @Test("a sketch from nothing begins on a canvas of the colour and size that are asked for")
    func fromNothing() throws {
        let white = try sketched(["--skip", "100"], input: [])
        #expect(white.channels == .rgb && white[0, 0, 0] == 255 && white[0, 0, 2] == 255)
        let blue = try sketched(["--skip", "100", "--background", "#1020c0"], input: [])
        #expect((0..<3).map { blue[0, 0, $0] } == [0x10, 0x20, 0xc0])
        #expect(try sketched(["--background", "#1020c0"], input: []).samples != sketched(input: []).samples)
        #expect(try sketched(["--size", "64x48"], input: []).samples == sketched(input: []).samples)
        try place.refuse(
            ["sketch", "--strokes", "strokes.png", "--size", "32x32"], code: 65,
            naming: ["strokes.png is 64×48", "32×32"])
        let finished = try place.succeed(["sketch", "--strokes", "strokes.png", "--steps", "4", "--seed", "1"])
        #expect(finished.output == "strokes-sketch-skip25.png\n")
    }

    @Test("a rerun has the same bytes, on a picture, through a mask and from nothing")
    func rerun() throws {
        try place.mask()
        let runs: [[String]] = [
            ["in.png"], ["in.png", "--mask", "mask.png", "--blur", "2"], ["--background", "#a0c0e0"],
        ]
        for (index, arguments) in runs.enumerated() {
            let name = "out\(index).png"
            try place.succeed(
                ["sketch"] + arguments + ["--strokes", "strokes.png", "--steps", "4", "--seed", "2", "-o", name])
            try place.succeed(["rerun", name])
            #expect(try place.bytes(name) == place.bytes("out\(index)-rerun.png"))
            let recipe = try place.read(name).recipe()
            #expect((recipe["strokes"] as? [String: String])?["name"] == "strokes.png")
        }
        #expect(try place.read("out2.png").recipe()["background"] as? String == "#a0c0e0")
    }

    @Test("what makes no sense is refused")
    func refusals() throws {
        try place.refuse(["sketch", "in.png", "--strokes", "none.png"], code: 66, naming: ["none.png"])
        try place.refuse(
            ["sketch", "in.png", "--strokes", "in.png"], code: 65, naming: ["no transparency", "in.png"])
        try place.refuse(
            ["sketch", "in.png", "--strokes", "strokes.png", "--size", "64x48"], code: 64, naming: ["--size", "in.png"])
        try place.refuse(
            ["sketch", "in.png", "--strokes", "strokes.png", "--blur", "3"], code: 64, naming: ["--blur", "--mask"])
        try place.picture("small.png", 32, 48)
        try place.refuse(
            ["sketch", "small.png", "--strokes", "strokes.png"], code: 65,
            naming: ["strokes.png is 64×48 but small.png is 32×48. Resize the strokes."])
    }
}

extension Workplace {
    /// A red stroke, opaque at its left and fading to its right, and nothing elsewhere.
    func strokes(_ name: String = "strokes.png") throws {
        var samples = [UInt8](repeating: 0, count: 64 * 48 * 4)
        for y in 10..<38 {
            for x in 20..<40 {
                let pixel = (y * 64 + x) * 4
                (samples[pixel], samples[pixel + 1], samples[pixel + 2]) = (230, 30, 20)
                samples[pixel + 3] = x < 30 ? 255 : UInt8(255 - (x - 29) * 22)
            }
        }
        try write(Picture(size: PixelSize(width: 64, height: 48), channels: .rgba, eight: samples), to: name)
    }
}
