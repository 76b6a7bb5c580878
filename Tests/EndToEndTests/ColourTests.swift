import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// What becomes of colours: profiles, numbers in PNGs, inks, and what lies outside sRGB.
@Suite struct ColourTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    private static func profile(_ name: String) throws -> [UInt8] {
        try WholeFile.read(Golden.path("colour/\(name).icc"))
    }

    /// A picture in a space of its own.
    @discardableResult
    private func write(
        _ name: String, _ profile: String, _ channels: Picture.Channels = .rgb, depth: Int = 8, width: Int = 48,
        height: Int = 32
    ) throws -> Picture {
        var picture = Picture.sample(width, height, channels, depth: depth)
        picture.metadata.profile = try Self.profile(profile)
        try place.write(picture, to: name)
        return picture
    }

    /// Display P3's own red in the middle of a photograph; the frame of the red, a little inside.
    private func patch(_ name: String = "patch.png") throws -> (picture: Picture, red: Rectangle) {
        let photo = try PictureFile.read(Golden.repository + "/samples/coffee.png").droppingAlpha()
            .cropped(to: Rectangle(x: 0, y: 0, width: 256, height: 256))
        guard case .eight(var samples) = photo.samples else { return (photo, Rectangle(photo.size)) }
        for y in 80..<176 {
            for x in 80..<176 {
                samples.replaceSubrange((y * 256 + x) * 3..<(y * 256 + x) * 3 + 3, with: [255, 20, 10])
            }
        }
        let picture = Picture(
            size: photo.size, channels: .rgb, eight: samples, metadata: .init(profile: try Self.profile("p3")))
        try place.write(picture, to: name)
        return (picture, Rectangle(x: 90, y: 90, width: 76, height: 76))
    }

    /// Mean chroma of a part.
    private func chroma(_ picture: Picture, _ part: Rectangle) -> Double {
        let colours = lab(picture.cropped(to: part))
        return colours.reduce(0) { $0 + hypot($1.a, $1.b) } / Double(colours.count)
    }

    /// CIELAB under D50 of every pixel, by the picture's own words.
    private func lab(_ picture: Picture) -> [LabColour] {
        let light = ColourSpace(picture).toLight(picture.floats()).values.map { Double($0) }
        return stride(from: 0, to: light.count, by: 3).map { place in
            let (r, g, b) = (light[place], light[place + 1], light[place + 2])
            func root(_ t: Double) -> Double { t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116 }
            // sRGB's primaries under D50. Source: ICC's sRGB2014 profile; white is that of the connection space.
            let x = root((0.4360747 * r + 0.3850649 * g + 0.1430804 * b) / 0.9642)
            let y = root(0.2225045 * r + 0.7168786 * g + 0.0606169 * b)
            let z = root((0.0139322 * r + 0.0971045 * g + 0.7141733 * b) / 0.8249)
            return LabColour(lightness: 116 * y - 16, a: 500 * (x - y), b: 200 * (y - z))
        }
    }

    @Test(
        "painting nothing gives a wide picture back to the bit, its profile too",
        arguments: ["p3", "adobe", "scanner"],
        [8, 16])
    func untouched(profile: String, depth: Int) throws {
        for channels in [Picture.Channels.rgb, .rgba] {
            let source = try write("in.png", profile, channels, depth: depth)
            for name in ["out.png", "out.tif"] {
                try place.succeed(["refine", "in.png", "--skip", "100", "--seed", "1", "-o", name, "--overwrite"])
                let result = try place.read(name)
                #expect(result.samples == source.samples)
                #expect(result.metadata.profile == source.metadata.profile)
            }
        }
    }

    @Test("a saturated patch of Display P3 refined at skip 90 keeps its chroma within 2")
    func chroma() throws {
        let (source, red) = try patch()
        let result = try place.refined(["--skip", "90", "--steps", "50", "--seed", "1"], input: "patch.png")
        #expect(result.metadata.profile == source.metadata.profile)
        /// CIEDE2000's part of chroma.
        func apart(_ one: Double, _ two: Double) -> Double { abs(one - two) / (1 + 0.045 * (one + two) / 2) }
        let (was, now) = (chroma(source, red), chroma(result, red))
        #expect(apart(was, now) < 2, "\(was) became \(now)")
        // What sRGB could hold of it is further away than what was painted.
        let clipped = chroma(ColourSpace.shown(source), red)
        #expect(apart(was, clipped) > 2 && now > clipped + 10, "\(clipped)")
    }

    @Test("the painter sees sRGB: a wide picture and the same one in sRGB are painted alike")
    func painted() throws {
        // Of colours that both hold.
        var wide = Picture.sample(48, 32, .rgb)
        wide.metadata.profile = try Self.profile("adobe")
        try place.write(wide, to: "wide.png")
        try place.write(ColourSpace.shown(wide), to: "plain.png")
        let arguments = ["--skip", "50"]
        let one = ColourSpace.shown(try place.refined(arguments, input: "wide.png"))
        let two = ColourSpace.shown(try place.refined(arguments, input: "plain.png"))
        let alike = one.difference(two)
        // Taken for sRGB, its values would be another picture.
        wide.metadata.profile = nil
        try place.write(wide, to: "taken.png")
        let other = one.difference(try place.refined(arguments, input: "taken.png"))
        // Rounding to eight bits on the way is painted over, too.
        #expect(alike < 2.5 && other > 2 * alike, "\(alike), \(other)")
    }

    @Test("under a black mask a wide picture is the same to the bit, and paint under white is in its own space")
    func masked() throws {
        let source = try write("in.png", "p3", depth: 16)
        let mask = Picture(
            size: source.size, channels: .grey, eight: (0..<source.size.area).map { $0 % 48 < 20 ? 0 : 255 })
        try place.write(mask, to: "mask.png")
        try place.succeed(["inpaint", "in.png", "--mask", "mask.png", "--seed", "1", "--steps", "6", "-o", "out.png"])
        let result = try place.read("out.png")
        #expect(result.metadata.profile == source.metadata.profile)
        let kept = Rectangle(x: 0, y: 0, width: 20, height: 32)
        #expect(result.cropped(to: kept).samples == source.cropped(to: kept).samples)
        #expect(result.samples != source.samples)
        try place.succeed(["verify", "in.png", "out.png", "--mask", "mask.png"])
        // Colours under the mask are about what they were, in light.
        let (before, after) = (ColourSpace.shown(source), ColourSpace.shown(result))
        #expect(before.difference(after) < 25)
    }

    @Test("a fitted wide photograph is what vips makes of it, by its profile, and keeps the profile")
    func fitted() throws {
        struct Expected: Decodable { var fitted: String }
        let expected = try JSONDecoder().decode(
            Expected.self, from: Data(try WholeFile.read(Golden.path("colour/expected.json"))))
        let bytes = try #require(Data(base64Encoded: expected.fitted))
        let reference = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }.map { Double($0) }
        // In 16 bits: rounding to eight is itself as much as 1 in the dark.
        try place.write(try PictureFile.read(Golden.path("colour/photo-p3.png")).converted(depth: 16), to: "deep.tif")
        try place.succeed(["fit", "deep.tif", "--size", "66x44", "-o", "out.png"])
        let result = try place.read("out.png")
        #expect(result.metadata.profile == (try Self.profile("p3")))
        let differences = zip(lab(result), stride(from: 0, to: reference.count, by: 3)).map { ours, place in
            ours.difference(
                to: LabColour(lightness: reference[place], a: reference[place + 1], b: reference[place + 2]))
        }
        #expect(differences.count == 66 * 44)
        #expect((differences.max() ?? 9) < 1, "at most \(differences.max() ?? 9)")
        // Many of its colours are outside sRGB: clipped, they would be others.
        let clipped = zip(lab(ColourSpace.shown(result)), lab(result)).map { $0.difference(to: $1) }
        #expect((clipped.max() ?? 0) > 3)
    }

    @Test("a CMYK photograph that becomes a PNG is told of, is RGB by its profile, and carries none")
    func inks() throws {
        for name in ["adobe.jpg", "cmyk16.tif"] {
            let path = Golden.path("colour/" + name)
            for command in [
                ["fit", "--multiple", "8"], ["noise", "--seed", "1"], ["refine", "--skip", "100", "--seed", "1"],
            ] {
                let finished = try place.succeed(
                    [command[0], path] + command.dropFirst() + ["-o", "out.png", "--overwrite"])
                #expect(finished.errors.contains("is CMYK and becomes RGB, by its own profile (Nobody's press)"))
                let result = try place.read("out.png")
                #expect(result.channels == .rgb && result.metadata.profile == nil)
                #expect(result.depth == (name == "cmyk16.tif" ? 16 : 8))
            }
        }
        let finished = try place.succeed([
            "fit", Golden.path("colour/nameless.jpg"), "--multiple", "8", "--json", "-o", "n.png",
        ])
        #expect(try jsonLines(finished.output).contains { $0["code"] as? String == "cmyk" })
        #expect(try place.read("n.png").metadata.profile == nil)
    }

    @Test("grey stays in its own grey, and with --colour its values keep their meaning")
    func grey() throws {
        let source = try write("in.png", "grey", .grey, depth: 16)
        let result = try place.refined(["--skip", "80", "--steps", "10"])
        #expect(result.channels == .grey && result.metadata.profile == source.metadata.profile)
        #expect(ColourSpace.shown(result).difference(ColourSpace.shown(source)) < 20)
        let coloured = try place.refined(["--skip", "80", "--steps", "10", "--colour"])
        #expect(coloured.channels == .rgb)
        #expect(coloured.metadata.profile.flatMap(ColourProfile.kind) == .colour)
        #expect(ColourSpace.shown(coloured).difference(ColourSpace.shown(source)) < 20)
        // Painted through a mask too, to the bit where it is black.
        try place.write(
            Picture(size: source.size, channels: .grey, eight: (0..<source.size.area).map { $0 % 48 < 20 ? 0 : 255 }),
            to: "mask.png")
        try place.succeed([
            "inpaint", "in.png", "--mask", "mask.png", "--seed", "1", "--steps", "6", "--colour", "-o", "out.png",
        ])
        let through = try place.read("out.png")
        for x in 0..<20 { for channel in 0..<3 { #expect(through[x, 9, channel] == source[x, 9, 0]) } }
    }

    @Test("a PNG's numbers go on into PNGs, and become a profile elsewhere")
    func numbers() throws {
        var source = Picture.sample(48, 32, .rgb)
        source.metadata.colourChunks = [
            ColourChunk(name: "cICP", bytes: [12, 13, 0, 1]), ColourChunk(name: "gAMA", bytes: [0, 0, 0xB1, 0x8F]),
        ]
        try place.write(source, to: "in.png")
        #expect(try place.refined(["--skip", "60"]).metadata.colourChunks == source.metadata.colourChunks)
        try place.succeed(["fit", "in.png", "--multiple", "16", "-o", "fit.png"])
        #expect(try place.read("fit.png").metadata.colourChunks == source.metadata.colourChunks)
        try place.succeed(["fit", "in.png", "--multiple", "16", "-o", "fit.tif"])
        let tiff = try place.read("fit.tif")
        #expect(tiff.samples == source.samples)
        let shown = zip(ColourSpace.shown(tiff).floats().values, ColourSpace.shown(source).floats().values)
        #expect(shown.allSatisfy { abs($0 - $1) * 255 < 1.5 })
    }

    @Test("profiles that are damaged or of another picture are told once, and painting goes on")
    func faults() throws {
        try write("in.png", "cmyk")
        var picture = Picture.sample(48, 32, .rgb)
        picture.metadata.profile = try Self.profile("grey")
        try place.write(picture, to: "whole.tif")
        // What our own writer leaves out is put in by hand.
        var bytes = try PictureFile.encode(picture.with(metadata: .init(profile: try Self.profile("p3"))), as: .jpeg)
        let at = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("RGB XYZ ".utf8)) })
        bytes.replaceSubrange(at..<at + 4, with: Array("GRAY".utf8))
        try WholeFile.write(bytes, to: place.file("lying.jpg"))
        let lying = try place.succeed(["refine", "lying.jpg", "--steps", "4", "--seed", "1", "-o", "lying.png"])
        #expect(
            lying.errors.components(separatedBy: "has a colour profile for grey, which the picture is not").count == 2)
        #expect(try place.read("lying.png").metadata.profile == nil)
        let fit = try place.succeed(["fit", "lying.jpg", "--multiple", "8", "-o", "fit.png"])
        #expect(fit.errors.contains("the profile is left out"))
        picture.metadata.profile = [UInt8](repeating: 5, count: 300)
        try place.write(picture, to: "damaged.png")
        let damaged = try place.succeed(["refine", "damaged.png", "--steps", "4", "--seed", "1", "-o", "d.png"])
        #expect(damaged.errors.contains("damaged.png has a colour profile that cannot be read"))
        #expect(try place.read("d.png").metadata.profile == picture.metadata.profile)
    }

    @Test("compose brings layers into the base's space")
    func composed() throws {
        let base = Picture.sample(48, 32, .rgb)
        try place.write(base, to: "base.png")
        let layer = try write("layer.png", "adobe")
        try place.write(
            Picture(size: base.size, channels: .grey, eight: [UInt8](repeating: 255, count: base.size.area)),
            to: "white.png")
        try place.succeed(["compose", "base.png", "--layer", "layer.png:white.png", "-o", "out.png"])
        let result = try place.read("out.png")
        #expect(result.metadata.profile == nil)
        #expect(result.difference(ColourSpace.shown(layer)) < 0.5)
        #expect(result.difference(layer) > 2, "its values were other ones")
        try place.succeed(["compose", "layer.png", "--layer", "layer.png:white.png", "-o", "same.png"])
        #expect(try place.read("same.png").samples == layer.samples)
        try place.succeed(["compose", "layer.png", "--layer", "base.png:white.png", "-o", "wide.png"])
        let wide = try place.read("wide.png")
        #expect(wide.metadata.profile == layer.metadata.profile)
        #expect(ColourSpace.shown(wide).difference(base) < 0.6)
    }

    @Test("strokes are brought into the picture's space")
    func sketched() throws {
        let source = try write("in.png", "adobe")
        let strokes = Picture(
            size: source.size, channels: .rgba,
            eight: (0..<source.size.area).flatMap { $0 % 48 < 24 ? [200, 40, 60, 255] : [0, 0, 0, 0] })
        try place.write(strokes, to: "strokes.png")
        try place.succeed([
            "sketch", "in.png", "--strokes", "strokes.png", "--skip", "100", "--seed", "1", "-o", "out.png",
        ])
        let shown = ColourSpace.shown(try place.read("out.png"))
        for (channel, value) in [200, 40, 60].enumerated() { #expect(abs(shown[3, 9, channel] - value) <= 1) }
        #expect(try place.read("out.png")[40, 9, 0] == source[40, 9, 0])
    }

    @Test("enlarging by a network and painting in tiles keep what lies outside sRGB")
    func enlarged() throws {
        let (source, red) = try patch()
        let (was, clipped) = (chroma(source, red), chroma(ColourSpace.shown(source), red))
        for arguments in [
            ["upscale", "patch.png", "--upscaler", "miniature", "--scale", "2"],
            [
                "gobig", "patch.png", "--upscaler", "miniature", "--tile", "512", "--skip", "90", "--steps", "20",
                "--seed", "1",
            ],
        ] {
            try place.succeed(arguments + ["-o", "out.png", "--overwrite"])
            let result = try place.read("out.png")
            #expect(result.metadata.profile == source.metadata.profile && result.width == 512)
            let now = chroma(result, Rectangle(x: 180, y: 180, width: 152, height: 152))
            #expect(abs(now - was) < abs(clipped - was) / 2, "\(arguments[0]): \(was), \(now), in sRGB \(clipped)")
        }
    }

    @Test("contact sheets show colours as they look")
    func sheets() throws {
        let (source, red) = try patch()
        try place.succeed([
            "refine", "patch.png", "--skip", "98,100", "--steps", "50", "--seed", "1", "-o", "out/",
        ])
        let sheet = try place.read("out/patch-ladder.png")
        let shown = ColourSpace.shown(source)
        let wanted = (0..<3).map { shown[red.x, red.y, $0] }
        #expect(wanted[0] == 255 && wanted[1] < 5, "sRGB's red, \(wanted)")
        let isThere = (0..<sheet.size.area).contains { pixel in
            let (x, y) = (pixel % sheet.width, pixel / sheet.width)
            return (0..<3).allSatisfy { sheet[x, y, $0] == wanted[$0] }
        }
        #expect(isThere, "\(wanted)")
    }
}
