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
    }

    /// - Parameter count: steps asked for, 1…training timesteps. (`leading` spacing may add none but never loses one.)
    package init(_ family: Family, _ name: ScheduleName, count: Int, _ configuration: SchedulerConfiguration) {
        let training = configuration.training
        switch family {
        case .ddim:
            let stride = training.count / count
            steps = Self.wholeTimes(count, configuration, default: .leading).enumerated().map { index, time in
                let previous = time - stride
                let end = configuration.endsClean ? NoiseLevel.clean : training.level(at: 0)
                return Step(
                    index: index, from: training.level(at: time), to: previous >= 0 ? training.level(at: previous) : end
                )
            }
        case .ddpm:
            let times = Self.wholeTimes(count, configuration, default: .leading)
            steps = times.enumerated().map { index, time in
                let to = index + 1 < times.count ? training.level(at: times[index + 1]) : .clean
                return Step(index: index, from: training.level(at: time), to: to)
            }
        case .sigmas, .multistep:
            let levels = Self.levels(family, name, count, configuration)
            let end = configuration.endsAtZeroSigma ? NoiseLevel.clean : training.level(at: 0)
            steps = levels.indices.map { index in
                Step(index: index, from: levels[index], to: index + 1 < levels.count ? levels[index + 1] : end)
            }
        }
    }

    /// The last `run` steps.
    package func last(_ run: Int) -> [Step] { Array(steps.suffix(run)) }

    private static func spaced(_ from: Double, _ to: Double, _ count: Int) -> [Double] {
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

    private static func trailing(_ count: Int, _ total: Int) -> [Int] {
        let stride = Double(total) / Double(count)
        return (0..<count).map { Int((Double(total) - Double($0) * stride).rounded(.toNearestOrEven)) - 1 }
    }

    private static func levels(
        _ family: Family, _ name: ScheduleName, _ count: Int, _ configuration: SchedulerConfiguration
    ) -> [NoiseLevel] {
        let training = configuration.training
        let (top, bottom) = (training.sigma(at: training.count - 1), training.sigma(at: 0))
        func named(_ sigmas: [Double]) -> [NoiseLevel] {
            sigmas.map { NoiseLevel(time: training.time(ofSigma: $0), ratio: $0) }
        }
        switch name {
        case .karras:
            // Karras et al., "Elucidating the Design Space" (2022), equation 5, with ρ = 7.
            let levels = named(spaced(pow(top, 1 / 7), pow(bottom, 1 / 7), count).map { pow($0, 7) })
            guard family == .multistep else { return levels }
            return levels.map { NoiseLevel(time: $0.time.rounded(.toNearestOrEven), ratio: $0.ratio) }
        case .exponential:
            return named(spaced(log(top), log(bottom), count).map { exp($0) })
        case .sgmUniform:
            return spaced(Double(training.count - 1), 0, count + 1).dropLast().map {
                NoiseLevel(time: $0, ratio: training.sigma(at: $0))
            }
        case .model:
            return modelTimes(family, count, configuration).map { time in
                // Between timesteps σ itself is interpolated here: diffusers' rule, where folders come from.
                let low = min(Int(time), training.count - 1)
                let high = min(low + 1, training.count - 1)
                let (a, b) = (training.sigma(at: low), training.sigma(at: high))
                return NoiseLevel(time: time, ratio: a + (b - a) * (time - Double(low)))
            }
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
