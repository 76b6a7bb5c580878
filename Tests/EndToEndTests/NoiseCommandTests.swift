import Foundation
import Painting
import Raster
import RasterFiles
import TestKit
import Testing

/// `noise`: flat places roughened, everything else to the bit.
@Suite struct NoiseCommandTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    /// A light and a dark half, both even, and texture on the right.
    @discardableResult
    private func scene(_ name: String = "in.png", _ channels: Picture.Channels = .rgb, depth: Int = 8) throws -> Picture
    {
        let size = PixelSize(width: 160, height: 90)
        var generator = SeededGenerator(2)
        var values: [Int] = []
        for y in 0..<size.height {
            for x in 0..<size.width {
                let base = x < 60 ? 70 : 150
                let texture = x < 120 ? 0 : Int.random(in: -40...40, using: &generator)
                for channel in 0..<channels.count {
                    let isAlpha = channels.hasAlpha && channel == channels.count - 1
                    values.append(isAlpha ? (y < 10 ? 0 : 90 + x) : base + texture + 10 * channel)
                }
            }
        }
        let picture =
            depth == 16
            ? Picture(size: size, channels: channels, sixteen: values.map { UInt16($0 == 0 ? 0 : $0 * 257 + 3) })
            : Picture(size: size, channels: channels, eight: values.map { UInt8($0) })
        let metadata = PictureMetadata(
            exif: Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0],
            resolution: .init(horizontal: 3780, vertical: 3780))
        try place.write(picture.with(metadata: metadata), to: name)
        return picture
    }

    private func roughened(_ arguments: [String] = [], input: String = "in.png", _ name: String = "out.png") throws
        -> Picture
    {
        let seeds =
            arguments.contains("--seed")
            || arguments.contains { $0.hasPrefix("-") && $0.dropFirst().first?.isNumber == true }
        try place.succeed(["noise", input, "-o", name, "--overwrite"] + (seeds ? [] : ["--seed", "7"]) + arguments)
        return try place.read(name)
    }

    static let kinds: [(Picture.Channels, Int)] = [
        (.rgb, 8), (.rgba, 8), (.grey, 8), (.greyAlpha, 8), (.rgb, 16), (.rgba, 16), (.grey, 16), (.greyAlpha, 16),
    ]

    @Test("where the gate is shut nothing changes by a bit, and what the file says of itself stays", arguments: kinds)
    func kept(channels: Picture.Channels, depth: Int) throws {
        let source = try scene("in.png", channels, depth: depth)
        let result = try roughened(["--gate-out", "gate.png"])
        let gate = try place.read("gate.png")
        #expect(gate.size == source.size && gate.channels == .grey && gate.metadata["velatura"] == nil)
        #expect(result.channels == channels && result.depth == depth)
        #expect(result.metadata.exif != nil && result.metadata.resolution == .init(horizontal: 3780, vertical: 3780))
        var (shut, changed) = (0, 0)
        for y in 0..<90 {
            for x in 0..<160 {
                let isSame = (0..<channels.count).allSatisfy { result[x, y, $0] == source[x, y, $0] }
                if gate[x, y, 0] == 0 {
                    #expect(isSame)
                    shut += 1
                } else if !isSame {
                    changed += 1
                }
                if (57..<63).contains(x) || x >= 130 || channels.hasAlpha && y < 10 { #expect(isSame) }
            }
        }
        #expect(shut > 4000 && changed > 4000)
        if channels.hasAlpha { #expect(result.alpha == source.alpha) }
    }

    @Test(
        "an option changes the picture, and a rerun has the same bytes",
        arguments: [
            ["--seed", "8"], ["--kind", "perlin"], ["--kind", "uniform"], ["--amount", "9"], ["--amount", "40%"],
            ["--amount", "-3"], ["--amount", "-20%"], ["--flatness", "0.02"], ["--outline", "3"], ["--coloured"],
            ["--mask", "mask.png"], ["--mask", "mask.png", "--invert-mask"],
            ["--mask", "small.png", "--mask-fit", "stretch"], ["--depth", "16"],
        ])
    func options(option: [String]) throws {
        try scene()
        var values = [UInt8](repeating: 0, count: 160 * 90)
        for i in values.indices where i % 160 < 30 { values[i] = 255 }
        let mask = Picture(size: PixelSize(width: 160, height: 90), channels: .grey, eight: values)
        try place.write(mask, to: "mask.png")
        try place.write(mask.resized(to: PixelSize(width: 80, height: 45)), to: "small.png")
        // A little to calm and to measure.
        try place.succeed(["noise", "in.png", "-o", "grain.png", "--amount", "2", "--seed", "1", "--no-recipe"])
        let plain = try roughened(input: "grain.png")
        let other = try roughened(option, input: "grain.png")
        #expect(other.samples != plain.samples)
        #expect(other.samples != (try place.read("grain.png")).samples)
        let bytes = try place.bytes("out.png")
        _ = try roughened(option + ["--threads", "1"], input: "grain.png")
        #expect(try place.bytes("out.png") == bytes)
        try place.succeed(["rerun", "out.png"])
        #expect(try place.bytes("out-rerun.png") == bytes)
        #expect(try place.succeed(["history", "out.png"]).output.hasPrefix("1. noise grain.png: "))
    }

    @Test("a mask limits it, and one of another size is refused")
    func masks() throws {
        let source = try scene()
        let values = (0..<160 * 90).map { $0 % 160 < 30 ? 255 : 0 as UInt8 }
        try place.write(
            Picture(size: source.size, channels: .grey, eight: values), to: "mask.png")
        func changed(_ picture: Picture, _ columns: Range<Int>) -> Int {
            (0..<90).reduce(0) { sum, y in sum + columns.count { picture[$0, y, 0] != source[$0, y, 0] } }
        }
        let inside = try roughened(["--mask", "mask.png"])
        #expect(changed(inside, 0..<30) > 2000 && changed(inside, 30..<160) == 0)
        let outside = try roughened(["--mask", "mask.png", "--invert-mask"])
        #expect(changed(outside, 0..<30) == 0 && changed(outside, 80..<110) > 2000)
        try place.picture("small.png", 80, 45)
        try place.refuse(
            ["noise", "in.png", "--mask", "small.png", "-o", "x.png"], code: 65,
            naming: ["80×45", "160×90", "--mask-fit"])
        #expect(!place.names().contains("x.png"))
    }

    @Test("the same noise is not laid over itself when a result is roughened again, and its past is told")
    func again() throws {
        let source = try scene()
        let first = try roughened(["--amount", "6"])
        let second = try roughened(["--amount", "6"], input: "out.png", "second.png")
        var (same, count) = (0, 0)
        for y in 20..<70 {
            for x in 5..<40 {
                let (one, two) = (first[x, y, 0] - source[x, y, 0], second[x, y, 0] - first[x, y, 0])
                count += 1
                same += one == two ? 1 : 0
            }
        }
        #expect(same * 4 < count)
        try place.succeed(["rerun", "second.png"])
        #expect(try place.bytes("second.png") == place.bytes("second-rerun.png"))
        let lines = try place.succeed(["history", "second.png"]).outputLines
        #expect(lines.map { $0.prefix(8) } == ["1. noise", "2. noise"])
    }

    @Test("JPEG and TIFF carry the recipe too, and JPEG says what it gives up")
    func formats() throws {
        try scene()
        for name in ["out.jpg", "out.tif"] {
            let finished = try place.succeed([
                "noise", "in.png", "-o", name, "--seed", "3", "--gate-out", "\(name)-gate.png",
            ])
            #expect(finished.errors.contains("not kept to the bit") == (name == "out.jpg"))
            let rerun = try place.succeed(["rerun", name])
            #expect(try place.bytes(rerun.outputLines[0]) == place.bytes(name))
        }
    }

    @Test(
        "several pictures and folders: gates go into a folder, names keep their places, what is finished is passed over"
    )
    func many() throws {
        try scene("a.png")
        try scene("b.png")
        try place.succeed(["noise", "a.png", "b.png", "-o", "out/", "--gate-out", "gates/", "--seed", "1"])
        #expect(place.names("out") == ["a-noise.png", "b-noise.png"])
        #expect(place.names("gates") == ["a-gate.png", "b-gate.png"])
        try place.refuse(
            ["noise", "a.png", "b.png", "-o", "more/", "--gate-out", "gate.png"], code: 64, naming: ["gate.png"])
        try scene("in/deep/c.png")
        try scene("in/d.png")
        let list = ["noise", "in", "-o", "done", "--gate-out", "shut/", "--seed", "1"]
        try place.succeed(list)
        #expect(place.names("done/deep") == ["c-noise.png"] && place.names("shut/deep") == ["c-gate.png"])
        #expect(try place.succeed(list).errors.contains("2 finished before"))
        try place.write("input,command,amount,kind\na.png,noise,4,perlin\nb.png,noise,-4,\n", to: "jobs.csv")
        try place.succeed(["batch", "jobs.csv", "-o", "listed"])
        #expect(try place.read("listed/a-noise.png").recipe()["kind"] as? String == "perlin")
        #expect(try place.read("listed/b-noise.png").recipe()["amount"] as? String == "-4")
    }

    @Test("the plan is one line with what was found; standard output holds paths alone")
    func telling() throws {
        try scene()
        let finished = try place.succeed(["noise", "in.png", "--seed", "2"])
        #expect(finished.output == "in-noise.png\n" && finished.errorLines.count == 1)
        #expect(
            finished.errors.contains("160×90, gaussian 8, flatness 0.5, seed 2")
                && finished.errors.contains("gate open on"))
        #expect(try place.succeed(["noise", "in.png", "--seed", "2", "--explain"]).output == finished.errors)
        let events = try jsonLines(
            try place.succeed(["noise", "in.png", "--seed", "2", "--json", "--overwrite"]).output)
        #expect(
            events.map { $0["event"] as? String } == ["plan", "progress", "result"]
                || events.map { $0["event"] as? String } == ["plan", "result"])
        #expect(events[0]["open"] is Double || events[0]["open"] is Int)
        #expect(place.names() == ["in-noise.png", "in.png"])
    }

    @Test("what cannot be is refused")
    func refusals() throws {
        try scene()
        for (arguments, parts) in [
            (["--amount", "much"], ["much"]), (["--amount", "300"], ["300"]), (["--kind", "pink"], ["pink"]),
            (["--flatness", "1.5"], ["--flatness", "1.5"]), (["--outline", "65"], ["--outline", "65"]),
            (["--amount", "-3", "--kind", "perlin"], ["--kind"]), (["--amount", "-3", "--seed", "1"], ["--seed"]),
            (["--amount=-3", "--coloured"], ["--coloured"]), (["--invert-mask"], ["--mask"]),
            (["--mask-fit", "crop"], ["--mask"]), (["--threads", "0"], ["--threads"]),
            (["--gate-out", ""], ["--gate-out"]),
        ] {
            try place.refuse(["noise", "in.png"] + arguments, code: 64, naming: parts)
        }
        try place.refuse(["noise", "nowhere.png"], code: 66, naming: ["nowhere.png"])
        try place.refuse(
            ["noise", "in.png", "-o", "same.png", "--gate-out", "same.png"], code: 64, naming: ["same.png"])
        #expect(place.names() == ["in.png"])
    }
}
