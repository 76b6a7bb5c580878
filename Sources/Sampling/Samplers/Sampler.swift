import Tensors

/// The samplers by the names that users know.
package enum Sampler: String, Sendable, CaseIterable {
    case ddim
    case ddpm
    case plms
    case euler
    case eulerAncestral = "euler-a"
    case heun
    case lms
    case dpm2
    case dpm2Ancestral = "dpm2-a"
    case dpmpp2SAncestral = "dpmpp-2s-a"
    case dpmpp2M = "dpmpp-2m"
    case dpmppSDE = "dpmpp-sde"
    case dpmpp2MSDE = "dpmpp-2m-sde"
    case unipc
    case lcm

    /// Whether `--eta` changes anything.
    package var takesEta: Bool {
        switch self {
        case .ddim, .eulerAncestral, .dpm2Ancestral, .dpmpp2SAncestral, .dpmppSDE, .dpmpp2MSDE: true
        default: false
        }
    }

    package var defaultEta: Double { takesEta && self != .ddim ? 1 : 0 }

    /// Whether noise is read from one Brownian path over σ.
    package var followsPath: Bool { self == .dpmppSDE || self == .dpmpp2MSDE }

    /// Whether fresh noise is drawn step by step.
    package func draws(eta: Double) -> Bool {
        self == .ddpm || self == .lcm || (takesEta && !followsPath && eta > 0)
    }

    /// Whether steps can be spread by another schedule than the model's.
    package var takesSchedule: Bool {
        switch self {
        case .ddim, .ddpm, .plms, .lcm: false
        default: true
        }
    }

    /// Whether painting from nothing begins with noise alone, as diffusers does, and not with what the first level says.
    package var startsFromUnitNoise: Bool { !takesSchedule || self == .unipc }

    /// Where steps come from.
    package func family(_ configuration: SchedulerConfiguration) -> StepSchedule.Family {
        switch self {
        case .ddim, .plms: .ddim
        case .ddpm: .ddpm
        case .lcm: .consistency
        case .dpmpp2M, .unipc: configuration.multistepSpacing ? .multistep : .sigmas
        default: .sigmas
        }
    }

    /// The schedule that `name` stands for.
    package func resolved(_ name: ScheduleName, _ configuration: SchedulerConfiguration) -> ScheduleName {
        name == .model && takesSchedule ? configuration.ownSchedule : name
    }

    /// Every step of a whole run of `count` steps.
    package func schedule(_ name: ScheduleName, count: Int, _ configuration: SchedulerConfiguration) -> StepSchedule {
        StepSchedule(family(configuration), resolved(name, configuration), count: count, configuration)
    }

    /// Times that the network is asked in each step but one to the clean picture: twice by samplers of second order.
    package var evaluationsInStep: Int {
        switch self {
        case .heun, .dpm2, .dpm2Ancestral, .dpmpp2SAncestral, .dpmppSDE: 2
        default: 1
        }
    }

    /// Times that the network is asked in a run of these steps.
    package func evaluations(_ steps: [Step], _ configuration: SchedulerConfiguration) -> Int {
        guard self == .plms else { return steps.reduce(0) { $0 + ($1.to.ratio == 0 ? 1 : evaluationsInStep) } }
        let beginsTwice = steps.count > 1 || (steps.count == 1 && configuration.plms.mixesNoises)
        return steps.count + (beginsTwice && !configuration.plms.takesStepsAsListed ? 1 : 0)
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
        /// What a Brownian path gains from one σ to another, divided by the root of their distance: unit noise too, but
        /// consistent however finely the way is cut.
        package var path: (_ from: Double, _ to: Double) -> Tensor
        package var progress: (Progress) throws -> Void

        package init(
            steps: [Step], configuration: SchedulerConfiguration, eta: Double = 0,
            noise: @escaping (_ step: Int, _ draw: Int) -> Tensor,
            path: @escaping (_ from: Double, _ to: Double) -> Tensor,
            progress: @escaping (Progress) throws -> Void = { _ in }
        ) {
            (self.steps, self.configuration, self.eta) = (steps, configuration, eta)
            (self.noise, self.path, self.progress) = (noise, path, progress)
        }

        func report(_ index: Int, _ estimate: Tensor) throws {
            try progress(Progress(done: index + 1, of: steps.count, level: steps[index].to, estimate: estimate))
        }

        /// A level between those of the schedule.
        func level(_ ratio: Double) -> NoiseLevel {
            NoiseLevel(time: configuration.training.time(ofSigma: ratio), ratio: ratio)
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
        case .plms: return try samplePLMS(x, run, denoise)
        case .euler: return try sampleEuler(x, run, denoise)
        case .eulerAncestral: return try sampleEulerAncestral(x, run, denoise)
        case .heun: return try sampleHeun(x, run, denoise)
        case .lms: return try sampleLMS(x, run, denoise)
        case .dpm2: return try sampleDPM2(x, run, denoise)
        case .dpm2Ancestral: return try sampleDPM2Ancestral(x, run, denoise)
        case .dpmpp2SAncestral: return try sampleDPMpp2SAncestral(x, run, denoise)
        case .dpmpp2M: return try sampleDPMpp2M(x, run, denoise)
        case .dpmppSDE: return try sampleDPMppSDE(x, run, denoise)
        case .dpmpp2MSDE: return try sampleDPMpp2MSDE(x, run, denoise)
        case .unipc: return try sampleUniPC(x, run, denoise)
        case .lcm: return try sampleLCM(x, run, denoise)
        }
    }
}

/// x as k-diffusion scales it, picture + σ·noise, given to a denoiser at a step's level.
func denoised(_ x: Tensor, _ level: NoiseLevel, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    let estimate = try denoise(level.alpha * x, level)
    return run.configuration.clip.map { estimate.clamped(to: $0) } ?? estimate
}

/// x as k-diffusion scales it, from the scale that networks are trained in.
func sigmaScaled(_ x: Tensor, _ run: Sampler.Run) -> Tensor { (1 / run.steps[0].from.alpha) * x }

/// Euler's step along the probability flow, x + d·(σ' − σ) with d = (x − estimate)/σ.
func eulerStep(_ x: Tensor, _ estimate: Tensor, from sigma: Double, to next: Double) -> Tensor {
    let ratio = Float(next / sigma)
    return x.zip(estimate) { $1 + ratio * ($0 - $1) }
}
