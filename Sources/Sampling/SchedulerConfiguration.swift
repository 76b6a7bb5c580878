/// What a model's description says about its noise: how it was trained, and how steps are spaced by default.
///
/// Source: diffusers, `scheduler_config.json` and the scheduler classes that read it.
package struct SchedulerConfiguration: Sendable {
    package enum Spacing: String, Sendable, CaseIterable {
        case leading, linspace, trailing
    }

    package enum Variance: String, Sendable, CaseIterable {
        case fixedSmall = "fixed_small"
        case fixedLarge = "fixed_large"
    }

    package var training: TrainingSchedule
    package var prediction: Prediction
    /// Nil where the description is silent: then each sampler's own default holds.
    package var spacing: Spacing?
    package var stepsOffset: Int
    /// Whether DDIM's last step ends at the clean picture, or at ᾱ of the first timestep (`set_alpha_to_one`).
    package var endsClean: Bool
    /// Whether the last step over σ ends at 0, or at the first timestep's σ (`final_sigmas_type`).
    package var endsAtZeroSigma: Bool
    /// Bound of the estimate, where it is clipped.
    package var clip: Float?
    package var variance: Variance
    /// What the schedule named `model` is for samplers over σ.
    package var ownSchedule = ScheduleName.model
    /// dpmpp-2m spaces its steps as diffusers' multistep solver does, which counts one step more.
    package var multistepSpacing: Bool

    package init(
        training: TrainingSchedule = TrainingSchedule(.scaledLinear), prediction: Prediction = .epsilon,
        spacing: Spacing? = nil, stepsOffset: Int = 0, endsClean: Bool = true,
        endsAtZeroSigma: Bool = true, clip: Float? = nil,
        variance: Variance = .fixedSmall, multistepSpacing: Bool = false
    ) {
        self.training = training
        self.prediction = prediction
        self.spacing = spacing
        self.stepsOffset = stepsOffset
        self.endsClean = endsClean
        self.endsAtZeroSigma = endsAtZeroSigma
        self.clip = clip
        self.variance = variance
        self.multistepSpacing = multistepSpacing
    }
}
