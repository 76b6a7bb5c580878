import Threads

extension FloatPicture {
    /// The standard deviation of the first channel in a square window around each pixel, cut at the picture's sides.
    ///
    /// - Parameter radius: pixels on each side of the middle
    package func deviation(within radius: Int, threads: Threads = Threads(1)) -> FloatPicture {
        // Sums over windows of rows, then over windows of columns; in Double, since squares of nearly equal values are
        // subtracted.
        var sums = [(Double, Double)](repeating: (0, 0), count: size.area)
        sums.withUnsafeMutableBufferPointer { sums in
            threads.forRanges(height, grain: 8) { rows in
                for y in rows {
                    var (sum, squares) = (0.0, 0.0)
                    func value(_ x: Int) -> Double { Double(values[(y * width + x) * channelCount]) }
                    for x in 0..<min(radius, width) {
                        sum += value(x)
                        squares += value(x) * value(x)
                    }
                    for x in 0..<width {
                        if x + radius < width {
                            sum += value(x + radius)
                            squares += value(x + radius) * value(x + radius)
                        }
                        if x - radius > 0 {
                            sum -= value(x - radius - 1)
                            squares -= value(x - radius - 1) * value(x - radius - 1)
                        }
                        sums[y * width + x] = (sum, squares)
                    }
                }
            }
        }
        var result = [Float](repeating: 0, count: size.area)
        result.withUnsafeMutableBufferPointer { result in
            threads.forRanges(width, grain: 32) { columns in
                for x in columns {
                    let across = min(width - 1, x + radius) - max(0, x - radius) + 1
                    var (sum, squares) = (0.0, 0.0)
                    func add(_ y: Int, _ sign: Double) {
                        sum += sign * sums[y * width + x].0
                        squares += sign * sums[y * width + x].1
                    }
                    for y in 0..<min(radius, height) { add(y, 1) }
                    for y in 0..<height {
                        if y + radius < height { add(y + radius, 1) }
                        if y - radius > 0 { add(y - radius - 1, -1) }
                        let count = Double(across * (min(height - 1, y + radius) - max(0, y - radius) + 1))
                        let mean = sum / count
                        result[y * width + x] = Float(max(0, squares / count - mean * mean).squareRoot())
                    }
                }
            }
        }
        return FloatPicture(size: size, channelCount: 1, values: result)
    }
}
