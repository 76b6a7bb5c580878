import Tensors

/// Pseudo linear multistep: DDIM's step with a noise that leads on from up to three steps before. The first step is taken
/// twice, the second time with the mean of the noises at both of its ends.
///
/// Source: Liu et al., "Pseudo Numerical Methods for Diffusion Models on Manifolds" (2022); diffusers, `PNDMScheduler` with
/// `skip_prk_steps`, reference of record.
func samplePLMS(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    // What the formula mixes: predictions of v as they are, all else as noise.
    let mixesV = run.configuration.prediction == .v && !run.configuration.plms.mixesNoises
    func mixable(_ x: Tensor, _ estimate: Tensor, _ level: NoiseLevel) -> Tensor {
        let (alpha, sigma) = (Float(level.alpha), Float(level.sigma))
        return mixesV
            ? x.zip(estimate) { (alpha * $0 - $1) / sigma } : x.zip(estimate) { ($0 - alpha * $1) / sigma }
    }
    func moved(_ x: Tensor, _ mixed: Tensor, from: NoiseLevel, to: NoiseLevel) -> Tensor {
        let (alpha, sigma, kept, direction) = (
            Float(from.alpha), Float(from.sigma), Float(to.alpha), Float(to.sigma)
        )
        return x.zip(mixed) { x, e in
            let (estimate, noise) =
                mixesV ? (alpha * x - sigma * e, alpha * e + sigma * x) : ((x - sigma * e) / alpha, e)
            return kept * estimate + direction * noise
        }
    }

    var listed = run.steps
    if !run.configuration.plms.takesStepsAsListed {
        if listed.count > 1 {
            listed.insert(listed[1], at: 1)
        } else if run.configuration.plms.mixesNoises {
            // The web UI looks at both ends of a single step too.
            listed.append(Step(index: listed[0].index, from: listed[0].to, to: listed[0].to))
        }
    }
    let stride = run.steps[0].from.time - run.steps[0].to.time
    let training = run.configuration.training
    var (x, before) = (x, x)
    var past: [Tensor] = []
    for (i, step) in listed.enumerated() {
        let estimate = try denoise(x, step.from)
        let found = mixable(x, estimate, step.from)
        if i == 1 {
            // The first step once more, from where it began.
            let from = training.level(at: Int(step.from.time + stride))
            x = moved(before, past[0].zip(found) { ($0 + $1) / 2 }, from: from, to: step.from)
        } else {
            past = [found] + past.prefix(3)
            before = x
            x = moved(x, multistep(past), from: step.from, to: step.to)
        }
        try run.progress(
            .init(done: i + 1, of: listed.count, level: i == 1 ? step.from : step.to, estimate: estimate))
    }
    return x
}

/// Adams and Bashforth's extrapolation, the latest first.
private func multistep(_ past: [Tensor]) -> Tensor {
    let weights: [Float] =
        switch past.count {
        case 1: [1]
        case 2: [3 / 2, -1 / 2]
        case 3: [23 / 12, -16 / 12, 5 / 12]
        default: [55 / 24, -59 / 24, 37 / 24, -9 / 24]
        }
    return zip(past, weights).dropFirst().reduce(weights[0] * past[0]) { sum, term in
        sum.zip(term.0) { $0 + term.1 * $1 }
    }
}
