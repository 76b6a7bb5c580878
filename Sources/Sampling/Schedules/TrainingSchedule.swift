#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// How much of a picture is left at each of the timesteps that a model was trained with.
///
/// ᾱ_t = ∏ (1 − β_s), s ≤ t: a noisy picture is √ᾱ_t·picture + √(1 − ᾱ_t)·noise.
/// Source: Ho, Jain and Abbeel, "Denoising Diffusion Probabilistic Models" (2020), equation 4.
package struct TrainingSchedule: Sendable {
    /// ᾱ of each timestep, falling from almost 1.
    package let alphaBars: [Double]
    private let logSigmas: [Double]

    /// Where σ must be finite, a zero-terminal schedule ends here. Source: diffusers, `EulerDiscreteScheduler`.
    static let leastAlphaBar = 0x1p-24

    package enum Betas: String, Sendable, CaseIterable {
        case linear = "linear"
        /// The square roots are spaced evenly: Stable Diffusion's.
        case scaledLinear = "scaled_linear"
        /// Nichol and Dhariwal (2021), equation 17.
        case squaredCosine = "squaredcos_cap_v2"
    }

    /// - Parameters:
    ///   - start: first β, ignored by the cosine
    ///   - end: last β, ignored by the cosine
    ///   - zeroTerminal: rescale so that nothing of the picture is left at the last timestep
    ///     (Lin et al., "Common Diffusion Noise Schedules and Sample Steps are Flawed" (2023), algorithm 1)
    package init(
        _ kind: Betas, start: Double = 0.00085, end: Double = 0.012, count: Int = 1000, zeroTerminal: Bool = false
    ) {
        func spaced(_ from: Double, _ to: Double) -> [Double] {
            (0..<count).map { count == 1 ? from : from + (to - from) * Double($0) / Double(count - 1) }
        }
        let betas: [Double] =
            switch kind {
            case .linear: spaced(start, end)
            case .scaledLinear: spaced(start.squareRoot(), end.squareRoot()).map { $0 * $0 }
            case .squaredCosine:
                (0..<count).map { i in
                    func left(_ t: Double) -> Double {
                        let c = cos((t + 0.008) / 1.008 * .pi / 2)
                        return c * c
                    }
                    return min(1 - left(Double(i + 1) / Double(count)) / left(Double(i) / Double(count)), 0.999)
                }
            }
        var product = 1.0
        var alphaBars = betas.map { beta in
            product *= 1 - beta
            return product
        }
        if zeroTerminal, let first = alphaBars.first?.squareRoot(), let last = alphaBars.last?.squareRoot() {
            alphaBars = alphaBars.map { alphaBar in
                let shifted = (alphaBar.squareRoot() - last) * first / (first - last)
                return shifted * shifted
            }
        }
        self.alphaBars = alphaBars
        logSigmas = alphaBars.map { log(NoiseLevel.ratio(alphaBar: max($0, Self.leastAlphaBar))) }
    }

    package var count: Int { alphaBars.count }

    /// The level at a whole timestep; below 0 nothing is noisy.
    package func level(at time: Int) -> NoiseLevel {
        NoiseLevel(time: Double(time), alphaBar: alphaBars[min(max(time, 0), count - 1)])
    }

    /// σ = √((1 − ᾱ)/ᾱ) of a whole timestep, finite.
    func sigma(at index: Int) -> Double { exp(logSigmas[index]) }

    /// σ between whole timesteps, its logarithm interpolated. Source: k-diffusion, `external.py`.
    package func sigma(at time: Double) -> Double {
        let low = min(max(Int(time), 0), count - 1)
        let high = min(low + 1, count - 1)
        let part = time - Double(low)
        return exp((1 - part) * logSigmas[low] + part * logSigmas[high])
    }

    /// The fractional timestep with this σ: the inverse of ``sigma(at:)``, held to the trained range.
    package func time(ofSigma sigma: Double) -> Double {
        guard count > 1 else { return 0 }
        let wanted = log(sigma)
        let low = min(logSigmas.lastIndex { $0 <= wanted } ?? 0, count - 2)
        let gap = logSigmas[low + 1] - logSigmas[low]
        // A schedule that ends in pure noise is level there.
        let part = gap > 0 ? (wanted - logSigmas[low]) / gap : 0
        return Double(low) + min(max(part, 0), 1)
    }
}
