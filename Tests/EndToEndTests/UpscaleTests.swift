import Checkpoints
import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// `upscale`: learned upscalers and Lanczos.
@Suite struct UpscaleTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        // Small convolutions beside the picture itself: the result is that picture with something on it.
        try network("net.safetensors", factor: 2)
    }

    /// A compact network of two convolutions, whose weights follow from their names.
    private func network(_ name: String, factor: Int, channels: Int = 3, prefix: String = "") throws {
        let last = channels * factor * factor
        let shapes: [(String, [Int])] = [
            ("body.0.weight", [16, channels, 3, 3]), ("body.0.bias", [16]), ("body.1.weight", [16]),
            ("body.2.weight", [last, 16, 3, 3]), ("body.2.bias", [last]),
        ]
        let tensors = shapes.map { key, shape in
            var tensor = FormulaCheckpoint.tensor(key, shape)
            if key.hasPrefix("body.2") {
                tensor.bytes = tensor.bytes.withUnsafeBytes { bytes in
                    (0..<bytes.count / 4).flatMap { place in
                        let bits = bytes.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self)
                        return withUnsafeBytes(of: (Float(bitPattern: bits) * 0.2).bitPattern, Array.init)
                    }
                }
            }
            tensor.key = prefix + key
            return tensor
        }
        try FormulaCheckpoint.write(tensors, to: place.file(name))
    }

    private func upscaled(_ arguments: [String], _ name: String = "out.png") throws -> Picture {
        try place.succeed(["upscale"] + arguments + ["-o", name, "--overwrite"])
        return try place.read(name)
    }

    static let kinds: [(Picture.Channels, Int)] = [
        (.rgb, 8), (.rgba, 8), (.grey, 8), (.greyAlpha, 8), (.rgb, 16), (.rgba, 16), (.grey, 16), (.greyAlpha, 16),
    ]

    @Test("kind, depth and everything that a file says stay", arguments: kinds)
    func kind(channels: Picture.Channels, depth: Int) throws {
        var source = Picture.sample(24, 18, channels, depth: depth)
        source.metadata.resolution = .init(horizontal: 11811, vertical: 11811)
        source.metadata.texts = [.init(keyword: "Author", text: "someone")]
        try place.write(source, to: "in.png")
        for upscaler in ["net.safetensors", "lanczos"] {
            let result = try upscaled(["in.png", "--upscaler", upscaler])
            #expect(result.size == PixelSize(width: 48, height: 36) && result.channels == channels)
            #expect(result.depth == depth && result.metadata["Author"] == "someone")
            #expect(result.metadata.resolution == source.metadata.resolution)
            // Not the picture itself, but near it.
            let smooth = source.resized(to: result.size)
            let difference = result.difference(smooth)
            #expect(upscaler == "lanczos" ? difference == 0 : difference > 0.2 && difference < 60)
            if channels.hasAlpha { #expect(Self.differ(result.alpha, smooth.alpha) <= (depth == 8 ? 1 : 2)) }
        }
    }

    private static func differ(_ a: [Int], _ b: [Int]) -> Int { zip(a, b).map { abs($0 - $1) }.max() ?? .max }

    @Test("what transparent pixels hide is not seen")
    func transparency() throws {
        let source = Picture.sample(24, 18, .rgba)
        func hiding(_ value: UInt8) -> Picture {
            guard case .eight(var samples) = source.samples else { return source }
            for pixel in stride(from: 0, to: samples.count, by: 4) where samples[pixel + 3] == 0 {
                for channel in pixel..<pixel + 3 { samples[channel] = value }
            }
            return Picture(size: source.size, channels: .rgba, eight: samples)
        }
        try place.write(hiding(0), to: "black.png")
        try place.write(hiding(255), to: "white.png")
        let results = try ["black.png", "white.png"].map { try upscaled([$0, "--upscaler", "net.safetensors"]) }
        #expect(results[0].samples == results[1].samples)
    }

    @Test(
        "any factor is reached, by up to three runs and Lanczos",
        arguments: [
            (nil, 2, 1), ("2", 2, 1), ("1.5", 1.5, 1), ("3.3", 3.3, 2), ("5", 5, 3), ("12", 12, 3), ("0.5", 0.5, 1),
        ]
            as [(String?, Double, Int)])
    func scales(scale: String?, expected: Double, passes: Int) throws {
        try place.picture("in.png", 20, 15)
        let result = try upscaled(["in.png", "--upscaler", "net.safetensors"] + (scale.map { ["--scale", $0] } ?? []))
        #expect(result.width == Int((20 * expected).rounded()) && result.height == Int((15 * expected).rounded()))
        #expect(try result.recipe()["passes"] as? Int == passes)
        let plain = try upscaled(["in.png"] + (scale.map { ["--scale", $0] } ?? []), "plain.png")
        #expect(plain.size == result.size && plain.samples != result.samples)
    }

    @Test("a network of one channel enlarges grey pictures, and each colour alone")
    func oneChannel() throws {
        try network("grey.safetensors", factor: 3, channels: 1)
        let source = Picture.sample(16, 12, .grey)
        try place.write(source, to: "grey.png")
        try place.write(source.colour(), to: "colour.png")
        let (grey, colour) = (
            try upscaled(["grey.png", "--upscaler", "grey.safetensors"], "1.png"),
            try upscaled(["colour.png", "--upscaler", "grey.safetensors"], "3.png")
        )
        #expect(grey.size == PixelSize(width: 48, height: 36) && grey.channels == .grey && colour.channels == .rgb)
        #expect(grey.colour().samples == colour.samples)
    }

    @Test("depth, format, recipe and limits are heeded as elsewhere")
    func results() throws {
        try place.picture("in.png", 16, 12)
        let net = ["in.png", "--upscaler", "net.safetensors"]
        #expect(try upscaled(net + ["--depth", "16"]).depth == 16)
        #expect(try upscaled(net + ["--no-recipe"]).metadata["velatura"] == nil)
        #expect(try place.succeed(["upscale"] + net + ["--format", "tiff"]).output == "in-upscale.tif\n")
        try place.refuse(["upscale"] + net + ["--format", "tiff"], code: 73, naming: ["in-upscale.tif"])
        let whole = try upscaled(net)
        #expect(try upscaled(net + ["--threads", "1"]).samples == whole.samples)
        #expect(try upscaled(net + ["--memory-limit", "200MB"]).samples == whole.samples)
        let recipe = try whole.recipe()
        #expect(recipe["command"] as? String == "upscale" && recipe["scale"] as? Double == 2)
        let upscaler = try #require(recipe["upscaler"] as? [String: Any])
        #expect(upscaler["name"] as? String == "net.safetensors" && (upscaler["sha256"] as? String)?.count == 64)
    }

    @Test("a limit of memory is planned with and changes no pixel; less than any form needs is refused with the least")
    func memory() throws {
        try place.picture("in.png", 1200, 900)
        let net = ["in.png", "--upscaler", "net.safetensors"]
        func told(_ more: [String]) throws -> [String: Any] {
            try #require(
                try jsonLines(try place.succeed(["upscale"] + net + ["--explain", "--json"] + more).output).first)
        }
        let (free, limited) = (try told([]), try told(["--memory-limit", "300MB"]))
        let bytes = try (#require(free["bytes"] as? Double), #require(limited["bytes"] as? Double))
        #expect(bytes.1 < bytes.0 && bytes.1 < 300e6, "\(bytes)")
        #expect(free["disk"] as? Int == 0 && limited["disk"] as? Int == 2400 * 1800 * 12)
        #expect(try upscaled(net + ["--memory-limit", "300MB"]).samples == upscaled(net, "free.png").samples)
        for command in ["upscale", "gobig"] {
            try place.refuse(
                [command] + net + ["--memory-limit", "100MB", "-o", "no.png"], code: 65,
                naming: ["--memory-limit is 100 MB", "1200×900", "at least", "Raise the limit"])
        }
    }

    @Test("a plan is told and nothing made; JSON has plan, progress and result")
    func telling() throws {
        try place.picture("in.png", 16, 12)
        let net = ["upscale", "in.png", "--upscaler", "net.safetensors"]
        let plan = try place.succeed(net + ["--explain"]).output
        #expect(plan.contains("16×12 → 32×24") && plan.contains("SRVGG ×2"))
        let told = try jsonLines(try place.succeed(net + ["--explain", "--json", "--scale", "3"]).output)
        #expect(told[0]["target"] as? [Int] == [48, 36] && told[0]["passes"] as? Int == 2 && told.count == 1)
        #expect(!place.names().contains("in-upscale.png"))
        let finished = try place.succeed(net)
        #expect(finished.output == "in-upscale.png\n" && finished.errors.contains("SRVGG ×2"))
        let events = try jsonLines(try place.succeed(net + ["--json", "--overwrite"]).output)
        let names = events.compactMap { $0["event"] as? String }
        #expect(names.first == "plan" && names.last == "result" && names.contains("progress"))
        let done = events.filter { $0["event"] as? String == "progress" }.compactMap { $0["done"] as? Int }
        #expect(done == done.sorted() && done.last == 1000)
        #expect(try place.succeed(net + ["--quiet", "--overwrite"]).errors == "")
        #expect(try place.succeed(net + ["--verbose", "--overwrite"]).errors.contains("convolution"))
    }

    @Test("--precision reaches the matrix products of transformers")
    func precision() throws {
        try place.picture("in.png", 15, 20)
        let swin = ["in.png", "--upscaler", Golden.path("upscalers/swin-jpeg-x1.pth"), "--depth", "16"]
        let exact = try upscaled(swin + ["--precision", "f32"])
        #expect(exact.size == PixelSize(width: 15, height: 20))
        let finished = try place.run(["upscale"] + swin + ["--precision", "bf16", "-o", "bf16.png"])
        if finished.code == 0 {
            #expect(try place.read("bf16.png").samples != exact.samples)
        } else {
            #expect(finished.code == 69)
        }
    }

    @Test("a rerun has the same bytes, and a network is found by its hash")
    func rerun() throws {
        try place.picture("in.png", 16, 12)
        for (name, arguments) in [
            ("net.png", ["--upscaler", "net.safetensors", "--scale", "3.5", "--depth", "16"]),
            ("plain.png", ["--scale", "1.5"]),
            ("own.png", ["--upscaler", "miniature"]),
        ] {
            try place.succeed(["upscale", "in.png", "-o", name] + arguments)
            try place.succeed(["rerun", name, "-o", "again.png", "--overwrite"])
            #expect(try place.bytes(name) == place.bytes("again.png"))
            #expect(try place.succeed(["history", name]).output.contains("upscale"))
        }
        try place.refuse(["rerun", "net.png", "--model", "miniature"], code: 64, naming: ["--model"])
        try FileManager.default.createDirectory(atPath: place.file("sub"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(
            atPath: place.file("net.safetensors"), toPath: place.file("sub/net.safetensors"))
        try network("net.safetensors", factor: 3)
        try place.refuse(["rerun", "net.png", "-o", "x.png"], code: 66, naming: ["net.safetensors"])
        try place.succeed(["rerun", "net.png", "-o", "found.png", "--find", "sub"])
        #expect(try place.bytes("net.png") == place.bytes("found.png"))
    }

    @Test("several pictures, folders and manifests are worked through")
    func many() throws {
        try place.picture("in/a.png", 16, 12)
        try place.picture("in/deep/b.png", 12, 10)
        let net = ["--upscaler", "net.safetensors"]
        #expect(
            try place.succeed(["upscale", "in/a.png", "in/deep/b.png", "-o", "out/"] + net).outputLines
                == ["out/a-upscale.png", "out/b-upscale.png"])
        #expect(
            try place.succeed(["upscale", "in", "-o", "folder/"] + net).outputLines
                == ["folder/a-upscale.png", "folder/deep/b-upscale.png"])
        #expect(try place.succeed(["upscale", "in", "-o", "folder/"] + net).errors.contains("2 finished before"))
        try place.write(
            "command,input,output,upscaler,scale\nupscale,in/a.png,two.png,net.safetensors,\nupscale,in/a.png,three.png,lanczos,3\n",
            to: "jobs.csv")
        try place.succeed(["batch", "jobs.csv", "-o", "jobs/"])
        #expect(try place.read("jobs/two.png").width == 32 && place.read("jobs/three.png").width == 48)
    }

    @Test("what cannot be is refused in one line")
    func refusals() throws {
        try place.picture("in.png", 16, 12)
        let net = ["upscale", "in.png", "--upscaler"]
        try place.refuse(net + ["nowhere.pth"], code: 66, naming: ["nowhere.pth"])
        try place.refuse(net + ["in.png"], code: 65, naming: ["in.png"])
        try place.write("not a network", to: "words.pth")
        try place.refuse(net + ["words.pth"], code: 65, naming: ["words.pth"])
        try FormulaCheckpoint.write([FormulaCheckpoint.tensor("x.weight", [3])], to: place.file("other.safetensors"))
        try place.refuse(net + ["other.safetensors"], code: 65, naming: ["RRDBNet", "SwinIR"])
        try place.refuse(net + ["net.safetensors", "--scale", "0"], code: 64, naming: ["--scale"])
        try place.refuse(net + ["net.safetensors", "--scale", "big"], code: 64, naming: ["big"])
        try place.refuse(net + ["net.safetensors", "--threads", "0"], code: 64, naming: ["--threads"])
        try place.refuse(["upscale", "nowhere.png"], code: 66, naming: ["nowhere.png"])
        try place.write(
            Picture(size: .init(width: 20_000, height: 3), channels: .grey, eight: .init(repeating: 9, count: 60_000)),
            to: "wide.png")
        try place.refuse(["upscale", "wide.png", "--scale", "60"], code: 65, naming: ["1200000×180", "1048576"])
    }
}
