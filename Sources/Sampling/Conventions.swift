/// The rules in which tools differ, each with a name of its own, so that code asks for the rule and never for the tool.
package struct Conventions: Sendable, Equatable {
    /// How many steps of the schedule run.
    package enum Counting: Sendable {
        /// ⌊steps·strength⌋, in exact decimals, at least 1.
        case exact
        /// The same product in floating point, truncated. Source: diffusers, `get_timesteps` of its pipelines.
        case truncated
        /// One evaluation more for samplers over σ, one fewer for those over timesteps: ``WebUISchedule``.
        case webUI
    }

    /// How words become what a model is told.
    package enum Prompts: String, Sendable {
        /// Weights, schedules, parts and pieces of any length, as the web UI reads prompts: docs/prompts.md.
        case weighted = "webui"
        /// Every character is a word's, and what is too long is cut, as diffusers reads them.
        case plain
    }

    package enum RandomSource: String, Sendable, CaseIterable {
        case position, torch, nv
    }

    package enum Encoding: String, Sendable, CaseIterable {
        case mean, sample
    }

    package var counting = Counting.exact
    package var prompts = Prompts.weighted
    /// What `--rng` and `--encode` are where they are not given.
    package var randomSource = RandomSource.position
    package var encoding = Encoding.mean
    /// Whether a sample of the autoencoder's belief and the starting noise come out of one generator, the sample first.
    package var encoderSharesGenerator = true
    /// Whether descriptions that do not say how the last step ends mean what each scheduler class of diffusers means.
    package var endsAsClassesDo = false
    package var plms = SchedulerConfiguration.PLMS()
    /// Whether networks without attention at full size keep all their tokens where merging is asked for.
    package var mergesFullSizeOnly = false
    /// Whether the kept part is held to the source also where a model for inpainting sees the mask itself.
    package var holdsWhatModelsSee = true

    package init() {}

    package static let ours = Conventions()

    /// Source: AUTOMATIC1111's web UI, version 1.10.
    package static let webUI: Conventions = {
        var rules = Conventions()
        rules.counting = .webUI
        (rules.randomSource, rules.encoding) = (.nv, .sample)
        rules.encoderSharesGenerator = false
        rules.plms.mixesNoises = true
        rules.mergesFullSizeOnly = true
        return rules
    }()

    /// Source: diffusers, `StableDiffusionImg2ImgPipeline`, version 0.42.
    package static let diffusers: Conventions = {
        var rules = Conventions()
        rules.counting = .truncated
        rules.prompts = .plain
        (rules.randomSource, rules.encoding) = (.torch, .sample)
        rules.endsAsClassesDo = true
        rules.plms.takesStepsAsListed = true
        rules.holdsWhatModelsSee = false
        return rules
    }()
}

/// What runs: the level that the picture is noised to, and the steps from there.
package struct RunPlan: Sendable, Equatable {
    /// Nil where nothing is noised and nothing runs.
    package let start: NoiseLevel?
    package let steps: [Step]
    /// The rules of the scheduler that hold for these steps.
    package let configuration: SchedulerConfiguration
    /// Smallest positive and largest σ of the whole schedule: what Brownian paths span.
    package let span: ClosedRange<Double>
    /// Times that the network is asked.
    package let evaluations: Int
    /// Whether painting from nothing begins with noise alone, not with as much as the first level says.
    package let startsFromUnitNoise: Bool

    package static func == (a: RunPlan, b: RunPlan) -> Bool { a.start == b.start && a.steps == b.steps }

    init(
        _ sampler: Sampler, _ steps: [Step], of schedule: [Step], start: NoiseLevel? = nil,
        startsFromUnitNoise: Bool? = nil, _ configuration: SchedulerConfiguration
    ) {
        self.startsFromUnitNoise = startsFromUnitNoise ?? sampler.startsFromUnitNoise
        (self.start, self.steps, self.configuration) = (start ?? steps.first?.from, steps, configuration)
        let sigmas = schedule.flatMap { [$0.from.ratio, $0.to.ratio] }.filter { $0 > 0 && $0.isFinite }
        span = (sigmas.min() ?? 1)...(sigmas.max() ?? 1)
        evaluations = sampler.evaluations(steps, configuration)
    }

    /// Noise for one part of picture at the start; 0 where nothing runs.
    package var sigma: Double { start?.ratio ?? 0 }
}

/// How much of a schedule runs.
package enum RunLength: Sendable, Equatable {
    /// The last steps.
    case last(Int)
    /// All from noise alone.
    case whole
    /// Exactly so many from a training time, in timesteps out of all.
    case few(Int, from: Int)
    /// The web UI's denoising strength, 0…1.
    case strength(Double)
}

extension Conventions {
    /// The steps that run.
    ///
    /// - Parameter count: length of the full schedule
    package func plan(
        _ sampler: Sampler, _ name: ScheduleName, count: Int, _ length: RunLength,
        _ described: SchedulerConfiguration
    ) -> RunPlan {
        var configuration = described
        configuration.plms = plms
        if endsAsClassesDo { configuration.endsClean = described.endsClean ?? (sampler != .plms) }
        let family = sampler.family(configuration)
        let resolved = sampler.resolved(name, configuration)
        if case .few(let steps, let time) = length {
            let whole = StepSchedule(family, resolved, running: steps, from: time, configuration).steps
            configuration.plms.takesStepsAsListed = false
            return RunPlan(sampler, whole, of: whole, configuration)
        }
        if counting == .webUI {
            var strength: Double?
            if case .strength(let value) = length { strength = value }
            return WebUISchedule(sampler, name, count: count, configuration).plan(strength: strength)
        }
        let whole = StepSchedule(family, resolved, count: count, configuration).steps
        guard case .last(let run) = length else {
            configuration.plms.takesStepsAsListed = false
            return RunPlan(sampler, whole, of: whole, configuration)
        }
        var steps = Array(whole.suffix(run))
        if sampler == .plms, configuration.plms.takesStepsAsListed {
            // The list has its second step twice; the run is cut out of that list.
            let listed = whole.prefix(2) + whole.dropFirst()
            steps = run == 0 ? [] : listed.suffix(run + (whole.count > 1 ? 1 : 0))
        }
        return RunPlan(sampler, steps, of: whole, configuration)
    }
}
