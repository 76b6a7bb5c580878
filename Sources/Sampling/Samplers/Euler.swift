import Tensors

/// Euler's method along the probability flow, without churn.
///
/// Source: Karras et al. (2022), algorithm 2; k-diffusion, `sample_euler`, reference of record.
func sampleEuler(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = sigmaScaled(x, run)
    for (i, step) in run.steps.enumerated() {
        let estimate = try denoised(x, step.from, run, denoise)
        x = eulerStep(x, estimate, from: step.from.ratio, to: step.to.ratio)
        try run.report(i, estimate)
    }
    return x
}

/// Euler's method to below the next level, then fresh noise up to it. Noise is drawn for every step but the last.
///
/// Source: k-diffusion, `sample_euler_ancestral`, reference of record.
func sampleEulerAncestral(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = sigmaScaled(x, run)
    for (i, step) in run.steps.enumerated() {
        let estimate = try denoised(x, step.from, run, denoise)
        let (down, up) = ancestralSplit(from: step.from.ratio, to: step.to.ratio, eta: run.eta)
        x = eulerStep(x, estimate, from: step.from.ratio, to: down)
        if step.to.ratio > 0 {
            let fresh = run.noise(step.index, 0)
            x = x.zip(fresh) { $0 + Float(up) * $1 }
        }
        try run.report(i, estimate)
    }
    return x
}

/// How far down to go, and how much noise to add, to arrive at σ'. Source: k-diffusion, `get_ancestral_step`.
func ancestralSplit(from sigma: Double, to next: Double, eta: Double) -> (down: Double, up: Double) {
    let (s, n) = (sigma * sigma, next * next)
    let up = min(next, eta * (n * (s - n) / s).squareRoot())
    return ((n - up * up).squareRoot(), up)
}
