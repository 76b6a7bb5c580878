import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// Pictures that `noise`, `upscale` and `perlin` never hold whole, and what they leave when they cannot end.
@Suite struct GiantPictureTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    /// A slope with a step and grain in it, strip by strip.
    private func write(_ name: String, _ size: PixelSize) throws {
        var generator = SeededGenerator(6)
        let strips = [false, true].map { isLower in
            (0..<100 * size.width * 3).map { place -> UInt16 in
                let x = place / 3 % size.width
                let ramp = isLower ? (size.width - x) * 9 : x * 9
                return UInt16(ramp % 40_000 + 5000) + UInt16.random(in: 0..<600, using: &generator)
            }
        }
        try PictureFile.write(
            size, channels: .rgb, depth: 16, metadata: .init(), to: place.file(name), options: .init(compression: 1)
        ) { send in
            for y in stride(from: 0, to: size.height, by: 100) {
                let rows = min(100, size.height - y)
                let strip = strips[y < size.height / 2 ? 0 : 1].prefix(rows * size.width * 3)
                try send(
                    Picture(size: PixelSize(width: size.width, height: rows), channels: .rgb, sixteen: Array(strip)))
            }
        }
    }

    #if os(Linux)
        /// What is held is a band of 48 MiB with some rows around it, whatever the picture's size: so it does not grow with
        /// the height at all, and with the width by those rows alone.
        @Test("noise holds a band of a picture and not the picture")
        func noise() throws {
            // More than what is held whole.
            let sizes = [(4000, 6000), (4000, 12_000), (8000, 6000)].map { PixelSize(width: $0, height: $1) }
            let peaks = try sizes.map { size in
                try write("in.tif", size)
                return try place.peak([
                    "noise", "in.tif", "--seed", "1", "--quiet", "-o", "out.tif", "--overwrite", "--threads", "2",
                ])
            }
            #expect(peaks[1] - peaks[0] < 20 << 20 && peaks[2] - peaks[0] < 40 << 20, "\(peaks)")
            // At 30000×30000 the rows around a band of eight bits take 9 MB.
            #expect(peaks.allSatisfy { $0 < 550_000_000 }, "\(peaks)")
        }
    #endif

    @Test("what lies on disk meanwhile is told, of noise, upscale and fit")
    func disk() throws {
        try place.picture("in.png", 30, 20)
        try place.picture("mask.png", 20, 30, .grey)
        func disk(_ arguments: [String]) throws -> (bytes: Int?, line: String) {
            let told = try place.succeed(arguments + ["--json", "--explain"])
            return (
                try jsonLines(told.output).first?["disk"] as? Int, try place.succeed(arguments + ["--explain"]).output
            )
        }
        let noise = ["noise", "in.png", "--seed", "1"]
        let plain = try disk(noise)
        #expect(plain.bytes == 0 && !plain.line.contains("disk"))
        // A mask that is turned waits; a small picture is turned in memory.
        let turned = try disk(noise + ["--mask", "mask.png", "--mask-fit", "rotate"])
        #expect(turned.bytes == 600 && turned.line.contains("on disk meanwhile"))
        var source = Picture.sample(30, 20, .rgb)
        // TIFF header, one entry: orientation, SHORT, one value, 6 (a quarter turn clockwise).
        source.metadata.exif = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]
        try place.write(source, to: "turned.jpg")
        #expect(try disk(["noise", "turned.jpg", "--seed", "1"]).bytes == 0)
        for command in [["fit", "turned.jpg", "--size", "16x24"], ["upscale", "turned.jpg"]] {
            let told = try disk(command)
            #expect(told.bytes == 1800 && told.line.contains("on disk meanwhile"), "\(told.line)")
        }
        #expect(place.names() == ["in.png", "mask.png", "turned.jpg"])
    }

    @Test("a limit on pixels is heeded before anything is read, told with its number, and can be raised")
    func limits() throws {
        try place.picture("in.png", 100, 80)
        try place.picture("mask.png", 200, 160, .grey)
        for command in [["noise", "in.png"], ["upscale", "in.png"], ["fit", "in.png", "--size", "50x40"]] {
            try place.refuse(
                command + ["--limit-pixels", "7999"], code: 65,
                naming: ["in.png is 100×80", "8000", "7999", "raise --limit-pixels"])
            try place.refuse(command + ["--limit-pixels", "0"], code: 64, naming: ["--limit-pixels is 0"])
        }
        try place.refuse(
            ["noise", "in.png", "--mask", "mask.png", "--mask-fit", "stretch", "--limit-pixels", "31999"], code: 65,
            naming: ["mask.png is 200×160", "31999"])
        for command in [["upscale", "in.png"], ["perlin", "--size", "200x160", "-o", "x.png"]] {
            try place.refuse(
                command + ["--limit-pixels", "31999"], code: 65, naming: ["200×160", "31999", "raise --limit-pixels"])
        }
        #expect(place.names() == ["in.png", "mask.png"])
        try place.succeed(["upscale", "in.png", "--limit-pixels", "32000", "-o", "large.png"])
        try place.succeed(["perlin", "--size", "200x160", "--limit-pixels", "32000", "-o", "clouds.png"])
        try place.succeed(["noise", "in.png", "--limit-pixels", "8000", "-o", "rough.png"])
        // A rerun has the limit that it is given.
        for name in ["large.png", "clouds.png", "rough.png"] {
            try place.refuse(
                ["rerun", name, "-o", "y.png", "--limit-pixels", "7999"], code: 65, naming: ["7999", "--limit-pixels"])
            try place.succeed(["rerun", name, "-o", "x.png", "--limit-pixels", "32000", "--overwrite"])
            #expect(try place.bytes("x.png") == place.bytes(name))
        }
        // A batch looks at pictures by the same limit.
        try place.picture("in/a.png", 100, 80)
        let failed = try place.run(["noise", "in", "--limit-pixels", "7999", "-o", "out", "--keep-going"])
        #expect(failed.code == 1 && failed.errors.contains("7999") && failed.errors.contains("--limit-pixels"))
        try place.succeed(["noise", "in", "--limit-pixels", "8000", "-o", "out"])
        try place.write("input,command,limit-pixels\nin/a.png,upscale,31999\n", to: "jobs.csv")
        #expect(try place.run(["batch", "jobs.csv", "-o", "listed"]).code == 1)
        try place.write("input,command,limit-pixels\nin/a.png,upscale,32000\n", to: "jobs.csv")
        try place.succeed(["batch", "jobs.csv", "-o", "listed"])
    }

    /// Commands that make a large `out.png`, with what each of them must not leave half-done.
    static let commands = [
        ["fit", "in.tif", "--size", "3000x4500"], ["noise", "in.tif", "--seed", "1", "--gate-out", "gate.png"],
        ["upscale", "in.tif", "--scale", "1.1"], ["perlin", "--size", "6000x6000", "--octaves", "4,2", "--seed", "1"],
    ]

    @Test("interrupted in the middle, each leaves what was there and nothing else", arguments: commands)
    func interruption(command: [String]) throws {
        try write("in.tif", PixelSize(width: 4000, height: 6000))
        try place.write("precious", to: "out.png")
        let finished = try place.run(
            command + ["-o", "out.png", "--overwrite", "--json"],
            signal: .init(SIGINT, afterPrinting: "\"event\":\"progress\""))
        #expect(finished.code == 130, "\(finished.errors)")
        #expect(try place.text("out.png") == "precious")
        #expect(place.names() == ["in.tif", "out.png"])
    }

    @Test("where the disk is full, each says so in one line and leaves what was there", arguments: commands)
    func fullDisk(command: [String]) throws {
        let small = command.map { ["3000x4500": "300x450", "6000x6000": "600x600"][$0] ?? $0 }
        try write("in.tif", PixelSize(width: 600, height: 500))
        try place.write("precious", to: "out.png")
        // No file may grow beyond 20 blocks of 512 bytes, or of 1024.
        let finished = try place.run(
            small + ["-o", "out.png", "--overwrite", "--quiet"], under: "ulimit -f 20")
        #expect(finished.code == 74 && finished.errorLines.count == 1, "\(finished.errors)")
        #expect(finished.errors.contains("out.png could not be written") || finished.errors.contains("gate.png could"))
        #expect(try place.text("out.png") == "precious")
        #expect(place.names() == ["in.tif", "out.png"])
    }

    @Test("where what must wait finds no room, that is said before anything is made")
    func noRoom() throws {
        var source = Picture.sample(300, 200, .rgb)
        source.metadata.exif = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]
        try place.write(source, to: "in.jpg")
        for command in [["fit", "in.jpg", "--size", "8x8"], ["upscale", "in.jpg", "--scale", "0.05"]] {
            let finished = try place.run(command + ["-o", "out.png", "--quiet"], under: "ulimit -f 20")
            #expect(finished.code == 74 && finished.errorLines.count == 1, "\(finished.errors)")
            #expect(finished.errors.contains("180000 bytes for the pixels of 300×200 find no room"))
            #expect(place.names() == ["in.jpg"])
        }
    }

    #if os(Linux)
        @Test("a painting's pictures are written on as many threads as it is given")
        func threads() throws {
            // Large enough for several blocks of a PNG; the first rung is written while the second is still to be painted.
            try place.picture("in.png", 512, 384)
            let paint = [
                "refine", "in.png", "--seed", "1", "--steps", "4", "--skip", "50,75", "--overwrite", "--quiet",
            ]
            let counts = try [1, 4].map { try place.most("Threads", paint + ["--threads", String($0), "-o", "out/"]) }
            // What else the program runs beside them does not write.
            #expect(counts[0] == 1 && counts[1] >= 4, "\(counts)")
        }

        @Test("where nothing may be written, each says so before it begins", arguments: commands)
        func noPermission(command: [String]) throws {
            try write("in.tif", PixelSize(width: 60, height: 50))
            try place.refuse(
                command.map { $0 == "gate.png" ? "/proc/gate.png" : $0 } + ["-o", "/proc/out.png", "--quiet"], code: 73,
                naming: ["/proc/"])
            #expect(place.names() == ["in.tif"])
        }
    #endif
}
