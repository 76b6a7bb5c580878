import Raster
import Testing

private func size(_ width: Int, _ height: Int) -> PixelSize { PixelSize(width: width, height: height) }

@Suite("Working size")
struct WorkingPlanTests {
    @Test("within the good area a picture keeps its size and is padded at the right and bottom")
    func padded() throws {
        let plan = try WorkingPlan(source: size(451, 300), multiple: 64, goodArea: 768 * 768)
        #expect(plan.working == size(512, 320) && !plan.isScaled && plan.warning == nil)
        #expect(plan.padding == Margins(right: 61, bottom: 20))
        var noise = Noise(seed: 31)
        let picture = noise.picture(size(451, 300), .rgb).floats()
        let working = plan.prepare(picture)
        #expect(working.size == plan.working)
        #expect(working[451, 0, 0] == picture[449, 0, 0])
        #expect(plan.restore(working) == picture)
    }

    @Test("above it the picture is reduced, enlarged again, and both sizes are told")
    func reduced() throws {
        let plan = try WorkingPlan(source: size(4000, 3000), multiple: 64, goodArea: 1024 * 1024)
        #expect(plan.isScaled && plan.working.area <= 1024 * 1024 && plan.working.area > 900_000)
        #expect(plan.warning?.contains("4000×3000") == true)
        #expect(plan.warning?.contains("\(plan.working)") == true)
        #expect(plan.warning?.contains("--work-size source") == true)
        let small = try WorkingPlan(source: size(100, 80), multiple: 8, goodArea: 64 * 64)
        let grey = FloatPicture(size: size(100, 80), colour: [0.5])
        let back = small.restore(small.prepare(grey))
        #expect(back.size == size(100, 80))
        #expect(back.values.allSatisfy { abs($0 - 0.5) < 1e-5 })
    }

    @Test("the source's own size, and a size that is asked for")
    func asked() throws {
        let own = try WorkingPlan(source: size(3001, 2000), multiple: 64)
        #expect(own.working == size(3008, 2048) && own.warning == nil)
        let asked = try WorkingPlan(source: size(3000, 2000), multiple: 64, size: size(700, 500))
        #expect(asked.working == size(704, 512) && asked.isScaled)
    }

    @Test("one pixel, long and thin")
    func extremes() throws {
        for source in [size(1, 1), size(100_000, 1), size(1, 3000)] {
            let plan = try WorkingPlan(source: source, multiple: 64, goodArea: 768 * 768)
            let picture = FloatPicture(size: source, colour: [0.25, 0.5, 0.75])
            #expect(plan.restore(plan.prepare(picture)).size == source)
        }
        #expect(throws: FitError.limitBelowMultiple(maxPixels: 100, multiple: 64)) {
            try WorkingPlan(source: size(9, 9), multiple: 64, goodArea: 100)
        }
    }
}
