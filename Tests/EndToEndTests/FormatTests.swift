import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// Files of other programs through the program itself.
@Suite struct FormatTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    private func fixture(_ name: String) -> String { "\(Golden.repository)/Tests/Fixtures/\(name)" }

    @Test("what pixels without any opacity hide is not painted on, and what is seen is", arguments: [8, 16])
    func hidden(depth: Int) throws {
        let (clear, faint) = (0..<20, 20..<24)
        var source = Picture.sample(48, 32, .rgb, depth: depth).holding(.rgba)
        func with<Sample: FixedWidthInteger>(_ values: [Sample]) -> [Sample] {
            values.enumerated().map { place, value in
                let x = place / 4 % 48
                return place % 4 < 3 ? value : clear.contains(x) ? 0 : faint.contains(x) ? 1 : Sample.max
            }
        }
        switch source.samples {
        case .eight(let values): source = Picture(size: source.size, channels: .rgba, eight: with(values))
        case .sixteen(let values): source = Picture(size: source.size, channels: .rgba, sixteen: with(values))
        case .float: break
        }
        try place.write(source, to: "in.png")
        try place.write(
            Picture(size: source.size, channels: .grey, eight: .init(repeating: 255, count: source.size.area)),
            to: "mask.png")
        let paint = ["in.png", "--seed", "1", "--steps", "4", "--skip", "0", "--overwrite", "-o", "out.png"]
        for command in [["refine"], ["inpaint", "--mask", "mask.png"], ["gobig", "--scale", "1"]] {
            try place.succeed(command + paint)
            let result = try place.read("out.png")
            let left = Rectangle(x: 0, y: 0, width: clear.upperBound, height: 32)
            #expect(result.cropped(to: left).samples == source.cropped(to: left).samples, "\(command)")
            let band = Rectangle(x: faint.lowerBound, y: 0, width: faint.count, height: 32)
            #expect(result.cropped(to: band).samples != source.cropped(to: band).samples, "\(command)")
        }
    }

    @Test(
        "skip 100 gives back pixels, depth, profile and what the file says of them",
        arguments: [
            ("float.tif", "tif"), ("float-grey.tif", "tif"), ("adobe-rgb16.tif", "png"), ("rgba16.png", "png"),
            ("grey-alpha8.png", "png"), ("camera.tif", "png"), ("lossless-alpha.webp", "png"),
            ("orientation6.jpg", "png"),
        ])
    func nothingPainted(name: String, ending: String) throws {
        let source = try PictureFile.read(fixture(name))
        let stem = name.split(separator: ".")[0]
        let finished = try place.succeed(["refine", fixture(name), "--skip", "100", "--seed", "1", "-o", "out/"])
        let path = "out/\(stem)-refine-skip100.\(ending)"
        #expect(finished.outputLines == [path])
        let result = try place.read(path)
        #expect(result.samples == source.samples && result.channels == source.channels)
        #expect(result.metadata.profile == source.metadata.profile && result.metadata.iptc == source.metadata.iptc)
        if ending == "png" {
            #expect((result.metadata.exif == nil) == (source.metadata.exif == nil))
        } else {
            // Of what other tools read, at least.
            #expect(result.metadata.exif != nil)
        }
    }

    @Test("floats are painted and stay floats; as PNG they become 16 bits, which is told")
    func floats() throws {
        let source = try PictureFile.read(fixture("float.tif"))
        try place.succeed([
            "inpaint", fixture("float.tif"), "--mask", try mask(source.size), "--steps", "2", "--seed", "1", "-o",
            "p.tif",
        ])
        let painted = try place.read("p.tif")
        #expect(painted.depth == 32)
        let (left, right) = (
            Rectangle(x: 0, y: 0, width: 8, height: 17), Rectangle(x: 15, y: 0, width: 8, height: 17)
        )
        #expect(painted.cropped(to: left).samples == source.cropped(to: left).samples)
        #expect(painted.cropped(to: right).samples != source.cropped(to: right).samples)

        let told = try place.succeed(["fit", fixture("float.tif"), "--multiple", "1", "-o", "f.png"])
        #expect(told.errors.contains("32 bits become 16. Write TIFF to keep them."))
        #expect(try place.read("f.png").depth == 16)
        let size = PixelSize(width: 64, height: 64)
        let flat = Picture(size: size, channels: .rgb, samples: .float(.init(repeating: 1.25, count: size.area * 3)))
        try place.write(flat, to: "flat.tif")
        try place.succeed(["noise", "flat.tif", "--amount", "9", "--seed", "3", "-o", "n.tif"])
        let noisy = try place.read("n.tif")
        guard case .float(let values) = noisy.samples else { return #expect(Bool(false), "floats stay floats") }
        // Beyond white, and about nine levels of 255 on both sides.
        #expect(
            values.contains { $0 > 1.27 } && values.contains { $0 < 1.23 } && values.allSatisfy { abs($0 - 1.25) < 0.3 }
        )
        try place.succeed(["fit", fixture("float-alpha.tif"), "--size", "12x9", "--mode", "stretch", "-o", "small.tif"])
        #expect(try place.read("small.tif").depth == 32)
        let same = try place.succeed(["verify", fixture("float.tif"), fixture("float-predictor3.tif")])
        #expect(same.outputLines.count == 1)
    }

    /// White on the right.
    private func mask(_ size: PixelSize) throws -> String {
        let values = (0..<size.area).map { UInt8($0 % size.width >= 12 ? 255 : 0) }
        try place.write(Picture(size: size, channels: .grey, eight: values), to: "mask.png")
        return "mask.png"
    }

    @Test("the first of several pages is taken with a warning; another by its number, also again from the recipe")
    func pages() throws {
        try FileManager.default.copyItem(atPath: fixture("pages.tif"), toPath: place.file("scan.tif"))
        let first = try place.succeed(["refine", "scan.tif", "--skip", "100", "--seed", "1"])
        #expect(
            first.errors.contains("scan.tif has 3 pages, and the first is taken. Name another: scan.tif#page=2."))
        #expect(first.outputLines == ["scan-refine-skip100.png"])
        let third = try place.succeed([
            "fit", "scan.tif#page=3", "--size", "8x24", "--mode", "stretch", "-o", "out/",
        ])
        #expect(third.outputLines == ["out/scan-page3-fit.png"] && !third.errors.contains("pages"))
        try place.refuse(
            ["fit", "scan.tif#page=9", "--multiple", "8"], code: 66, naming: ["scan.tif#page=9", "3 pages"])
        // By its name first, then, where that is gone, by its hash.
        try place.succeed(["rerun", "out/scan-page3-fit.png", "-o", "again.png"])
        #expect(try place.read("again.png").samples == place.read("out/scan-page3-fit.png").samples)
        try FileManager.default.moveItem(atPath: place.file("scan.tif"), toPath: place.file("other.tif"))
        try place.succeed(["rerun", "out/scan-page3-fit.png", "-o", "anew.png"])
        #expect(try place.read("anew.png").samples == place.read("out/scan-page3-fit.png").samples)
    }

    @Test("WebP is read, in folders too, and not written")
    func webP() throws {
        try FileManager.default.createDirectory(atPath: place.file("in"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: fixture("lossless.webp"), toPath: place.file("in/a.webp"))
        try place.succeed(["fit", "in", "--multiple", "1", "-o", "out/"])
        #expect(try place.read("out/a-fit.png").samples == PictureFile.read(fixture("lossless.webp")).samples)
        try place.refuse(["fit", "in/a.webp", "-o", "b.webp"], code: 64, naming: ["b.webp", "webp"])
        try place.refuse(["fit", "in/a.webp", "--format", "webp"], code: 64, naming: ["webp"])
        try place.refuse(["fit", fixture("it.heic")], code: 65, naming: ["HEIC", "heif-convert"])
        try place.refuse(["fit", fixture("it.avif")], code: 65, naming: ["AVIF", "avifdec"])
    }

    @Test("camera data that JPEG has no room for are left out with a warning")
    func longExif() throws {
        var picture = try PictureFile.read(fixture("camera.png"))
        picture.metadata.exif? += [UInt8](repeating: 0, count: 70_000)
        try place.write(picture, to: "long.png")
        let told = try place.succeed(["fit", "long.png", "--multiple", "1", "-o", "a.jpg"])
        #expect(told.errors.contains("bytes of EXIF data find no room. Write PNG or TIFF to keep them."))
        try place.succeed(["fit", "long.png", "--multiple", "1", "-o", "a.tif"])
        #expect(try place.read("a.tif").metadata.exif != nil)
        #expect(try place.read("a.jpg").metadata.exif == nil)
    }
}
