import Raster
import TestKit
import Testing

/// Masks are grown, softened, cut out and made to fit.
@Suite struct MaskTests {
    static func random(_ width: Int, _ height: Int, _ seed: UInt64, greys: Int = 1, share: Double = 0.5) -> Mask {
        var generator = SeededGenerator(seed)
        let values = (0..<width * height).map { _ -> Float in
            Double.random(in: 0..<1, using: &generator) < share
                ? Float(Int.random(in: 1...greys, using: &generator)) / Float(greys) : 0
        }
        return Mask(size: PixelSize(width: width, height: height), values: values)
    }

    static func disc(_ side: Int, radius: Double) -> Mask {
        let middle = Double(side - 1) / 2
        let values = (0..<side * side).map { pixel -> Float in
            let (x, y) = (Double(pixel % side) - middle, Double(pixel / side) - middle)
            return x * x + y * y <= radius * radius ? 1 : 0
        }
        return Mask(size: PixelSize(width: side, height: side), values: values)
    }

    @Test("distances are those found by looking at every pixel", arguments: 1...12)
    func distances(seed: Int) throws {
        let mask = Self.random(5 + seed * 3, 31 - seed * 2, UInt64(seed), share: [0.5, 0.9, 0.99][seed % 3])
        let inside = mask.values.map { $0 > 0 }
        guard let found = squaredDistances(inside, mask.size) else {
            #expect(!inside.contains(false))
            return
        }
        let outside = inside.indices.filter { !inside[$0] }
        for pixel in inside.indices {
            let expected = outside.map { other in
                let (x, y) = (other % mask.width - pixel % mask.width, other / mask.width - pixel / mask.width)
                return x * x + y * y
            }.min()
            #expect(found[pixel] == expected)
        }
    }

    @Test("a mask grows as with a round brush, and shrinks by the same", arguments: [1, 2, 3, 5, 9])
    func growing(distance: Int) {
        let mask = Self.random(41, 23, UInt64(distance), greys: 7, share: 0.02)
        let (wider, narrower) = (mask.grown(by: distance), mask.inverted.grown(by: -distance))
        for y in 0..<mask.height {
            for x in 0..<mask.width {
                var most: Float = 0
                for row in max(0, y - distance)...min(mask.height - 1, y + distance) {
                    for column in max(0, x - distance)...min(mask.width - 1, x + distance)
                    where (row - y) * (row - y) + (column - x) * (column - x) <= distance * distance {
                        most = max(most, mask[column, row])
                    }
                }
                #expect(wider[x, y] == most)
                #expect(abs(narrower[x, y] - (1 - most)) < 1e-6)
            }
        }
    }

    @Test("blur never reaches outside, never brightens, and keeps white deep inside", arguments: [1.0, 2.5, 4, 11])
    func softening(length: Double) {
        for mask in [Self.random(60, 40, 3, greys: 40), Self.random(50, 50, 4, share: 0.97), Self.disc(64, radius: 25)]
        {
            let soft = mask.softenedInwards(by: length)
            let depths = mask.depths()
            for pixel in mask.values.indices {
                #expect((soft.values[pixel] > 0) == (mask.values[pixel] > 0))
                #expect(soft.values[pixel] <= mask.values[pixel])
            }
            if mask == Self.disc(64, radius: 25) {
                for pixel in mask.values.indices where Double(depths[pixel]) >= length {
                    #expect(soft.values[pixel] == 1)
                }
                // The edge of a wide shape is no stroke: nowhere is it stronger than its depth says, but for the grid.
                for pixel in mask.values.indices where mask.values[pixel] > 0 {
                    let share = min(1, (depths[pixel] + 0.75) / Float(length))
                    #expect(soft.values[pixel] <= share * share + 1e-6)
                }
            }
        }
        #expect(
            Self.disc(20, radius: 40).softenedInwards(by: length) == Self.disc(20, radius: 40), "the frame is no edge")
    }

    @Test("a stroke thinner than twice the blur keeps its full strength along its ridge, whatever its direction")
    func strokes() {
        for (width, blur) in [(1.0, 4.0), (2, 4), (3, 4), (5, 8), (7, 4), (9, 16)] {
            for angle in stride(from: 0.0, to: 3.1, by: 0.19) {
                let (dx, dy) = (cosine(angle), cosine(angle - 1.5707963))
                var mask = Mask(size: PixelSize(width: 80, height: 80), values: Array(repeating: 0, count: 6400))
                var ridge: [Int] = []
                for y in 0..<80 {
                    for x in 0..<80 {
                        let (u, v) = (Double(x) - 40, Double(y) - 40)
                        let (along, across) = (u * dx + v * dy, abs(u * dy - v * dx))
                        guard abs(along) < 30, across <= width / 2 else { continue }
                        mask.values[y * 80 + x] = 1
                        if across < 0.5, abs(along) < 25 { ridge.append(y * 80 + x) }
                    }
                }
                let soft = mask.softenedInwards(by: blur)
                // Every place along the ridge has full strength within a pixel of it.
                for pixel in ridge {
                    let near = [-81, -80, -79, -1, 0, 1, 79, 80, 81].map { soft.values[pixel + $0] }.max()
                    #expect(near == 1, "width \(width), blur \(blur), angle \(angle)")
                }
            }
        }
        var dot = Mask(size: PixelSize(width: 9, height: 9), values: Array(repeating: 0, count: 81))
        dot.values[40] = 0.4
        #expect(dot.softenedInwards(by: 20) == dot)
    }

    private func cosine(_ x: Double) -> Double {
        var (term, sum) = (1.0, 1.0)
        for k in 1...24 {
            term *= -x * x / Double((2 * k - 1) * 2 * k)
            sum += term
        }
        return sum
    }

    @Test("a mask is read by luma, times alpha, and white is exactly white")
    func reading() {
        let size = PixelSize(width: 3, height: 1)
        let grey = Mask(Picture(size: size, channels: .rgb, eight: [255, 255, 255, 51, 51, 51, 0, 0, 0]))
        #expect(grey.values == [1, 0.2, 0])
        #expect(Mask(Picture(size: size, channels: .grey, sixteen: [65_535, 1, 0])).values == [1, 1 / 65_535, 0])
        let drawn = Mask(Picture(size: size, channels: .greyAlpha, eight: [255, 0, 255, 255, 0, 255]))
        #expect(drawn.values == [0, 1, 0])
        let clear = Picture(size: size, channels: .greyAlpha, eight: [9, 0, 9, 255, 9, 204])
        #expect(Mask(transparencyOf: clear).values[..<2] == [1, 0])
    }

    @Test("stretch, crop and rotate make a mask fit")
    func fitting() throws {
        var mask = Mask(size: PixelSize(width: 8, height: 4), values: Array(repeating: 0, count: 32))
        for y in 0..<4 { for x in 4..<8 { mask.values[y * 8 + x] = 1 } }
        let stretched = try #require(MaskFit.stretch(mask, to: PixelSize(width: 16, height: 16)))
        #expect(stretched[2, 8] == 0 && stretched[13, 8] == 1)
        let cropped = try #require(MaskFit.crop(mask, to: PixelSize(width: 4, height: 4)))
        #expect((0..<4).map { cropped[$0, 2] } == [0, 0, 1, 1])
        let turned = try #require(MaskFit.rotate(mask, to: PixelSize(width: 4, height: 8)))
        #expect(turned[1, 2] == 0 && turned[1, 6] == 1, "the right half comes to lie below")
        #expect(MaskFit.rotate(mask, to: PixelSize(width: 5, height: 8)) == nil)
        // Nothing rings: black stays black beyond a pixel's reach.
        let large = try #require(MaskFit.stretch(mask, to: PixelSize(width: 80, height: 40)))
        #expect(large.values.allSatisfy { (0...1).contains($0) } && large[30, 20] == 0 && large[50, 20] == 1)
    }

    @Test("a rectangle takes on proportions as in the web UI, and stays inside the picture")
    func expanding() {
        let picture = PixelSize(width: 100, height: 80)
        let square = PixelSize(width: 64, height: 64)
        #expect(
            Rectangle(x: 40, y: 30, width: 20, height: 10).expanded(to: square, in: picture)
                == Rectangle(x: 40, y: 25, width: 20, height: 20))
        #expect(
            Rectangle(x: 0, y: 60, width: 31, height: 20).expanded(to: square, in: picture)
                == Rectangle(x: 0, y: 49, width: 31, height: 31))
        #expect(
            Rectangle(x: 95, y: 10, width: 5, height: 40).expanded(to: square, in: picture)
                == Rectangle(x: 60, y: 10, width: 40, height: 40))
        #expect(
            Rectangle(x: 0, y: 10, width: 100, height: 10).expanded(to: square, in: picture)
                == Rectangle(x: 0, y: 0, width: 100, height: 80))
        #expect(
            Rectangle(x: 3, y: 3, width: 20, height: 33).expanded(toMultiple: 16, in: picture)
                == Rectangle(x: 0, y: 0, width: 32, height: 48))
        #expect(
            Rectangle(x: 3, y: 3, width: 20, height: 33).padded(by: 5, in: picture)
                == Rectangle(x: 0, y: 0, width: 28, height: 41))
    }
}
