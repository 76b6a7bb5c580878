import Raster
import TestKit
import Testing
import Threads

@Suite struct MaskTests {
    @Test("distances are those of trying every pair", arguments: [(1, 1), (7, 1), (1, 9), (23, 17), (40, 33)])
    func distancesAgree(width: Int, height: Int) {
        var generator = SeededGenerator(UInt64(width * 100 + height))
        let size = PixelSize(width: width, height: height)
        for share in [0.02, 0.3, 0.9] {
            let members = (0..<size.area).map { _ in Double.random(in: 0..<1, using: &generator) < share }
            let found = distances(in: size, threads: Threads(2)) { members[$0] }
            for pixel in 0..<size.area {
                let nearest = members.indices.filter { members[$0] }.map { other in
                    let (x, y) = (pixel % width - other % width, pixel / width - other / width)
                    return x * x + y * y
                }.min()
                // Squares are whole numbers, so the root is rounded once.
                #expect(found[pixel] == nearest.map { Float(Double($0).squareRoot()) } ?? .infinity)
            }
        }
    }

    @Test("a mask is exactly black only where its picture is black or wholly transparent")
    func black() {
        let size = PixelSize(width: 3, height: 1)
        let mask = Mask(Picture(size: size, channels: .rgb, sixteen: [0, 0, 0, 0, 0, 1, 65_535, 65_535, 65_535]))
        #expect(mask.values[0] == 0 && mask.values[1] > 0)
        #expect(abs(mask.values[2] - 1) < 1e-6)
        #expect(Mask(Picture(size: size, channels: .grey, eight: [0, 128, 255])).values == [0, 128 / 255, 1])
        let clear = Mask(Picture(size: size, channels: .greyAlpha, eight: [255, 0, 255, 255, 0, 255]))
        #expect(clear.values == [0, 1, 0])
    }

    @Test("stretching, cropping and turning bring a mask to its picture's size")
    func fits() throws {
        let mask = Mask(size: PixelSize(width: 4, height: 2), values: [0, 0, 1, 1, 0, 0, 1, 0.5])
        #expect(mask.fitted(to: mask.size, nil) == mask)
        #expect(mask.fitted(to: PixelSize(width: 2, height: 4), nil) == nil)
        // What was the lower left corner is the upper left one.
        let turned = try #require(mask.fitted(to: PixelSize(width: 2, height: 4), .rotate))
        #expect(turned.values == [0, 0, 0, 0, 1, 1, 0.5, 1])
        #expect(mask.fitted(to: PixelSize(width: 3, height: 4), .rotate) == nil)

        let stretched = try #require(mask.fitted(to: PixelSize(width: 40, height: 10), .stretch))
        #expect(stretched.values[0] == 0 && stretched.values[14] == 0 && stretched.values[30] == 1)
        // A square out of the middle: half of it is black.
        let cropped = try #require(mask.fitted(to: PixelSize(width: 20, height: 20), .crop))
        #expect(cropped.values[0] == 0 && cropped.values[19] == 1)
        #expect(cropped.values.allSatisfy { (0...1).contains($0) })
    }

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
