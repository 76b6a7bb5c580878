import Painting
import Raster
import TestKit
import Testing
import Threads

/// What is drawn back to the enlarged source in a painted tile: its broad colours, and what the source shows itself.
@Suite struct TileColourTests {
    private static let threads = Threads(2)

    private static func picture(_ size: PixelSize, _ value: (_ x: Int, _ y: Int, _ channel: Int) -> Double)
        -> FloatPicture
    {
        FloatPicture(
            size: size, channelCount: 3,
            values: (0..<size.area * 3).map { Float(value($0 / 3 % size.width, $0 / 3 / size.width, $0 % 3)) })
    }

    @Test(
        "every mean of 32×32 pixels is the source's, though half of them is black and paint is cut off there",
        arguments: [Rectangle(x: 64, y: 32, width: 160, height: 96), Rectangle(x: 8, y: -24, width: 136, height: 120)])
    func broad(frame: Rectangle) {
        var generator = SeededGenerator(5)
        func rough(_ size: Double) -> Double { Double.random(in: -size...size, using: &generator) }
        // A saturated colour beside black, and paint that is rougher, darker and drifts.
        let source = Self.picture(frame.size) { x, y, channel in
            (x / 16 + y / 16) % 2 == 0 ? [0.9, 0.2, 0.1][channel] : 0.01
        }
        var painted = source
        for i in painted.values.indices {
            let value = Double(painted.values[i]) * 0.8 + 0.03 + 0.1 * Double(i / 3 % frame.width) / 160 + rough(0.15)
            painted.values[i] = Float(min(1, max(0, value)))
        }
        func farthest(_ result: FloatPicture) -> Double {
            var worst = 0.0
            let (left, top) = ((32 - (frame.x % 32 + 32) % 32) % 32, (32 - (frame.y % 32 + 32) % 32) % 32)
            for y in stride(from: top, to: frame.height - 31, by: 32) {
                for x in stride(from: left, to: frame.width - 31, by: 32) {
                    for channel in 0..<3 {
                        var sum = 0.0
                        for pixel in 0..<1024 {
                            let (px, py) = (x + pixel % 32, y + pixel / 32)
                            sum += Double(result[px, py, channel] - source[px, py, channel])
                        }
                        worst = max(worst, abs(sum) / 1024 * 255)
                    }
                }
            }
            return worst
        }
        #expect(farthest(painted) > 8)
        let result = TileAnchor(amount: 1, frame: frame).anchored(painted, to: source, threads: Self.threads)
        #expect(farthest(result) < 0.1, "\(farthest(result)) levels")
        let half = TileAnchor(amount: 0.5, frame: frame).anchored(painted, to: source, threads: Self.threads)
        #expect(farthest(half) > 2 && farthest(half) < farthest(painted))
    }

    private static let size = PixelSize(width: 96, height: 80)

    /// The root of the mean square of what differs, away from the sides.
    private static func apart(_ one: FloatPicture, _ other: FloatPicture) -> Double {
        var sum = 0.0
        for y in 16..<64 {
            for x in 16..<80 {
                for c in 0..<3 { sum += Double(one[x, y, c] - other[x, y, c]) * Double(one[x, y, c] - other[x, y, c]) }
            }
        }
        return (sum / (48 * 64 * 3)).squareRoot()
    }

    @Test("of what was painted only that stays which is finer than the source could show", arguments: [2.0, 4.0])
    func faithful(times: Double) {
        let source = Self.picture(Self.size) { x, y, c in 0.3 + 0.2 * Double((x / 12 + y / 10 + c) % 2) }
        let fidelity = TileFidelity(amount: 1, times: times)
        func held(_ change: (_ x: Int, _ y: Int) -> Double) -> (kept: Double, of: Double) {
            var painted = source
            for y in 0..<Self.size.height {
                for x in 0..<Self.size.width {
                    for c in 0..<3 { painted[x, y, c] += Float(change(x, y)) }
                }
            }
            let result = fidelity.held(painted, to: source, threads: Self.threads)
            return (Self.apart(result, source), Self.apart(painted, source))
        }
        // Waves of twice the period that the source's pixels can hold, and of half of it.
        let period = 2 * times
        let broad = held { x, _ in
            0.1 * (abs((Double(x) / (2 * period)).truncatingRemainder(dividingBy: 1) * 2 - 1) - 0.5)
        }
        #expect(broad.kept < 0.25 * broad.of, "\(broad)")
        let fine = held { x, y in (x / Int(times / 2) + y / Int(times / 2)) % 2 == 0 ? 0.05 : -0.05 }
        #expect(fine.kept > 0.9 * fine.of, "\(fine)")
        let soft = source.smoothed(2, threads: Self.threads)
        #expect(TileFidelity(amount: 0, times: times).held(soft, to: source, threads: Self.threads) == soft)
    }

    @Test("detail of the source that was painted weaker comes back, and stronger detail stays as it was painted")
    func lost() {
        var generator = SeededGenerator(3)
        let source = Self.picture(Self.size) { _, _, _ in 0.5 + Double.random(in: -0.2...0.2, using: &generator) }
        let fidelity = TileFidelity(amount: 1, times: 2)
        var weak = source
        for i in weak.values.indices { weak.values[i] = 0.5 + 0.4 * (weak.values[i] - 0.5) }
        let back = fidelity.held(weak, to: source, threads: Self.threads)
        // Where the filter passes half, half of what is missing is left.
        #expect(Self.apart(back, source) < 0.06 * Self.apart(weak, source), "\(Self.apart(back, source))")
        // A checkerboard is as fine as can be: no part of it could the source have held.
        let strong = Self.picture(Self.size) { x, y, c in
            Double(source[x, y, c]) + ((x + y) % 2 == 0 ? 0.3 : -0.3)
        }
        let stays = fidelity.held(strong, to: source, threads: Self.threads)
        #expect(Self.apart(stays, strong) < 0.02 * Self.apart(strong, source), "\(Self.apart(stays, strong))")
    }
}
