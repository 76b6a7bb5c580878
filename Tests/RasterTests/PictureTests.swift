import Raster
import Testing
import Threads

@Suite("Pictures")
struct PictureTests {
    private let size = PixelSize(width: 7, height: 5)

    @Test("floats and back is nothing", arguments: [8, 16])
    func identity(depth: Int) {
        var noise = Noise(seed: 51)
        for channels in Picture.Channels.allCases {
            let picture = noise.picture(size, channels, depth: depth)
            let floats = picture.floats(threads: Threads(2))
            #expect(floats.picture(depth: depth) == picture)
            #expect(FloatPicture(size: size, channelCount: channels.count, planar: floats.planar()) == floats)
        }
        // Every value, not only those drawn.
        let all = Picture(
            size: PixelSize(width: 256, height: 256), channels: .grey, sixteen: (0...65_535).map { UInt16($0) })
        #expect(all.floats().picture(depth: 16) == all)
        #expect(all.converted(depth: 8).converted(depth: 16).converted(depth: 8) == all.converted(depth: 8))
    }

    @Test("rounding: halves away from zero, clipped, not-a-number is 0")
    func rounding() {
        let values: [Float] = [0.5 / 255, 1.5 / 255, -3, 7, .nan, .infinity]
        let floats = FloatPicture(size: PixelSize(width: 6, height: 1), channelCount: 1, values: values)
        #expect(floats.picture(depth: 8).samples == .eight([1, 2, 0, 255, 0, 255]))
    }

    @Test("grey and colour")
    func channels() {
        let grey = FloatPicture(size: PixelSize(width: 1, height: 1), channelCount: 2, values: [0.25, 0.5])
        #expect(grey.colour().values == [0.25, 0.25, 0.25, 0.5])
        let red = FloatPicture(size: PixelSize(width: 1, height: 1), channelCount: 3, values: [1, 0, 0])
        #expect(red.grey().values == [0.2126])
        #expect(grey.alpha?.values == [0.5])
        #expect(grey.droppingAlpha().with(alpha: red.channel(0)).values == [0.25, 1])
        var noise = Noise(seed: 52)
        let picture = noise.picture(size, .greyAlpha)
        #expect(picture.colour().isGreyInColour)
        #expect(picture.colour().droppingAlpha() == picture.droppingAlpha().colour())
        #expect(picture.hasTransparency && !picture.droppingAlpha().hasTransparency)
    }

    @Test("texts by name")
    func texts() {
        var metadata = PictureMetadata(texts: [.init(keyword: "a", text: "1"), .init(keyword: "b", text: "2")])
        metadata["a"] = "3"
        metadata["c"] = "4"
        metadata["b"] = nil
        #expect(metadata.texts.map(\.keyword) == ["a", "c"] && metadata["a"] == "3" && metadata["b"] == nil)
    }
}

@Suite("Alpha bleed")
struct AlphaBleedTests {
    @Test("transparent pixels take the colours beside them, opaque ones keep theirs")
    func bleed() {
        // Left column opaque red, right column opaque blue, black transparent pixels between.
        let size = PixelSize(width: 33, height: 9)
        var picture = FloatPicture(size: size, colour: [0, 0, 0, 0])
        for y in 0..<9 {
            for (x, channel) in [(0, 0), (32, 2)] {
                picture[x, y, channel] = 1
                picture[x, y, 3] = 1
            }
        }
        let bled = picture.bleedingColours(threads: Threads(1))
        #expect(bled.channelCount == 3)
        for y in 0..<9 {
            #expect(bled[0, y, 0] == 1 && bled[0, y, 2] == 0)
            for x in 0..<33 {
                // No black fringe anywhere, no green from nowhere.
                #expect(bled[x, y, 0] + bled[x, y, 2] > 0.999 && bled[x, y, 1] == 0)
            }
            #expect(bled[2, y, 0] > 0.6 && bled[30, y, 2] > 0.6)
        }
        #expect(picture.bleedingColours(threads: Threads(5)) == bled)
    }

    @Test("nothing opaque, nothing transparent, one pixel")
    func extremes() {
        var noise = Noise(seed: 61)
        let opaque = noise.picture(PixelSize(width: 5, height: 6), .rgb).floats()
        let full = FloatPicture(size: opaque.size, colour: [1])
        #expect(opaque.with(alpha: full).bleedingColours() == opaque)
        let none = FloatPicture(size: opaque.size, colour: [0])
        #expect(opaque.with(alpha: none).bleedingColours() == opaque)
        let one = FloatPicture(size: PixelSize(width: 1, height: 1), channelCount: 4, values: [0.2, 0.4, 0.6, 0.5])
        #expect(one.bleedingColours().values.count == 3)
    }
}
