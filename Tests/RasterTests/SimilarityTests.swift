import Raster
import Testing
import Threads

/// L, a, b of both colours and their difference.
///
/// Source: Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula" (2005), table 1.
private let sharma: [[Double]] = [
    [50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425], [50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615],
    [50, 2.8361, -74.0200, 50, 0, -82.7485, 3.4412], [50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0000],
    [50, -1.1848, -84.8006, 50, 0, -82.7485, 1.0000], [50, -0.9009, -85.5211, 50, 0, -82.7485, 1.0000],
    [50, 0, 0, 50, -1, 2, 2.3669], [50, -1, 2, 50, 0, 0, 2.3669],
    [50, 2.4900, -0.0010, 50, -2.4900, 0.0009, 7.1792], [50, 2.4900, -0.0010, 50, -2.4900, 0.0010, 7.1792],
    [50, 2.4900, -0.0010, 50, -2.4900, 0.0011, 7.2195], [50, 2.4900, -0.0010, 50, -2.4900, 0.0012, 7.2195],
    [50, -0.0010, 2.4900, 50, 0.0009, -2.4900, 4.8045], [50, -0.0010, 2.4900, 50, 0.0010, -2.4900, 4.8045],
    [50, -0.0010, 2.4900, 50, 0.0011, -2.4900, 4.7461], [50, 2.5, 0, 50, 0, -2.5, 4.3065],
    [50, 2.5, 0, 73, 25, -18, 27.1492], [50, 2.5, 0, 61, -5, 29, 22.8977],
    [50, 2.5, 0, 56, -27, -3, 31.9030], [50, 2.5, 0, 58, 24, 15, 19.4535],
    [50, 2.5, 0, 50, 3.1736, 0.5854, 1.0000], [50, 2.5, 0, 50, 3.2972, 0, 1.0000],
    [50, 2.5, 0, 50, 1.8634, 0.5757, 1.0000], [50, 2.5, 0, 50, 3.2592, 0.3350, 1.0000],
    [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
    [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
    [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
    [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
    [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
    [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
    [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
    [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
    [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
    [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
]

@Suite("Similarity")
struct SimilarityTests {
    @Test("the colour difference of every published pair")
    func pairs() {
        #expect(sharma.count == 34)
        for row in sharma {
            let one = LabColour(lightness: row[0], a: row[1], b: row[2])
            let two = LabColour(lightness: row[3], a: row[4], b: row[5])
            #expect(abs(one.difference(to: two) - row[6]) < 0.00006, "\(row)")
            #expect(abs(two.difference(to: one) - row[6]) < 0.00006, "\(row) swapped")
        }
    }

    @Test("sRGB's corners in CIELAB")
    func corners() {
        let white = LabColour(red: 1, green: 1, blue: 1)
        #expect(abs(white.lightness - 100) < 1e-9 && abs(white.a) < 1e-9 && abs(white.b) < 1e-9)
        // Published values for sRGB red under D65.
        let red = LabColour(red: 1, green: 0, blue: 0)
        #expect(abs(red.lightness - 53.24) < 0.01 && abs(red.a - 80.09) < 0.01 && abs(red.b - 67.20) < 0.01)
    }

    /// Two pictures whose similarity scikit-image measured:
    ///
    ///     y, x = np.mgrid[0:37, 0:53]
    ///     a = np.stack([(x*37 + y*11 + c*29) % 256 for c in range(3)], -1) / 255
    ///     b = np.stack([(x*37 + y*11 + c*29 + ((x//7 + y//5) % 4)*9) % 256 for c in range(3)], -1) / 255
    ///     luma = np.array([0.2126, 0.7152, 0.0722])
    ///     structural_similarity(a @ luma, b @ luma, gaussian_weights=True, sigma=1.5,
    ///                           use_sample_covariance=False, data_range=1)          # 0.7938663628327182
    ///     deltaE_ciede2000(rgb2lab(a), rgb2lab(b)).mean()                             # 11.924209646317395
    private func pictures() -> (FloatPicture, FloatPicture) {
        func picture(_ value: (Int, Int, Int) -> Int) -> FloatPicture {
            var bytes = [UInt8]()
            for y in 0..<37 { for x in 0..<53 { for c in 0..<3 { bytes.append(UInt8(value(x, y, c) % 256)) } } }
            return Picture(size: PixelSize(width: 53, height: 37), channels: .rgb, eight: bytes).floats()
        }
        return (
            picture { x, y, c in x * 37 + y * 11 + c * 29 },
            picture { x, y, c in x * 37 + y * 11 + c * 29 + (x / 7 + y / 5) % 4 * 9 }
        )
    }

    @Test("numbers of scikit-image")
    func reference() {
        let (one, two) = pictures()
        // Luma is formed in Float here and in Double there.
        #expect(abs(Similarity.structuralSimilarity(one, two) - 0.7938663628327182) < 1e-6)
        // scikit-image's matrices for sRGB and white have fewer digits.
        #expect(abs(Similarity.meanColourDifference(one, two) - 11.924209646317395) < 0.005)
    }

    @Test("the number of threads changes nothing, and a picture is like itself")
    func threads() {
        let (one, two) = pictures()
        let few = Similarity.structuralSimilarity(one, two, threads: Threads(1))
        #expect(Similarity.structuralSimilarity(one, two, threads: Threads(5)) == few)
        let difference = Similarity.meanColourDifference(one, two, threads: Threads(1))
        #expect(Similarity.meanColourDifference(one, two, threads: Threads(5)) == difference)
        #expect(Similarity.structuralSimilarity(one, one) == 1)
        #expect(Similarity.meanColourDifference(one, one) == 0)
    }

    @Test("small, grey and transparent pictures can be compared")
    func odd() {
        let one = FloatPicture(size: PixelSize(width: 1, height: 1), colour: [0.5])
        #expect(Similarity.structuralSimilarity(one, one) == 1)
        let grey = FloatPicture(size: PixelSize(width: 4, height: 20), colour: [0.5])
        let clear = FloatPicture(size: PixelSize(width: 4, height: 20), colour: [0.5, 0.5, 0.5, 0.1])
        #expect(abs(Similarity.structuralSimilarity(grey, clear) - 1) < 1e-6)
        #expect(Similarity.meanColourDifference(grey, clear) < 1e-6)
    }
}
