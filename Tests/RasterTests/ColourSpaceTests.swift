import Foundation
import Raster
import TestKit
import Testing

@Suite("Colour spaces")
struct ColourSpaceTests {
    static let all = ["p3", "adobe", "table-curve", "scanner", "grey"]

    private func sixteen(_ name: String, _ count: Int = 999) throws -> Picture {
        var noise = Noise(seed: 9)
        var picture = noise.picture(PixelSize(width: count, height: 1), name == "grey" ? .grey : .rgb, depth: 16)
        picture.metadata.profile = try GoldenColours.profile(name)
        return picture
    }

    @Test("what profiles say is what Little CMS makes of them", arguments: all)
    func shown(name: String) throws {
        let (picture, expected) = try GoldenColours().picture(name)
        let read = ColourSpace.read(picture.metadata, picture.channels)
        #expect(read.fault == nil && !read.space.isPlain)
        let shown = ColourSpace.shown(picture)
        #expect(shown.channels == .rgb && shown.metadata == PictureMetadata())
        let grey = name == "grey" ? expected.flatMap { [$0, $0, $0] } : expected
        // Eight bits are rounded once here and more than once there.
        #expect(shown.worst(grey) <= 1, "\(shown.worst(grey))")
        // Not because nothing was done.
        #expect(picture.colour().worst(grey) > 8)
    }

    @Test("light leads back to the values it came from", arguments: all)
    func back(name: String) throws {
        let picture = try sixteen(name)
        let space = ColourSpace(picture)
        let light = space.toLight(picture.floats())
        let made = space.fromLight(light).picture(depth: 16)
        let worst = zip(made.values, picture.values).map { abs($0 - $1) }.max() ?? .max
        // A table's way back is looked for until it is nearer than a third of a step of eight bits; and where a curve of 512
        // points begins flat, several values are as dark.
        #expect(worst <= (name == "scanner" || name == "table-curve" ? 90 : 1), "\(worst)")
    }

    @Test("where a painter changed nothing, nothing changes", arguments: all)
    func carriedUnchanged(name: String) throws {
        let picture = try sixteen(name)
        let (space, own) = (ColourSpace(picture), picture.floats())
        let seen = space.seen(own)
        #expect(seen != own && seen.values.allSatisfy { (0...1).contains($0) })
        #expect(space.carried(seen, over: own, seen: seen).picture(depth: 16).samples == picture.samples)
    }

    @Test("what lay outside sRGB is carried over, and light changes by what was painted")
    func carried() throws {
        let metadata = PictureMetadata(profile: try GoldenColours.profile("p3"))
        let red = Picture(
            size: PixelSize(width: 1, height: 1), channels: .rgb, sixteen: [60_000, 4_000, 5_000], metadata: metadata)
        let (space, own) = (ColourSpace(red), red.floats())
        let (seen, light) = (space.seen(own), space.toLight(own))
        #expect(light.values[0] > 1 || light.values[1] < 0, "the colour lies outside sRGB")
        var painted = seen
        painted.values[0] -= 0.05
        let result = space.toLight(space.carried(painted, over: own, seen: seen))
        for channel in 0..<3 {
            let change = linearLight(painted.values[channel]) - linearLight(seen.values[channel])
            #expect(abs(result.values[channel] - light.values[channel] - change) < 1e-4)
        }
    }

    @Test("an sRGB picture is left as it is, whatever way it says so")
    func plain() throws {
        var noise = Noise(seed: 3)
        var picture = noise.picture(PixelSize(width: 40, height: 5), .rgba)
        let srgb = ColourChunk(name: "sRGB", bytes: [0])
        let gamma = ColourChunk(name: "gAMA", bytes: [0, 0, 0xB1, 0x8F])
        let coding = ColourChunk(name: "cICP", bytes: [1, 13, 0, 1])
        for chunks in [[], [srgb], [gamma], [srgb, gamma], [coding]] {
            picture.metadata.colourChunks = chunks
            let space = ColourSpace(picture)
            #expect(space.isPlain, "\(chunks)")
            #expect(space.seen(picture.floats()) == picture.floats())
        }
    }

    @Test("a table leads back from colours that it does not have to near ones")
    func outside() throws {
        let space = ColourSpace(try sixteen("scanner"))
        let light = FloatPicture(size: PixelSize(width: 2, height: 1), channelCount: 3, values: [-2, 3, 0, 0, 0, 5])
        let made = space.fromLight(light)
        #expect(made.values.allSatisfy { (0...1).contains($0) })
        #expect(made.values[1] > 0.9 && made.values[5] > 0.9)
    }

    @Test("mixing is of light, along the space's own curve")
    func mixing() throws {
        let space = ColourSpace(try sixteen("adobe"))
        let mixed = Double(space.mixed(0.2, 0.9, share: 0.5, channel: 1))
        let gamma = 563.0 / 256
        #expect(abs(pow(mixed, gamma) - (pow(0.2, gamma) + pow(0.9, gamma)) / 2) < 1e-4)
        #expect(
            space.mixed(0.2, 0.9, share: 0, channel: 0) == 0.2
                || abs(space.mixed(0.2, 0.9, share: 0, channel: 0) - 0.2) < 1e-6)
    }
}

@Suite("What a file says of its colours")
struct ColourWordsTests {
    private func chunk(_ name: String, _ numbers: [Int]) -> ColourChunk {
        ColourChunk(
            name: name, bytes: numbers.flatMap { number in (0..<4).map { UInt8(number >> (24 - 8 * $0) & 255) } })
    }

    private func shown(_ chunks: [ColourChunk], profile: [UInt8]? = nil, like name: String) throws -> (
        worst: Int, fault: ColourFault?
    ) {
        var (picture, expected) = try GoldenColours().picture(name)
        picture.metadata = PictureMetadata(profile: profile, colourChunks: chunks)
        return (
            ColourSpace.shown(picture).worst(expected),
            ColourSpace.read(picture.metadata, picture.channels).fault
        )
    }

    private let displayP3 = ColourChunk(name: "cICP", bytes: [12, 13, 0, 1])
    private let adobe = [31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000]

    @Test("cICP, and gAMA with cHRM, mean what the profile of the same numbers means")
    func numbers() throws {
        #expect(try shown([displayP3], like: "p3").worst <= 1)
        #expect(try shown([chunk("gAMA", [45_471]), chunk("cHRM", adobe)], like: "adobe").worst <= 1)
    }

    @Test("cICP goes before the profile, the profile before sRGB, sRGB before gAMA and cHRM")
    func order() throws {
        let other = try GoldenColours.profile("table-curve")
        let adobeNumbers = [chunk("gAMA", [45_471]), chunk("cHRM", adobe)]
        let srgb = ColourChunk(name: "sRGB", bytes: [1])
        #expect(try shown([displayP3, srgb] + adobeNumbers, profile: other, like: "p3").worst <= 1)
        #expect(try shown([srgb] + adobeNumbers, profile: other, like: "table-curve").worst <= 1)
        #expect(ColourSpace.read(.init(colourChunks: [srgb] + adobeNumbers), .rgb).space.isPlain)
    }

    @Test(
        "code points of cICP that are not known are told and passed over",
        arguments: [[12, 18, 0, 1], [12, 13, 0, 0], [12, 13, 5, 1], [99, 13, 0, 1], [12]] as [[UInt8]])
    func unknown(numbers: [UInt8]) throws {
        let found = try shown(
            [ColourChunk(name: "cICP", bytes: numbers)], profile: try GoldenColours.profile("adobe"), like: "adobe")
        #expect(found.worst <= 1)
        #expect(found.fault == .unknownCoding(numbers))
    }

    @Test("light of a gamma of 1 is the value itself")
    func linear() throws {
        let space = ColourSpace.read(.init(colourChunks: [chunk("gAMA", [100_000])]), .rgb).space
        let picture = FloatPicture(size: PixelSize(width: 1, height: 1), channelCount: 3, values: [0.1, 0.5, 0.9])
        for (light, value) in zip(space.toLight(picture).values, picture.values) { #expect(abs(light - value) < 1e-5) }
        for gamma in [0, 1, Int(UInt32.max)] {
            #expect(ColourSpace.read(.init(colourChunks: [chunk("gAMA", [gamma])]), .rgb).space.isPlain)
        }
        let flat = [31270, 32900] + Array(repeating: 30000, count: 6)
        #expect(ColourSpace.read(.init(colourChunks: [chunk("cHRM", flat)]), .rgb).space.isPlain)
    }

    @Test("perceptual quantisation keeps light above white")
    func bright() throws {
        let space = ColourSpace.read(
            .init(colourChunks: [ColourChunk(name: "cICP", bytes: [9, 16, 0, 1])]), .rgb
        ).space
        let grey = FloatPicture(size: PixelSize(width: 1, height: 1), colour: [0.5806, 0.5806, 0.5806])
        // 203 candela, white by ITU-R BT.2408, is 58.06 % of the signal.
        for light in space.toLight(grey).values { #expect(abs(light - 1) < 0.01) }
        let sun = FloatPicture(size: PixelSize(width: 1, height: 1), colour: [0.9, 0.9, 0.9])
        #expect(space.toLight(sun).values.allSatisfy { $0 > 10 })
        #expect(space.seen(sun).values == [1, 1, 1])
    }

    @Test("a profile that is damaged, too long or of another kind is told, and colours are sRGB's")
    func faults() throws {
        func fault(_ profile: [UInt8], _ channels: Picture.Channels = .rgb) -> ColourFault? {
            let read = ColourSpace.read(.init(profile: profile), channels)
            #expect(read.space.isPlain == (read.fault != nil))
            return read.fault
        }
        let good = try GoldenColours.profile("p3")
        #expect(fault(good) == nil)
        #expect(fault([]) == .damaged && fault([UInt8](repeating: 7, count: 500)) == .damaged)
        #expect(fault(good, .grey) == .otherKind(.colour))
        #expect(fault(try GoldenColours.profile("grey")) == .otherKind(.grey))
        #expect(fault(try GoldenColours.profile("cmyk")) == .otherKind(.inks))
        let long = good + [UInt8](repeating: 0, count: ColourProfile.mostBytes)
        #expect(fault(long) == .tooLong(long.count))
        #expect(ColourFault.tooLong(9).description.contains("9 bytes and the limit is 33554432"))
    }

    @Test("profiles cut anywhere, and with any byte changed, are read or refused")
    func hostile() throws {
        for name in ["p3", "table-curve", "scanner", "grey", "cmyk"] {
            let whole = try GoldenColours.profile(name)
            for count in stride(from: 0, to: whole.count, by: max(1, whole.count / 60)) {
                _ = ColourSpace.read(.init(profile: Array(whole[..<count])), .rgb)
            }
            var noise = Noise(seed: 77)
            for _ in 0..<120 {
                var changed = whole
                for _ in 0..<3 {
                    changed[Int(noise.next() % 600) % whole.count] = UInt8(truncatingIfNeeded: noise.next())
                }
                let space = ColourSpace.read(.init(profile: changed), name == "grey" ? .grey : .rgb).space
                let picture = FloatPicture(
                    size: PixelSize(width: 2, height: 1), colour: name == "grey" ? [0.5] : [0.2, 0.5, 0.9])
                _ = space.seen(picture)
            }
        }
    }

    @Test("numbers that only PNG knows become a profile for other files")
    func made() throws {
        let chunks = [displayP3]
        let profile = try #require(PictureMetadata(colourChunks: chunks).profile(.rgb))
        #expect(try shown([], profile: profile, like: "p3").worst <= 1)
        #expect(PictureMetadata(colourChunks: chunks).profile(.rgb) == profile, "the same bytes each time")
        let grey = try #require(PictureMetadata(colourChunks: [chunk("gAMA", [55_556])]).profile(.grey))
        #expect(try shown([], profile: grey, like: "grey").worst > 1, "a row of grey against RGB")
        #expect(ColourProfile.kind(grey) == .grey)
        #expect(PictureMetadata(colourChunks: [ColourChunk(name: "sRGB", bytes: [0])]).profile(.rgb) == nil)
        // A grey picture in colour keeps its values and what they mean.
        var picture = try GoldenColours().picture("grey").picture
        let before = ColourSpace.shown(picture)
        picture = picture.inColour()
        #expect(picture.channels == .rgb && picture.metadata.profile.flatMap(ColourProfile.kind) == .colour)
        #expect(zip(ColourSpace.shown(picture).values, before.values).allSatisfy { abs($0 - $1) <= 1 })
    }
}
