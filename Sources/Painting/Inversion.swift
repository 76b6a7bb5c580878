import Sampling
import Tensors

/// Painting from the noise that the picture itself would have come from, instead of a seed's: the web UI's "img2img
/// alternative test".
///
/// Source: AUTOMATIC1111's web UI, `scripts/img2imgalt.py`. Where only a part of the schedule runs, the way up ends at the level
/// where that begins, and the way down starts from what was reached.
package struct Inversion: Sendable, Equatable {
    /// What the picture shows; nil where that is what is painted.
    package var prompt: String?
    package var guidance = 1.0
    /// Length of the full schedule on the way up; nil for the painting's own levels.
    package var steps: Int?
    /// How much of a seed's noise is mixed in, 0…1.
    package var randomness = 0.0
    /// Each step looks at the level that it leaves.
    package var adjustsSigma = false

    package init() {}

    /// The way up for one run.
    package struct Way: Sendable {
        package let levels: [NoiseLevel]
        /// The whole schedule runs, so that what is reached is taken for noise alone.
        package let isWhole: Bool
        let isAdjusted: Bool

        /// Times that the network is asked.
        var evaluations: Int { levels.count - (isAdjusted ? 1 : 0) }
    }
}

extension Settings {
    /// The way up to where a run begins; nil where there is none.
    package func way(_ plan: RunPlan, _ skip: Skip, _ scheduler: SchedulerConfiguration) -> Inversion.Way? {
        guard let inversion, let start = plan.start else { return nil }
        var below = plan
        if let count = inversion.steps {
            var other = self
            (other.steps, other.runSteps) = (count, nil)
            below = other.plan(skip.strength(of: steps) == 1 ? nil : Skip(share: skip.strength(of: steps)), scheduler)
        }
        let levels = below.steps.reversed().map(\.from).filter { $0.ratio < start.ratio * (1 - 1e-9) }
        return .init(
            levels: levels + [start], isWhole: skip.strength(of: steps) == 1, isAdjusted: inversion.adjustsSigma)
    }

    /// Refuses words of which no picture is made.
    ///
    /// - Parameter picture: what messages call it
    /// - Throws: ``PaintingError/usage(_:)``
    package func checkInversion(of picture: String) throws(PaintingError) {
        guard let count = inversion?.prompt?.unicodeScalars.count, count > Self.mostLetters else { return }
        throw .usage(
            "The inversion prompt of \(picture) has \(count) letters, but at most \(Self.mostLetters) are read. Write less."
        )
    }

    /// What the network is told on the way up.
    var inverting: Settings {
        var settings = self
        settings.prompt = inversion?.prompt ?? prompt
        settings.guidance = inversion?.guidance ?? 1
        // The way down could not be the way up again.
        settings.shortcuts = Shortcuts()
        return settings
    }
}

extension LatentPainter {
    /// The noisy picture that a run begins with, found from the picture.
    ///
    /// - Parameters:
    ///   - unit: a seed's noise, of which ``Inversion/randomness`` mixes some in
    ///   - start: the level where the run begins
    /// - Returns: alpha·picture + sigma·noise
    package func inverted(
        _ latents: Tensor, _ way: Inversion.Way, _ plan: RunPlan, from start: NoiseLevel, unit: Tensor,
        beside: Tensor? = nil, tiles: LatentTiles? = nil, evaluated: @escaping () throws -> Void
    ) throws -> Tensor {
        guard let inversion = settings.inversion else { return start.noised(latents, unit) }
        let clock = PromptClock()
        let denoise = try denoiser(settings.inverting, plan, beside: beside, tiles: tiles, clock)
        let reached = try eulerInverted(latents, way.levels, isAdjusted: inversion.adjustsSigma) { x, level in
            let estimate = try denoise(x, level)
            clock.advance()
            try evaluated()
            return estimate
        }
        let ratio = Float(start.ratio)
        var noise: Tensor
        if !way.isWhole {
            noise = reached.zip(latents) { ($0 - $1) / ratio }
        } else if inversion.adjustsSigma {
            noise = (1 / ratio) * reached
        } else {
            noise = (1 / Float(reached.deviation)) * reached
        }
        if inversion.randomness > 0 {
            let (own, random) = (1 - inversion.randomness, inversion.randomness)
            let length = (own * own + random * random).squareRoot()
            noise = noise.zip(unit) { Float(own / length) * $0 + Float(random / length) * $1 }
        }
        noise = Float(settings.initialNoiseMultiplier) * noise
        // Of a whole run nothing of the picture itself is added once more.
        return way.isWhole ? Float(start.sigma) * noise : start.noised(latents, noise)
    }
}

extension Tensor {
    /// The standard deviation of all values, as a sample's.
    fileprivate var deviation: Double {
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(count)
        let sum = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return max(1e-12, (sum / Double(max(1, count - 1))).squareRoot())
    }
}
