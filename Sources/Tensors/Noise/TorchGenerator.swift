#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// PyTorch's generator on a CPU, for `--rng torch`: the numbers of `torch.randn` within 2e-6.
///
/// Source: pytorch, `ATen/core/MT19937RNGEngine.h`, `ATen/native/cpu/DistributionTemplates.h` (`normal_fill`) and
/// `ATen/core/DistributionsHelper.h` (`normal_distribution`).
package struct TorchGenerator: Sendable {
    private var twister: MersenneTwister
    /// The second normal of a pair, kept for the next small request.
    private var kept: Double?

    /// - Parameter seed: only the low 32 bits count, as in PyTorch
    package init(seed: UInt64) {
        twister = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
    }

    /// `torch.randn(shape, generator:)`. Fewer than 16 values are drawn one by one, more in blocks of 16.
    package mutating func normal(_ shape: [Int]) -> Tensor {
        var tensor = Tensor(unfilled: shape)
        let count = tensor.count
        tensor.withMutablePointer { values in
            if count < 16 {
                for i in 0..<count { values[i] = Float(single()) }
                return
            }
            for i in 0..<count { values[i] = uniform() }
            for block in stride(from: 0, through: count - 16, by: 16) { Self.transform(values + block) }
            if count % 16 != 0 {
                // The last sixteen are drawn anew, over part of the block before.
                let last = values + (count - 16)
                for i in 0..<16 { last[i] = uniform() }
                Self.transform(last)
            }
        }
        return tensor
    }

    private mutating func uniform() -> Float {
        Float(twister.next() & 0xFF_FFFF) * 0x1p-24
    }

    /// Box and Muller over a block: eight radii, eight angles.
    private static func transform(_ block: UnsafeMutablePointer<Float>) {
        for j in 0..<8 {
            let radius = sqrtf(-2 * logf(1 - block[j]))
            let angle = 2 * Float.pi * block[j + 8]
            block[j] = radius * cosf(angle)
            block[j + 8] = radius * sinf(angle)
        }
    }

    private mutating func single() -> Double {
        if let value = kept {
            kept = nil
            return value
        }
        let angle = 2 * Double.pi * wide()
        let radius = (-2 * log1p(-wide())).squareRoot()
        kept = radius * sin(angle)
        return radius * cos(angle)
    }

    private mutating func wide() -> Double {
        let high = UInt64(twister.next())
        let low = UInt64(twister.next())
        return Double((high << 32 | low) & (1 << 53 - 1)) * 0x1p-53
    }
}

/// MT19937. Source: Matsumoto and Nishimura, "Mersenne Twister" (1998), with the initialisation of 2002.
struct MersenneTwister: Sendable {
    private var state: [UInt32]
    private var position = 624

    init(seed: UInt32) {
        state = [seed]
        for i in 1..<624 {
            let last = state[i - 1]
            state.append(1_812_433_253 &* (last ^ last >> 30) &+ UInt32(i))
        }
    }

    mutating func next() -> UInt32 {
        if position == 624 { refill() }
        var y = state[position]
        position += 1
        y ^= y >> 11
        y ^= y << 7 & 0x9D2C_5680
        y ^= y << 15 & 0xEFC6_0000
        return y ^ y >> 18
    }

    private mutating func refill() {
        for i in 0..<624 {
            let y = state[i] & 0x8000_0000 | state[(i + 1) % 624] & 0x7FFF_FFFF
            state[i] = state[(i + 397) % 624] ^ y >> 1 ^ (y & 1 == 0 ? 0 : 0x9908_B0DF)
        }
        position = 0
    }
}
