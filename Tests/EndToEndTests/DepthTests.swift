import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// `--depth 16` of pictures of 8 bits: values between theirs, not theirs widened.
@Suite struct DepthTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture("in.png", 48, 32, .rgb)
    }

    /// The share of samples that 8 bits do not have, and how far the picture is from its twin of 8 bits in the mean, in levels.
    private func between(_ deep: Picture, _ plain: Picture) throws -> (share: Double, apart: Double) {
        guard case .sixteen(let values) = deep.samples, case .eight(let others) = plain.samples else { return (0, 256) }
        try #require(values.count == others.count)
        let apart = zip(values, others).reduce(0) { $0 + abs(Double($1.0) / 257 - Double($1.1)) }
        let count = Double(values.count)
        return (Double(values.count { $0 % 257 != 0 }) / count, apart / count)
    }

    private func picture(_ sample: (Int) -> UInt8) -> Picture {
        Picture(size: PixelSize(width: 48, height: 32), channels: .rgb, eight: (0..<48 * 32 * 3).map(sample))
    }

    private static let commands: [[String]] = [
        ["fit", "--size", "30x20"], ["fit", "--size", "64x64", "--mode", "pad"],
        ["fit", "--size", "64x40", "--mode", "outpaint"], ["noise", "--seed", "3", "--flatness", "0"],
        ["upscale", "--upscaler", "lanczos", "--scale", "1.5"],
        ["gobig", "--scale", "1.5", "--skip", "100", "--seed", "1"],
    ]

    @Test("what is scaled, roughened or enlarged has values between those of 8 bits", arguments: commands)
    func between(command: [String]) throws {
        // As flat as noise wants it.
        if command[0] == "noise" {
            try place.write(picture { UInt8(90 + $0 / 3 % 48 / 4) }, to: "in.png")
        }
        func made(_ name: String, _ more: [String]) throws -> Picture {
            // deep.png and deep.tif share the name of a mask.
            try place.succeed([command[0], "in.png"] + command.dropFirst() + more + ["-o", name, "--overwrite"])
            return try place.read(name)
        }
        let (deep, plain) = (try made("deep.png", ["--depth", "16"]), try made("plain.png", []))
        #expect(deep.depth == 16 && plain.depth == 8)
        let found = try between(deep, plain)
        #expect(found.share > 0.3, "\(command): \(found.share)")
        // Two passes round twice in 8 bits, and clip between where edges are hard.
        #expect(found.apart < 1.5, "\(command): \(found.apart)")
        // As TIFF it is the same, and a recipe makes it again.
        let tiff = try made("deep.tif", ["--depth", "16"])
        #expect(tiff.samples == deep.samples)
        try place.succeed(["rerun", "deep.png", "-o", "again.png"])
        #expect(try place.bytes("again.png") == place.bytes("deep.png"))
    }

    @Test("greys of a mask mix layers between the values of 8 bits")
    func composed() throws {
        try place.write(picture { UInt8(40 + $0 % 5) }, to: "layer.png")
        try place.write(
            Picture(
                size: PixelSize(width: 48, height: 32), channels: .grey,
                eight: (0..<48 * 32).map { UInt8($0 % 48 * 5) }), to: "mask.png")
        for (name, more) in [("deep.png", ["--depth", "16"]), ("plain.png", [])] {
            try place.succeed(["compose", "in.png", "--layer", "layer.png:mask.png", "-o", name] + more)
        }
        let found = try between(try place.read("deep.png"), try place.read("plain.png"))
        #expect(found.share > 0.8 && found.apart < 0.3, "\(found)")
    }

    @Test("nothing is made up where nothing is between: a cut picture is its own values")
    func cut() throws {
        let source = try place.read("in.png")
        try place.succeed(["fit", "in.png", "--size", "32x32", "--depth", "16", "-o", "cut.png"])
        let cut = try place.read("cut.png")
        #expect(
            cut.samples == source.cropped(to: Rectangle(x: 8, y: 0, width: 32, height: 32)).converted(depth: 16).samples
        )
        try place.succeed(["fit", "in.png", "--size", "30x20", "--depth", "16", "--format", "jpeg", "-o", "it.jpg"])
        #expect(try place.read("it.jpg").depth == 8)
    }
}
