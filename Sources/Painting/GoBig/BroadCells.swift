import Raster
import Threads

/// Squares of the enlarged picture as far as a tile meets them, over which what is broad is averaged. They belong to places of
/// the picture, not of the tile, so that two tiles that share pixels have the same means.
struct BroadCells {
    let columns, rows: Side

    /// - Parameters:
    ///   - frame: of the tile, in the picture
    ///   - side: of a square, in the same unit
    init(_ frame: Rectangle, side: Int) {
        (columns, rows) = (Side(frame.x, frame.width, side), Side(frame.y, frame.height, side))
    }

    /// The squares that a side of the frame meets.
    struct Side {
        let length: Int
        /// Places of each square, within the frame.
        let ranges: [Range<Int>]
        /// For each place the square before it and how far it is on the way to the next, between their middles.
        let places: [(cell: Int, share: Float)]
        /// What each square's mean takes from the values of the square before it, its own and the one behind.
        private let means: [(before: Double, own: Double, after: Double)]

        init(_ start: Int, _ length: Int, _ size: Int) {
            let first = Int((Double(start) / Double(size)).rounded(.down))
            let last = Int((Double(start + length - 1) / Double(size)).rounded(.down))
            let ranges = (first...last).map { cell in
                max(0, cell * size - start)..<min(length, (cell + 1) * size - start)
            }
            let middles = ranges.map { Float($0.lowerBound + $0.upperBound) / 2 }
            (self.length, self.ranges) = (length, ranges)
            let places: [(cell: Int, share: Float)] = (0..<length).map { pixel in
                let place = Float(pixel) + 0.5
                guard let next = middles.firstIndex(where: { $0 > place }) else { return (ranges.count - 1, 0) }
                guard next > 0 else { return (0, 0) }
                return (next - 1, (place - middles[next - 1]) / (middles[next] - middles[next - 1]))
            }
            self.places = places
            means = ranges.enumerated().map { cell, range in
                var (before, own, after) = (0.0, 0.0, 0.0)
                for place in places[range] {
                    let share = Double(place.share)
                    if place.cell == cell { (own, after) = (own + 1 - share, after + share) }
                    if place.cell == cell - 1 { (before, own) = (before + 1 - share, own + share) }
                }
                let count = Double(range.count)
                return (before / count, own / count, after / count)
            }
        }

        /// Replaces the means that the squares are to have by the values between which ``BroadCells/add(_:to:_:_:)`` makes them.
        ///
        /// - Parameters:
        ///   - first: place of the first square's value in the list
        ///   - step: to the next one's
        fileprivate func spread(_ values: inout [Float], from first: Int, step: Int) {
            // Three diagonals, taken off from the top and put in from the bottom.
            var (ratios, known) = ([Double](), [Double]())
            for (cell, mean) in means.enumerated() {
                let pivot = mean.own - mean.before * (ratios.last ?? 0)
                known.append((Double(values[first + cell * step]) - mean.before * (known.last ?? 0)) / pivot)
                ratios.append(mean.after / pivot)
            }
            var behind = 0.0
            for cell in means.indices.reversed() {
                behind = known[cell] - ratios[cell] * behind
                values[first + cell * step] = Float(behind)
            }
        }
    }

    /// Values between which a bilinear field has the given means over the squares; as they stand, they would be levelled out.
    ///
    /// - Parameter means: rows of squares, their channels side by side
    func field(ofMeans means: [Float], _ count: Int) -> [Float] {
        var field = means
        let across = columns.ranges.count * count
        for row in rows.ranges.indices {
            for channel in 0..<count { columns.spread(&field, from: row * across + channel, step: count) }
        }
        for place in 0..<across { rows.spread(&field, from: place, step: across) }
        return field
    }

    /// Adds one value for each square and channel, bilinear between the squares' middles.
    ///
    /// - Parameters:
    ///   - field: rows of squares, their channels side by side
    ///   - values: of the tile, row by row, their channels side by side
    func add(_ field: [Float], to values: inout [Float], _ count: Int, _ threads: Threads) {
        values.withUnsafeMutableBufferPointer { values in
            guard let base = values.baseAddress else { return }

            threads.forEach(rows.length) { y in add(field, row: y, to: base + y * columns.length * count, count) }
        }
    }

    /// The same for one row of the tile.
    func add(_ field: [Float], row y: Int, to values: UnsafeMutablePointer<Float>, _ count: Int) {
        let (row, down) = rows.places[y]
        let (below, across) = (min(row + 1, rows.ranges.count - 1), columns.ranges.count)
        for x in 0..<columns.length {
            let (column, right) = columns.places[x]
            let beside = min(column + 1, across - 1)
            for channel in 0..<count {
                func at(_ row: Int, _ column: Int) -> Float { field[(row * across + column) * count + channel] }
                let top = at(row, column) + right * (at(row, beside) - at(row, column))
                let bottom = at(below, column) + right * (at(below, beside) - at(below, column))
                values[x * count + channel] += top + down * (bottom - top)
            }
        }
    }
}
