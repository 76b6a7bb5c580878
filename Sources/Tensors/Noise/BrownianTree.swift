#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// torchsde's Brownian tree, which k-diffusion and the web UI read noise from: halved until a question's end is met to six
/// decimals, each half with a seed of its own.
///
/// Source: torchsde, `BrownianInterval` with `halfway_tree`, tolerance 1e-6 and a pool of 24 words, as `BrownianTree` makes
/// it; k-diffusion, `BrownianTreeNoiseSampler`.
package final class BrownianTree {
    private let entropy: UInt64
    private let shape: [Int]
    private let normal: (_ seed: UInt64, _ shape: [Int]) -> Tensor
    private let (start, end): (Double, Double)
    private let whole: Tensor
    private var known: [(sigma: Double, value: Tensor)] = []

    /// - Parameters:
    ///   - entropy: the picture's seed
    ///   - range: the smallest positive and the largest σ of the full schedule
    ///   - normal: unit noise of a seed
    package init(
        entropy: UInt64, _ shape: [Int], over range: ClosedRange<Double>,
        normal: @escaping (_ seed: UInt64, _ shape: [Int]) -> Tensor
    ) {
        (self.entropy, self.shape, self.normal) = (entropy, shape, normal)
        // Levels are single precision there.
        let (low, high) = (Double(Float(range.lowerBound)), Double(Float(range.upperBound)))
        (start, end) = (Self.rounded(low), Self.rounded(high))
        let seed = SeedSequence(entropy: entropy, spawnKey: [], poolSize: 24).state(1)[0]
        whole = Float((high - low).squareRoot()) * normal(UInt64(seed), shape)
    }

    /// What the path gains from one σ to another, divided by the root of their distance.
    package func callAsFunction(_ from: Double, _ to: Double) -> Tensor {
        let (from, to) = (Float(from), Float(to))
        let scale = 1 / abs(to - from).squareRoot()
        return value(at: Double(to)).zip(value(at: Double(from))) { ($0 - $1) * scale }
    }

    /// To six decimals as Python rounds: by the exact value of the binary number. Halves of odd millionths are the rule here,
    /// and none of them lies exactly between.
    private static func rounded(_ value: Double) -> Double {
        let millionths = value * 1e6
        let low = millionths.rounded(.down)
        guard millionths - low == 0.5 else { return millionths.rounded() / 1e6 }
        let rest = (-millionths).addingProduct(value, 1e6)
        return (rest == 0 ? millionths.rounded(.toNearestOrEven) : rest > 0 ? low + 1 : low) / 1e6
    }

    private func value(at sigma: Double) -> Tensor {
        let sigma = Self.rounded(min(max(sigma, start), end))
        if let found = known.first(where: { $0.sigma == sigma }) { return found.value }
        let value = descended(sigma)
        known = known.suffix(3) + [(sigma, value)]
        return value
    }

    private func descended(_ sigma: Double) -> Tensor {
        var below = Tensor(shape, repeating: 0)
        if sigma == start { return below }
        if sigma == end { return whole }
        var (low, high, gain) = (start, end, whole)
        var (key, depth): (UInt64, UInt64) = (0, 0)
        while true {
            let middle = Self.rounded(0.5 * (high + low))
            // Neighbours among six decimals have nothing between them.
            guard low < middle, middle < high else { return sigma <= low ? below : below + gain }
            let seed = SeedSequence(entropy: entropy, spawnKey: [key, depth], poolSize: 24).state(1)[0]
            let (left, right) = (middle - low, high - middle)
            let (share, deviation) = (Float(left / (high - low)), Float((left * right / (high - low)).squareRoot()))
            let first = gain.zip(normal(UInt64(seed), shape)) { share * $0 + deviation * $1 }
            if sigma == middle { return below + first }
            if sigma < middle {
                (high, gain, key) = (middle, first, 2 * key)
            } else {
                (below, low, gain, key) = (below + first, middle, gain - first, 2 * key + 1)
            }
            depth += 1
        }
    }
}

/// NumPy's way from one seed to many. Source: numpy, `random/bit_generator.pyx`, `SeedSequence`; after O'Neill's
/// `seed_seq_fe` (2015).
struct SeedSequence {
    private var pool: [UInt32]

    init(entropy: UInt64, spawnKey: [UInt64], poolSize: Int) {
        func words(_ value: UInt64) -> [UInt32] {
            let (low, high) = (UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32))
            return high == 0 ? [low] : [low, high]
        }
        var entropy = words(entropy)
        if !spawnKey.isEmpty, entropy.count < poolSize {
            entropy += [UInt32](repeating: 0, count: poolSize - entropy.count)
        }
        entropy += spawnKey.flatMap(words)

        var constant: UInt32 = 0x43B0_D7E5
        func hashed(_ value: UInt32) -> UInt32 {
            var value = value ^ constant
            constant = constant &* 0x931E_8875
            value = value &* constant
            return value ^ value >> 16
        }
        func mixed(_ x: UInt32, _ y: UInt32) -> UInt32 {
            let value = 0xCA01_F9DD &* x &- 0x4973_F715 &* y
            return value ^ value >> 16
        }
        pool = (0..<poolSize).map { hashed($0 < entropy.count ? entropy[$0] : 0) }
        for source in 0..<poolSize {
            for place in 0..<poolSize where place != source { pool[place] = mixed(pool[place], hashed(pool[source])) }
        }
        for word in entropy.dropFirst(poolSize) {
            for place in 0..<poolSize { pool[place] = mixed(pool[place], hashed(word)) }
        }
    }

    func state(_ count: Int) -> [UInt32] {
        var constant: UInt32 = 0x8B51_F9DD
        return (0..<count).map { i in
            var value = pool[i % pool.count] ^ constant
            constant = constant &* 0x58F3_8DED
            value = value &* constant
            return value ^ value >> 16
        }
    }
}
