import Raster
import Testing
import Threads

@Suite("Resampling")
struct ResamplingTests {
    @Test("every filter, mode and size equals Pillow's")
    func pillow() throws {
        let golden = try GoldenResampling()
        #expect(golden.cases.count == 320)
        for one in golden.cases {
            let from = PixelSize(width: one.from[0], height: one.from[1])
            let to = PixelSize(width: one.to[0], height: one.to[1])
            let filter = try #require(ResamplingFilter(rawValue: one.filter))
            if one.mode == "F" {
                let source = FloatPicture(size: from, channelCount: 1, values: try golden.floats(one.name + "/source"))
                let result = source.resized(to: to, filter: filter, threads: Threads(2))
                let expected = try golden.floats(one.name + "/output")
                #expect(expected.count == result.values.count)
                let worst = zip(result.values, expected).map { abs($0 - $1) }.max() ?? .infinity
                #expect(worst <= 1e-5, "\(one.name): \(worst)")
                continue
            }
            let channels = try #require(["L": Picture.Channels.grey, "RGB": .rgb, "RGBA": .rgba][one.mode])
            let source = Picture(size: from, channels: channels, eight: try golden.bytes(one.name + "/source"))
            let result = source.resized(to: to, filter: filter, threads: Threads(2))
            let expected = try golden.bytes(one.name + "/output")
            let reference = Picture(size: to, channels: channels, eight: expected)
            // The integer path is Pillow's own arithmetic, alpha included, so nothing may differ at all.
            let worst = result.largestDifference(to: reference)
            #expect(worst == 0, "\(one.name)")
        }
    }

    @Test("the number of threads changes nothing")
    func threadCount() {
        var noise = Noise(seed: 3)
        let bytes = Picture(
            size: PixelSize(width: 211, height: 307), channels: .rgba, eight: noise.bytes(211 * 307 * 4))
        let words = bytes.converted(depth: 16)
        let floats = bytes.floats()
        for target in [PixelSize(width: 500, height: 100), PixelSize(width: 90, height: 600)] {
            #expect(bytes.resized(to: target, threads: Threads(1)) == bytes.resized(to: target, threads: Threads(7)))
            #expect(words.resized(to: target, threads: Threads(1)) == words.resized(to: target, threads: Threads(7)))
            #expect(floats.resized(to: target, threads: Threads(1)) == floats.resized(to: target, threads: Threads(7)))
        }
    }

    @Test("16 bits agree with 8 bits within a level", arguments: ResamplingFilter.allCases)
    func depths(filter: ResamplingFilter) {
        var noise = Noise(seed: 9)
        // Smooth enough that the 8-bit path's clipping between its passes does not show.
        let small = Picture(
            size: PixelSize(width: 9, height: 7), channels: .rgb, eight: noise.bytes(9 * 7 * 3, 60...200))
        let source = small.resized(to: PixelSize(width: 60, height: 41), filter: .bilinear)
        for target in [PixelSize(width: 31, height: 90), PixelSize(width: 97, height: 13)] {
            let narrow = source.resized(to: target, filter: filter)
            let wide = source.converted(depth: 16).resized(to: target, filter: filter).converted(depth: 8)
            #expect(narrow.largestDifference(to: wide) <= 1)
        }
    }

    @Test("hidden colours do not bleed into visible pixels", arguments: [8, 16])
    func alpha(depth: Int) {
        // Left half opaque red, right half transparent green.
        let row: [UInt8] = (0..<8).flatMap { $0 < 4 ? [255, 0, 0, 255] : [0, 255, 0, 0] }
        let source = Picture(size: PixelSize(width: 8, height: 1), channels: .rgba, eight: row).converted(depth: depth)
        let result = source.resized(to: PixelSize(width: 5, height: 1), filter: .bilinear)
        for x in 0..<5 { #expect(result[x, 0, 1] == 0) }
    }

    @Test("a box shows what resizing and then cutting shows")
    func box() {
        var noise = Noise(seed: 5)
        let source = FloatPicture(
            size: PixelSize(width: 40, height: 30), channelCount: 3, values: noise.bytes(3600).map { Float($0) / 255 })
        let whole = source.resized(to: PixelSize(width: 80, height: 45))
        let part = source.resized(
            to: PixelSize(width: 20, height: 15), box: ResamplingBox(left: 15, top: 10, width: 10, height: 10))
        let cut = whole.cropped(to: Rectangle(x: 30, y: 15, width: 20, height: 15))
        #expect(zip(part.values, cut.values).allSatisfy { abs($0 - $1) < 1e-5 })
    }
}
