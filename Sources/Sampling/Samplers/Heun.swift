import Tensors

/// Heun's method along the probability flow, without churn: Euler's step tried, then the mean of both slopes taken. The
/// last step, to the clean picture, is Euler's.
///
/// Source: Karras et al. (2022), algorithm 2; k-diffusion, `sample_heun`, reference of record.
func sampleHeun(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = sigmaScaled(x, run)
    for (i, step) in run.steps.enumerated() {
        let estimate = try denoised(x, step.from, run, denoise)
        let (sigma, next) = (step.from.ratio, step.to.ratio)
        let tried = eulerStep(x, estimate, from: sigma, to: next)
        if next == 0 {
            x = tried
        } else {
            let second = try denoised(tried, step.to, run, denoise)
            let (half, there) = (Float((next - sigma) / (2 * sigma)), Float((next - sigma) / (2 * next)))
            x = x.zip(estimate) { $0 + half * ($0 - $1) }.zip(tried.zip(second, -)) { $0 + there * $1 }
        }
        try run.report(i, estimate)
    }
    return x
}
