import Sampling

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A picture painted several times, each time from what it became: the web UI's loopback.
///
/// Source: AUTOMATIC1111's web UI, `scripts/loopback.py`.
package struct Loops: Sendable, Equatable {
    /// How strength goes from the first loop's to the last's.
    package enum Curve: String, Sendable, CaseIterable {
        case linear
        /// Fast first.
        case aggressive
        /// Slow first.
        case lazy

        /// - Parameter x: 0…1
        func callAsFunction(_ x: Double) -> Double {
            switch self {
            case .linear: x
            case .aggressive: sin(x * .pi / 2)
            case .lazy: 1 - cos(x * .pi / 2)
            }
        }
    }

    package var count = 1
    /// The last loop's level; nil where all have the first one's.
    package var last: Skip?
    package var curve = Curve.linear

    package init() {}

    /// The level of each loop.
    ///
    /// - Parameter steps: of the full schedule
    func skips(from first: Skip, steps: Int) -> [Skip] {
        guard let last, count > 1 else { return Array(repeating: first, count: count) }
        let (begun, ended) = (first.strength(of: steps), last.strength(of: steps))
        return (0..<count).map { loop in
            if loop == 0 { return first }
            if loop == count - 1 { return last }
            return Skip(share: begun + (ended - begun) * curve(Double(loop) / Double(count - 1)))
        }
    }
}
