import Threads

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A Brownian path over σ for every cell, bisected from noise that belongs to places: its value at any σ is a pure function
/// of seed, pass and cell, so that it is consistent under refinement and independent of the order of questions.
///
/// The interval is halved at its geometric mean, 26 times: to a millionth of any σ and better. Each half is Lévy's:
/// between two known ends the path is normal around the straight line. (Bridges may be cut anywhere; halving log σ gives
/// small σ the resolution of large ones.)
///
/// Source: Lévy's construction, as in Li et al., "Scalable Gradients for Stochastic Differential Equations" (2020),
/// section 4 ("virtual Brownian tree").
package final class BrownianPath {
    private let noise: PositionNoise
    private let shape: [Int]
    private let pass: Int
    private let range: ClosedRange<Double>
    private let place: PositionNoise.Place
    private let threads: Threads
    /// The last values asked for: where a step ends the next begins.
    private var known: [(sigma: Double, value: Tensor)] = []

    private static let depth = 26

    /// - Parameter range: σ that the path spans, above 0
    package init(
        _ noise: PositionNoise, _ shape: [Int], over range: ClosedRange<Double>, pass: Int = 0,
        at place: PositionNoise.Place = .init(), threads: Threads = Threads(1)
    ) {
        (self.noise, self.shape, self.range, self.pass) = (noise, shape, range, pass)
        (self.place, self.threads) = (place, threads)
    }

    /// What the path gains from one σ to another, divided by the root of their distance.
    package func callAsFunction(_ from: Double, _ to: Double) -> Tensor {
        let scale = Float(1 / abs(to - from).squareRoot())
        return value(at: to).zip(value(at: from)) { ($0 - $1) * scale }
    }

    /// The path's value at σ; 0 at the range's lower end.
    package func value(at sigma: Double) -> Tensor {
        let sigma = min(max(sigma, range.lowerBound), range.upperBound)
        if let found = known.first(where: { $0.sigma == sigma }) { return found.value }
        let value = bisected(sigma)
        known = known.suffix(3) + [(sigma, value)]
        return value
    }

    /// Normal numbers of a node, counted as in a heap: 1 is the middle of the whole, n has the halves 2n and 2n + 1.
    private func normal(_ node: Int) -> Tensor {
        noise.normal(
            shape, .init(.sampler, pass: pass, step: node & 0xFFFF, draw: node >> 16), at: place, threads: threads)
    }

    private func bisected(_ sigma: Double) -> Tensor {
        var (low, high) = (range.lowerBound, range.upperBound)
        var bottom = Tensor(shape, repeating: 0)
        guard sigma > low else { return bottom }
        var top = Float((high - low).squareRoot()) * normal(0)
        var node = 1
        for _ in 0..<Self.depth {
            let middle = (low * high).squareRoot()
            guard low < middle, middle < high else { break }
            let (share, deviation) = (
                Float((middle - low) / (high - low)),
                Float(((middle - low) * (high - middle) / (high - low)).squareRoot())
            )
            let between = bottom.zip(top) { $0 + share * ($1 - $0) }.zip(normal(node)) { $0 + deviation * $1 }
            if sigma < middle {
                (high, top) = (middle, between)
            } else {
                (low, bottom) = (middle, between)
            }
            node = 2 * node + (sigma < middle ? 0 : 1)
        }
        let share = Float((sigma - low) / (high - low))
        return bottom.zip(top) { $0 + share * ($1 - $0) }
    }
}
