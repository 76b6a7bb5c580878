import Foundation
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import TestKit
import Testing

/// What is kept is kept to the bit, and a painter that gives back what it is given leaves no trace.
@Suite struct InpaintTests {
    private static func settings(_ masking: Masking, anchor: Double = 1) -> Settings {
        var settings = Settings()
        (settings.steps, settings.initialNoiseMultiplier, settings.colourAnchor) = (4, 0, anchor)
        settings.prediction = .epsilon
        settings.masking = masking
        return settings
    }

    private static func picture(
        _ size: PixelSize, _ channels: Picture.Channels, depth: Int, _ generator: inout SeededGenerator
    ) -> Picture {
        let count = size.area * channels.count
        return depth == 16
            ? Picture(
                size: size, channels: channels,
                sixteen: (0..<count).map { _ in .random(in: 0 ... .max, using: &generator) })
            : Picture(
                size: size, channels: channels,
                eight: (0..<count).map { _ in .random(in: 0 ... .max, using: &generator) })
    }

    private static func mask(_ size: PixelSize, _ generator: inout SeededGenerator) -> Mask {
        var values = [Float](repeating: 0, count: size.area)
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let (x, y) = (
                Int.random(in: 0..<size.width, using: &generator), Int.random(in: 0..<size.height, using: &generator)
            )
            let (w, h) = (Int.random(in: 1...24, using: &generator), Int.random(in: 1...24, using: &generator))
            let grey = Bool.random(using: &generator) ? 1 : Float(Int.random(in: 1...255, using: &generator)) / 255
            for row in y..<min(size.height, y + h) {
                for column in x..<min(size.width, x + w) { values[row * size.width + column] = grey }
            }
        }
        return Mask(size: size, values: values)
    }

    @Test("outside the mask every bit stays, and a painter that changes nothing changes nothing at all")
    func identity() throws {
        let studio = try Studio.identity()
        for seed in 1...24 {
            var generator = SeededGenerator(UInt64(seed))
            let size = PixelSize(
                width: .random(in: 17...90, using: &generator), height: .random(in: 17...70, using: &generator))
            let channels = Picture.Channels.allCases[seed % 4]
            var source = Self.picture(size, channels, depth: seed % 3 == 0 ? 16 : 8, &generator)
            if channels.hasAlpha, seed % 8 < 4 { source = Self.opaque(source) }
            let mask = Self.mask(size, &generator)
            var masking = Masking()
            masking.blur = [0, 4, 9][seed % 3]
            masking.grow = [0, 3, -2][seed / 3 % 3]
            masking.area = seed % 2 == 0 ? .masked : .whole
            masking.padding = seed
            masking.fill = [.original, .blur, .nothing, .colour(Colour(red: 9, green: 80, blue: 200))][seed / 2 % 4]
            let refine = Refine(
                studio, Self.settings(masking, anchor: Double(seed % 3) / 2),
                skips: [try #require(Skip(percent: "25"))],
                seeds: [5], workSize: .source)
            let canvas = try refine.canvas(source, mask: mask)
            var result: Picture?
            try refine.paint(canvas, advance: { _, _ in }, deliver: { result = $1 })
            let painted = try #require(result)
            #expect(painted.size == size && painted.channels == channels && painted.depth == source.depth)
            let shaped = try #require(canvas.mask)
            var changed = false
            for y in 0..<size.height {
                for x in 0..<size.width {
                    let same = (0..<channels.count).allSatisfy { painted[x, y, $0] == source[x, y, $0] }
                    if shaped[x, y] == 0 { #expect(same, "seed \(seed): \(x),\(y) is outside the mask") }
                    if masking.grow <= 0, mask[x, y] == 0 { #expect(same, "seed \(seed): \(x),\(y) is black") }
                    changed = changed || !same
                }
            }
            let hidden = channels.hasAlpha && source.hasTransparency
            if masking.fill == .original, !hidden {
                #expect(painted.samples == source.samples, "seed \(seed): the painter gave back what it got")
            }
            if masking.fill != .original, mask.values.contains(1), masking.grow >= 0, masking.blur == 0 {
                #expect(changed, "seed \(seed): the fill \(masking.fill.text) is seen")
            }
        }
    }

    private static func opaque(_ picture: Picture) -> Picture {
        var floats = picture.floats()
        let count = floats.channelCount
        for pixel in 0..<picture.size.area { floats.values[pixel * count + count - 1] = 1 }
        return floats.picture(depth: picture.depth)
    }

    @Test("flat grey that comes back from the painter shows no border, drifted or not")
    func flatGrey() throws {
        let studio = try Studio.identity()
        let size = PixelSize(width: 96, height: 64)
        let source = Picture(size: size, channels: .rgb, eight: Array(repeating: 119, count: size.area * 3))
        var values = [Float](repeating: 0, count: size.area)
        for y in 20..<44 { for x in 30..<70 { values[y * 96 + x] = 1 } }
        let mask = Mask(size: size, values: values)
        for area in Masking.Area.allCases {
            var masking = Masking()
            (masking.area, masking.padding) = (area, 8)
            let refine = Refine(studio, Self.settings(masking), skips: [try #require(Skip(percent: "25"))], seeds: [1])
            var result: Picture?
            try refine.paint(try refine.canvas(source, mask: mask), advance: { _, _ in }, deliver: { result = $1 })
            #expect(result?.samples == source.samples, "\(area)")
        }
    }

    @Test("a gradient that comes back from the painter shows no border at any depth, scaled up and down again too")
    func gradient() throws {
        let studio = try Studio.identity()
        let size = PixelSize(width: 120, height: 88)
        var values = [Float](repeating: 0, count: size.area)
        for y in 25..<60 { for x in 30..<80 { values[y * 120 + x] = 1 } }
        for depth in [8, 16] {
            let maximum = depth == 16 ? 65_535.0 : 255
            var floats: [Float] = []
            for pixel in 0..<size.area {
                let (across, down) = (Float(pixel % 120) / 120, Float(pixel / 120) / 88)
                floats += [0.1 + 0.7 * across, 0.9 - 0.8 * down, 0.4]
            }
            let source = FloatPicture(size: size, channelCount: 3, values: floats).picture(depth: depth)
            for work in [Refine.WorkSize.source, .good] {
                var masking = Masking()
                masking.area = .masked
                let refine = Refine(
                    studio, Self.settings(masking), skips: [try #require(Skip(percent: "25"))], seeds: [1],
                    workSize: work)
                var result: Picture?
                try refine.paint(
                    try refine.canvas(source, mask: Mask(size: size, values: values)), advance: { _, _ in },
                    deliver: { result = $1 })
                let painted = try #require(result)
                // At its own size nothing is lost; enlarging and reducing costs a rounding.
                let most = try Self.largestDifference(painted, source)
                #expect(work.isSource ? most == 0 : Double(most) <= maximum / 255, "\(depth) bits: \(most)")
            }
        }
    }

    private static func largestDifference(_ a: Picture, _ b: Picture) throws -> Int {
        try #require(a.size == b.size && a.channels == b.channels && a.depth == b.depth)
        var most = 0
        for y in 0..<a.height {
            for x in 0..<a.width {
                for channel in 0..<a.channels.count { most = max(most, abs(a[x, y, channel] - b[x, y, channel])) }
            }
        }
        return most
    }

    @Test("paint of another brightness meets flat grey without an edge, and keeps its own in the middle")
    func anotherBrightness() throws {
        let studio = try Studio.identity()
        let size = PixelSize(width: 160, height: 160)
        let source = Picture(size: size, channels: .rgb, eight: Array(repeating: 110, count: size.area * 3))
        // What painting starts from under the mask comes back from this painter.
        let brighter = FloatPicture(size: size, colour: [134, 134, 134].map { $0 / 255 })
        var values = [Float](repeating: 0, count: size.area)
        for pixel in values.indices {
            let (x, y) = (Double(pixel % 160) - 80, Double(pixel / 160) - 80)
            values[pixel] = x * x + y * y < 3600 ? 1 : 0
        }
        var steps: [Double: Int] = [:]
        for anchor in [0.0, 1.0] {
            let refine = Refine(
                studio, Self.settings(Masking(), anchor: anchor), skips: [try #require(Skip(percent: "25"))], seeds: [1]
            )
            var result: Picture?
            try refine.paint(
                try refine.canvas(source, sketch: brighter, mask: Mask(size: size, values: values)),
                advance: { _, _ in }, deliver: { result = $1 })
            let painted = try #require(result)
            steps[anchor] = (0..<159).map { abs(painted[$0, 80, 0] - painted[$0 + 1, 80, 0]) }.max()
            #expect(painted[80, 80, 0] >= 130, "\(painted[80, 80, 0]) in the middle")
            #expect((0..<160).allSatisfy { painted[$0, 80, 0] >= 109 }, "no dark halo")
        }
        // A jump of 24 levels: half of it in one step without the match, hardly more than a slope's own steps with it.
        #expect(try #require(steps[0]) >= 10 && #require(steps[1]) <= 3, "\(steps)")
    }

    /// The mean step in colour, in 255ths, from the ring outside a circle to the ring inside it, over sectors of 15 degrees.
    private static func step(_ picture: Picture, _ middle: (Int, Int), radius: Double) -> Double {
        let ring = 6.0
        var sums = [[Double]](repeating: [0, 0, 0, 0], count: 48)
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                let (u, v) = (Double(x - middle.0), Double(y - middle.1))
                let away = (u * u + v * v).squareRoot() - radius
                guard abs(away) < ring else { continue }
                let sector = min(23, Int((atan2(v, u) + .pi) / (2 * .pi) * 24)) + (away < 0 ? 24 : 0)
                for channel in 0..<3 { sums[sector][channel] += Double(picture[x, y, channel]) }
                sums[sector][3] += 1
            }
        }
        var total = 0.0
        for sector in 0..<24 {
            for channel in 0..<3 {
                let (out, inside) = (sums[sector], sums[sector + 24])
                total += abs(out[channel] / max(1, out[3]) - inside[channel] / max(1, inside[3]))
            }
        }
        return total / 72
    }

    @Test(
        "across the border of what the built-in model paints, the step in colour is not larger than the picture's own",
        arguments: [("coffee.png", 480, 300, 50.0), ("chelsea.png", 120, 150, 60), ("rocket.jpg", 500, 120, 70)])
    func seam(name: String, x: Int, y: Int, radius: Double) throws {
        let studio = try Studio(model: "miniature", on: try Engine())
        let source = try PictureFile.read(Golden.repository + "/samples/\(name)")
        let values = (0..<source.size.area).map { pixel -> Float in
            let (u, v) = (Double(pixel % source.width - x), Double(pixel / source.width - y))
            return u * u + v * v < radius * radius ? 1 : 0
        }
        let own = [0, 12, 18, 24].map { Self.step(source, (x, y), radius: radius + $0) }
        var steps: [Double] = []
        for anchor in [0.0, 1.0] {
            var masking = Masking()
            masking.area = .masked
            var settings = Self.settings(masking, anchor: anchor)
            (settings.prediction, settings.initialNoiseMultiplier, settings.steps) = (nil, 1, 8)
            (settings.prompt, settings.guidance, settings.seed) = ("a painting of meadow at day", 2, 7)
            let refine = Refine(studio, settings, skips: [try #require(Skip(percent: "25"))], seeds: [7])
            try refine.paint(
                try refine.canvas(source, mask: Mask(size: source.size, values: values)), advance: { _, _ in },
                deliver: { steps.append(Self.step($1, (x, y), radius: radius)) })
        }
        let texture = own.reduce(0, +) / Double(own.count)
        #expect(steps[1] <= max(own[0], texture), "\(name): \(steps), its own \(own)")
    }

    @Test("ten masked paintings in a row leave what is outside as it was")
    func tenRounds() throws {
        let studio = try Studio(model: "miniature", on: try Engine())
        var generator = SeededGenerator(9)
        let size = PixelSize(width: 40, height: 36)
        let source = Self.picture(size, .rgba, depth: 16, &generator)
        var picture = source
        let mask = Self.mask(size, &generator)
        var settings = Self.settings(Masking())
        (settings.prediction, settings.initialNoiseMultiplier) = (nil, 1)
        for round in 0..<10 {
            settings.seed = UInt64(round)
            let refine = Refine(studio, settings, skips: [try #require(Skip(percent: "50"))], seeds: [settings.seed])
            try refine.paint(try refine.canvas(picture, mask: mask), advance: { _, _ in }, deliver: { picture = $1 })
        }
        #expect(picture.samples != source.samples)
        for y in 0..<size.height {
            for x in 0..<size.width where mask[x, y] == 0 {
                for channel in 0..<4 { #expect(picture[x, y, channel] == source[x, y, channel]) }
            }
        }
    }

    @Test("a white dot of one pixel changes something, alone and within the whole picture, scaled too")
    func dot() throws {
        let studio = try Studio(model: "miniature", on: try Engine())
        var generator = SeededGenerator(10)
        let size = PixelSize(width: 75, height: 61)
        let source = Self.picture(size, .rgb, depth: 8, &generator)
        var values = [Float](repeating: 0, count: size.area)
        values[33 * 75 + 50] = 1
        for (area, work) in [
            (Masking.Area.whole, Refine.WorkSize.good), (.masked, .good),
            (.whole, .size(PixelSize(width: 32, height: 32))),
        ] {
            var masking = Masking()
            (masking.area, masking.padding) = (area, 8)
            var settings = Self.settings(masking)
            (settings.prediction, settings.initialNoiseMultiplier) = (nil, 1)
            let refine = Refine(
                studio, settings, skips: [try #require(Skip(percent: "0"))], seeds: [1], workSize: work)
            let canvas = try refine.canvas(source, mask: Mask(size: size, values: values))
            var result: Picture?
            try refine.paint(canvas, advance: { _, _ in }, deliver: { result = $1 })
            let painted = try #require(result)
            var different: [Int] = []
            for pixel in 0..<size.area
            where (0..<3).contains(where: { painted[pixel % 75, pixel / 75, $0] != source[pixel % 75, pixel / 75, $0] })
            {
                different.append(pixel)
            }
            #expect(different == [33 * 75 + 50], "\(area) \(canvas.plan.working)")
        }
    }

    @Test("the masked area is cut out with its padding and enlarged to what the model learnt from, or kept as it is")
    func area() throws {
        let studio = try Studio(model: "miniature", on: try Engine())
        let size = PixelSize(width: 300, height: 200)
        let source = Picture(size: size, channels: .grey, eight: Array(repeating: 90, count: size.area))
        var values = [Float](repeating: 0, count: size.area)
        for y in 100..<140 { for x in 10..<40 { values[y * 300 + x] = 1 } }
        let mask = Mask(size: size, values: values)
        var masking = Masking()
        (masking.area, masking.padding) = (.masked, 20)
        func canvas(_ work: Refine.WorkSize) throws -> Canvas {
            try Refine(
                studio, Self.settings(masking), skips: [try #require(Skip(percent: "25"))], seeds: [1], workSize: work
            ).canvas(source, mask: mask)
        }
        let good = try canvas(.good)
        #expect(good.frame.x == 0 && good.frame.y <= 80 && good.frame.width >= 60 && good.frame.height >= 80)
        #expect(good.plan.isScaled && good.plan.working.area >= 128 * 120 && good.plan.working.area <= 128 * 140)
        let shape = Double(good.frame.width) / Double(good.frame.height)
        #expect(abs(shape - Double(good.plan.working.width) / Double(good.plan.working.height)) < 0.03)
        let own = try canvas(.source)
        #expect(!own.plan.isScaled && own.frame == Rectangle(x: 0, y: 80, width: 64, height: 80))
        let asked = try canvas(.size(PixelSize(width: 160, height: 160)))
        #expect(asked.plan.working == PixelSize(width: 160, height: 160) && asked.frame.width == asked.frame.height)
        masking.padding = 80
        #expect(try canvas(.good).plan.isScaled == false, "larger than what the model learnt from")
    }
}

extension Refine.WorkSize {
    fileprivate var isSource: Bool { if case .source = self { true } else { false } }
}
