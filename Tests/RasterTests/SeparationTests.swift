import Foundation
import Raster
import TestKit
import Testing

/// Against `Tests/Golden/separation`, written by `Tools/golden/separation.py`.
@Suite("Separations")
struct SeparationTests {
    private struct Expected: Decodable {
        var colours, inks, ideal: [UInt8]
    }

    private static func url(_ name: String) -> URL { URL(fileURLWithPath: Golden.path("separation/" + name)) }

    private static func inks(_ isIdeal: Bool) throws -> Inks {
        try Inks(isIdeal ? nil : [UInt8](Data(contentsOf: url("press.icc"))), depth: 16)
    }

    private static func wide(_ values: [UInt8]) -> [UInt16] { values.map { UInt16($0) * 257 } }

    /// What inks are seen as, 16 bits.
    private static func seen(_ values: [UInt16], _ inks: Inks) -> [UInt16] {
        let picture = Picture(size: PixelSize(width: values.count / 4, height: 1), channels: .inks, sixteen: values)
        guard case .sixteen(let colours) = inks.seen(picture).samples else { return [] }
        return colours
    }

    private static func apart(_ one: ArraySlice<UInt16>, _ other: ArraySlice<UInt16>) -> Double {
        zip(one, other).map { abs(Double($0) - Double($1)) / 257 }.max() ?? .infinity
    }

    @Test(
        "colours become the inks that Little CMS makes of them, and ideal ones by their formula",
        arguments: [false, true])
    func made(isIdeal: Bool) throws {
        let expected = try JSONDecoder().decode(Expected.self, from: Data(contentsOf: Self.url("expected.json")))
        let made = try Separation(try Self.inks(isIdeal)).made(Self.wide(expected.colours))
        let wanted = isIdeal ? expected.ideal : expected.inks
        let worst = zip(made, wanted).map { abs(Double($0) / 257 - Double($1)) }.max() ?? .infinity
        // Both round, theirs once more to eight bits.
        #expect(worst <= (isIdeal ? 0.51 : 2), "\(worst)")
        let other = zip(made, isIdeal ? expected.inks : expected.ideal).map { abs(Double($0) / 257 - Double($1)) }.max()
        #expect(other ?? 0 > 40, "not because both are the same")
    }

    /// Mixtures of every kind, most of which the press would not have made.
    private static let mixtures: [UInt16] = {
        var noise = Noise(seed: 11)
        let random = noise.picture(PixelSize(width: 150, height: 1), .rgba, depth: 16).values.map { UInt16($0) }
        return random + [0, 0, 0, 65_535, 0, 0, 0, 30_000, 65_535, 65_535, 65_535, 65_535, 65_535, 0, 0, 0, 0, 0, 0, 0]
    }()

    @Test("inks whose colour did not change stay to the bit", arguments: [false, true])
    func kept(isIdeal: Bool) throws {
        let inks = try Self.inks(isIdeal)
        let seen = Self.seen(Self.mixtures, inks)
        #expect(try Separation(inks).made(seen, over: Self.mixtures, seen: seen) == Self.mixtures)
        #expect(try Separation(inks).made(seen) != Self.mixtures)
    }

    @Test("far from the old colour inks are the press's own")
    func far() throws {
        let inks = try Self.inks(false)
        let separation = try Separation(inks)
        let seen = Self.seen(Self.mixtures, inks)
        let other = seen.map { $0 < 32_768 ? $0 + 9000 : $0 - 9000 }
        #expect(separation.made(other, over: Self.mixtures, seen: seen) == separation.made(other))
    }

    @Test(
        "a colour that moves away takes its inks along without a jump, and is seen as it should be",
        arguments: [false, true])
    func near(isIdeal: Bool) throws {
        let inks = try Self.inks(isIdeal)
        let separation = try Separation(inks)
        let seen = Self.seen(Self.mixtures, inks)
        let count = seen.count / 3
        var (before, jumps, off): ([UInt16], [Double], [Double]) = (Self.mixtures, [], [])
        for step in 1...40 {
            // A level at a time, towards the middle of grey, where every press has room.
            let colours = seen.map { value in
                let (now, goal) = (Int(value), 30_000)
                return UInt16(now < goal ? min(goal, now + step * 257) : max(goal, now - step * 257))
            }
            let made = separation.made(colours, over: Self.mixtures, seen: seen)
            let shown = Self.seen(made, inks)
            for pixel in 0..<count {
                let place = pixel * 4..<pixel * 4 + 4
                // Of ideal inks the last levels of black look alike, whatever they are mixed from.
                let isBlack = isIdeal && (seen[pixel * 3..<pixel * 3 + 3].max() ?? 0) < 12 * 257
                // Over 32 steps all of a mixture may become another one: 255 levels and what the colour itself asks for.
                if !isBlack { jumps.append(Self.apart(made[place], before[place])) }
                off.append(Self.apart(shown[pixel * 3..<pixel * 3 + 3], colours[pixel * 3..<pixel * 3 + 3]))
            }
            before = made
        }
        off.sort()
        jumps.sort()
        // A steep place of a press's table may move an ink by more in one level.
        #expect(jumps[jumps.count * 99 / 100] < 24 && (jumps.last ?? 0) < 110, "\(jumps.suffix(9))")
        // Where a press has the colour; beyond what it has, and in the last levels of black, it is as near as can be.
        #expect(off[off.count * 8 / 10] < 1.5, "\(off[off.count * 8 / 10])")
    }
}
