import Threads

/// How uneven a picture is where nothing is to be seen: film grain, a sensor's noise, what a codec left.
///
/// Measured in small squares all over the picture, of which the middle one of the calmer half counts, so that a picture of
/// which a quarter shows nothing tells its own noise.
package struct SensorNoise: Sendable, Equatable {
    /// For every plane, what ``Plane/bend(_:)`` is at each scale. Units: squared levels of 8 bits.
    let energies: [[Float]]

    /// Standard deviation of the finest noise, in levels of 8 bits.
    package var deviation: Float { (energies[0][0] / 6).squareRoot() }

    /// One way of looking for structure.
    struct Scale {
        /// Of the means that are compared.
        let radius: Int
        /// From one mean to the next.
        let spacing: Int
        /// Of the squares over which what was found is averaged.
        let window: Int
        /// What not even a screen would show: rounding, the steps of a gradient in 8 bits.
        let least: Float

        /// Whether it tells to a few pixels where something is.
        var isFine: Bool { spacing < 7 }
    }

    /// A fine texture, what lies under a fine grain, a weak step under a coarse one.
    static let scales = [
        Scale(radius: 0, spacing: 1, window: 2, least: 1), Scale(radius: 1, spacing: 3, window: 2, least: 0.3),
        Scale(radius: 3, spacing: 7, window: 4, least: 0.2),
    ]

    /// No sensor is as noisy as this; what is, is texture. Units: squared levels of 8 bits.
    private static let most: Float = 6 * 14 * 14

    /// Side of a square, how many there are at most along a side of the picture, and how far around them is looked.
    private static let (side, count, reach) = (24, 40, 10)

    package init(_ picture: Picture, threads: Threads) {
        self.init(picture.size, isGrey: picture.channels.isGrey, threads: threads) { rows in
            picture.cropped(to: Rectangle(x: 0, y: rows.lowerBound, width: picture.width, height: rows.count))
        }
    }

    /// Measures a picture that need not be in memory.
    ///
    /// - Parameters:
    ///   - size: of the whole picture
    ///   - rows: gives some of its rows; they are asked for from top to bottom, and may overlap those before
    package init(_ size: PixelSize, isGrey: Bool, threads: Threads, rows: (Range<Int>) throws -> Picture) rethrows {
        let square = PixelSize(width: min(Self.side, size.width), height: min(Self.side, size.height))
        func starts(_ length: Int, _ part: Int) -> [Int] {
            let count = max(1, min(Self.count, length / part))
            return (0..<count).map { count == 1 ? (length - part) / 2 : (length - part) * $0 / (count - 1) }
        }
        let (columns, lines) = (starts(size.width, square.width), starts(size.height, square.height))
        let (planeCount, placeCount) = (isGrey ? 1 : 3, columns.count * lines.count)
        var found = [Float](repeating: 0, count: placeCount * planeCount * Self.scales.count)
        for (line, y) in lines.enumerated() {
            // Mirrored at the sides, a square sees nothing else either.
            let seen = max(0, y - Self.reach)..<min(size.height, y + square.height + Self.reach)
            let strip = PictureStrip(try rows(seen), top: seen.lowerBound, of: size)
            found.withUnsafeMutableBufferPointer { found in
                threads.forRanges(columns.count, grain: 4) { range in
                    for column in range {
                        let part = Rectangle(
                            x: columns[column] - Self.reach, y: y - Self.reach,
                            width: square.width + 2 * Self.reach, height: square.height + 2 * Self.reach)
                        for (number, plane) in strip.planes(part).enumerated() {
                            for (scale, way) in Self.scales.enumerated() {
                                let bends = plane.mean(way.radius).bend(way.spacing)
                                    .cropped(by: Self.reach - way.radius - way.spacing)
                                let sum = bends.values.reduce(0, +)
                                let first = (number * Self.scales.count + scale) * placeCount
                                found[first + line * columns.count + column] = sum / Float(bends.values.count)
                            }
                        }
                    }
                }
            }
        }
        energies = (0..<planeCount).map { number in
            var before = Self.most
            return Self.scales.enumerated().map { scale, way in
                let first = (number * Self.scales.count + scale) * placeCount
                let sorted = found[first..<first + placeCount].sorted()
                // Grain fades as it is averaged; what grows instead is no grain.
                let energy = max(way.least, min(sorted[placeCount / 4], 2 * before))
                before = energy
                return energy
            }
        }
    }
}
