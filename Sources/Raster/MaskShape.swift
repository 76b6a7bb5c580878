import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension Mask {
    /// Wider by `distance` pixels all around, as with a round brush; negative makes it narrower. What lies beyond the
    /// picture's sides is neither black nor white.
    package func grown(by distance: Int, threads: Threads = Threads(1)) -> Mask {
        if distance == 0 { return self }
        if distance < 0 { return inverted.grown(by: -distance, threads: threads).inverted.noBrighter(than: self) }
        // The brush row by row: the widest value along each, and the widest of these.
        let reach = (0...distance).map { Int(Double(distance * distance - $0 * $0).squareRoot()) }
        var grown = values
        grown.withUnsafeMutableBufferPointer { grown in
            threads.forRanges(height, grain: 4) { rows in
                var window = SlidingMaximum(count: width)
                for y in rows {
                    for other in max(0, y - distance)...min(height - 1, y + distance) {
                        values.withUnsafeBufferPointer { values in
                            window.run(
                                UnsafeBufferPointer(rebasing: values[other * width..<(other + 1) * width]),
                                reach: reach[abs(other - y)]
                            ) { x, value in grown[y * width + x] = max(grown[y * width + x], value) }
                        }
                    }
                }
            }
        }
        return Mask(size: size, values: grown)
    }

    /// Inverting twice rounds.
    private func noBrighter(than other: Mask) -> Mask {
        Mask(size: size, values: zip(values, other.values).map { $0 >= $1 - 1e-6 ? $1 : min($0, $1) })
    }

    /// Softened inwards: from every edge the strength rises over `length` pixels to what it was, as a parabola. Black stays
    /// black, nothing becomes brighter, and a stroke thinner than twice the length keeps its full strength along its ridge.
    ///
    /// A grey mask is softened as the stack of its levels, at most sixteen of them.
    package func softenedInwards(by length: Double, threads: Threads = Threads(1)) -> Mask {
        guard length > 0 else { return self }
        var levels = [Float(0)] + Set(values.filter { $0 > 0 }).sorted()
        if levels.count > 17 { levels = (0...16).map { Float($0) / 16 } }
        var softened = values
        for (below, top) in zip(levels, levels.dropFirst()) {
            let ramp = inwardRamp(values.map { $0 > below }, size, length, threads)
            for i in values.indices {
                softened[i] -= max(0, min(values[i], top) - below) * (1 - ramp[i])
            }
        }
        return Mask(size: size, values: softened.map { max(0, $0) })
    }

    /// How deep each pixel lies inside what is not black, 0 outside; infinite where nothing is black.
    package func depths(threads: Threads = Threads(1)) -> [Float] {
        guard let squared = squaredDistances(values.map { $0 > 0 }, size, threads: threads) else {
            return Array(repeating: .infinity, count: size.area)
        }
        return squared.map { $0 == 0 ? 0 : Float(Double($0).squareRoot() - 0.5) }
    }
}

/// 0 outside, rising to 1 at a depth of `length` pixels; along strokes that are nowhere so deep, to 1 at their ridge.
///
/// Every pixel takes the most that any round brush inside the shape gives it: one as wide as the shape allows, soft over
/// `length` pixels, or over its whole radius where that is less.
private func inwardRamp(_ inside: [Bool], _ size: PixelSize, _ length: Double, _ threads: Threads) -> [Float] {
    guard let squared = squaredDistances(inside, size, threads: threads) else {
        return Array(repeating: 1, count: size.area)
    }
    let depths = squared.map { Double($0).squareRoot() - 0.5 }
    var ramp = depths.map { depth -> Float in
        let share = min(1, max(0, depth) / length)
        return Float(share * share)
    }
    guard let thin = thinParts(inside, depths, size, length, threads) else { return ramp }
    for pixel in thin {
        let (x, y) = (pixel % size.width, pixel / size.width)
        let radius = depths[pixel]
        let reach = Int(radius)
        for row in max(0, y - reach)...min(size.height - 1, y + reach) {
            for column in max(0, x - reach)...min(size.width - 1, x + reach) {
                let away = hypot(Double(column - x), Double(row - y))
                guard away < radius else { continue }
                let share = (radius - away) / radius
                let other = row * size.width + column
                ramp[other] = max(ramp[other], Float(share * share))
            }
        }
    }
    return ramp
}

/// Pixels on the ridges of strokes into which no brush of radius `length` fits; nil where there are none.
private func thinParts(
    _ inside: [Bool], _ depths: [Double], _ size: PixelSize, _ length: Double, _ threads: Threads
) -> [Int]? {
    // How far from the nearest place of a whole brush.
    let isWhole = depths.map { $0 >= length }
    let away = squaredDistances(isWhole.map { !$0 }, size, threads: threads)
    let covered = (length + 0.5) * (length + 0.5)
    func isRidge(_ pixel: Int) -> Bool {
        // A deeper brush nearby that holds this one says that it is none; half a pixel is lost to the grid.
        let (x, y) = (pixel % size.width, pixel / size.width)
        for row in max(0, y - 3)...min(size.height - 1, y + 3) {
            for column in max(0, x - 3)...min(size.width - 1, x + 3) where row != y || column != x {
                let way = Double((row - y) * (row - y) + (column - x) * (column - x)).squareRoot()
                if depths[row * size.width + column] - way > depths[pixel] - 0.5 { return false }
            }
        }
        return true
    }
    let found = inside.indices.filter { pixel in
        inside[pixel] && !isWhole[pixel] && (away.map { Double($0[pixel]) > covered } ?? true) && isRidge(pixel)
    }
    return found.isEmpty ? nil : found
}

/// The largest value within a reach to both sides of every place of a row.
///
/// Source: van Herk (1992): maxima from both ends of blocks as long as the window.
private struct SlidingMaximum {
    private var forward, backward: [Float]

    init(count: Int) { (forward, backward) = ([], []) }

    mutating func run(_ row: UnsafeBufferPointer<Float>, reach: Int, _ take: (_ x: Int, _ value: Float) -> Void) {
        if reach == 0 {
            for x in 0..<row.count { take(x, row[x]) }
            return
        }
        let window = 2 * reach + 1
        // Beyond the row nothing is brighter than black.
        let length = row.count + 2 * reach
        func value(_ i: Int) -> Float { i < reach || i >= reach + row.count ? 0 : row[i - reach] }
        forward = Array(repeating: 0, count: length)
        backward = forward
        for i in 0..<length { forward[i] = i % window == 0 ? value(i) : max(forward[i - 1], value(i)) }
        for i in (0..<length).reversed() {
            backward[i] = i == length - 1 || (i + 1) % window == 0 ? value(i) : max(backward[i + 1], value(i))
        }
        for x in 0..<row.count { take(x, max(backward[x], forward[x + window - 1])) }
    }
}

extension Mask {
    /// Softened to both sides by a Gaussian.
    ///
    /// The kernel has 2·⌊2.5·σ + ½⌋ + 1 weights, and the mask is mirrored at its sides.
    /// Source: AUTOMATIC1111's web UI, `modules/processing.py`, mask blur; OpenCV, `GaussianBlur`.
    /// - Parameter sigma: in pixels
    package func softened(by sigma: Double) -> Mask {
        guard sigma > 0 else { return self }
        let reach = Int(2.5 * sigma + 0.5)
        let raw = (-reach...reach).map { Float(exp(-Double($0 * $0) / (2 * sigma * sigma))) }
        let sum = raw.reduce(0, +)
        let weights = raw.map { $0 / sum }
        func pass(_ values: [Float], _ count: Int, _ place: (_ line: Int, _ at: Int) -> Int, lines: Int) -> [Float] {
            var result = values
            for line in 0..<lines {
                for at in 0..<count {
                    var sum: Float = 0
                    for tap in -reach...reach {
                        sum += weights[tap + reach] * values[place(line, reflected(at + tap, count: count))]
                    }
                    result[place(line, at)] = sum
                }
            }
            return result
        }
        let across = pass(values, width, { $0 * width + $1 }, lines: height)
        return Mask(size: size, values: pass(across, height, { $1 * width + $0 }, lines: width))
    }
}
