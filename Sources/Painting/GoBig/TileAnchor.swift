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
    private static let rounds = 6
    /// Light that nobody misses: a twentieth of a level of 8 bits where a level is the least light.
    private static let least: Float = 0.05 / 255 / 12.92

    /// 0…1
    let amount: Double
    let frame: Rectangle

    func anchored(_ painted: FloatPicture, to source: FloatPicture, threads: Threads) -> FloatPicture {
        guard amount > 0 else { return painted }
        let count = painted.channelCount
        let cells = BroadCells(frame, side: Self.cell)
        var (result, light): (FloatPicture, [Float]) = (painted, [])
        for _ in 0..<Self.rounds {
            let field = missingLight(source.values, result.values, count, cells, threads)
            guard field.contains(where: { abs($0) > Self.least }) else { break }
            if light.isEmpty { light = painted.values.mapped(linearLight, threads) }
            cells.add(field, to: &light, count, threads)
            // What no file can hold is not counted on.
            result.values = light.mapped({ min(1, max(0, displayed($0))) }, threads)
        }
        if amount < 1 {
            let share = Float(amount)
            result.values = zip(painted.values, result.values).map { $0 + share * ($1 - $0) }
        }
        return result
    }

    /// The light that is wanting, cell by cell.
    private func missingLight(
        _ target: [Float], _ values: [Float], _ count: Int, _ cells: BroadCells, _ threads: Threads
    ) -> [Float] {
        let (width, columns, rows) = (frame.width, cells.columns, cells.rows)
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
