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
        let strip = PictureStrip(picture)
        let size = PixelSize(width: min(Self.side, picture.width), height: min(Self.side, picture.height))
        func starts(_ length: Int, _ part: Int) -> [Int] {
            let count = max(1, min(Self.count, length / part))
            return (0..<count).map { count == 1 ? (length - part) / 2 : (length - part) * $0 / (count - 1) }
        }
        let (columns, rows) = (starts(picture.width, size.width), starts(picture.height, size.height))
        let places = rows.flatMap { y in columns.map { (x: $0, y: y) } }
        let planeCount = picture.channels.isGrey ? 1 : 3
        var found = [Float](repeating: 0, count: places.count * planeCount * Self.scales.count)
        found.withUnsafeMutableBufferPointer { found in
            threads.forRanges(places.count, grain: 8) { range in
                for index in range {
                    let part = Rectangle(
                        x: places[index].x - Self.reach, y: places[index].y - Self.reach,
                        width: size.width + 2 * Self.reach, height: size.height + 2 * Self.reach)
                    for (number, plane) in strip.planes(part).enumerated() {
                        for (scale, way) in Self.scales.enumerated() {
                            let bends = plane.mean(way.radius).bend(way.spacing)
                                .cropped(by: Self.reach - way.radius - way.spacing)
                            let sum = bends.values.reduce(0, +)
                            found[(number * Self.scales.count + scale) * places.count + index] =
                                sum / Float(bends.values.count)
                        }
                    }
                }
            }
        }
        energies = (0..<planeCount).map { number in
            var before = Self.most
            return Self.scales.enumerated().map { scale, way in
                let first = (number * Self.scales.count + scale) * places.count
                let sorted = found[first..<first + places.count].sorted()
                // Grain fades as it is averaged; what grows instead is no grain.
                let energy = max(way.least, min(sorted[places.count / 4], 2 * before))
                before = energy
                return energy
            }
        }
    }
}
