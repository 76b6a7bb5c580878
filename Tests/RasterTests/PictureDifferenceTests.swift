import Raster
import Testing

@Suite struct PictureDifferenceTests {
    @Test("differences are counted, boxed and measured at the first picture's depth")
    func differences() {
        let size = PixelSize(width: 5, height: 4)
        let before = Picture(size: size, channels: .rgb, eight: (0..<60).map { UInt8($0 * 4) })
        var samples = (0..<60).map { UInt8($0 * 4) }
        samples[(1 * 5 + 2) * 3] += 7
        samples[(3 * 5 + 1) * 3 + 2] -= 9
        let after = Picture(size: size, channels: .rgb, eight: samples)
        let found = PictureDifference(before, after)
        #expect(found.compared == 20 && found.count == 2 && found.largest == 9)
        #expect(found.box == Rectangle(x: 1, y: 1, width: 2, height: 3))
        let tolerant = PictureDifference(before, after, tolerance: 8)
        #expect(tolerant.count == 1 && tolerant.box == Rectangle(x: 1, y: 3, width: 1, height: 1))
        #expect(PictureDifference(before, after) { $0 != 7 }.count == 1)
        #expect(PictureDifference(before.converted(depth: 16), after).largest == 9 * 257)
        #expect(PictureDifference(before, before.converted(depth: 16)).largest == 0)
    }

    @Test("a picture without alpha counts as opaque, and grey as colour")
    func channels() {
        let size = PixelSize(width: 2, height: 1)
        let grey = Picture(size: size, channels: .grey, eight: [10, 20])
        let colour = Picture(size: size, channels: .rgba, eight: [10, 10, 10, 255, 20, 20, 20, 254])
        let found = PictureDifference(grey, colour)
        #expect(found.count == 1 && found.box?.x == 1 && found.largest == 1)
    }
}
