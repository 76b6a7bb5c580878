import Threads

/// The squared distance of each pixel to the nearest one that is not `inside`, 0 for those; nil where all are inside.
/// What lies beyond the picture's sides counts as inside.
///
/// Units: pixels, from centre to centre; exact.
/// Source: Meijster, Roerdink and Hesselink, "A General Algorithm for Computing Distance Transforms in Linear Time" (2000).
package func squaredDistances(_ inside: [Bool], _ size: PixelSize, threads: Threads = Threads(1)) -> [Int]? {
    guard inside.contains(false) else { return nil }
    let (width, height) = (size.width, size.height)
    let far = width + height
    var columns = [Int](repeating: 0, count: size.area)
    for x in 0..<width {
        var distance = far
        for y in 0..<height {
            let pixel = y * width + x
            distance = inside[pixel] ? min(far, distance + 1) : 0
            columns[pixel] = distance
        }
        distance = far
        for y in (0..<height).reversed() {
            let pixel = y * width + x
            distance = inside[pixel] ? min(far, distance + 1) : 0
            columns[pixel] = min(columns[pixel], distance)
        }
    }
    var squared = [Int](repeating: 0, count: size.area)
    columns.withUnsafeBufferPointer { columns in
        squared.withUnsafeMutableBufferPointer { squared in
            threads.forRanges(height, grain: 16) { rows in
                var (sites, starts) = ([Int](repeating: 0, count: width), [Int](repeating: 0, count: width))
                for y in rows {
                    let row = UnsafeBufferPointer(rebasing: columns[y * width..<(y + 1) * width])
                    lowerEnvelope(row, &sites, &starts, squared.baseAddress! + y * width)
                }
            }
        }
    }
    return squared
}

/// One row of the second pass: the lowest of the parabolas (x − i)² + column(i)² at every x.
private func lowerEnvelope(
    _ column: UnsafeBufferPointer<Int>, _ sites: inout [Int], _ starts: inout [Int], _ out: UnsafeMutablePointer<Int>
) {
    func parabola(_ x: Int, _ i: Int) -> Int { (x - i) * (x - i) + column[i] * column[i] }
    var last = 0
    (sites[0], starts[0]) = (0, 0)
    for u in 1..<max(1, column.count) {
        while last >= 0, parabola(starts[last], sites[last]) > parabola(starts[last], u) { last -= 1 }
        if last < 0 {
            (last, sites[0], starts[0]) = (0, u, 0)
        } else {
            let i = sites[last]
            let crossing = (u * u - i * i + column[u] * column[u] - column[i] * column[i]) / (2 * (u - i)) + 1
            if crossing < column.count {
                last += 1
                (sites[last], starts[last]) = (u, crossing)
            }
        }
    }
    for x in (0..<column.count).reversed() {
        out[x] = parabola(x, sites[last])
        if x == starts[last] { last -= 1 }
    }
}
