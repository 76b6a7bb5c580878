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
        let key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        let columns = Place.cells(width, from: place.x, period: place.periodX)
        let rows = Place.cells(height, from: place.y, period: place.periodY)
        let what =
            use.purpose.rawValue << 28 | UInt32(truncatingIfNeeded: use.pass) << 16 & 0x0FFF_0000
            | UInt32(truncatingIfNeeded: use.step) & 0xFFFF
        var tensor = Tensor(unfilled: shape)
        tensor.withMutablePointer { values in
            threads.forEach(channels) { channel in
                let plane = values + channel * height * width
                let layer = UInt32(truncatingIfNeeded: channel) | UInt32(truncatingIfNeeded: use.draw) << 20
                for y in 0..<height {
                    for x in 0..<width {
                        plane[y * width + x] = Self.normal(philox((columns[x], rows[y], layer, what), key: key))
                    }
                }
            }
            for item in 1..<max(items, 1) {
                (values + item * channels * height * width).update(from: values, count: channels * height * width)
            }
        }
        return tensor
    }

    private static func normal(_ words: (UInt32, UInt32, UInt32, UInt32)) -> Float {
        let u = (Double(words.0) + 0.5) * 0x1p-32
        let v = (Double(words.1) + 0.5) * 0x1p-32
        return Float((-2 * log(u)).squareRoot() * cos(2 * .pi * v))
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
