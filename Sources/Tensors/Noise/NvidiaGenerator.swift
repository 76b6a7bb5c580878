#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The generator of PyTorch on a CUDA card, as the web UI imitates it on a processor, for `--rng nv`.
///
/// Philox4x32-10 with the call in the counter's first word and the element in its third; of each block one normal is taken.
///
/// Source: AUTOMATIC1111's web UI, `modules/rng_philox.py`.
package struct NvidiaGenerator: Sendable {
    private let key: (UInt32, UInt32)
    private var calls: UInt32 = 0

    package init(seed: UInt64) {
        key = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
    }

    package mutating func normal(_ shape: [Int]) -> Tensor {
        // 2⁻³² and 2⁻³²·2π, each in single precision as there.
        let (unit, turn) = (Double(Float(2.3283064e-10)), Double(Float(2.3283064e-10 * 6.2831855)))
        var tensor = Tensor(unfilled: shape)
        let count = tensor.count
        tensor.withMutablePointer { values in
            for i in 0..<count {
                let words = philox((calls, 0, UInt32(truncatingIfNeeded: i), 0), key: key)
                let u = Double(words.0) * unit + unit / 2
                let v = Double(words.1) * turn + turn / 2
                values[i] = Float((-2 * log(u)).squareRoot() * sin(v))
            }
        }
        calls &+= 1
        return tensor
    }
}
