import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// `inpaint` as a user meets it: each test of an option fails when the option is ignored.
@Suite struct InpaintTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture("in.png", 64, 48)
        try place.mask()
    }

    private func inpainted(_ arguments: [String] = [], mask: [String] = ["--mask", "mask.png"]) throws -> Picture {
        let name = "result-\(UUID().uuidString).png"
        var all = ["inpaint", "in.png", "-o", name] + mask
        if !arguments.contains("--seed") { all += ["--seed", "7"] }
        if !arguments.contains("--steps") { all += ["--steps", "6"] }
        try place.succeed(all + arguments)
        return try place.read(name)
    }

    static let variants: [OptionVariant] = [
        .init("fill", [], ["--fill", "blur"]), .init("fill", [], ["--fill", "#ff2000"]),
        .init("fill", ["--fill", "#ff2000"], ["--fill", "#ff2040"]),
        .init("fill", ["--fill", "noise"], ["--fill", "nothing"]),
        .init("fill", ["--skip", "0"], ["--skip", "0", "--fill", "nothing"]),
        .init("blur", [], ["--blur", "0"]), .init("blur", ["--blur", "2.5"], ["--blur", "9"]),
        .init("grow", [], ["--grow", "5"]), .init("grow", [], ["--grow", "-3"]),
        .init("invert-mask", [], ["--invert-mask"]),
        .init("area", [], ["--area", "masked"]),
        .init("padding", ["--area", "masked"], ["--area", "masked", "--padding", "4"]),
        .init("colour-anchor", [], ["--colour-anchor", "0"]),
        .init("skip", [], ["--skip", "60"]), .init("seed", [], ["--seed", "8"]),
        .init("prompt", [], ["--prompt", "a painting of lake at sunset"]),
        .init("sampler", [], ["--sampler", "euler-a"]),
        .init("working", [], ["--work-size", "96x64"]),
    ]

    @Test("an option changes the picture and is written into its recipe", arguments: variants)
    func optionsCount(variant: OptionVariant) throws {
        try variant.check { try inpainted($0) }
    }

    @Test("black in the mask file is untouched to the bit, white is repainted: 8 and 16 bits, grey, alpha")
    func black() throws {
        for (channels, depth) in [(Picture.Channels.rgb, 8), (.rgb, 16), (.grey, 8), (.greyAlpha, 16), (.rgba, 8)] {
            let source = try place.picture("in.png", 64, 48, channels, depth: depth)
            let result = try inpainted(["--grow", "0"])
            #expect(result.channels == channels && result.depth == depth)
            let mask = try place.read("mask.png")
            var changed = 0
            for y in 0..<48 {
                for x in 0..<64 {
                    let same = (0..<channels.count).allSatisfy { result[x, y, $0] == source[x, y, $0] }
                    if mask[x, y, 0] == 0 { #expect(same, "\(x),\(y)") }
                    changed += same ? 0 : 1
                }
            }
            #expect(changed > 200, "\(channels) \(depth): \(changed)")
            if channels.hasAlpha { #expect(result.alpha == source.alpha) }
        }
    }

    @Test("however the camera was held, the mask lies on the picture as it is displayed")
    func orientations() throws {
        let (right, bottom) = (63, 47)
        let shown = try place.read("in.png")
        // For each orientation, where the pixel shown at (x, y) is stored. Source: CIPA DC-008, section 4.6.5.
        let stored: [(Int, Int) -> (Int, Int)] = [
            { ($0, $1) }, { (right - $0, $1) }, { (right - $0, bottom - $1) }, { ($0, bottom - $1) }, { ($1, $0) },
            { ($1, right - $0) }, { (bottom - $1, right - $0) }, { (bottom - $1, $0) },
        ]
        let upright = try inpainted(["--area", "masked"])
        #expect(upright.samples != shown.samples)
        for (index, place) in stored.enumerated() where index > 0 {
            let width = index < 4 ? 64 : 48
            var samples = [UInt8](repeating: 0, count: 64 * 48 * 3)
            for y in 0..<48 {
                for x in 0..<64 {
                    let (column, row) = place(x, y)
                    for channel in 0..<3 { samples[(row * width + column) * 3 + channel] = UInt8(shown[x, y, channel]) }
                }
            }
            var source = Picture(size: PixelSize(width: width, height: 64 * 48 / width), channels: .rgb, eight: samples)
            // TIFF header, one entry: orientation, SHORT, one value.
            source.metadata.exif =
                [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, UInt8(index + 1), 0, 0, 0, 0, 0, 0, 0]
            try self.place.write(source, to: "in.png")
            #expect(try inpainted(["--area", "masked"]).samples == upright.samples, "orientation \(index + 1)")
        }
    }

    @Test("grey in a mask changes less than white")
    func grey() throws {
        let source = try place.read("in.png")
        let white = try inpainted(["--steps", "12"]).difference(source)
        try place.mask(value: 60)
        let grey = try inpainted(["--steps", "12"]).difference(source)
        #expect(grey > 0 && grey < 0.6 * white, "\(grey) of \(white)")
    }

    @Test("grow reaches outside the mask by as much, and no further")
    func grow() throws {
        let source = try place.read("in.png")
        let result = try inpainted(["--grow", "5", "--blur", "0", "--skip", "0"])
        let mask = try place.read("mask.png")
        var farthest = 0.0
        for y in 0..<48 {
            for x in 0..<64 where (0..<3).contains(where: { result[x, y, $0] != source[x, y, $0] }) {
                var nearest = Double.infinity
                for row in 0..<48 {
                    for column in 0..<64 where mask[column, row, 0] > 0 {
                        nearest = min(nearest, hypot(Double(column - x), Double(row - y)))
                    }
                }
                farthest = max(farthest, nearest)
            }
        }
        #expect(farthest > 4 && farthest <= 5)
    }

    @Test("the picture's transparency is the mask: repainted pixels are opaque, opaque ones untouched")
    func maskAlpha() throws {
        let source = try place.picture("in.png", 64, 48, .rgba)
        let result = try inpainted(["--fill", "blur"], mask: ["--mask-alpha"])
        #expect(result.channels == .rgba)
        for y in 0..<48 {
            for x in 0..<64 {
                #expect(result[x, y, 3] == 255)
                if source[x, y, 3] == 255 {
                    #expect((0..<3).allSatisfy { result[x, y, $0] == source[x, y, $0] })
                }
            }
        }
        #expect(try result.recipe()["mask-alpha"] as? Bool == true)
        try place.picture("in.png", 64, 48, .rgb)
        try place.refuse(
            ["inpaint", "in.png", "--mask-alpha"], code: 65, naming: ["in.png", "no transparency", "--mask"])
    }

    @Test("a mask of another size is refused with both sizes and the mend, and is made to fit as asked")
    func fit() throws {
        try place.mask("wide.png", 128, 48)
        try place.refuse(
            ["inpaint", "in.png", "--mask", "wide.png"], code: 65,
            naming: ["wide.png is 128×48 but in.png is 64×48. Resize the mask, or pass --mask-fit stretch."])
        try place.mask("high.png", 48, 64)
        try place.refuse(
            ["inpaint", "in.png", "--mask", "high.png"], code: 65,
            naming: ["high.png is 48×64 but in.png is 64×48. Turn the mask, or pass --mask-fit rotate."])
        try place.refuse(
            ["inpaint", "in.png", "--mask", "wide.png", "--mask-fit", "rotate"], code: 65, naming: ["128×48", "64×48"])
        var seen: Set<Picture.Samples> = []
        for (mask, fit) in [
            ("wide.png", "stretch"), ("wide.png", "crop"), ("high.png", "stretch"), ("high.png", "rotate"),
        ] {
            let picture = try inpainted(["--mask-fit", fit], mask: ["--mask", mask])
            #expect(seen.insert(picture.samples).inserted, "\(mask) \(fit)")
            #expect(try picture.recipe()["mask-fit"] as? String == fit)
        }
    }

    @Test("a mask with more greys than steps is quantised, and the warning says to how many")
    func greys() throws {
        try place.write(
            Picture(
                size: PixelSize(width: 64, height: 48), channels: .grey, eight: (0..<64 * 48).map { UInt8($0 % 64 * 4) }
            ),
            to: "ramp.png")
        let finished = try place.succeed([
            "inpaint", "in.png", "--mask", "ramp.png", "--steps", "8", "--seed", "1", "--skip", "0,50", "-o", "out/",
        ])
        #expect(
            finished.errors.contains(
                "ramp.png has 63 greys but skip 0 runs 8 steps: they are rounded up to 8 strengths."))
        #expect(finished.errors.contains("skip 50 runs 4 steps: they are rounded up to 4 strengths."))
        let few = try place.succeed(["inpaint", "in.png", "--mask", "mask.png", "--steps", "8", "--seed", "1"])
        #expect(!few.errors.contains("greys"))
    }

    @Test("a black mask copies the source's pixels and runs nothing")
    func blackMask() throws {
        try place.mask("black.png", value: 0)
        let source = try place.read("in.png")
        let finished = try place.succeed([
            "inpaint", "in.png", "--mask", "black.png", "--seed", "1", "--json", "-o", "out.png",
        ])
        let result = try place.read("out.png")
        #expect(result.samples == source.samples)
        #expect(try result.recipe()["run"] as? Int == 0)
        let lines = try jsonLines(finished.output)
        #expect(lines.contains { $0["code"] as? String == "mask-black" })
        #expect(lines.first { $0["event"] as? String == "plan" }?["run"] as? Int == 0)
        #expect(!lines.contains { $0["event"] as? String == "progress" })
    }

    @Test("skip is 25 by default, and 0 where the fill leaves nothing of the picture")
    func defaultSkips() throws {
        #expect(try inpainted().recipe()["skip"] as? Double == 25)
        #expect(try inpainted(["--fill", "blur"]).recipe()["skip"] as? Double == 25)
        #expect(try inpainted(["--fill", "noise"]).recipe()["skip"] as? Double == 0)
        #expect(try inpainted(["--fill", "nothing"]).recipe()["skip"] as? Double == 0)
        let recipe = try inpainted().recipe()
        #expect(
            recipe["blur"] as? Double == 4 && recipe["grow"] as? Int == 0 && recipe["colour-anchor"] as? Double == 1)
        #expect(recipe["fill"] as? String == "original" && recipe["area"] as? String == "whole")
        #expect(try inpainted(["--area", "masked"]).recipe()["padding"] as? Int == 32)
    }

    @Test("a ladder, several seeds and several pictures are painted through one mask")
    func several() throws {
        try place.picture("two.png", 64, 48, .grey)
        let finished = try place.succeed([
            "inpaint", "in.png", "two.png", "--mask", "mask.png", "--steps", "4", "--skip", "25,50", "--seed", "1,2",
            "-o", "out/",
        ])
        #expect(finished.outputLines.count == 12)
        for name in ["in-inpaint-skip25-seed1.png", "two-inpaint-skip50-seed2.png", "in-ladder.png", "two-ladder.html"]
        {
            #expect(finished.outputLines.contains("out/\(name)"))
        }
        try place.succeed([
            "inpaint", "two.png", "--mask", "mask.png", "--steps", "4", "--skip", "50", "--seed", "2", "-o",
            "alone.png",
        ])
        #expect(try place.bytes("alone.png") == place.bytes("out/two-inpaint-skip50-seed2.png"))
    }

    @Test("--explain tells of the mask and of the part that is cut out")
    func explain() throws {
        let whole = try place.succeed(["inpaint", "in.png", "--mask", "mask.png", "--seed", "1", "--explain"])
        #expect(whole.output.contains("% of it through the mask\n"))
        let masked = [
            "inpaint", "in.png", "--mask", "mask.png", "--seed", "1", "--explain", "--area", "masked", "--padding", "4",
        ]
        #expect(try place.succeed(masked).output.contains("% of it through the mask, within "))
        let plan = try #require(try jsonLines(try place.succeed(masked + ["--json"]).output).first)
        let area = try #require(plan["area"] as? [Int])
        #expect(area.count == 4 && area[2] < 64 && plan["masked"] as? Double ?? 0 > 0.1)
        #expect(place.names() == ["in.png", "mask.png"])
    }

    @Test(
        "a rerun has the same bytes, and finds the mask by its hash",
        arguments: [
            [], ["--fill", "#204060", "--blur", "2.5", "--grow", "-1", "--invert-mask"],
            ["--area", "masked", "--padding", "5", "--fill", "noise"], ["--mask-fit", "stretch"],
        ])
    func rerun(arguments: [String]) throws {
        try place.succeed(
            ["inpaint", "in.png", "--mask", "mask.png", "--steps", "5", "--seed", "3", "-o", "out.png"] + arguments)
        try place.succeed(["rerun", "out.png"])
        #expect(try place.bytes("out.png") == place.bytes("out-rerun.png"))
        let recipe = try place.read("out.png").recipe()
        #expect((recipe["mask"] as? [String: String])?["name"] == "mask.png")
        try FileManager.default.createDirectory(atPath: place.file("far"), withIntermediateDirectories: true)
        try FileManager.default.moveItem(atPath: place.file("mask.png"), toPath: place.file("far/m.png"))
        try place.refuse(["rerun", "out.png", "-o", "2.png"], code: 66, naming: ["mask.png", "sha256", "--find"])
        try place.succeed(["rerun", "out.png", "-o", "2.png", "--find", "far"])
        // The recipe names the mask as it was found.
        #expect(try place.read("out.png").samples == place.read("2.png").samples)
    }

    @Test("a rerun of what transparency masked has the same bytes")
    func rerunAlpha() throws {
        try place.picture("in.png", 64, 48, .rgba)
        try place.succeed(["inpaint", "in.png", "--mask-alpha", "--steps", "5", "--seed", "3", "-o", "out.png"])
        try place.succeed(["rerun", "out.png"])
        #expect(try place.bytes("out.png") == place.bytes("out-rerun.png"))
    }

    @Test("a model for inpainting sees the mask, and --inpainting-mask-weight what it leaves")
    func nineChannels() throws {
        try place.copyModel()
        try FileManager.default.removeItem(atPath: place.file("model/unet"))
        try FileManager.default.copyItem(atPath: Golden.path("inpaint/unet"), toPath: place.file("model/unet"))
        let model = ["--model", "model"]
        let own = try inpainted(model)
        let half = try inpainted(model + ["--inpainting-mask-weight", "0.5"])
        #expect(own.samples != half.samples)
        #expect(try half.recipe()["inpainting-mask-weight"] as? Double == 0.5)
        #expect(half.metadata["parameters"]?.contains("Conditional mask weight: 0.5") == true)
        try place.refuse(
            ["inpaint", "in.png", "--mask", "mask.png", "--inpainting-mask-weight", "0.5"], code: 64,
            naming: ["--inpainting-mask-weight", "miniature"])
    }

    @Test("the web UI's text tells how the mask was taken")
    func parameters() throws {
        let text = try #require(
            try inpainted(["--fill", "nothing", "--area", "masked", "--invert-mask"]).metadata["parameters"])
        for field in [
            "Mask blur: 4", "Mask mode: Inpaint not masked", "Inpaint area: Only masked", "Masked area padding: 32",
            "Masked content: latent nothing", "Denoising strength: 1",
        ] { #expect(text.contains(field), "\(field) is not in: \(text)") }
    }

    @Test("options that contradict each other or make no sense are refused")
    func refusals() throws {
        for (arguments, parts) in [
            ([], ["There is no mask", "--mask-alpha"]),
            (["--mask", "mask.png", "--mask-alpha"], ["two masks"]),
            (["--mask-alpha", "--mask-fit", "crop"], ["--mask-fit"]),
            (["--mask", "mask.png", "--padding", "5"], ["--padding", "--area masked"]),
            (["--mask", "mask.png", "--blur", "-1"], ["--blur is -1"]),
            (["--mask", "mask.png", "--grow", "5000"], ["--grow is 5000", "1024"]),
            (["--mask", "mask.png", "--fill", "red"], ["--fill is \"red\"", "#8090a0"]),
            (["--mask", "mask.png", "--inpainting-mask-weight", "2"], ["--inpainting-mask-weight is 2"]),
        ] {
            try place.refuse(["inpaint", "in.png"] + arguments, code: 64, naming: parts)
        }
        try place.refuse(["inpaint", "in.png", "--mask", "nowhere.png"], code: 66, naming: ["nowhere.png"])
        try place.write("no picture", to: "text.png")
        try place.refuse(["inpaint", "in.png", "--mask", "text.png"], code: 65, naming: ["text.png"])
    }
}

extension Workplace {
    /// A mask: a disc, white or as grey as asked, on black.
    func mask(_ name: String = "mask.png", _ width: Int = 64, _ height: Int = 48, value: UInt8 = 255) throws {
        let values = (0..<width * height).map { pixel -> UInt8 in
            let (x, y) = (Double(pixel % width) - 0.45 * Double(width), Double(pixel / width) - 0.55 * Double(height))
            return x * x + y * y < 200 ? value : 0
        }
        try PictureFile.write(
            Picture(size: PixelSize(width: width, height: height), channels: .grey, eight: values), to: file(name),
            options: .init(overwrite: true))
    }
}
