import Raster
import Testing

@Suite("Reflection")
struct ReflectionTests {
    @Test("as numpy's reflect, wider than the picture too")
    func numpy() {
        // np.pad([0, 1, 2], (7, 5), "reflect")
        let row = Picture(size: PixelSize(width: 3, height: 1), channels: .grey, eight: [0, 1, 2])
        let padded = row.padded(by: Margins(left: 7, right: 5, top: 2))
        let expected: [UInt8] = [1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1]
        #expect(padded.size == PixelSize(width: 15, height: 3))
        #expect(padded.samples == .eight(expected + expected + expected))
    }

    @Test("one pixel is mirrored to itself")
    func single() {
        let one = Picture(size: PixelSize(width: 1, height: 1), channels: .rgb, sixteen: [1, 2, 3])
        let padded = one.padded(by: Margins(left: 2, right: 1, top: 0, bottom: 3))
        #expect(padded.samples == .sixteen(Array(repeating: [1, 2, 3], count: 16).flatMap { $0 }))
    }

    @Test("padding and cutting is nothing")
    func inverse() {
        var noise = Noise(seed: 41)
        for channels in Picture.Channels.allCases {
            let picture = noise.picture(PixelSize(width: 5, height: 4), channels)
            let padded = picture.padded(by: Margins(left: 9, right: 2, top: 6, bottom: 11))
            #expect(padded.cropped(to: Rectangle(x: 9, y: 6, width: 5, height: 4)) == picture)
            let floats = picture.floats().padded(by: Margins(left: 9, right: 2, top: 6, bottom: 11))
            #expect(floats.picture(depth: 8) == padded)
        }
    }
}
