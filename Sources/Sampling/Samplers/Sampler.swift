import Tensors

/// The samplers by the names that users know.
package enum Sampler: String, Sendable, CaseIterable {
    case ddim
    case ddpm
    case euler
    case eulerAncestral = "euler-a"
    case dpmpp2m = "dpmpp-2m"

    /// Whether `--eta` changes anything.
    package var takesEta: Bool { self == .ddim || self == .eulerAncestral }
    package var defaultEta: Double { self == .eulerAncestral ? 1 : 0 }
    /// Whether fresh noise is drawn between steps.
    package func draws(eta: Double) -> Bool { self == .ddpm || (takesEta && eta > 0) }
    /// Whether steps can be spread by another schedule than the model's.
    package var takesSchedule: Bool { self != .ddim && self != .ddpm }

    func family(_ configuration: SchedulerConfiguration) -> StepSchedule.Family {
        switch self {
        case .ddim: .ddim
        case .ddpm: .ddpm
        case .euler, .eulerAncestral: .sigmas
        case .dpmpp2m: configuration.multistepSpacing ? .multistep : .sigmas
        }
    }

    /// Every step of a whole run of `count` steps.
    package func schedule(_ name: ScheduleName, count: Int, _ configuration: SchedulerConfiguration) -> StepSchedule {
        let resolved = name == .model && takesSchedule ? configuration.ownSchedule : name
        return StepSchedule(family(configuration), resolved, count: count, configuration)
    }

    /// What a sampler tells after each step. The receiver may throw to stop.
    package struct Progress: Sendable {
        /// Steps done, from 1.
        package let done: Int
        package let of: Int
        package let level: NoiseLevel
        package let estimate: Tensor
    }

    /// Everything that a run needs beside the picture.
    package struct Run {
        package var steps: [Step]
        package var configuration: SchedulerConfiguration
        package var eta: Double
        /// Unit noise of the picture's shape for a step of the full schedule; `draw` counts within the step.
        package var noise: (_ step: Int, _ draw: Int) -> Tensor
        package var progress: (Progress) throws -> Void

        package init(
            steps: [Step], configuration: SchedulerConfiguration, eta: Double = 0,
            noise: @escaping (_ step: Int, _ draw: Int) -> Tensor,
            progress: @escaping (Progress) throws -> Void = { _ in }
        ) {
            (self.steps, self.configuration, self.eta) = (steps, configuration, eta)
            (self.noise, self.progress) = (noise, progress)
        }

        func report(_ index: Int, _ estimate: Tensor) throws {
            try progress(Progress(done: index + 1, of: steps.count, level: steps[index].to, estimate: estimate))
        }
    }

    /// Runs the steps.
    ///
    /// - Parameter x: the noisy picture at the first step's level, alpha·picture + sigma·noise
    /// - Returns: the clean picture
    package func sample(_ x: Tensor, _ run: Run, _ denoise: Denoiser) throws -> Tensor {
        guard !run.steps.isEmpty else { return x }
        switch self {
        case .ddim: return try sampleDDIM(x, run, denoise)
        case .ddpm: return try sampleDDPM(x, run, denoise)
        case .euler: return try sampleEuler(x, run, denoise)
        case .eulerAncestral: return try sampleEulerAncestral(x, run, denoise)
        case .dpmpp2m: return try sampleDPMpp2M(x, run, denoise)
        }
    }
}

/// x as k-diffusion scales it, picture + σ·noise, given to a denoiser at a step's level.
func denoised(_ x: Tensor, _ level: NoiseLevel, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    let estimate = try denoise(level.alpha * x, level)
    return run.configuration.clip.map { estimate.clamped(to: $0) } ?? estimate
}
