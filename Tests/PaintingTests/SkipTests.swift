import Painting
import Testing

@Suite struct SkipTests {
    @Test(
        "steps that run are counted in exact decimals",
        arguments: [
            ("60", 50, 20), ("40", 50, 30), ("50", 50, 25), ("0", 50, 50), ("100", 50, 0), ("99", 50, 1),
            ("99.999999", 50, 1),
            ("37.5", 8, 5), ("33.333333", 3, 2), ("33.4", 3, 1), ("70", 10, 3), ("90", 10, 1), ("10", 10, 9),
            ("58", 50, 21),
        ])
    func run(percent: String, steps: Int, expected: Int) throws {
        #expect(try #require(Skip(percent: percent)).run(of: steps) == expected)
    }

    @Test("strength says the same the other way round, without rounding", arguments: 0...100)
    func strength(percent: Int) throws {
        let strength =
            percent == 100 ? "0" : percent == 0 ? "1" : "0." + (100 - percent < 10 ? "0" : "") + "\(100 - percent)"
        let (a, b) = (try #require(Skip(percent: "\(percent)")), try #require(Skip(strength: strength)))
        for steps in [1, 7, 10, 20, 50, 1000] { #expect(a.run(of: steps) == b.run(of: steps)) }
        #expect(b.percent(of: 50) == "\(percent)")
    }

    @Test("steps left out say it too")
    func steps() {
        #expect(Skip(steps: 30).run(of: 50) == 20)
        #expect(Skip(steps: 30).percent(of: 50) == "60")
        #expect(Skip(steps: 50).run(of: 50) == 0)
        #expect(Skip(steps: 1).percent(of: 3) == "33.333333")
    }

    @Test(
        "what is no percentage is refused",
        arguments: [
            "", "101", "-1", "abc", "50%", "1e1", "50.1234567", "nan", ".", "100.000001", "٥٠", "99999999999999999999",
        ])
    func refused(text: String) {
        #expect(Skip(percent: text) == nil)
    }

    @Test("rungs that would run the same steps are refused, both named")
    func twins() throws {
        let skips = try ["40", "50", "51"].map { try #require(Skip(percent: $0)) }
        try Refine.checkRungs(skips, steps: 100)
        #expect(
            throws: PaintingError.usage(
                "Skip 40 and skip 50 both run the same last 1 of 2 steps. Leave one out, or raise --steps.")
        ) {
            try Refine.checkRungs(skips, steps: 2)
        }
        #expect(throws: PaintingError.usage("Skip 100 and skip 100 both run nothing. Leave one out, or raise --steps."))
        {
            try Refine.checkRungs([try #require(Skip(percent: "100")), Skip(steps: 50)], steps: 50)
        }
    }
}
