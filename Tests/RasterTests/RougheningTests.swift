import Raster
import TestKit
import Testing
import Threads

/// Where a picture is flat, and what noise does there.
@Suite struct RougheningTests {
    static let grain: Roughening.Grain = { columns in
        { channel, y, row in
            for (i, x) in columns.enumerated() {
                var generator = SeededGenerator(UInt64(channel << 50 ^ y << 24 ^ x &+ 77))
                row[i] = (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &generator) }
            }
        }
    }

    /// A grey picture with normal noise of a deviation, softened by a mean over so many pixels.
    static func picture(
        _ width: Int, _ height: Int, grain deviation: Double = 0, soft: Int = 0, _ seed: UInt64 = 3, depth: Int = 8,
        _ value: (_ x: Int, _ y: Int) -> Double
    ) -> Picture {
        var generator = SeededGenerator(seed)
        let (wide, tall) = (width + 2 * soft, height + 2 * soft)
        let noise = (0..<wide * tall).map { _ in
            (0..<12).reduce(-6.0) { sum, _ in sum + Double.random(in: 0..<1, using: &generator) }
        }
        let length = 2 * soft + 1
        let values = (0..<width * height).map { pixel -> Double in
            let (x, y) = (pixel % width, pixel / width)
            var sum = 0.0
            for row in 0..<length { for column in 0..<length { sum += noise[(y + row) * wide + x + column] } }
            return min(255, max(0, value(x, y) + sum / Double(length) * deviation))
        }
        let size = PixelSize(width: width, height: height)
        return depth == 8
            ? Picture(size: size, channels: .grey, eight: values.map { UInt8($0.rounded()) })
            : Picture(size: size, channels: .grey, sixteen: values.map { UInt16(($0 * 257).rounded()) })
    }

    private func gate(_ picture: Picture, flatness: Double = 0.5) -> Picture {
        Roughening(.levels(8), flatness: flatness)(picture, threads: Threads(2), grain: Self.grain).gate
    }

    /// The mean of a gate, 0…1, over a part.
    private func share(_ gate: Picture, _ columns: Range<Int>, _ rows: Range<Int>) -> Double {
        var sum = 0
        for y in rows { for x in columns { sum += gate[x, y, 0] } }
        return Double(sum) / 255 / Double(columns.count * rows.count)
    }

    @Test(
        "film grain on an even ground is flat, fine, soft or strong, in both depths",
        arguments: [(0.0, 0), (1, 0), (3, 0), (7, 0), (4, 1), (8, 2)], [8, 16])
    func film(kind: (deviation: Double, soft: Int), depth: Int) {
        let picture = Self.picture(180, 140, grain: kind.deviation, soft: kind.soft, depth: depth) { _, _ in 120 }
        #expect(share(gate(picture), 0..<180, 0..<140) > 0.97)
    }

    @Test("structure is what the gate shuts: none in grain and on gradients, texture and edges are all of it")
    func structure() {
        var generator = SeededGenerator(9)
        let cells = (0..<200).map { _ in (0..<200).map { _ in Double.random(in: -25...25, using: &generator) } }
        let picture = Self.picture(448, 248, grain: 2) { x, y in
            x < 224 ? 60 + Double(x) * 0.4 : 120 + cells[y / 2][(x - 224) / 2]
        }
        let found = FlatnessGate(noise: SensorNoise(picture, threads: Threads(1))).structure(picture)
        let reach = FlatnessGate.reach
        #expect(found.size == PixelSize(width: 448 - 2 * reach, height: 248 - 2 * reach))
        func mean(_ columns: Range<Int>) -> Float {
            let values = (0..<found.height).flatMap { y in columns.map { found[$0, y] } }
            return values.reduce(0, +) / Float(values.count)
        }
        #expect(mean(0..<180) < 0.03 && mean(216..<400) > 0.97, "\(mean(0..<180)), \(mean(216..<400))")
        // What is flat is so to the bit.
        #expect((0..<found.height).contains { y in (0..<100).allSatisfy { found[$0, y] == 0 } })
    }

    @Test("a soft gradient is flat, with grain and without, straight and round", arguments: [0.0, 2])
    func gradient(deviation: Double) {
        let straight = Self.picture(300, 200, grain: deviation) { x, y in 20 + Double(x) * 0.6 + Double(y) * 0.2 }
        #expect(share(gate(straight), 20..<280, 20..<180) > 0.95)
        let round = Self.picture(300, 200, grain: deviation) { x, y in
            let (u, v) = (Double(x - 150) / 150, Double(y - 100) / 150)
            return 200 - 90 * (u * u + v * v)
        }
        #expect(share(gate(round), 20..<280, 20..<180) > 0.95)
    }

    @Test("texture shuts the gate, coarse or fine, beside grain that does not", arguments: [1, 2, 4])
    func texture(size: Int) {
        var generator = SeededGenerator(9)
        let cells = (0..<400).map { _ in (0..<400).map { _ in Double.random(in: -22...22, using: &generator) } }
        let picture = Self.picture(300, 160, grain: 2) { x, y in
            x < 150 ? 130 : 130 + cells[y / size][x / size]
        }
        let gate = gate(picture)
        #expect(share(gate, 170..<300, 0..<160) < 0.02)
        #expect(share(gate, 0..<130, 0..<160) > 0.95)
    }

    @Test(
        "around an edge a margin stays shut, so that the regions never melt; further off the gate is open",
        arguments: [(100.0, 0.0), (30, 3), (5, 1), (4, 0), (12, 4)])
    func edge(step: Double, deviation: Double) {
        let picture = Self.picture(160, 120, grain: deviation) { x, y in x + y / 4 < 95 ? 100 : 100 + step }
        let result = Roughening(.levels(12))(picture, threads: Threads(2), grain: Self.grain)
        var touched = 0
        for y in 0..<120 {
            let place = 95 - y / 4
            for x in place - 3..<place + 3 {
                touched += result.gate[x, y, 0] > 0 ? 1 : 0
                if result.gate[x, y, 0] == 0 { #expect(result.picture[x, y, 0] == picture[x, y, 0]) }
            }
        }
        #expect(touched == 0)
        #expect(share(result.gate, 0..<45, 0..<120) > 0.95 && share(result.gate, 120..<160, 0..<120) > 0.95)
    }

    @Test("an edge of colours that are equally light shuts the gate too")
    func colours() {
        // 0.2126·r + 0.7152·g + 0.0722·b is 120 on both sides.
        let (left, right): ([UInt8], [UInt8]) = ([200, 95, 130], [60, 138, 120])
        let size = PixelSize(width: 100, height: 60)
        let values = (0..<size.area).flatMap { $0 % 100 < 50 ? left : right }
        let gate = gate(Picture(size: size, channels: .rgb, eight: values))
        #expect(share(gate, 46..<54, 0..<60) == 0)
        #expect(share(gate, 0..<25, 0..<60) > 0.95 && share(gate, 75..<100, 0..<60) > 0.95)
    }

    @Test("flatness says how flat a place must be: 0 lets everything through, more lets through less")
    func flatness() {
        // Texture that grows from nothing.
        let picture = Self.picture(300, 120, grain: 1.5) { x, y in 120 + Double((x / 3 + y / 3) % 2 * x) / 40 }
        let shares = [0, 0.2, 0.5, 1].map { share(gate(picture, flatness: $0), 0..<300, 0..<120) }
        #expect(shares[0] == 1)
        #expect(shares[0] > shares[1] && shares[1] > shares[2] && shares[2] > shares[3], "\(shares)")
    }

    private func change(_ result: Roughening.Result, _ picture: Picture, _ x: Int, _ y: Int, _ channel: Int = 0)
        -> Double
    {
        Double(result.picture[x, y, channel] - picture[x, y, channel]) * 255 / Double(picture.maximum)
    }

    private func deviation(_ result: Roughening.Result, _ picture: Picture) -> Double {
        var sum = 0.0
        for y in 10..<110 { for x in 10..<110 { sum += change(result, picture, x, y) * change(result, picture, x, y) } }
        return (sum / 10_000).squareRoot()
    }

    @Test("the amount is a deviation in levels of 8 bits, in both depths", arguments: [8, 16])
    func levels(depth: Int) {
        let picture = Self.picture(120, 120, depth: depth) { _, _ in 120 }
        for amount in [3.0, 12] {
            let result = Roughening(.levels(amount))(picture, threads: Threads(1), grain: Self.grain)
            #expect(abs(deviation(result, picture) / amount - 1) < 0.03)
        }
    }

    @Test("or a share of the range around each place")
    func relative() {
        let picture = Self.picture(240, 120) { x, _ in x < 120 ? 120 : 60 + Double(x - 120) }
        let result = Roughening(.share(0.5))(picture, threads: Threads(1), grain: Self.grain)
        // Nothing varies on the left; on the right seventeen columns of a slope of one.
        #expect(deviation(result, picture) == 0)
        var sum = 0.0
        for y in 20..<100 {
            for x in 150..<220 { sum += change(result, picture, x, y) * change(result, picture, x, y) }
        }
        #expect(abs((sum / 5600).squareRoot() - 8) < 0.4)
    }

    @Test("noise is light and dark alone, or every colour its own; alpha stays, and what is transparent")
    func channels() {
        let size = PixelSize(width: 120, height: 120)
        let values = (0..<size.area).flatMap { [90, 140, 60, $0 % 120 < 60 ? 255 : 0] as [UInt8] }
        let picture = Picture(size: size, channels: .rgba, eight: values)
        for isColoured in [false, true] {
            let result = Roughening(.levels(9), isColoured: isColoured)(picture, threads: Threads(2), grain: Self.grain)
            #expect(result.picture.alpha == picture.alpha)
            var (same, changed) = (0, 0)
            for y in 0..<120 {
                for x in 0..<60 {
                    let (red, blue) = (change(result, picture, x, y), change(result, picture, x, y, 2))
                    changed += red != 0 ? 1 : 0
                    same += red == blue ? 1 : 0
                }
                for x in 60..<120 { #expect(result.picture[x, y, 0] == 90) }
            }
            #expect(changed > 6500)
            #expect(isColoured ? same < 1000 : same == 7200)
        }
    }

    @Test("a mask limits it: black to the bit, grey in part", arguments: [8, 16])
    func masks(depth: Int) {
        let picture = Self.picture(240, 120, grain: 1, depth: depth) { _, _ in 120 }
        let mask = Mask(size: picture.size, values: (0..<picture.size.area).map { [0, 0.5, 1][$0 % 240 / 80] })
        let result = Roughening(.levels(10))(picture, mask: mask, threads: Threads(2), grain: Self.grain)
        func deviation(_ columns: Range<Int>) -> Double {
            var sum = 0.0
            for y in 0..<120 {
                for x in columns { sum += change(result, picture, x, y) * change(result, picture, x, y) }
            }
            return (sum / Double(120 * columns.count)).squareRoot()
        }
        #expect(deviation(0..<80) == 0)
        #expect(abs(deviation(80..<160) - 5) < 0.3 && abs(deviation(160..<240) - 10) < 0.5)
    }

    @Test("a negative amount calms grain and leaves edges as they are")
    func calming() {
        let picture = Self.picture(160, 120, grain: 4) { x, _ in x < 80 ? 90 : 160 }
        let result = Roughening(.levels(-20))(picture, threads: Threads(2), grain: Self.grain)
        func deviation(_ picture: Picture, _ columns: Range<Int>) -> Double {
            let values = (0..<120).flatMap { y in columns.map { Double(picture[$0, y, 0]) } }
            let mean = values.reduce(0, +) / Double(values.count)
            return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
        }
        #expect(deviation(picture, 0..<60) > 3.8 && deviation(result.picture, 0..<60) < 1)
        for y in 0..<120 { for x in 77..<83 { #expect(result.picture[x, y, 0] == picture[x, y, 0]) } }
        // Nothing is taken further than so many levels.
        let little = Roughening(.levels(-2))(picture, threads: Threads(2), grain: Self.grain)
        #expect(little.picture.largestDifference(to: picture) == 2)
    }

    @Test("an outline is dark and as wide as asked for, lies on the edge of flat regions, and not in texture")
    func outlines() {
        let picture = Self.picture(200, 100, grain: 1) { x, y in
            x < 60 ? 100 : x < 120 ? 180 : 140 + Double(x * 71 % 13 * 5 + y * 37 % 11 * 6 - 60)
        }
        for width in [2, 5, 9] {
            let result = Roughening(.levels(0), outline: width)(picture, threads: Threads(2), grain: Self.grain)
            var dark = 0
            for y in 20..<80 {
                #expect(result.picture[60, y, 0] < 100 || result.picture[59, y, 0] < 60)
                for x in 40..<80 where Double(result.picture[x, y, 0]) < 0.6 * Double(picture[x, y, 0]) { dark += 1 }
                for x in 0..<40 { #expect(result.picture[x, y, 0] == picture[x, y, 0]) }
                for x in 165..<200 { #expect(result.picture[x, y, 0] == picture[x, y, 0]) }
            }
            #expect(abs(Double(dark) / 60 - Double(width)) <= 1.2, "\(width) became \(Double(dark) / 60)")
        }
    }

    /// Everything that looks around a place, or at what lies over it.
    static let plans:
        [(amount: Roughening.Amount, outline: Int, channels: Picture.Channels, depth: Int, masked: Bool)] = [
            (.levels(8), 0, .grey, 8, false), (.levels(8), 3, .rgb, 8, true), (.levels(-8), 2, .rgb, 16, false),
            (.share(0.4), 0, .rgba, 8, true), (.share(-0.5), 5, .greyAlpha, 16, true),
            (.levels(8), 64, .grey, 8, false),
        ]

    @Test("bands of any height give the bits of the whole, and so do any threads", arguments: 0..<plans.count)
    func bands(index: Int) throws {
        let (amount, outline, channels, depth, masked) = Self.plans[index]
        let grey = Self.picture(330, 270, grain: 2, depth: depth) { x, y in
            (x - 150) * (x - 150) + (y - 150) * (y - 150) < 9000 ? 150 : 60 + Double(x) / 10
        }
        let size = grey.size
        let values = (0..<size.area * channels.count).map { place -> Int in
            let (pixel, channel) = place.quotientAndRemainder(dividingBy: channels.count)
            let (x, y) = (pixel % size.width, pixel / size.width)
            if channels.hasAlpha, channel == channels.count - 1 { return y % 50 < 4 ? 0 : grey.maximum }
            return grey[channel == 2 ? size.width - 1 - x : x, y, 0]
        }
        let picture =
            depth == 16
            ? Picture(size: size, channels: channels, sixteen: values.map { UInt16($0) })
            : Picture(size: size, channels: channels, eight: values.map { UInt8($0) })
        let mask = masked ? Mask(size: size, values: (0..<size.area).map { Float($0 % 97) / 96 }) : nil
        let plan = Roughening(amount, outline: outline, isColoured: !channels.isGrey)
        let whole = plan(picture, mask: mask, threads: Threads(1), grain: Self.grain)
        #expect(whole.picture.samples != picture.samples)
        #expect(plan(picture, mask: mask, threads: Threads(3), grain: Self.grain).picture == whole.picture)
        // What is asked for comes from top to bottom, so that a file can be read along with it.
        var top = 0
        func rows(_ wanted: Range<Int>) -> Picture {
            #expect(wanted.lowerBound >= top)
            top = wanted.lowerBound
            return picture.cropped(to: Rectangle(x: 0, y: wanted.lowerBound, width: 330, height: wanted.count))
        }
        let noise = SensorNoise(size, isGrey: channels.isGrey, threads: Threads(2), rows: rows)
        #expect(noise == SensorNoise(picture, threads: Threads(1)))
        for height in [1, 7, 64, 133, 269, 270] where height > 1 || index == 1 {
            var next = 0
            top = 0
            try plan.bands(
                size, noise, pixelBytes: 1, height: height, threads: Threads(2), grain: Self.grain, picture: rows,
                mask: mask.map { mask in
                    { mask.cropped(to: Rectangle(x: 0, y: $0.lowerBound, width: 330, height: $0.count)) }
                }
            ) { band, rows in
                #expect(rows.lowerBound == next)
                next = rows.upperBound
                let same = Rectangle(x: 0, y: rows.lowerBound, width: 330, height: rows.count)
                #expect(
                    band.picture == whole.picture.cropped(to: same) && band.gate == whole.gate.cropped(to: same),
                    "rows \(rows) of bands of \(height)")
            }
            #expect(next == 270)
        }
    }

    @Test("the smallest pictures are worked on too", arguments: [(1, 1), (2, 3), (30, 1)])
    func small(width: Int, height: Int) {
        let picture = Self.picture(width, height) { _, _ in 100 }
        let result = Roughening(.levels(8), outline: 2)(picture, threads: Threads(1), grain: Self.grain)
        #expect(result.picture.size == picture.size && share(result.gate, 0..<width, 0..<height) == 1)
    }
}
