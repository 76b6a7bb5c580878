/// One number for each place of a part of a picture, for operators that look around a place.
///
/// What an operator gives is smaller than what it got, by as much on every side as it looks around. Sums are taken in the
/// same order everywhere, so that a place has the same number to the bit in whatever part it is looked at.
struct Plane {
    let width, height: Int
    var values: [Float]

    /// - Parameter fill: writes every row
    init(_ width: Int, _ height: Int, rows fill: (_ y: Int, _ row: UnsafeMutablePointer<Float>) -> Void) {
        precondition(width > 0 && height > 0, "a plane of \(width)×\(height)")
        (self.width, self.height) = (width, height)
        values = [Float](unsafeUninitializedCapacity: width * height) { out, initialised in
            if let base = out.baseAddress {
                for y in 0..<height { fill(y, base + y * width) }
            }
            initialised = width * height
        }
    }

    /// The inner part, without so many places on each side.
    func cropped(by border: Int) -> Plane {
        if border == 0 { return self }
        return read { source in
            Plane(width - 2 * border, height - 2 * border) { y, row in
                row.update(from: source + (y + border) * width + border, count: width - 2 * border)
            }
        }
    }

    func read<Result>(_ body: (UnsafePointer<Float>) -> Result) -> Result {
        values.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("a plane has at least one place") }
            return body(base)
        }
    }

    /// The mean of a square around each place.
    func mean(_ radius: Int) -> Plane {
        if radius == 0 { return self }
        let length = 2 * radius + 1
        let (across, down) = (width - 2 * radius, height - 2 * radius)
        let rows = read { source in
            Plane(across, height) { y, row in
                let from = source + y * width
                row.update(from: from, count: across)
                for step in 1..<length { add(from + step, to: row, across) }
            }
        }
        let share = 1 / Float(length * length)
        return rows.read { source in
            Plane(across, down) { y, row in
                row.update(from: source + y * across, count: across)
                for step in 1..<length { add(source + (y + step) * across, to: row, across) }
                for x in 0..<across { row[x] *= share }
            }
        }
    }

    /// The least of a square around each place.
    func least(_ radius: Int) -> Plane { extreme(radius) { $0 < $1 ? $0 : $1 } }

    /// The greatest of a square around each place.
    func greatest(_ radius: Int) -> Plane { extreme(radius) { $0 > $1 ? $0 : $1 } }

    /// Over windows that double in length, of which the last two overlap.
    @inline(__always)
    private func extreme(_ radius: Int, _ choose: (Float, Float) -> Float) -> Plane {
        if radius == 0 { return self }
        let length = 2 * radius + 1
        let (across, down) = (width - 2 * radius, height - 2 * radius)
        var wide = self
        var reach = 1
        while reach < length {
            // From windows of `reach` to such of `next`.
            let next = min(2 * reach, length)
            let (step, count) = (next - reach, width - next + 1)
            wide.values.withUnsafeMutableBufferPointer { values in
                guard let base = values.baseAddress else { return }
                for y in 0..<height {
                    let row = base + y * width
                    for x in 0..<count { row[x] = choose(row[x], row[x + step]) }
                }
            }
            reach = next
        }
        reach = 1
        while reach < length {
            let next = min(2 * reach, length)
            let (step, count) = (next - reach, height - next + 1)
            wide.values.withUnsafeMutableBufferPointer { values in
                guard let base = values.baseAddress else { return }
                for y in 0..<count {
                    let (row, below) = (base + y * width, base + (y + step) * width)
                    for x in 0..<across { row[x] = choose(row[x], below[x]) }
                }
            }
            reach = next
        }
        return wide.read { source in
            Plane(across, down) { y, row in row.update(from: source + y * width, count: across) }
        }
    }

    /// How much a place departs from the straight lines through it: mean square of the second differences along the four
    /// directions, nothing on every even slope.
    ///
    /// - Parameter spacing: from a place to those on both sides
    func bend(_ spacing: Int) -> Plane {
        let (across, down) = (width - 2 * spacing, height - 2 * spacing)
        return read { source in
            Plane(across, down) { y, row in
                let above = source + y * width
                let middle = source + (y + spacing) * width
                let below = source + (y + 2 * spacing) * width
                let far = 2 * spacing
                for x in 0..<across {
                    let twice = 2 * middle[x &+ spacing]
                    let flat = middle[x] + middle[x &+ far] - twice
                    let upright = above[x &+ spacing] + below[x &+ spacing] - twice
                    let falling = above[x] + below[x &+ far] - twice
                    let rising = below[x] + above[x &+ far] - twice
                    row[x] = (flat * flat + upright * upright + falling * falling + rising * rising) * 0.25
                }
            }
        }
    }

    /// The mean of the calmest of four squares that have the place in a corner: beside an edge, the one that lies off it.
    func calmestMean(_ radius: Int) -> Plane {
        let means = mean(radius)
        let (across, down) = (means.width - 2 * radius, means.height - 2 * radius)
        return means.read { source in
            Plane(across, down) { y, row in
                let above = source + y * means.width
                let below = source + (y + 2 * radius) * means.width
                for x in 0..<across {
                    let (a, b, c, d) = (above[x], above[x &+ 2 &* radius], below[x], below[x &+ 2 &* radius])
                    let (first, second) = (a < b ? a : b, c < d ? c : d)
                    row[x] = first < second ? first : second
                }
            }
        }
    }
}

@inline(__always)
private func add(_ more: UnsafePointer<Float>, to row: UnsafeMutablePointer<Float>, _ count: Int) {
    for x in 0..<count { row[x] += more[x] }
}
