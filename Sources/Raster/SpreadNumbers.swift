/// Numbers spread evenly over 0…1, those of NumPy's `default_rng(seed).random()`.
///
/// Sources: O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms" (2014), PCG64 with XSL-RR;
/// the seed is spread over the state as by NumPy's `SeedSequence`.
package struct SpreadNumbers {
    /// 128 bits each, high half first.
    private var state: (UInt64, UInt64)
    private let increment: (UInt64, UInt64)

    private static let multiplier: (UInt64, UInt64) = (0x2360_ed05_1fc6_5da4, 0x4385_df64_9fcc_f645)

    package init(seed: UInt64) {
        let words = Self.spread(seed)
        let sequence = (words[2], words[3])
        increment = (sequence.0 << 1 | sequence.1 >> 63, sequence.1 << 1 | 1)
        state = (0, 0)
        step()
        state = Self.sum(state, (words[0], words[1]))
        step()
    }

    package mutating func next() -> Double {
        step()
        let (mixed, turn) = (state.0 ^ state.1, state.0 >> 58)
        return Double((mixed >> turn | mixed << (64 - turn & 63)) >> 11) * 0x1p-53
    }

    private mutating func step() {
        let (high, low) = (state, Self.multiplier)
        let product = high.1.multipliedFullWidth(by: low.1)
        let upper = product.high &+ high.0 &* low.1 &+ high.1 &* low.0
        state = Self.sum((upper, product.low), increment)
    }

    private static func sum(_ a: (UInt64, UInt64), _ b: (UInt64, UInt64)) -> (UInt64, UInt64) {
        let (low, carries) = a.1.addingReportingOverflow(b.1)
        return (a.0 &+ b.0 &+ (carries ? 1 : 0), low)
    }

    /// Four words out of one seed. Source: NumPy, `bit_generator.pyx`, `SeedSequence` with a pool of four.
    private static func spread(_ seed: UInt64) -> [UInt64] {
        var hash: UInt32 = 0x43b0_d7e5
        func hashed(_ value: UInt32, by multiplier: UInt32) -> UInt32 {
            var value = value ^ hash
            hash = hash &* multiplier
            value = value &* hash
            return value ^ value >> 16
        }
        let words = [UInt32(truncatingIfNeeded: seed), UInt32(seed >> 32), 0, 0]
        var pool = words.map { hashed($0, by: 0x931e_8875) }
        for source in 0..<4 {
            for target in 0..<4 where target != source {
                let mixed = 0xca01_f9dd &* pool[target] &- 0x4973_f715 &* hashed(pool[source], by: 0x931e_8875)
                pool[target] = mixed ^ mixed >> 16
            }
        }
        hash = 0x8b51_f9dd
        let halves = (0..<8).map { hashed(pool[$0 % 4], by: 0x58f3_8ded) }
        return (0..<4).map { UInt64(halves[2 * $0 + 1]) << 32 | UInt64(halves[2 * $0]) }
    }
}
