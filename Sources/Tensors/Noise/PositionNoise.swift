import Threads

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Noise that belongs to a place: a pure function of seed, purpose, pass, step, draw, channel and cell.
///
/// The noise of a crop is the crop of the noise, so tiles that overlap start from the same grain, and neither batch nor
/// order nor resuming can change it.
///
/// Each value takes one block of Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011) keyed
/// by the seed, and Box and Muller's transform of two of its words.
package struct PositionNoise: Sendable {
    package enum Purpose: UInt32, Sendable {
        case start = 0
        case sampler = 1
        case encoder = 2
        case noiseCommand = 3
        case perlin = 4
    }

    /// What the noise is for.
    package struct Use: Sendable {
        package var purpose: Purpose
        /// Counts loops, repair waves and the length of the picture's own history.
        package var pass: Int
        /// Step of the full schedule.
        package var step: Int
        /// Counts within a step.
        package var draw: Int

        package init(_ purpose: Purpose, pass: Int = 0, step: Int = 0, draw: Int = 0) {
            (self.purpose, self.pass, self.step, self.draw) = (purpose, pass, step, draw)
        }

        /// The draw with a channel in one word, everything else in another.
        fileprivate func words(channel: Int) -> (layer: UInt32, what: UInt32) {
            (
                UInt32(truncatingIfNeeded: channel) | UInt32(truncatingIfNeeded: draw) << 20,
                purpose.rawValue << 28 | UInt32(truncatingIfNeeded: pass) << 16 & 0x0FFF_0000
                    | UInt32(truncatingIfNeeded: step) & 0xFFFF
            )
        }
    }

    /// Where a tensor lies among the cells of the working picture.
    package struct Place: Sendable, Equatable {
        /// Of its first cell; may be negative.
        package var x, y: Int
        /// Cells of a side after which noise repeats, where a texture goes on at its other side.
        package var periodX, periodY: Int?

        package init(x: Int = 0, y: Int = 0, periodX: Int? = nil, periodY: Int? = nil) {
            (self.x, self.y, self.periodX, self.periodY) = (x, y, periodX, periodY)
        }

        /// Columns or rows of `count` cells from `first` on.
        fileprivate static func cells(_ count: Int, from first: Int, period: Int?) -> [UInt32] {
            (first..<first + count).map { cell in
                UInt32(truncatingIfNeeded: period.map { ((cell % $0) + $0) % $0 } ?? cell)
            }
        }
    }

    package let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    /// - Parameters:
    ///   - shape: `[N, C, H, W]`; all items of the batch get the same noise
    ///   - place: where the tensor lies in the working picture
    package func normal(
        _ shape: [Int], _ use: Use, at place: Place = .init(), threads: Threads = Threads(1)
    ) -> Tensor {
        let (items, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
        let columns = Place.cells(width, from: place.x, period: place.periodX)
        let rows = Place.cells(height, from: place.y, period: place.periodY)
        var tensor = Tensor(unfilled: shape)
        tensor.withMutablePointer { values in
            threads.forEach(channels) { channel in
                let plane = values + channel * height * width
                for y in 0..<height {
                    let row = plane + y * width
                    forEach(columns, rows[y], use, channel) { x, words in row[x] = Self.normal(words) }
                }
            }
            for item in 1..<max(items, 1) {
                (values + item * channels * height * width).update(from: values, count: channels * height * width)
            }
        }
        return tensor
    }

    /// Which numbers are drawn; both have mean 0 and variance 1.
    package enum Spread: Sendable {
        case normal
        case uniform
    }

    /// Fills a row of cells.
    ///
    /// - Parameter origin: the first cell; may be negative
    package func fill(
        _ row: UnsafeMutablePointer<Float>, count: Int, _ use: Use, channel: Int, at origin: (x: Int, y: Int),
        _ spread: Spread
    ) {
        let columns = Place.cells(count, from: origin.x, period: nil)
        forEach(columns, UInt32(truncatingIfNeeded: origin.y), use, channel) { x, words in
            switch spread {
            case .normal: row[x] = Self.normal(words)
            case .uniform:
                row[x] = Float(((Double(words.0) + 0.5) * 0x1p-32 - 0.5) * 12.0.squareRoot())
            }
        }
    }

    /// Two normal numbers for every cell of a row: the one that it has, and another.
    package func fillPairs(
        _ first: UnsafeMutablePointer<Float>, _ second: UnsafeMutablePointer<Float>, count: Int, _ use: Use,
        channel: Int, at origin: (x: Int, y: Int)
    ) {
        let columns = Place.cells(count, from: origin.x, period: nil)
        forEach(columns, UInt32(truncatingIfNeeded: origin.y), use, channel) { x, words in
            let (radius, angle) = Self.polar(words)
            first[x] = Float(radius * cos(angle))
            second[x] = Float(radius * sin(angle))
        }
    }

    @inline(__always)
    private func forEach(
        _ columns: [UInt32], _ row: UInt32, _ use: Use, _ channel: Int,
        _ body: (_ x: Int, _ words: (UInt32, UInt32, UInt32, UInt32)) -> Void
    ) {
        let key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        let (layer, what) = use.words(channel: channel)
        for x in columns.indices { body(x, philox((columns[x], row, layer, what), key: key)) }
    }

    private static func normal(_ words: (UInt32, UInt32, UInt32, UInt32)) -> Float {
        let (radius, angle) = polar(words)
        return Float(radius * cos(angle))
    }

    /// Box and Muller's transform of two words.
    private static func polar(_ words: (UInt32, UInt32, UInt32, UInt32)) -> (radius: Double, angle: Double) {
        let u = (Double(words.0) + 0.5) * 0x1p-32
        let v = (Double(words.1) + 0.5) * 0x1p-32
        return ((-2 * log(u)).squareRoot(), 2 * .pi * v)
    }
}

/// Ten rounds of Philox4x32.
func philox(_ counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)) -> (UInt32, UInt32, UInt32, UInt32) {
    var (c, k) = (counter, key)
    for round in 0..<10 {
        if round > 0 { k = (k.0 &+ 0x9E37_79B9, k.1 &+ 0xBB67_AE85) }
        let p0 = UInt64(c.0) * 0xD251_1F53
        let p1 = UInt64(c.2) * 0xCD9E_8D57
        c = (
            UInt32(p1 >> 32) ^ c.1 ^ k.0, UInt32(truncatingIfNeeded: p1), UInt32(p0 >> 32) ^ c.3 ^ k.1,
            UInt32(truncatingIfNeeded: p0)
        )
    }
    return c
}

extension PositionNoise {
    /// The four words of one block, for checking against the generator's published answers.
    package static func words(_ counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)) -> [UInt32] {
        let words = philox(counter, key: key)
        return [words.0, words.1, words.2, words.3]
    }
}
