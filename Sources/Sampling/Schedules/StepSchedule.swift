#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Names of the ways to spread steps over the noise levels.
package enum ScheduleName: String, Sendable, CaseIterable {
    /// As the model's description says.
    case model
    case karras
    case exponential
    case sgmUniform = "sgm-uniform"
    /// Evenly over the timesteps, from the last to the first. Source: k-diffusion, `DiscreteSchedule.get_sigmas`.
    case uniform
}

/// One step of a sampler: from one noise level to a lower one.
package struct Step: Sendable, Equatable {
    /// Place in the full schedule, from 0.
    package let index: Int
    package let from: NoiseLevel
    package let to: NoiseLevel

    package init(index: Int, from: NoiseLevel, to: NoiseLevel) {
        (self.index, self.from, self.to) = (index, from, to)
    }

    /// Steps through levels one after the other, to `end`.
    static func through(_ levels: [NoiseLevel], to end: NoiseLevel) -> [Step] {
        levels.indices.map { Step(index: $0, from: levels[$0], to: $0 + 1 < levels.count ? levels[$0 + 1] : end) }
    }
}

/// The full list of steps that a sampler takes from noise to picture; skipping leaves out the first ones.
package struct StepSchedule: Sendable {
    package let steps: [Step]

    package enum Family: Sendable {
        /// Whole timesteps of training; a step ends one stride lower. Source: diffusers, `DDIMScheduler`.
        case ddim
        /// Whole timesteps of training; a step ends at the next. Source: diffusers, `DDPMScheduler`.
        case ddpm
        /// Levels between timesteps too, down to exactly 0. Source: k-diffusion.
        case sigmas
        /// The same with the spacing of diffusers' `DPMSolverMultistepScheduler`.
        case multistep
        /// Timesteps out of those that a consistency model was distilled with. Source: diffusers, `LCMScheduler`.
        case consistency
    }

    /// The whole schedule, as the model's description spaces it.
    ///
    /// - Parameter count: steps asked for, 1…training timesteps. (`leading` spacing may add none but never loses one.)
    package init(_ family: Family, _ name: ScheduleName, count: Int, _ configuration: SchedulerConfiguration) {
        let training = configuration.training
        switch family {
        case .ddim:
            let stride = training.count / count
            steps = Self.wholeTimes(count, configuration, default: .leading).enumerated().map { index, time in
                let previous = time - stride
                return Step(
                    index: index, from: training.level(at: time),
                    to: previous >= 0 ? training.level(at: previous) : Self.end(family, configuration))
            }
        case .ddpm:
            let times = Self.wholeTimes(count, configuration, default: .leading)
            steps = Step.through(times.map(training.level), to: .clean)
        case .consistency:
            let times = Self.consistencyTimes(count, of: configuration.consistency.originalSteps, configuration)
            steps = Step.through(times.map(training.level), to: .clean)
        case .sigmas, .multistep:
            let levels =
                name == .model
                ? Self.levels(Self.modelTimes(family, count, configuration), training)
                : Self.levels(family, name, count, below: training.count, training)
            steps = Step.through(levels, to: Self.end(family, configuration))
        }
    }

    /// Exactly `count` steps from a training time down to the picture: what `--run-steps` asks for, and how few-step
    /// models are painted with.
    ///
    /// Named schedules spread them over σ from that time on; else whole timesteps are spread evenly as diffusers'
    /// `trailing` spacing does, or taken from those that a consistency model was distilled with.
    ///
    /// - Parameters:
    ///   - count: 1…``mostSteps(_:from:_:)``
    ///   - time: how many of the training timesteps are below the start, 1…training timesteps
    package init(
        _ family: Family, _ name: ScheduleName, running count: Int, from time: Int,
        _ configuration: SchedulerConfiguration
    ) {
        let training = configuration.training
        let levels: [NoiseLevel] =
            switch (family, name) {
            case (.consistency, _):
                Self.consistencyTimes(count, of: Self.table(configuration, below: time), configuration).map(
                    training.level)
            case (.ddim, _), (.ddpm, _): Self.trailing(count, time).map(training.level)
            case (.sigmas, .model), (.multistep, .model):
                Self.levels(Self.trailing(count, time).map(Double.init), training)
            case (.sigmas, _), (.multistep, _): Self.levels(family, name, count, below: time, training)
            }
        steps = Step.through(levels, to: Self.end(family, configuration))
    }

    /// How many steps can be spread below a training time.
    package static func mostSteps(_ family: Family, from time: Int, _ configuration: SchedulerConfiguration) -> Int {
        family == .consistency ? table(configuration, below: time) : time
    }

    /// The last `run` steps.
    package func last(_ run: Int) -> [Step] { Array(steps.suffix(run)) }

    private static func end(_ family: Family, _ configuration: SchedulerConfiguration) -> NoiseLevel {
        let isClean =
            switch family {
            case .ddim: configuration.endsClean ?? true
            case .ddpm, .consistency: true
            case .sigmas, .multistep: configuration.endsAtZeroSigma
            }
        return isClean ? .clean : configuration.training.level(at: 0)
    }

    static func spaced(_ from: Double, _ to: Double, _ count: Int) -> [Double] {
        (0..<count).map { count == 1 ? from : from + (to - from) * Double($0) / Double(count - 1) }
    }

    /// Whole training timesteps, noisiest first.
    private static func wholeTimes(
        _ count: Int, _ configuration: SchedulerConfiguration, default spacing: SchedulerConfiguration.Spacing
    ) -> [Int] {
        let total = configuration.training.count
        let times: [Int] =
            switch configuration.spacing ?? spacing {
            case .leading: (0..<count).reversed().map { $0 * (total / count) + configuration.stepsOffset }
            case .linspace:
                spaced(0, Double(total - 1), count).reversed().map { Int($0.rounded(.toNearestOrEven)) }
            case .trailing: trailing(count, total)
            }
        return times.map { min(max($0, 0), total - 1) }
    }

    /// `count` timesteps below `total`, the last one high enough that a stride fits under it.
    private static func trailing(_ count: Int, _ total: Int) -> [Int] {
        let stride = Double(total) / Double(count)
        return (0..<count).map { Int((Double(total) - Double($0) * stride).rounded(.toNearestOrEven)) - 1 }
    }

    /// How many of the timesteps that a consistency model was distilled with are below a training time.
    private static func table(_ configuration: SchedulerConfiguration, below time: Int) -> Int {
        configuration.consistency.originalSteps * time / configuration.training.count
    }

    /// `count` of the first `length` of those timesteps, evenly chosen from the noisiest down.
    private static func consistencyTimes(_ count: Int, of length: Int, _ configuration: SchedulerConfiguration)
        -> [Int]
    {
        let stride = configuration.training.count / configuration.consistency.originalSteps
        // In floating point, as there: 22 of 30 are not what whole numbers would choose.
        let apart = Double(length) / Double(count)
        return (0..<count).map { (length - Int(Double($0) * apart)) * stride - 1 }
    }

    /// Levels of a named schedule from timestep `time` − 1 down.
    private static func levels(
        _ family: Family, _ name: ScheduleName, _ count: Int, below time: Int, _ training: TrainingSchedule
    ) -> [NoiseLevel] {
        let (top, bottom) = (training.sigma(at: time - 1), training.sigma(at: 0))
        func named(_ sigmas: [Double], _ whole: (Double) -> Double) -> [NoiseLevel] {
            sigmas.map { sigma in
                let time = training.time(ofSigma: sigma)
                // diffusers' multistep solvers feed whole timesteps to the network.
                return NoiseLevel(time: family == .multistep ? whole(time) : time, ratio: sigma)
            }
        }
        func timed(_ times: [Double]) -> [NoiseLevel] {
            times.map { NoiseLevel(time: $0, ratio: training.sigma(at: $0)) }
        }
        switch name {
        case .karras:
            // Karras et al., "Elucidating the Design Space" (2022), equation 5, with ρ = 7.
            return named(spaced(pow(top, 1 / 7), pow(bottom, 1 / 7), count).map { pow($0, 7) }) {
                $0.rounded(.toNearestOrEven)
            }
        case .exponential:
            return named(spaced(log(top), log(bottom), count).map { exp($0) }) { $0.rounded(.down) }
        case .sgmUniform: return timed(spaced(Double(time - 1), 0, count + 1).dropLast())
        case .uniform, .model: return timed(spaced(Double(time - 1), 0, count))
        }
    }

    /// Levels at times between which σ itself is interpolated: diffusers' rule, where folders come from.
    private static func levels(_ times: [Double], _ training: TrainingSchedule) -> [NoiseLevel] {
        times.map { time in
            let low = min(Int(time), training.count - 1)
            let high = min(low + 1, training.count - 1)
            let (a, b) = (training.sigma(at: low), training.sigma(at: high))
            return NoiseLevel(time: time, ratio: a + (b - a) * (time - Double(low)))
        }
    }

    private static func modelTimes(_ family: Family, _ count: Int, _ configuration: SchedulerConfiguration) -> [Double]
    {
        let total = configuration.training.count
        switch (configuration.spacing ?? .linspace, family) {
        case (.linspace, .multistep):
            return spaced(0, Double(total - 1), count + 1).map { $0.rounded(.toNearestOrEven) }.reversed().dropLast()
        case (.leading, .multistep):
            let stride = total / (count + 1)
            return (1...count).reversed().map { Double(min($0 * stride + configuration.stepsOffset, total - 1)) }
        case (.linspace, _):
            return spaced(Double(total - 1), 0, count)
        case (.leading, _), (.trailing, _):
            return wholeTimes(count, configuration, default: .linspace).map(Double.init)
        }
    }
}
