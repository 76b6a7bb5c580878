import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// Pictures that are never in memory whole.
@Suite struct LargePictureTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    /// Writes a picture of soft stripes, strip by strip.
    private func write(_ name: String, _ size: PixelSize, depth: Int = 8) throws {
        try PictureFile.write(
            size, channels: .rgb, depth: depth, metadata: .init(), to: place.file(name),
            options: .init(compression: 1)
        ) { send in
            for y in 0..<size.height {
                let row = (0..<size.width * 3).map { ($0 / 7 + y / 5) & 255 }
                let line = PixelSize(width: size.width, height: 1)
                try send(
                    depth == 8
                        ? Picture(size: line, channels: .rgb, eight: row.map { UInt8($0) })
                        : Picture(size: line, channels: .rgb, sixteen: row.map { UInt16($0 * 257) }))
            }
        }
    }

    #if os(Linux)
        /// A picture of 30000×30000 has 25 times the pixels of this one. Its rows are 5 times as long, and rows are all that
        /// is held of it: some million samples, and those that one result row reads. So what this one takes beside the
        /// program's own memory grows at most fivefold, and stays below 600 MB.
        @Test("a fit holds some rows of a picture and not the picture", arguments: ["tif", "png"], ["tif", "png"])
        func memory(source: String, result: String) throws {
            let size = PixelSize(width: 6000, height: 6000)
            try write("in.\(source)", size)
            try write("small.\(source)", PixelSize(width: 60, height: 60))
            let own = try place.peak([
                "fit", "small.\(source)", "--size", "30x30", "--quiet", "-o", "small-out.\(result)",
            ])
            let all = try place.peak(["fit", "in.\(source)", "--size", "3000x3000", "--quiet", "-o", "out.\(result)"])
            #expect(try PictureFile.glance(place.file("out.\(result)")).size == PixelSize(width: 3000, height: 3000))
            #expect(own + 5 * (all - own) < 600_000_000, "\(own) for nothing, \(all) for \(size)")
            // The samples alone are more.
            #expect(all < size.area * 3, "\(all)")
        }

        /// What is kept of the source at its new size is held, whatever runs on of it: here the canvas grows by 15 million samples, of
        /// which a strip has 4, and the source has 108 million.
        @Test("neither the source of a canvas to be painted on is held, nor the canvas, however large they are")
        func canvas() throws {
            let size = PixelSize(width: 6000, height: 6000)
            try write("large.tif", size)
            let peak = try place.peak([
                "fit", "large.tif", "--mode", "outpaint", "--size", "960x640", "--quiet", "-o", "out.tif", "--threads",
                "2",
            ])
            #expect(peak < size.area * 3, "\(peak)")
            try write("in.tif", PixelSize(width: 800, height: 800))
            let peaks = try ["3200x800", "9600x800"].map { size in
                try place.peak([
                    "fit", "in.tif", "--mode", "outpaint", "--size", size, "--quiet", "-o", "out.tif", "--overwrite",
                    "--threads", "2",
                ])
            }
            #expect(peaks[1] - peaks[0] < 20 << 20, "\(peaks)")
        }
    #endif

    @Test("a fit by strips is the fit of the whole", arguments: ["crop", "pad", "stretch", "outpaint"], [8, 16])
    func samePixels(mode: String, depth: Int) throws {
        let size = PixelSize(width: 1700, height: 1300)
        try write("in.tif", size, depth: depth)
        let whole = try place.read("in.tif")
        for target in ["640x960", "960x640", "1700x1000", "1700x1800"] {
            try place.succeed(["fit", "in.tif", "--mode", mode, "--size", target, "-o", "out.tif", "--overwrite"])
            let sides = target.split(separator: "x").compactMap { Int($0) }
            let plan = try FitPlan(
                source: size,
                options: FitOptions(
                    mode: try #require(FitMode(rawValue: mode)),
                    goal: .size(PixelSize(width: sides[0], height: sides[1])), multiple: 64))
            #expect(try place.read("out.tif").samples == plan.apply(to: whole).samples, "\(mode) to \(target)")
        }
        let mask = mode == "outpaint" ? ["out-mask.png"] : []
        #expect(place.names() == (["config", "in.tif"] + mask + ["out.tif"]).filter { place.names().contains($0) })
    }

    @Test("a picture over the limit is refused with both numbers before any of it is read, and the limit can be raised")
    func limit() throws {
        try place.picture("in.png", 100, 80)
        try place.refuse(
            ["fit", "in.png", "--size", "50x40", "--limit-pixels", "7999"], code: 65,
            naming: ["100×80", "8000", "7999", "--limit-pixels"])
        try place.refuse(
            ["fit", "in.png", "--size", "200x200", "--limit-pixels", "39999"], code: 65,
            naming: ["200×200", "39999", "--limit-pixels"])
        try place.refuse(["fit", "in.png", "--limit-pixels", "0"], code: 64, naming: ["--limit-pixels is 0"])
        #expect(place.names() == ["in.png"])
        try place.succeed(["fit", "in.png", "--size", "200x200", "--limit-pixels", "40000"])
        // What is not there is never made room for.
        var header = try place.bytes("in.png")
        header.replaceSubrange(16..<24, with: [0, 0, 0x80, 0, 0, 0, 0x80, 0])
        try WholeFile.write(header, to: place.file("huge.png"))
        try place.refuse(["fit", "huge.png", "--size", "50x40"], code: 65, naming: ["huge.png"])
    }

    @Test("the plan says what lies on disk meanwhile")
    func disk() throws {
        try place.picture("in.png", 100, 80)
        func disk(_ arguments: [String]) throws -> Int? {
            let told = try place.succeed(["fit", "in.png", "--json", "--explain"] + arguments)
            return try jsonLines(told.output).first?["disk"] as? Int
        }
        #expect(try disk(["--size", "50x40"]) == 0)
        #expect(try disk(["--size", "50x60", "--mode", "pad"]) == 50 * 40 * 3)
    }
}
