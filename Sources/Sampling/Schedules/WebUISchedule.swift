#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Schedules and step counts of AUTOMATIC1111's web UI.
///
/// Source: `modules/sd_samplers_common.py` (`setup_img2img_steps`), `sd_samplers_kdiffusion.py`, `sd_samplers_timesteps.py`,
/// `sd_samplers_timesteps_impl.py`, `sd_samplers_lcm.py`, `models/diffusion/uni_pc/uni_pc.py`.
struct WebUISchedule {
    private let sampler: Sampler
    private let name: ScheduleName
    private let count: Int
    private let configuration: SchedulerConfiguration

    init(_ sampler: Sampler, _ name: ScheduleName, count: Int, _ described: SchedulerConfiguration) {
        var configuration = described
        // Nothing is clipped there, and its UniPC has settings of its own.
        configuration.clip = nil
        configuration.multistepSpacing = false
        configuration.uniPC = .init()
        (configuration.uniPC.order, configuration.uniPC.kind) = (3, .bh1)
        (self.sampler, self.name, self.count, self.configuration) = (sampler, name, count, configuration)
    }

    /// - Parameter strength: "denoising strength" 0…1, or nil from noise alone
    func plan(strength: Double?) -> RunPlan {
        let reached = strength.map { Int(min($0, 0.999) * Double(count)) }
        switch sampler {
        case .ddim, .plms, .ddpm, .unipc: return timestepPlan(reached)
        default: return sigmaPlan(reached)
        }
    }

    private var training: TrainingSchedule { configuration.training }

    // MARK: Samplers over σ

    private func sigmaPlan(_ reached: Int?) -> RunPlan {
        var levels: [NoiseLevel]
        if sampler == .lcm {
            levels = consistencyLevels()
        } else {
            // Two of them take one step more and leave the one before the last out.
            let discards = sampler == .dpm2 || sampler == .dpm2Ancestral
            levels = StepSchedule(.sigmas, automatic, count: count + (discards ? 1 : 0), configuration).steps.map(
                \.from)
            if discards { levels.removeLast() }
        }
        let whole = Step.through(levels, to: .clean)
        return RunPlan(
            sampler, Array(whole.suffix((reached ?? count) + 1)), of: whole, startsFromUnitNoise: false, configuration)
    }

    /// The schedule that "Automatic" stands for.
    private var automatic: ScheduleName {
        guard name == .model else { return name }
        switch sampler {
        case .dpmpp2M, .dpmppSDE, .dpmpp2SAncestral, .dpm2, .dpm2Ancestral: return .karras
        case .dpmpp2MSDE: return .exponential
        default: return .uniform
        }
    }

    /// Evenly over the timesteps that a consistency model was distilled with; the network is told the nearest of them.
    private func consistencyLevels() -> [NoiseLevel] {
        let table = configuration.consistency.originalSteps
        let stride = training.count / table
        return StepSchedule.spaced(Double(table - 1), 0, count).map { place in
            let low = min(Int(place), table - 1)
            let high = min(low + 1, table - 1)
            let (a, b) = (
                log(training.sigma(at: low * stride + stride - 1)), log(training.sigma(at: high * stride + stride - 1))
            )
            let logSigma = a + (b - a) * (place - Double(low))
            let nearest = abs(logSigma - a) <= abs(b - logSigma) ? low : high
            return NoiseLevel(time: Double(nearest * stride + stride - 1), ratio: exp(logSigma))
        }
    }

    // MARK: Samplers over timesteps

    private func timestepPlan(_ reached: Int?) -> RunPlan {
        let total = training.count
        let stride = total / count
        // May be more than `count`.
        let times = Swift.stride(from: 0, to: total, by: stride).map { min(max($0 + 1, 0), total - 1) }
        let given = Array(times.prefix(reached ?? times.count))
        let steps: [Step]
        if sampler == .unipc {
            // As many steps as timesteps are given, evenly down to the first timestep of all.
            let top = reached == nil ? Double(total - 1) : Double(given.last ?? 0)
            let levels = StepSchedule.spaced(top, 0, given.count + 1).map(interpolated)
            steps = given.isEmpty ? [] : Step.through(levels.dropLast(), to: levels[given.count])
        } else {
            // The first timestep is never evaluated: the last step ends there.
            let levels = given.reversed().map(training.level)
            steps = levels.count < 2 ? [] : Step.through(levels.dropLast(), to: levels[levels.count - 1])
        }
        let whole = Step.through(times.reversed().map(training.level), to: .clean)
        // One notch above the first timestep that is evaluated.
        let start = reached.map { training.level(at: times[$0]) } ?? steps.first?.from ?? whole[0].from
        return RunPlan(sampler, steps, of: whole, start: start, configuration)
    }

    /// log ᾱ is interpolated between timesteps.
    private func interpolated(_ time: Double) -> NoiseLevel {
        let low = min(Int(time), training.count - 1)
        let high = min(low + 1, training.count - 1)
        func logAlphaBar(_ index: Int) -> Double { log(max(training.alphaBars[index], TrainingSchedule.leastAlphaBar)) }
        let (a, b) = (logAlphaBar(low), logAlphaBar(high))
        return NoiseLevel(time: time, alphaBar: exp(a + (b - a) * (time - Double(low))))
    }
}
