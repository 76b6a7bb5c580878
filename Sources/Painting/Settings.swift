import Raster
import Sampling

/// Everything that decides what a painting looks like, beside the pictures and the model.
package struct Settings: Sendable {
    package enum RandomSource: String, Sendable, CaseIterable {
        case position, torch
    }

    package enum Encoding: String, Sendable, CaseIterable {
        case mean, sample
    }

    package var prompt = ""
    package var negative = ""
    package var language = PromptLanguage.webui
    /// An empty negative prompt was asked for: SDXL reads it like any text instead of taking zeros.
    package var readsEmptyNegative = false
    package var guidance = 7.5
    package var sampler = Sampler.ddim
    package var schedule = ScheduleName.model
    package var steps = 50
    package var eta = 0.0
    package var seed: UInt64 = 0
    package var rng = RandomSource.position
    package var encode = Encoding.mean
    package var clipSkip: Int?
    package var prediction: Prediction?
    package var initialNoiseMultiplier = 1.0
    /// Strength with which the result's broad colours are drawn back to the source's, 0…1.
    package var colourAnchor = 0.0
    /// Size at which to paint instead of the planned one.
    package var workSize: PixelSize?
    /// Colour stays in a picture whose source was grey.
    package var keepsColour = false

    package init() {}

    /// Guidance costs a second picture in every step, so without a prompt, or at 1, it is off.
    package var isGuided: Bool { guidance > 1 && !(prompt.isEmpty && negative.isEmpty) }
}
