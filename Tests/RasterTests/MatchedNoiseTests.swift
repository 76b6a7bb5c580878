import Raster
import Tensors
import TestKit
import Testing
import Threads

/// Against NumPy: `Tools/golden/outpaint.py`.
@Suite struct MatchedNoiseTests {
    @Test("lines of any length are transformed as NumPy does, and back", arguments: [1, 2, 3, 8, 15, 97, 100])
    func transform(count: Int) throws {
        let golden = try Golden.tensors("outpaint/noise.safetensors")
        func line(_ key: String) throws -> [Complex] {
            let values = try golden.doubles(key)
            return (0..<count).map { Complex(real: values[$0], imaginary: values[count + $0]) }
        }
        let (given, expected) = (try line("line-\(count)"), try line("line-\(count).turned"))
        let transform = FourierTransform(count)
        var found = given
        transform(&found)
        // Sums of a hundred terms of about 1 in double precision.
        func expectClose(_ a: [Complex], _ b: [Complex]) {
            for (a, b) in zip(a, b) {
                #expect(abs(a.real - b.real) < 1e-12 && abs(a.imaginary - b.imaginary) < 1e-12)
            }
        }
        expectClose(found, expected)
        transform(&found, inverse: true)
        expectClose(found, given)
    }

    @Test("numbers are those of NumPy's default_rng(0)")
    func numbers() {
        var random = SpreadNumbers(seed: 0)
        for expected in [0.6369616873214543, 0.2697867137638703, 0.04097352393619469] {
            #expect(abs(random.next() - expected) < 1e-15)
        }
    }

    @Test(
        "noise has the picture's spectrum and histogram, element by element",
        arguments: ["wide", "high", "steep", "flat"]
    )
    func filled(name: String) throws {
        let golden = try Golden.tensors("outpaint/noise.safetensors")
        let (picture, mask) = (try golden.tensor("\(name).picture"), try golden.tensor("\(name).mask"))
        let size = PixelSize(width: mask.shape[1], height: mask.shape[0])
        let settings = try golden.doubles("\(name).falloff")
        var noise = MatchedNoise()
        (noise.falloff, noise.colourVariation) = (settings[0], settings[1])
        noise.seed = UInt64(try #require(try golden.integers("\(name).seed").values.first))
        let found = noise.filling(
            FloatPicture(size: size, channelCount: 3, values: picture.values), Mask(size: size, values: mask.values))
        let expected = try golden.doubles("\(name).filled")
        #expect(found.values.count == expected.count)
        // Single precision at the end, and nothing else: places in the order of values are the same.
        for (a, b) in zip(found.values, expected) { #expect(abs(Double(a) - b) < 1e-7) }
    }

    @Test("a flat picture gives flat noise, threads change nothing, and nothing is done without white")
    func plain() {
        let size = PixelSize(width: 20, height: 13)
        let grey = FloatPicture(size: size, colour: [0.25, 0.5, 0.75])
        var values = [Float](repeating: 0, count: size.area)
        for pixel in 0..<size.area where pixel % 20 < 7 { values[pixel] = 1 }
        let mask = Mask(size: size, values: values)
        #expect(MatchedNoise().filling(grey, mask) == grey)
        let black = FloatPicture(size: size, colour: [0, 0, 0])
        #expect(MatchedNoise().filling(black, mask) == black)
        #expect(MatchedNoise().filling(grey, Mask(size: size, values: values.map { _ in 0 })) == grey)
        var noise = Noise(seed: 3)
        let busy = noise.picture(size, .rgb).floats()
        #expect(
            MatchedNoise().filling(busy, mask, threads: Threads(1))
                == MatchedNoise().filling(busy, mask, threads: Threads(7)))
    }
}
