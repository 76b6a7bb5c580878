import Threads

/// How far every pixel is from the nearest one of a set, exactly.
///
/// Units: pixels between centres, so 0 in the set and 1 beside it; infinity everywhere where the set is empty.
/// Source: Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions" (2012).
package func distances(
    in size: PixelSize, threads: Threads = Threads(1), to isMember: (_ pixel: Int) -> Bool
) -> [Float] {
    let (width, height) = (size.width, size.height)
    // Larger than any square of a distance, and small enough that sums with it are exact.
    let far = Double(1 << 40)
    // Down each column the distance alone, in whole pixels; then along each row the lower envelope of parabolas.
    var columns = [Double](repeating: far, count: size.area)
    for pixel in 0..<size.area where isMember(pixel) { columns[pixel] = 0 }
    for y in stride(from: 1, to: height, by: 1) {
        for x in 0..<width { columns[y * width + x] = min(columns[y * width + x], columns[(y - 1) * width + x] + 1) }
    }
    for y in stride(from: height - 2, through: 0, by: -1) {
        for x in 0..<width { columns[y * width + x] = min(columns[y * width + x], columns[(y + 1) * width + x] + 1) }
    }
    return [Float](unsafeUninitializedCapacity: size.area) { out, initialised in
        columns.withUnsafeBufferPointer { columns in
            threads.forRanges(height, grain: 16) { rows in
                var row = LowerEnvelope(width: width)
                for y in rows {
                    row.fill { x in
                        columns[y * width + x] >= far ? far : columns[y * width + x] * columns[y * width + x]
                    }
                    for x in 0..<width {
                        let square = row.squares[x]
                        out.initializeElement(
                            at: y * width + x, to: square >= far ? .infinity : Float(square.squareRoot()))
                    }
                }
            }
        }
        initialised = size.area
    }
}

/// The least of the parabolas (x − q)² + f(q) at every x of a row.
private struct LowerEnvelope {
    private(set) var squares: [Double]
    private var heights: [Double]
    /// Where the parabolas of the envelope have their feet, and from where on each is the lowest.
    private var feet: [Int]
    private var starts: [Double]

    init(width: Int) {
        squares = .init(repeating: 0, count: width)
        heights = squares
        feet = .init(repeating: 0, count: width)
        starts = squares
    }

    mutating func fill(_ height: (Int) -> Double) {
        for x in heights.indices { heights[x] = height(x) }
        var last = 0
        (feet[0], starts[0]) = (0, -.infinity)
        for q in heights.indices.dropFirst() {
            func meeting(_ p: Int) -> Double {
                (heights[q] - heights[p] + Double(q * q - p * p)) / Double(2 * (q - p))
            }
            var start = meeting(feet[last])
            while start <= starts[last], last > 0 {
                last -= 1
                start = meeting(feet[last])
            }
            last += 1
            (feet[last], starts[last]) = (q, start)
        }
        var current = 0
        for x in heights.indices {
            while current < last, starts[current + 1] < Double(x) { current += 1 }
            let step = Double(x - feet[current])
            squares[x] = step * step + heights[feet[current]]
        }
    }
}
