import Networks
import Raster
import Sampling

/// Everything that decides what a painting looks like, beside the pictures and the model.
package struct Settings: Sendable {
    package typealias RandomSource = Conventions.RandomSource
    package typealias Encoding = Conventions.Encoding

    /// Whose rules hold.
    package enum Compatibility: String, Sendable, CaseIterable {
        case none, webui, diffusers, disco, progrock
    }

    /// Another seed whose noise is mixed into the starting noise.
    package struct Variation: Sendable, Equatable {
        package var seed: UInt64
        /// 0…1
        package var strength: Double

        package init(seed: UInt64, strength: Double) { (self.seed, self.strength) = (seed, strength) }
    }

    package var prompt = ""
    package var negative = ""
    /// An empty negative prompt was asked for: SDXL reads it like any text instead of taking zeros.
    package var readsEmptyNegative = false
    package var guidance = 7.5
    /// The network is told of guidance and runs once a step: the negative prompt has no place.
    package var embedsGuidance = false
    package var sampler = Sampler.ddim
    package var schedule = ScheduleName.model
    package var steps = 50
    /// Exactly so many steps, from the level that the skip says.
    package var runSteps: Int?
    package var eta = 0.0
    package var seed: UInt64 = 0
    package var variation: Variation?
    package var rng = RandomSource.position
    /// Added to the seed for all noise after the starting noise ("eta noise seed delta").
    package var etaNoiseDelta = 0
    package var encode = Encoding.mean
    package var compatibility = Compatibility.none
    package var clipSkip: Int?
    /// What was said of the model that its files do not say.
    package var kind: ModelKind?
    package var prediction: Prediction?
    package var initialNoiseMultiplier = 1.0
    /// The deepest levels are weighed otherwise than they were trained.
    package var freeU: FreeU?
    package var shortcuts = Shortcuts()
    /// Strength with which the result's broad colours are drawn back to the source's, 0…1.
    package var colourAnchor = 0.0
    /// The working size as it was asked for: "source", "768x512", or nil for the planned one.
    package var workSize: String?
    /// Colour stays in a picture whose source was grey.
    package var keepsColour = false
    /// Noise that goes into what painting starts from, as the noise command lays it.
    package var noise: Roughening.Amount?
    /// Painting starts from a picture of Perlin noise, whatever the init image is.
    package var perlinInit: PerlinPicture.Mode?
    /// How a mask is taken, where there is one.
    package var masking: Masking?
    /// How the picture is enlarged and painted in tiles, where it is.
    package var enlarging: Enlarging?
    package var loops = Loops()
    /// Where painting starts from the noise that leads to the picture.
    package var inversion: Inversion?
    /// The canvas that strokes are laid on where there is no picture, "#rrggbb".
    package var background: Colour?

    package init() {}

    /// Guidance costs a second picture in every step, so without a prompt, or at 1, it is off.
    package var isGuided: Bool { guidance > 1 && !embedsGuidance && !(prompt.isEmpty && negative.isEmpty) }

    /// Guidance where it has any effect: between two predictions, or told to the network.
    var effectiveGuidance: Double? { isGuided || embedsGuidance ? guidance : nil }

    package var conventions: Conventions {
        switch compatibility {
        case .webui: .webUI
        case .diffusers: .diffusers
        case .none, .disco, .progrock: .ours
        }
    }

    /// What runs at a skip, or from noise alone where there is none.
    package func plan(_ skip: Skip?, _ described: SchedulerConfiguration) -> RunPlan {
        var scheduler = described
        scheduler.prediction = prediction ?? scheduler.prediction
        return conventions.plan(sampler, schedule, count: steps, length(skip, scheduler), scheduler)
    }

    private func length(_ skip: Skip?, _ scheduler: SchedulerConfiguration) -> RunLength {
        if let runSteps {
            let count = scheduler.training.count
            let time = skip?.time(of: count) ?? count
            return time == 0 ? .last(0) : .few(runSteps, from: time)
        }
        guard let skip else { return .whole }
        switch conventions.counting {
        case .exact: return .last(skip.run(of: steps))
        case .truncated:
            let strength = skip.strength(of: steps)
            return .last(strength == 0 ? 0 : max(1, min(Int(Double(steps) * strength), steps)))
        case .webUI: return .strength(skip.strength(of: steps))
        }
    }
}
