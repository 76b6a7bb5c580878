import Tensors

/// DPM-Solver's second order in the middle of each step, where σ is the geometric mean. Without churn; the last step, to
/// the clean picture, is Euler's.
///
/// Source: k-diffusion, `sample_dpm_2`, reference of record.
func sampleDPM2(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = sigmaScaled(x, run)
    for (i, step) in run.steps.enumerated() {
        let estimate = try denoised(x, step.from, run, denoise)
        x = try midpointStep(x, estimate, from: step.from.ratio, to: step.to.ratio, run, denoise)
        try run.report(i, estimate)
    }
    return x
}

/// The same to below the next level, then fresh noise up to it.
///
/// Source: k-diffusion, `sample_dpm_2_ancestral`, reference of record.
func sampleDPM2Ancestral(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = sigmaScaled(x, run)
    for (i, step) in run.steps.enumerated() {
        let estimate = try denoised(x, step.from, run, denoise)
        let (down, up) = ancestralSplit(from: step.from.ratio, to: step.to.ratio, eta: run.eta)
        x = try midpointStep(x, estimate, from: step.from.ratio, to: down, run, denoise)
        if up > 0 {
            let fresh = run.noise(step.index, 0)
            x = x.zip(fresh) { $0 + Float(up) * $1 }
        }
        try run.report(i, estimate)
    }
    return x
}

private func midpointStep(
    _ x: Tensor, _ estimate: Tensor, from sigma: Double, to next: Double, _ run: Sampler.Run, _ denoise: Denoiser
) throws -> Tensor {
    guard next > 0 else { return estimate }
    let middle = (sigma * next).squareRoot()
    let there = eulerStep(x, estimate, from: sigma, to: middle)
    let second = try denoised(there, run.level(middle), run, denoise)
    let gain = Float((next - sigma) / middle)
    return x.zip(there.zip(second, -)) { $0 + gain * $1 }
}
