import Raster
import Testing
import Threads

/// What lies beyond a picture's sides.
@Suite struct ContinuationTests {
    private static func busy(_ size: PixelSize, _ channels: Int, seed: UInt64) -> FloatPicture {
        var noise = Noise(seed: seed)
        let values = noise.bytes(size.area * channels).enumerated().map { i, grain in
            let (x, y) = (Float(i / channels % size.width), Float(i / channels / size.width))
            let shapes = 0.5 + 0.25 * (x * 0.21 + y * 0.1).remainder(dividingBy: 2) + (x > 1.3 * y ? 0.2 : 0)
            return min(1, max(0, shapes + Float(grain) / 2550))
        }
        return FloatPicture(size: size, channelCount: channels, values: values)
    }

    private static func mirrored(_ picture: FloatPicture, across: Bool) -> FloatPicture {
        var result = picture
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                for channel in 0..<picture.channelCount {
                    result[x, y, channel] =
                        across
                        ? picture[picture.width - 1 - x, y, channel] : picture[x, picture.height - 1 - y, channel]
                }
            }
        }
        return result
    }

    private static func turned(_ picture: FloatPicture) -> FloatPicture {
        var result = FloatPicture(
            size: picture.size.transposed, channelCount: picture.channelCount,
            values: Array(repeating: 0, count: picture.values.count))
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                for channel in 0..<picture.channelCount { result[y, x, channel] = picture[x, y, channel] }
            }
        }
        return result
    }

    @Test("the picture stays, and all sides and corners are treated alike: mirrored to the bit, turned to a rounding")
    func alike() {
        for seed in 1...12 as ClosedRange<UInt64> {
            var noise = Noise(seed: seed)
            func number(_ most: UInt64) -> Int { Int(noise.next() % most) }
            let size = PixelSize(width: 1 + number(70), height: 1 + number(50))
            let margins = Margins(left: number(40), right: number(90), top: number(40), bottom: number(30))
            let picture = Self.busy(size, seed % 3 == 0 ? 1 : 3, seed: seed)
            let drawn = picture.continued(by: margins)
            #expect(drawn.size == margins.around(size))
            #expect(
                drawn.cropped(to: Rectangle(x: margins.left, y: margins.top, width: size.width, height: size.height))
                    == picture)
            #expect(drawn.values.allSatisfy { $0 >= 0 && $0 <= 1 })
            #expect(picture.continued(by: margins, threads: Threads(5)) == drawn)

            var other = margins
            (other.left, other.right) = (margins.right, margins.left)
            #expect(Self.mirrored(picture, across: true).continued(by: other) == Self.mirrored(drawn, across: true))
            other = margins
            (other.top, other.bottom) = (margins.bottom, margins.top)
            #expect(Self.mirrored(picture, across: false).continued(by: other) == Self.mirrored(drawn, across: false))
            let turned = Margins(
                left: margins.top, right: margins.bottom, top: margins.left, bottom: margins.right)
            let both = zip(Self.turned(picture).continued(by: turned).values, Self.turned(drawn).values)
            // Sums over both directions are taken in another order; a shift that is rounded to 256ths may fall on another one.
            #expect(both.allSatisfy { abs($0 - $1) < 0.02 }, "seed \(seed)")
            #expect(both.reduce(0) { $0 + abs($1.0 - $1.1) } < 1e-4 * Float(drawn.values.count), "seed \(seed)")
        }
    }

    @Test("rows of a continuation are the whole one's, whatever their number", arguments: [1, 7, 40])
    func strips(height: Int) {
        let margins = Margins(left: 9, right: 30, top: 21, bottom: 12)
        for (channels, depth) in [(4, 8), (3, 16), (2, 8), (1, 32)] {
            let picture = Self.busy(PixelSize(width: 33, height: 26), channels, seed: 5).picture(depth: depth)
            let whole = picture.continued(by: margins)
            let continuation = Continuation(of: picture, by: margins)
            for y in stride(from: 0, to: whole.height, by: height) {
                let rows = y..<min(whole.height, y + height)
                let part = Rectangle(x: 0, y: y, width: whole.width, height: rows.count)
                #expect(continuation.strip(rows).samples == whole.cropped(to: part).samples, "\(rows)")
            }
        }
    }

    @Test("one colour stays one colour")
    func flat() {
        let grey = FloatPicture(size: PixelSize(width: 40, height: 30), colour: [0.4, 0.5, 0.6])
        let drawn = grey.continued(by: Margins(left: 30, right: 7, top: 50, bottom: 11))
        for (i, value) in drawn.values.enumerated() { #expect(abs(value - [0.4, 0.5, 0.6][i % 3]) < 1e-5) }
    }

    @Test("a gradient goes on, in every direction and at the corners")
    func gradient() {
        let size = PixelSize(width: 90, height: 70)
        var values: [Float] = []
        for y in 0..<70 { for x in 0..<90 { values.append(0.3 + 0.003 * Float(x) + 0.002 * Float(y)) } }
        let margins = Margins(left: 20, right: 20, top: 20, bottom: 20)
        let drawn = FloatPicture(size: size, channelCount: 1, values: values).continued(by: margins)
        for y in 0..<110 {
            for x in 0..<130 {
                let exact = 0.3 + 0.003 * Float(x - 20) + 0.002 * Float(y - 20)
                #expect(abs(drawn[x, y, 0] - exact) < 0.012, "\(x),\(y): \(drawn[x, y, 0]) for \(exact)")
                if x > 0 { #expect(drawn[x, y, 0] > drawn[x - 1, y, 0] - 1e-3, "\(x),\(y)") }
                if y > 0 { #expect(drawn[x, y, 0] > drawn[x, y - 1, 0] - 1e-3, "\(x),\(y)") }
            }
        }
    }

    @Test("nothing shows where the picture ended: steps across the old sides are like those inside")
    func seamless() {
        let picture = Self.busy(PixelSize(width: 120, height: 90), 3, seed: 4)
        let drawn = picture.continued(by: Margins(left: 30, right: 30, top: 30, bottom: 30))
        func step(_ x: Int) -> Float {
            (30..<120).reduce(0) { sum, y in
                sum + (0..<3).reduce(0) { $0 + abs(drawn[x, y, $1] - drawn[x - 1, y, $1]) }
            }
        }
        let inside = (60..<120).map(step).sorted()
        for x in [30, 150] { #expect(step(x) <= inside[inside.count - 1], "\(step(x)) of \(inside)") }
    }

    @Test("a slanted edge runs straight on", arguments: [-1.0, -0.5, 0.0, 0.4, 0.8] as [Float])
    func edge(slope: Float) {
        let size = PixelSize(width: 100, height: 100)
        func exact(_ x: Int, _ y: Int) -> Float {
            min(1, max(0, 0.5 + (Float(y) - 50 - slope * Float(x)) / 3)) * 0.6 + 0.2
        }
        let values = (0..<size.area).map { exact($0 % 100, $0 / 100) }
        let drawn = FloatPicture(size: size, channelCount: 1, values: values).continued(by: Margins(left: 16))
        for x in 0..<16 {
            // Where the column changes most.
            let place = (1..<100).max { a, b in
                abs(drawn[x, a, 0] - drawn[x, a - 1, 0]) < abs(drawn[x, b, 0] - drawn[x, b - 1, 0])
            }
            let straight = 50 + slope * Float(x - 16)
            #expect(abs(Float(place ?? 0) - straight) <= 2.5, "\(x): \(place ?? 0) for \(straight)")
        }
    }
}
