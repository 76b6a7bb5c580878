import Raster
import Testing

private func size(_ width: Int, _ height: Int) -> PixelSize { PixelSize(width: width, height: height) }

@Suite("Fitting")
struct FitPlanTests {
    @Test(
        "the size that is taken by itself",
        arguments: [
            // Proportions that can be held are held, and nothing is cut.
            (size(1000, 800), 64, size(960, 768)), (size(512, 512), 64, size(512, 512)),
            (size(96, 96), 64, size(128, 128)),
            // Otherwise the nearest multiples, never those below.
            (size(767, 512), 64, size(768, 512)), (size(1600, 1200), 64, size(1600, 1216)),
            (size(767, 767), 64, size(768, 768)),
            (size(512, 767), 64, size(512, 768)), (size(767, 90), 64, size(768, 64)),
            (size(767, 545), 64, size(768, 576)), (size(451, 300), 64, size(448, 320)),
            (size(1920, 1080), 64, size(1920, 1088)), (size(1920, 1080), 8, size(1920, 1080)),
            // At least one multiple.
            (size(1, 1), 64, size(64, 64)), (size(10_000, 3), 64, size(9984, 64)),
            (size(3, 10_000), 16, size(16, 10_000)),
        ])
    func chosen(source: PixelSize, multiple: Int, target: PixelSize) throws {
        #expect(try FitPlan(source: source, options: .init(multiple: multiple)).target == target)
    }

    @Test("a side just under a multiple never falls to the one below")
    func neverBelow() throws {
        for other in stride(from: 64, through: 2000, by: 13) {
            #expect(try FitPlan(source: size(767, other)).target.width == 768)
            #expect(try FitPlan(source: size(other, 767)).target.height == 768)
        }
    }

    @Test("the list holds exact sizes first, errors and the choice")
    func list() throws {
        let list = try FitPlan.candidates(source: size(1000, 800))
        #expect(list.first?.size == size(960, 768))
        #expect(list.first?.isExact == true && list.first?.isChosen == true && list.first?.aspectError == 0)
        #expect(list.contains { $0.size == size(1024, 832) })
        #expect(list.count == 12 && list.filter(\.isChosen).count == 1)
        for (one, two) in zip(list, list.dropFirst()) { #expect(one.aspectError <= two.aspectError) }
        for one in list { #expect(one.size.width % 64 == 0 && one.size.height % 64 == 0) }
        for source in [size(1, 1), size(100_000, 1), size(1, 5000), size(65, 63)] {
            for multiple in [8, 16, 64] {
                let list = try FitPlan.candidates(source: source, options: .init(multiple: multiple))
                #expect(list.filter(\.isChosen).count == 1, "\(source)")
            }
        }
    }

    @Test("one line tells the plan")
    func description() throws {
        #expect(
            try FitPlan(source: size(451, 300)).description
                == "451×300 → scale 481×320 → crop 448×320 at 16,0 → 448×320")
        #expect(
            try FitPlan(source: size(451, 300), options: .init(mode: .pad)).description
                == "451×300 → scale 448×298 → pad 0 left, 0 right, 11 top, 11 bottom → 448×320")
        #expect(
            try FitPlan(source: size(451, 300), options: .init(mode: .stretch)).description
                == "451×300 → scale 448×320 → 448×320")
        #expect(try FitPlan(source: size(512, 768)).description == "512×768 fits as it is")
    }

    @Test("every plan ends in its target and keeps proportions within a pixel", arguments: FitMode.allCases)
    func properties(mode: FitMode) throws {
        var noise = Noise(seed: 21)
        for _ in 0..<300 {
            let source = size(1 + Int(noise.next() % 900), 1 + Int(noise.next() % 900))
            let multiple = [8, 16, 64][Int(noise.next() % 3)]
            let plan = try FitPlan(source: source, options: .init(mode: mode, multiple: multiple))
            #expect(plan.padding.around(plan.crop.size) == plan.target)
            #expect(plan.crop.fits(in: plan.scaled))
            #expect(plan.target.width % multiple == 0 && plan.target.height % multiple == 0)
            if mode == .stretch { continue }
            let scale = Double(plan.scaled.width) / Double(source.width)
            let other = Double(plan.scaled.height) / Double(source.height)
            let side = Double(max(source.width, source.height))
            #expect(abs(scale - other) * side < 1.01 * max(1, side / Double(min(source.width, source.height))))
        }
    }

    @Test("a crop shows the middle, a pad mirrors, a stretch shows all")
    func pixels() throws {
        let source = Picture(size: size(4, 2), channels: .grey, eight: [10, 20, 30, 40, 50, 60, 70, 80])
        let options = { (mode: FitMode, target: PixelSize) in FitOptions(mode: mode, goal: .size(target)) }
        let crop = try FitPlan(source: source.size, options: options(.crop, size(2, 2))).apply(to: source)
        #expect(crop.samples == .eight([20, 30, 60, 70]))
        let pad = try FitPlan(source: source.size, options: options(.pad, size(4, 5))).apply(to: source)
        #expect(
            pad.samples == .eight([50, 60, 70, 80, 10, 20, 30, 40, 50, 60, 70, 80, 10, 20, 30, 40, 50, 60, 70, 80]))
        for mode in FitMode.allCases {
            for target in [size(3, 7), size(64, 1), size(1, 64)] {
                #expect(
                    try FitPlan(source: source.size, options: options(mode, target)).apply(to: source).size == target)
            }
        }
    }

    @Test("a very long picture is cut without being enlarged whole")
    func long() throws {
        let source = Picture(size: size(2, 20_000), channels: .rgb, eight: .init(repeating: 7, count: 120_000))
        let plan = try FitPlan(source: source.size)
        #expect(plan.scaled == size(64, 640_000))
        #expect(plan.apply(to: source).size == size(64, 20_032))
    }

    @Test("goals: a size, proportions, a limit")
    func goals() throws {
        let source = size(1000, 800)
        #expect(try FitPlan(source: source, options: .init(goal: .size(size(333, 77)))).target == size(333, 77))
        let wide = try FitPlan(source: source, options: .init(goal: .aspect(width: 16, height: 9))).target
        #expect(
            wide == size(1216, 640) || wide == size(1216, 704) || wide == size(1152, 640) || wide == size(1152, 704))
        for limit in [64 * 64, 100_000, 262_144, 500_000, 799_999] {
            let target = try FitPlan(source: source, options: .init(goal: .maxPixels(limit))).target
            #expect(target.area <= limit)
            #expect(limit == 4096 || Double(target.area) > Double(limit) * 0.6)
        }
        // A picture below the limit is not enlarged to it.
        #expect(try FitPlan(source: size(512, 512), options: .init(goal: .maxPixels(1 << 22))).target == size(512, 512))
        #expect(
            try FitPlan(source: size(30_000, 20), options: .init(goal: .maxPixels(64 * 64 * 10))).target
                == size(640, 64))
    }

    @Test("what cannot be is refused with the mend")
    func errors() {
        let source = size(100, 100)
        let expectations: [(FitOptions, FitError, String)] = [
            (
                .init(goal: .maxPixels(4095)), .limitBelowMultiple(maxPixels: 4095, multiple: 64),
                "At most 4095 pixels are allowed and the smallest size is 64×64. Allow 4096, or choose a smaller multiple."
            ),
            (
                .init(multiple: 0), .badMultiple(0),
                "The multiple is 0 and must be 1 to 65536. Models need 8, 16 or 64."
            ),
            (
                .init(goal: .aspect(width: 0, height: 2)), .badAspect(width: 0, height: 2),
                "The aspect 0:2 is no proportion. Give two numbers of at least 1, such as 3:2."
            ),
            (
                .init(goal: .size(size(0, 5))), .emptySize(size(0, 5)),
                "The size 0×5 has no pixels. Give both sides at least 1."
            ),
        ]
        for (options, error, line) in expectations {
            #expect(throws: error) { try FitPlan(source: source, options: options) }
            #expect(error.description == line)
        }
    }
}
