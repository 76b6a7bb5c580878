import Tensors

/// DPM-Solver++ for the stochastic equation, of second order within each step. Noise is read from one Brownian path, so
/// that the middle of a step and its end belong to the same picture.
///
/// Source: k-diffusion, `sample_dpmpp_sde` with r = ½, reference of record.
func sampleDPMppSDE(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = sigmaScaled(x, run)
    for (i, step) in run.steps.enumerated() {
        let estimate = try denoised(x, step.from, run, denoise)
        let (sigma, next) = (step.from.ratio, step.to.ratio)
        if next == 0 {
            x = estimate
        } else {
            func stochastic(_ estimate: Tensor, to end: Double) -> Tensor {
                let (down, up) = ancestralSplit(from: sigma, to: end, eta: run.eta)
                let there = exponentialStep(x, estimate, from: sigma, to: down)
                return up > 0 ? there.zip(run.path(sigma, end)) { $0 + Float(up) * $1 } : there
            }
            let middle = (sigma * next).squareRoot()
            let second = try denoised(stochastic(estimate, to: middle), run.level(middle), run, denoise)
            x = stochastic(second, to: next)
        }
        try run.report(i, estimate)
    }
    return x
}
