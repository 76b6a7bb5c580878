import Foundation
import Painting
import Raster
import Sampling
import TestKit
import Testing

/// What was there stays to the bit, and a painter that gives back what it is given leaves no trace of where it ended.
@Suite struct OutpaintTests {
    private static func settings(_ outpainting: Outpainting, _ size: PixelSize, anchor: Double = 1) -> Settings {
        var settings = Settings()
        (settings.steps, settings.initialNoiseMultiplier, settings.colourAnchor) = (4, 0, anchor)
        settings.prediction = .epsilon
        var masking = Masking()
        masking.outpainting = outpainting
        settings.masking = masking.settled(for: size)
        return settings
    }

    private static func painted(
        _ source: Picture, _ outpainting: Outpainting, _ studio: Studio, anchor: Double = 1,
        area: Masking.Area = .whole
    ) throws -> (Picture, Canvas) {
        var settings = settings(outpainting, source.size, anchor: anchor)
        settings.masking?.area = area
        let refine = Refine(
            studio, settings, skips: [try #require(Skip(percent: "0"))], seeds: [5], workSize: .source)
        let canvas = try refine.canvas(source)
        var result: Picture?
        try refine.paint(canvas, advance: { _, _ in }, deliver: { result = $1 })
        return (try #require(result), canvas)
    }

    @Test("what was there is the same to the bit: random sides, kinds, depths, methods; the new area is opaque")
    func untouched() throws {
        let studio = try Studio.identity()
        for seed in 1...24 {
            var generator = SeededGenerator(UInt64(seed))
            let size = PixelSize(
                width: .random(in: 1...60, using: &generator), height: .random(in: 1...50, using: &generator))
            let channels = Picture.Channels.allCases[seed % 4]
            let count = size.area * channels.count
            let metadata = PictureMetadata(texts: [.init(keyword: "Title", text: "a picture")])
            let source =
                seed % 3 == 0
                ? Picture(
                    size: size, channels: channels,
                    sixteen: (0..<count).map { _ in .random(in: 0 ... .max, using: &generator) }, metadata: metadata)
                : Picture(
                    size: size, channels: channels,
                    eight: (0..<count).map { _ in .random(in: 0 ... .max, using: &generator) }, metadata: metadata)
            func side() -> Int { Bool.random(using: &generator) ? .random(in: 1...40, using: &generator) : 0 }
            var margins = Margins(left: side(), right: side(), top: side(), bottom: side())
            if margins.isZero { margins.right = 9 }
            var outpainting = Outpainting(.sides(margins), seed % 2 == 0 ? .extend : .spectral)
            outpainting.blur = [nil, 0, 7][seed % 3]
            outpainting.grow = [0, 0, 5][seed / 3 % 3]
            outpainting.edgeSeed = UInt64(seed)
            let (result, canvas) = try Self.painted(
                source, outpainting, studio, anchor: Double(seed % 3) / 2, area: seed % 5 == 0 ? .masked : .whole)
            #expect(result.size == margins.around(size) && result.channels == channels && result.depth == source.depth)
            #expect(result.metadata == source.metadata)
            let mask = try #require(canvas.mask)
            for y in 0..<result.height {
                for x in 0..<result.width {
                    let (column, row) = (x - margins.left, y - margins.top)
                    guard column >= 0, row >= 0, column < size.width, row < size.height else {
                        if channels.hasAlpha { #expect(result[x, y, channels.count - 1] == result.maximum) }
                        continue
                    }
                    let same = (0..<channels.count).allSatisfy { result[x, y, $0] == source[column, row, $0] }
                    if channels.hasAlpha {
                        #expect(result[x, y, channels.count - 1] == source[column, row, channels.count - 1])
                    }
                    let fromSide =
                        [
                            (margins.left, column), (margins.right, size.width - 1 - column), (margins.top, row),
                            (margins.bottom, size.height - 1 - row),
                        ].filter { $0.0 > 0 }.map(\.1).min() ?? 0
                    if fromSide >= outpainting.grow {
                        #expect(mask[x, y] == 0)
                        #expect(same, "seed \(seed): \(column),\(row) is no part of the band")
                    }
                }
            }
        }
    }

    @Test("flat grey through a painter that changes nothing shows no border", arguments: Outpainting.Method.allCases)
    func flat(method: Outpainting.Method) throws {
        let studio = try Studio.identity()
        for (channels, depth, value) in [(Picture.Channels.rgb, 8, 119), (.grey, 16, 30_011)] {
            let size = PixelSize(width: 70, height: 50)
            let count = size.area * channels.count
            let source =
                depth == 8
                ? Picture(size: size, channels: channels, eight: Array(repeating: UInt8(value), count: count))
                : Picture(size: size, channels: channels, sixteen: Array(repeating: UInt16(value), count: count))
            let outpainting = Outpainting(.sides(Margins(left: 30, right: 11, top: 24, bottom: 40)), method)
            let (result, _) = try Self.painted(source, outpainting, studio)
            var most = 0
            for y in 0..<result.height {
                for x in 0..<result.width { most = max(most, abs(result[x, y, 0] - value)) }
            }
            // One in 65535 is a rounding of sums of weights.
            #expect(most <= (depth == 8 ? 0 : 1), "\(most)")
        }
    }

    @Test("a gradient through a painter that changes nothing goes on without a step")
    func gradient() throws {
        let studio = try Studio.identity()
        let size = PixelSize(width: 120, height: 88)
        var floats: [Float] = []
        for pixel in 0..<size.area {
            floats += [0.2 + 0.3 * Float(pixel % 120) / 120, 0.7 - 0.3 * Float(pixel / 120) / 88, 0.4]
        }
        let source = FloatPicture(size: size, channelCount: 3, values: floats).picture(depth: 16)
        let (result, _) = try Self.painted(
            source, Outpainting(.sides(Margins(left: 40, right: 40, top: 40, bottom: 40))), studio)
        // A pixel changes by 164 of 65535 in red, by 223 in green.
        for y in 1..<168 {
            for x in 1..<200 {
                let (red, green) = (result[x, y, 0] - result[x - 1, y, 0], result[x, y - 1, 1] - result[x, y, 1])
                #expect((-1...190).contains(red) && (-1...260).contains(green), "\(x),\(y): \(red), \(green)")
            }
        }
        #expect(result[40, 84, 0] - result[20, 84, 0] > 20 * 100, "it goes on, and does not level out at once")
    }

    @Test("the border between what is kept and what is painted wanders, by its seed, and never along the old side")
    func wandering() throws {
        let studio = try Studio.identity()
        let source = Picture(
            size: PixelSize(width: 64, height: 160), channels: .grey, eight: Array(repeating: 90, count: 64 * 160))
        func starts(_ seed: UInt64) throws -> [Int] {
            var outpainting = Outpainting(.sides(Margins(right: 64)))
            (outpainting.edgeSeed, outpainting.blur) = (seed, 40)
            let refine = Refine(
                studio, Self.settings(outpainting, source.size), skips: [try #require(Skip(percent: "0"))], seeds: [1])
            let mask = try #require(try refine.canvas(source).mask)
            return try (0..<160).map { y in try #require((0..<128).first { mask[$0, y] >= 0.5 }) - 64 }
        }
        let (first, second) = (try starts(1), try starts(2))
        #expect(first != second)
        for starts in [first, second] {
            #expect(starts.min() ?? 0 > 0)
            #expect(Set(starts).count >= 8, "\(Set(starts).sorted())")
            // Nowhere straight for longer than a quarter of the side.
            var (longest, run) = (1, 1)
            for (a, b) in zip(starts, starts.dropFirst()) {
                run = a == b ? run + 1 : 1
                longest = max(longest, run)
            }
            #expect(longest <= 40, "\(longest)")
        }
    }

    @Test("proportions become pixels on two opposite sides")
    func aspect() throws {
        for (size, aspect, expected) in [
            ((640, 427), (16, 9), Margins(left: 59, right: 60)), ((300, 451), (1, 1), Margins(left: 75, right: 76)),
            ((400, 200), (1, 1), Margins(top: 100, bottom: 100)), ((160, 90), (16, 9), Margins()),
        ] {
            let margins = try Outpainting(.aspect(width: aspect.0, height: aspect.1)).margins(
                of: PixelSize(width: size.0, height: size.1), name: "it")
            #expect(margins == expected, "\(size) to \(aspect)")
        }
        #expect(throws: PaintingError.self) {
            try Outpainting(.sides(Margins(left: 60_000))).margins(of: PixelSize(width: 9000, height: 9), name: "it")
        }
    }
}
