import Raster
import Threads

/// Draws the broad colours of a painted tile back to those of the enlarged source, so that skies and gradients go on from
/// tile to tile.
///
/// Broad means: means over cells of 32 enlarged pixels that lie in the picture, not in the tile, so that two tiles that share
/// pixels are drawn to the same means. The correction is a bilinear field that has the wanted means over the cells.
///
/// What is added or taken away is light, as much of it as makes the means agree as they are displayed: painted texture
/// is rougher than an enlarged picture's, and where it keeps the light it darkens what is seen.
package struct TileAnchor {
    private static let cell = 32
    /// Light is no straight line, and what no file can hold is cut off: what is left of the difference is taken off again.
    private static let rounds = 10
    /// What nobody misses: a twentieth of a level of 8 bits.
    private static let least: Float = 0.05 / 255

    /// How far, 0…1.
    package let amount: Double
    /// Of the tile, in the picture.
    package let frame: Rectangle

    package init(amount: Double, frame: Rectangle) { (self.amount, self.frame) = (amount, frame) }

    /// - Parameters:
    ///   - painted: of the frame's size
    ///   - source: what was painted over, of the same shape
    package func anchored(_ painted: FloatPicture, to source: FloatPicture, threads: Threads) -> FloatPicture {
        guard amount > 0 else { return painted }
        let count = painted.channelCount
        let cells = BroadCells(frame, side: Self.cell)
        var (result, light): (FloatPicture, [Float]) = (painted, [])
        for _ in 0..<Self.rounds {
            if light.isEmpty { light = painted.values.mapped(linearLight, threads) }
            let missing = missing(source.values, result.values, light, count, cells, threads)
            guard missing.most > Self.least else { break }
            cells.add(cells.field(ofMeans: missing.light, count), to: &light, count, threads)
            // What no file can hold is not counted on.
            result.values = light.mapped({ min(1, max(0, displayed($0))) }, threads)
        }
        if amount < 1 {
            let share = Float(amount)
            result.values = zip(painted.values, result.values).map { $0 + share * ($1 - $0) }
        }
        return result
    }

    /// The light that is wanting, cell by cell: the difference of the means as they are displayed, by how much more is displayed
    /// for a little more light. Dark pixels answer many times as strongly as bright ones, and those that are cut off not at all.
    ///
    /// - Returns: and the largest difference as it is displayed
    private func missing(
        _ target: [Float], _ values: [Float], _ light: [Float], _ count: Int, _ cells: BroadCells, _ threads: Threads
    ) -> (light: [Float], most: Float) {
        let (width, columns, rows) = (frame.width, cells.columns, cells.rows)
        let across = columns.ranges.count * count
        var field = [Float](repeating: 0, count: rows.ranges.count * across)
        var most = [Float](repeating: 0, count: rows.ranges.count)
        field.withUnsafeMutableBufferPointer { field in
            most.withUnsafeMutableBufferPointer { most in

                threads.forEach(rows.ranges.count) { row in
                    for (column, xs) in columns.ranges.enumerated() {
                        let pixels = Double(rows.ranges[row].count * xs.count)
                        for channel in 0..<count {
                            var (sum, answer) = (0.0, 0.0)
                            for y in rows.ranges[row] {
                                for x in xs {
                                    let i = (y * width + x) * count + channel
                                    sum += Double(target[i] - values[i])
                                    answer += Double(Self.answer(values[i], light[i]))
                                }
                            }
                            let wanting = Float(sum / pixels)
                            most[row] = max(most[row], abs(wanting))
                            field[row * across + column * count + channel] =
                                wanting / max(Self.leastAnswer, Float(answer / pixels))
                        }
                    }
                }
            }
        }
        return (field, most.max() ?? 0)
    }

    /// How much more is displayed for a little more light: the slope of sRGB's curve (IEC 61966-2-1).
    private static func answer(_ value: Float, _ light: Float) -> Float {
        guard light >= 0, light <= 1 else { return 0 }
        return light <= 0.0031308 ? 12.92 : (value + 0.055) / (2.4 * light)
    }

    /// Of the brightest light.
    private static let leastAnswer: Float = 1.055 / 2.4
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
