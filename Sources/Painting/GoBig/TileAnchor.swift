import Raster
import Threads

/// Draws the broad colours of a painted tile back to those of the enlarged source, so that skies and gradients go on from
/// tile to tile.
///
/// Broad means: means over cells of 32 enlarged pixels that lie in the picture, not in the tile, so that two tiles that share
/// pixels are drawn to the same means. Between the cells' middles the correction is bilinear.
///
/// What is added or taken away is light, as much of it as makes the means agree as they are displayed: painted texture
/// is rougher than an enlarged picture's, and where it keeps the light it darkens what is seen.
struct TileAnchor {
    static let cell = 32
    /// A bilinear field has other means than the cells that it runs through, and light is no straight line; what is left of
    /// the difference is taken off again.
    private static let rounds = 4

    /// 0…1
    let amount: Double
    let frame: Rectangle

    func anchored(_ painted: FloatPicture, to source: FloatPicture, threads: Threads) -> FloatPicture {
        guard amount > 0 else { return painted }
        let count = painted.channelCount
        let (columns, rows) = (Cells(frame.x, frame.width), Cells(frame.y, frame.height))
        var (result, light) = (painted, painted.values.mapped(linearLight, threads))
        for _ in 0..<Self.rounds {
            let field = missingLight(source.values, result.values, count, columns, rows, threads)
            add(field, to: &light, count, columns, rows, threads)
            result.values = light.mapped(displayed, threads)
        }
        if amount < 1 {
            let share = Float(amount)
            result.values = zip(painted.values, result.values).map { $0 + share * ($1 - $0) }
        }
        return result
    }

    /// The cells that a side of the frame meets.
    private struct Cells {
        /// Pixels of each, within the frame.
        let ranges: [Range<Int>]
        /// For each pixel the cell before it and how far it is on the way to the next, between their middles.
        let places: [(cell: Int, share: Float)]

        init(_ start: Int, _ length: Int) {
            let size = TileAnchor.cell
            let first = Int((Double(start) / Double(size)).rounded(.down))
            let last = Int((Double(start + length - 1) / Double(size)).rounded(.down))
            let ranges = (first...last).map { cell in
                max(0, cell * size - start)..<min(length, (cell + 1) * size - start)
            }
            let middles = ranges.map { Float($0.lowerBound + $0.upperBound) / 2 }
            self.ranges = ranges
            places = (0..<length).map { pixel in
                let place = Float(pixel) + 0.5
                guard let next = middles.firstIndex(where: { $0 > place }) else { return (ranges.count - 1, 0) }
                guard next > 0 else { return (0, 0) }
                return (next - 1, (place - middles[next - 1]) / (middles[next] - middles[next - 1]))
            }
        }
    }

    /// The light that is wanting, cell by cell.
    private func missingLight(
        _ target: [Float], _ values: [Float], _ count: Int, _ columns: Cells, _ rows: Cells, _ threads: Threads
    ) -> [Float] {
        let width = frame.width
        var field = [Float](repeating: 0, count: columns.ranges.count * rows.ranges.count * count)
        field.withUnsafeMutableBufferPointer { field in

            threads.forEach(rows.ranges.count) { row in
                for (column, xs) in columns.ranges.enumerated() {
                    for channel in 0..<count {
                        var (sum, wanted) = (0.0, 0.0)
                        for y in rows.ranges[row] {
                            for x in xs {
                                let i = (y * width + x) * count + channel
                                sum += Double(target[i] - values[i])
                                wanted += Double(target[i])
                            }
                        }
                        let pixels = Double(rows.ranges[row].count * xs.count)
                        let mean = Float(wanted / pixels)
                        let light = linearLight(mean + 0.01) - linearLight(mean - 0.01)
                        field[(row * columns.ranges.count + column) * count + channel] =
                            Float(sum / pixels) * light / 0.02
                    }
                }
            }
        }
        return field
    }

    private func add(
        _ field: [Float], to values: inout [Float], _ count: Int, _ columns: Cells, _ rows: Cells, _ threads: Threads
    ) {
        let (width, across) = (frame.width, columns.ranges.count)
        values.withUnsafeMutableBufferPointer { values in

            threads.forEach(frame.height) { y in
                let (row, down) = rows.places[y]
                let below = min(row + 1, rows.ranges.count - 1)
                for x in 0..<width {
                    let (column, right) = columns.places[x]
                    let beside = min(column + 1, across - 1)
                    for channel in 0..<count {
                        func at(_ row: Int, _ column: Int) -> Float { field[(row * across + column) * count + channel] }
                        let top = at(row, column) + right * (at(row, beside) - at(row, column))
                        let bottom = at(below, column) + right * (at(below, beside) - at(below, column))
                        values[(y * width + x) * count + channel] += top + down * (bottom - top)
                    }
                }
            }
        }
    }
}

extension [Float] {
    func mapped(_ transform: @Sendable (Float) -> Float, _ threads: Threads) -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { out, initialised in

            threads.forRanges(count, grain: 1 << 15) { range in
                for i in range { out.initializeElement(at: i, to: transform(self[i])) }
            }
            initialised = count
        }
    }
}
