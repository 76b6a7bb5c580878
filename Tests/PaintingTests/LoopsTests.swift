import Painting
import Raster
import Sampling
import Tensors
import TestKit
import Testing

/// A picture that is painted over and over.
@Suite struct LoopsTests {
    @Test(
        "strength goes to the last loop's along the web UI's curves",
        arguments: [
            (Loops.Curve.linear, ["50", "40", "30", "20"]), (.aggressive, ["50", "35", "24.019238", "20"]),
            (.lazy, ["50", "45.980762", "35", "20"]),
        ])
    func curve(curve: Loops.Curve, expected: [String]) throws {
        let studio = try Studio.identity()
        var settings = Settings()
        settings.loops.count = 4
        settings.loops.last = Skip(strength: "0.8")
        settings.loops.curve = curve
        let refine = Refine(studio, settings, skips: [try #require(Skip(percent: "50"))], seeds: [1])
        let rung = try #require(refine.rungs().first)
        #expect(rung.loops.map { $0.skip.percent(of: 50) } == expected)
        #expect(rung.loops.map(\.plan.steps.count) == rung.loops.map { $0.skip.run(of: 50) })
        #expect(rung.stepCount == rung.loops.reduce(0) { $0 + $1.plan.steps.count })
    }

    @Test("a painter that gives its input back gives the picture back after any number of loops")
    func identity() throws {
        let studio = try Studio.identity()
        var settings = Settings()
        (settings.steps, settings.initialNoiseMultiplier, settings.prediction) = (4, 0, .epsilon)
        settings.loops.count = 3
        var generator = SeededGenerator(4)
        let source = Picture(
            size: PixelSize(width: 45, height: 31), channels: .rgb,
            eight: (0..<45 * 31 * 3).map { _ in .random(in: 0 ... .max, using: &generator) })
        for anchor in [0.0, 1.0] {
            settings.colourAnchor = anchor
            let refine = Refine(studio, settings, skips: [try #require(Skip(percent: "50"))], seeds: [1])
            let canvas = try refine.canvas(source)
            var (result, advanced) = (Picture?.none, 0.0)
            try refine.paint(canvas, advance: { work, _ in advanced += work }, deliver: { result = $1 })
            #expect(result?.samples == source.samples, "anchor \(anchor)")
            #expect(abs(advanced - refine.work(canvas)) < 1e-6 * advanced)
        }
    }

    @Test("each loop has noise of its own: as painting the result again does, which comes after as many passes")
    func passes() throws {
        let studio = try Studio(model: "miniature", on: try Engine())
        var settings = Settings()
        (settings.steps, settings.seed) = (4, 9)
        let half = try #require(Skip(percent: "50"))
        let source = Picture(
            size: PixelSize(width: 32, height: 32), channels: .rgb,
            sixteen: (0..<32 * 32 * 3).map { UInt16($0 * 97 % 65_536) })
        func painted(_ picture: Picture, _ loops: Int, history: Int) throws -> Picture {
            settings.loops.count = loops
            let refine = Refine(studio, settings, skips: [half], seeds: [9])
            var result: Picture?
            try refine.paint(
                try refine.canvas(picture), history: history, advance: { _, _ in }, deliver: { result = $1 })
            return try #require(result)
        }
        let twice = try painted(source, 2, history: 0)
        let apart = try painted(try painted(source, 1, history: 0), 1, history: 1)
        let same = try painted(try painted(source, 1, history: 0), 1, history: 0)
        // Sixteen bits lie between, and rounded matrix products: some parts in a thousand.
        #expect(Self.difference(twice, apart) < 0.01)
        #expect(Self.difference(twice, same) > 0.03)
    }

    private static func difference(_ a: Picture, _ b: Picture) -> Double {
        let (a, b) = (a.floats().values, b.floats().values)
        return zip(a, b).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) } / Double(a.count)
    }
}
