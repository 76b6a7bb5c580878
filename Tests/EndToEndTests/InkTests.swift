import Foundation
import Painting
import Raster
import RasterFiles
import TestKit
import Testing

/// CMYK in, CMYK out.
@Suite struct InkTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    private static let size = PixelSize(width: 96, height: 64)

    private func source(_ name: String) -> String { Golden.path("separation/" + name) }
    private func inks(_ name: String) throws -> Picture {
        try PictureFile.read(name.hasPrefix("/") ? name : place.file(name), keepingInks: true)
    }

    /// Black on the left.
    private func mask(_ size: PixelSize = Self.size) throws -> String {
        try place.write(
            Picture(
                size: size, channels: .grey,
                eight: (0..<size.area).map { pixel in
                    let x = pixel % size.width
                    return x < 40 ? 0 : x < 60 ? UInt8((x - 40) * 12) : 255
                }), to: "mask.png")
        return "mask.png"
    }

    @Test(
        "painting nothing gives a CMYK picture back to the bit, with its profile, as a TIFF",
        arguments: ["photo8.tif", "photo16.tif", "photo.jpg", "nameless.tif", "alpha.tif"])
    func untouched(name: String) throws {
        let own = try inks(source(name))
        let stem = name.split(separator: ".")[0]
        for command in [["refine", "--skip", "100"], ["gobig", "--skip", "100", "--scale", "1"]] {
            let finished = try place.succeed(
                [command[0], source(name)] + command.dropFirst() + ["--seed", "1", "-o", "out/"])
            let path = "out/\(stem)-\(command[0])\(command[0] == "refine" ? "-skip100" : "").tif"
            #expect(finished.outputLines == [path])
            #expect(finished.errors.contains("ideal ones") == (name == "nameless.tif"))
            let result = try inks(path)
            #expect(result.channels == own.channels && result.samples == own.samples)
            #expect(result.metadata.profile == own.metadata.profile)
            #expect(result.metadata.resolution == own.metadata.resolution)
            try place.succeed(["verify", source(name), path])
            try place.succeed(["history", path])
        }
    }

    @Test("under a black mask inks are the source's to the bit, and what is painted is what the painter made")
    func inpainted() throws {
        for name in ["photo8.tif", "photo16.tif", "photo.jpg"] {
            let own = try inks(source(name))
            let arguments = [
                "inpaint", source(name), "--mask", try mask(own.size), "--seed", "3", "--steps", "8", "--overwrite",
            ]
            try place.succeed(arguments + ["-o", "out.tif"])
            let told = try place.succeed(arguments + ["-o", "out.png"])
            #expect(told.errors.contains("is CMYK and becomes RGB, by its own profile (Nobody's press, both ways)"))
            try place.succeed(["verify", source(name), "out.tif", "--mask", "mask.png"])
            let result = try inks("out.tif")
            #expect(result.samples != own.samples && result.metadata.profile == own.metadata.profile)
            let kept = Rectangle(x: 0, y: 0, width: 40, height: own.height)
            #expect(result.cropped(to: kept).samples == own.cropped(to: kept).samples, "\(name)")
            // Seen through the profile it is the picture that was painted, as far as the press has its colours.
            let (seen, painted) = (try place.read("out.tif"), try place.read("out.png"))
            #expect(painted.channels == .rgb && painted.metadata.profile == nil)
            let right = Rectangle(x: 40, y: 0, width: own.width - 40, height: own.height)
            let off = seen.cropped(to: right).difference(painted.cropped(to: right))
            let away = painted.cropped(to: right).difference(try place.read(source(name)).cropped(to: right))
            #expect(off < 6 && off < away / 2, "\(name): \(off) of \(away)")
        }
    }

    @Test("fit scales, cuts and pads inks as they are")
    func fitted() throws {
        for (arguments, name) in [
            (["--size", "60x40"], "photo8.tif"), (["--size", "60x40"], "photo16.tif"),
            (["--size", "64x64", "--mode", "pad"], "photo8.tif"), (["--size", "60x40"], "alpha.tif"),
            (["--size", "80x64", "--mode", "crop"], "photo.jpg"),
        ] {
            let finished = try place.succeed(["fit", source(name)] + arguments + ["-o", "fit.tif", "--overwrite"])
            #expect(!finished.errors.contains("CMYK"))
            let (own, result) = (try inks(source(name)), try inks("fit.tif"))
            #expect(result.channels == own.channels && result.metadata.profile == own.metadata.profile)
            let options = FitOptions(
                mode: FitMode(rawValue: arguments.count > 2 ? arguments[3] : "crop") ?? .crop,
                goal: .size(try #require(SizeWords(arguments[1]).size)))
            let plan = try FitPlan(source: own.size, options: options)
            #expect(result.samples == plan.apply(to: own).samples, "\(name)")
        }
        // Type in black alone stays so.
        try place.succeed(["fit", source("photo8.tif"), "--size", "48x32", "-o", "half.tif"])
        let half = try inks("half.tif")
        #expect((0..<4).map { half[1, 3, $0] } == [0, 0, 0, 255])
        // Beyond the sides nothing was printed: what runs on is made of colours, and the picture itself is its own.
        try place.succeed(["fit", source("photo8.tif"), "--size", "128x64", "--mode", "outpaint", "-o", "wide.tif"])
        let (wide, own) = (try inks("wide.tif"), try inks(source("photo8.tif")))
        #expect(wide.channels == .inks)
        #expect(wide.cropped(to: Rectangle(x: 16, y: 0, width: 96, height: 64)).samples == own.samples)
        try place.succeed(["fit", source("photo8.tif"), "--size", "48x32", "-o", "half.png"])
        #expect(try place.read("half.png").channels == .rgb)
    }

    @Test("compose takes a layer's own inks where it is seen alone, and the base's where it is not seen")
    func composed() throws {
        for name in ["photo8.tif", "photo16.tif"] {
            let base = try inks(source(name))
            // The same profile, other inks everywhere.
            var layer = base.turned(from: .upsideDown)
            layer.metadata = base.metadata
            try place.write(layer, to: "layer.tif")
            let mask = try mask(base.size)
            let arguments = ["compose", source(name), "--layer", "layer.tif:\(mask)"]
            try place.succeed(arguments + ["-o", "out.tif", "--overwrite"])
            let result = try inks("out.tif")
            #expect(result.channels == .inks && result.metadata.profile == base.metadata.profile)
            let (left, right) = (
                Rectangle(x: 0, y: 0, width: 40, height: base.height),
                Rectangle(x: 61, y: 0, width: base.width - 61, height: base.height)
            )
            #expect(result.cropped(to: left).samples == base.cropped(to: left).samples, "\(name)")
            #expect(result.cropped(to: right).samples == layer.cropped(to: right).samples, "\(name)")
            try place.succeed([
                "rerun", "out.tif", "-o", "again.tif", "--overwrite", "--find", Golden.path("separation"),
            ])
            #expect(try place.bytes("again.tif") == place.bytes("out.tif"))
            // Half a layer is seen as nothing but a mixture.
            try place.succeed(arguments + ["--opacity", "0.5", "-o", "half.tif", "--overwrite"])
            #expect(try inks("half.tif").cropped(to: right).samples != layer.cropped(to: right).samples)
        }
    }

    private struct SizeWords {
        var size: PixelSize?
        init(_ text: String) {
            let parts = text.split(separator: "x").compactMap { Int($0) }
            size = parts.count == 2 ? PixelSize(width: parts[0], height: parts[1]) : nil
        }
    }

    @Test("outpaint keeps the picture's inks and makes inks of what is new")
    func outpainted() throws {
        try place.succeed([
            "outpaint", source("photo8.tif"), "--left", "32", "--seed", "1", "--steps", "6", "-o", "out.tif",
        ])
        let (own, result) = (try inks(source("photo8.tif")), try inks("out.tif"))
        #expect(result.size == PixelSize(width: 128, height: 64) && result.channels == .inks)
        // A little inside the old side all is its own.
        let right = Rectangle(x: 64, y: 0, width: 64, height: 64)
        #expect(
            result.cropped(to: right).samples
                == own.cropped(to: Rectangle(x: 32, y: 0, width: 64, height: 64)).samples)
        #expect(result.metadata.profile == own.metadata.profile)
    }

    @Test("noise roughens CMYK as it is seen, without a tint, and leaves the rest to the bit")
    func roughened() throws {
        // Even grey of black alone, and the same of three inks, beside a photograph.
        let photo = try inks(source("photo8.tif"))
        guard case .eight(var values) = photo.samples else { return }
        for y in 0..<64 {
            for x in 0..<64 {
                let patch: [UInt8] = x < 32 ? [0, 0, 0, 100] : [90, 70, 75, 0]
                values.replaceSubrange((y * 96 + x) * 4..<(y * 96 + x) * 4 + 4, with: patch)
            }
        }
        try place.write(
            Picture(size: photo.size, channels: .inks, eight: values, metadata: photo.metadata), to: "in.tif")
        let arguments = ["noise", "in.tif", "--amount", "6", "--seed", "5", "--overwrite"]
        try place.succeed(arguments + ["-o", "out.tif", "--gate-out", "gate.png"])
        try place.succeed(arguments + ["-o", "out.png"])
        let (own, result) = (try inks("in.tif"), try inks("out.tif"))
        #expect(result.channels == .inks && result.samples != own.samples)
        let (seen, painted, before) = (try place.read("out.tif"), try place.read("out.png"), try place.read("in.tif"))
        var (kept, moved) = (0, 0)
        for y in 0..<64 {
            for x in 0..<96 {
                let isSame = (0..<3).allSatisfy { painted[x, y, $0] == before[x, y, $0] }
                guard isSame else { continue }
                kept += 1
                if (0..<4).contains(where: { own[x, y, $0] != result[x, y, $0] }) { moved += 1 }
            }
        }
        #expect(kept > 200 && moved == 0)
        for patch in [Rectangle(x: 4, y: 4, width: 24, height: 56), Rectangle(x: 36, y: 4, width: 24, height: 56)] {
            func facts(_ picture: Picture) -> (means: [Double], deviation: Double) {
                let part = picture.cropped(to: patch)
                let means = (0..<3).map { c in
                    Double(
                        (0..<part.height).reduce(0) { sum, y in sum + (0..<part.width).reduce(0) { $0 + part[$1, y, c] }
                        })
                        / Double(part.size.area)
                }
                let squares = (0..<part.height).reduce(0.0) { sum, y in
                    sum + (0..<part.width).reduce(0.0) { $0 + pow(Double(part[$1, y, 1]) - means[1], 2) }
                }
                return (means, (squares / Double(part.size.area)).squareRoot())
            }
            let (made, wanted, was) = (facts(seen), facts(painted), facts(before))
            #expect(wanted.deviation > 2 && was.deviation == 0)
            #expect(abs(made.deviation - wanted.deviation) < 0.6, "\(made) \(wanted)")
            for c in 0..<3 { #expect(abs(made.means[c] - wanted.means[c]) < 0.8, "\(made) \(wanted)") }
        }
        try place.succeed(["rerun", "out.tif", "-o", "again.tif"])
        #expect(try place.bytes("again.tif") == place.bytes("out.tif"))
    }

    @Test("what is enlarged keeps its inks' mixtures")
    func enlarged() throws {
        for command in [["gobig", "--skip", "100", "--seed", "1"], ["upscale", "--upscaler", "lanczos"]] {
            for scale in ["1.5", "2"] {
                try place.succeed(
                    [command[0], source("photo8.tif"), "--scale", scale] + command.dropFirst()
                        + ["-o", "big.tif", "--overwrite"])
                let (result, own) = (try inks("big.tif"), try inks(source("photo8.tif")))
                #expect(result.size.width == Int(96 * (Double(scale) ?? 0)) && result.channels == .inks)
                #expect(result.metadata.profile == own.metadata.profile)
                // The middles of patches of black alone, of three inks and of pure ones.
                for patch in 0..<12 {
                    let (x, y) = (Int((Double(patch) * 8 + 4) * (Double(scale) ?? 0)), 8)
                    for c in 0..<4 {
                        #expect(
                            abs(result[x, y, c] - own[patch * 8 + 4, 6, c]) < 8, "\(command[0]) ×\(scale), \(patch)")
                    }
                }
            }
        }
    }

    @Test("compose, sketch and what is painted wholly come back as CMYK, and rerun makes the same file")
    func others() throws {
        let photo = source("photo8.tif")
        try place.succeed(["refine", photo, "--skip", "50", "--steps", "6", "--seed", "2", "-o", "rung.tif"])
        let own = try inks(photo)
        #expect(try inks("rung.tif").channels == .inks)
        try place.succeed(["compose", photo, "--layer", "rung.tif:\(try mask())", "-o", "both.tif"])
        try place.succeed(["verify", photo, "both.tif", "--mask", "mask.png"])
        var strokes = [UInt8](repeating: 0, count: Self.size.area * 4)
        for y in 30..<50 {
            for x in 30..<50 {
                strokes.replaceSubrange((y * 96 + x) * 4..<(y * 96 + x) * 4 + 4, with: [200, 60, 40, 255])
            }
        }
        try place.write(Picture(size: Self.size, channels: .rgba, eight: strokes), to: "strokes.png")
        try place.succeed([
            "sketch", photo, "--strokes", "strokes.png", "--skip", "100", "--seed", "1", "-o", "sketch.tif",
        ])
        let sketch = try inks("sketch.tif")
        #expect(sketch.channels == .inks && sketch.samples != own.samples)
        #expect((0..<4).map { sketch[10, 10, $0] } == (0..<4).map { own[10, 10, $0] })
        for name in ["rung.tif", "both.tif", "sketch.tif"] {
            try place.succeed(["rerun", name, "-o", "again.tif", "--overwrite", "--find", Golden.path("separation")])
            #expect(try place.bytes("again.tif") == place.bytes(name), "\(name)")
        }
        // Threads change nothing.
        try place.succeed([
            "refine", photo, "--skip", "50", "--steps", "6", "--seed", "2", "--threads", "1", "-o", "one.tif",
        ])
        #expect(try place.bytes("one.tif") == place.bytes("rung.tif"))
    }

    @Test("verify compares inks, and tells when only one of two pictures has them")
    func verified() throws {
        let photo = source("photo8.tif")
        var picture = try inks(photo)
        guard case .eight(var values) = picture.samples else { return }
        values[4 * (20 * 96 + 7) + 3] ^= 1
        picture = Picture(size: picture.size, channels: .inks, eight: values, metadata: picture.metadata)
        try place.write(picture, to: "other.tif")
        let finished = try place.run(["verify", photo, "other.tif"])
        #expect(finished.code == 1 && finished.output.contains("1 of 6144 pixels, within 1×1 at 7,20, by at most 1"))
        try place.succeed(["refine", photo, "--skip", "100", "--seed", "1", "-o", "rgb.png"])
        let mixed = try place.succeed(["verify", photo, "rgb.png"])
        #expect(mixed.errors.contains("rgb.png is RGB and \(photo) CMYK: compared as colour."))
    }

    @Test("a profile that leads only from inks gives RGB, and that is told")
    func oneWay() throws {
        let finished = try place.succeed([
            "refine", Golden.path("colour/cmyk8.tif"), "--skip", "100", "--seed", "1", "-o", "out.tif",
        ])
        #expect(finished.errors.contains("is CMYK and becomes RGB, by its own profile (Nobody's press)"))
        #expect(try inks("out.tif").channels == .rgb)
    }
}
