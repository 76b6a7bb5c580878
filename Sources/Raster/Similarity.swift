import Threads

/// How much one picture resembles another of the same size. Alpha is not looked at.
package enum Similarity {
    /// The mean over all pixels of CIEDE2000, colours taken as sRGB. 0 is the same; about 1 is just noticeable.
    package static func meanColourDifference(
        _ one: FloatPicture, _ two: FloatPicture, threads: Threads = Threads(1)
    ) -> Double {
        precondition(one.size == two.size, "pictures of \(one.size) and \(two.size) cannot be compared")
        let (one, two) = (one.droppingAlpha().colour(), two.droppingAlpha().colour())
        let width = one.width
        let sum = rowSums(one.height, threads) { y in
            var sum = 0.0
            for pixel in y * width..<(y + 1) * width {
                let place = pixel * 3
                let (a, b) = (one.values, two.values)
                if a[place] == b[place], a[place + 1] == b[place + 1], a[place + 2] == b[place + 2] { continue }
                let first = LabColour(red: a[place], green: a[place + 1], blue: a[place + 2])
                sum += first.difference(to: LabColour(red: b[place], green: b[place + 1], blue: b[place + 2]))
            }
            return sum
        }
        return sum / Double(one.size.area)
    }

    /// The mean structural similarity of luma: 1 is the same, 0 unrelated.
    ///
    /// Gaussian windows of 11×11 and σ 1.5, K₁ 0.01, K₂ 0.03, values 0…1, only windows that lie wholly inside; a side
    /// of less than 11 pixels is first extended by reflection.
    /// Source: Wang et al., "Image quality assessment" (2004); equals scikit-image's `structural_similarity` with
    /// `gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1`.
    package static func structuralSimilarity(
        _ one: FloatPicture, _ two: FloatPicture, threads: Threads = Threads(1)
    ) -> Double {
        precondition(one.size == two.size, "pictures of \(one.size) and \(two.size) cannot be compared")
        let (x, y) = (extended(one.droppingAlpha().grey()), extended(two.droppingAlpha().grey()))
        let width = x.width - 10
        let height = x.height - 10
        let sums = SimilarityWindows(x, y, threads: threads)
        let (c1, c2) = (0.01 * 0.01, 0.03 * 0.03)
        let sum = rowSums(height, threads) { row in
            var sum = 0.0
            for column in 0..<width {
                let m = sums.moments(column, row)
                let (xx, yy, xy) = (m.xx - m.x * m.x, m.yy - m.y * m.y, m.xy - m.x * m.y)
                sum +=
                    (2 * m.x * m.y + c1) * (2 * xy + c2) / ((m.x * m.x + m.y * m.y + c1) * (xx + yy + c2))
            }
            return sum
        }
        return sum / Double(width * height)
    }

    private static func extended(_ picture: FloatPicture) -> FloatPicture {
        let (across, down) = (max(0, 11 - picture.width), max(0, 11 - picture.height))
        return picture.padded(
            by: Margins(left: across / 2, right: across - across / 2, top: down / 2, bottom: down - down / 2))
    }

    /// Rows are summed one by one and their sums in order, so that the number of threads changes nothing.
    private static func rowSums(_ rows: Int, _ threads: Threads, _ body: (Int) -> Double) -> Double {
        var sums = [Double](repeating: 0, count: rows)
        sums.withUnsafeMutableBufferPointer { sums in
            threads.forRanges(rows, grain: 8) { range in for row in range { sums[row] = body(row) } }
        }
        return sums.reduce(0, +)
    }
}

/// Weighted moments of two grey pictures under a Gaussian window; the horizontal half is done beforehand.
private struct SimilarityWindows {
    struct Moments {
        var x = 0.0
        var y = 0.0
        var xx = 0.0
        var yy = 0.0
        var xy = 0.0

        mutating func add(_ weight: Double, _ other: Moments) {
            x += weight * other.x
            y += weight * other.y
            xx += weight * other.xx
            yy += weight * other.yy
            xy += weight * other.xy
        }
    }

    /// e^(−k²/4.5) for k = −5…5, made to sum to 1.
    private static let weights: [Double] = {
        let half = [
            1, 0.8007374029168081, 0.4111122905071876, 0.1353352832366127, 0.0285655007845504, 0.0038659201394728,
        ]
        let all = half.dropFirst().reversed() + half
        let sum = all.reduce(0, +)
        return all.map { $0 / sum }
    }()

    private let width: Int
    private let rows: [Moments]

    init(_ one: FloatPicture, _ two: FloatPicture, threads: Threads) {
        let (source, width) = (one.width, one.width - 10)
        let height = one.height
        let weights = Self.weights
        rows = [Moments](unsafeUninitializedCapacity: width * height) { out, initialised in
            threads.forRanges(height, grain: 8) { range in
                for y in range {
                    for x in 0..<width {
                        var sum = Moments()
                        for tap in 0..<11 {
                            let place = y * source + x + tap
                            let (a, b) = (Double(one.values[place]), Double(two.values[place]))
                            sum.add(weights[tap], Moments(x: a, y: b, xx: a * a, yy: b * b, xy: a * b))
                        }
                        out.initializeElement(at: y * width + x, to: sum)
                    }
                }
            }
            initialised = width * height
        }
        self.width = width
    }

    func moments(_ column: Int, _ row: Int) -> Moments {
        var sum = Moments()
        for tap in 0..<11 { sum.add(Self.weights[tap], rows[(row + tap) * width + column]) }
        return sum
    }
}
