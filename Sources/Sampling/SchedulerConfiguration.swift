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
    /// Whether the last of whole timesteps ends at the clean picture, or at ᾱ of the first timestep
    /// (`set_alpha_to_one`); nil, where the description is silent, means clean.
    package var endsClean: Bool?
    /// Whether the last step over σ ends at 0, or at the first timestep's σ (`final_sigmas_type`).
    package var endsAtZeroSigma: Bool
    /// Bound of the estimate, where it is clipped.
    package var clip: Float?
    package var variance: Variance
    /// What the schedule named `model` is for samplers over σ.
    package var ownSchedule = ScheduleName.model
    /// dpmpp-2m and unipc space their steps as diffusers' multistep solvers do, which count one step more.
    package var multistepSpacing: Bool
    /// Whether a multistep solver that ends above σ 0 takes its last step in first order: always (`euler_at_final`),
    /// or in runs of fewer than 15 steps (`lower_order_final`).
    package var firstOrderAtEnd = (always: false, inShortRuns: true)
    package var uniPC = UniPC()
    package var plms = PLMS()
    package var consistency = Consistency()
    /// How the model is meant to be painted with, where it was made for a few steps.
    package var fewStep: FewStep?

    /// Source: diffusers, `UniPCMultistepScheduler`.
    package struct UniPC: Sendable, Equatable {
        package enum Kind: String, Sendable, CaseIterable { case bh1, bh2 }

        /// 1…3 (`solver_order`).
        package var order = 2
        package var kind = Kind.bh2
        /// Whether the last steps have no more order than steps are left (`lower_order_final`).
        package var lowersOrderAtEnd = true
        /// Steps of the full schedule whose result is not corrected (`disable_corrector`).
        package var uncorrected: Set<Int> = []

        package init() {}
    }

    package struct PLMS: Sendable, Equatable {
        /// The second step is taken as it stands in the list, not doubled: what diffusers' image-to-image pipeline does
        /// when it starts inside the list.
        package var takesStepsAsListed = false
        /// The multistep formula mixes noises, as the web UI does, and not what the network predicts, as diffusers does.
        package var mixesNoises = false

        package init() {}
    }

    /// Source: diffusers, `LCMScheduler`.
    package struct Consistency: Sendable, Equatable {
        /// Steps that the model was distilled with (`original_inference_steps`).
        package var originalSteps = 50
        package var timestepScaling = 10.0

        package init() {}
    }

    package struct FewStep: Sendable, Equatable {
        package var sampler: Sampler
        /// Steps to run where nothing is said.
        package var steps = 4

        package init(_ sampler: Sampler) { self.sampler = sampler }
    }

    package init(
        training: TrainingSchedule = TrainingSchedule(.scaledLinear), prediction: Prediction = .epsilon,
        spacing: Spacing? = nil, stepsOffset: Int = 0, endsClean: Bool? = nil,
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
