import Tensors

/// Denoising diffusion implicit models: the estimate and the noise found in x, mixed anew at the next level.
///
/// With eta 0 nothing random enters; with eta 1 it is ancestral sampling. A clipped estimate leaves the noise as the
/// unclipped one gave it.
///
/// Source: Song, Meng and Ermon (2020), equation 12; diffusers, `scheduling_ddim.py`, reference of record.
func sampleDDIM(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = x
    for (i, step) in run.steps.enumerated() {
        var estimate = try denoise(x, step.from)
        let (alpha, sigma) = (Float(step.from.alpha), Float(step.from.sigma))
        let noise = x.zip(estimate) { ($0 - alpha * $1) / sigma }
        if let clip = run.configuration.clip { estimate = estimate.clamped(to: clip) }

        let (from, to) = (step.from.alphaBar, step.to.alphaBar)
        let variance = max((1 - to) / (1 - from) * (1 - from / to), 0)
        let random = run.eta * variance.squareRoot()
        let direction = Float(max(1 - to - random * random, 0).squareRoot())
        let kept = Float(step.to.alpha)
        x = estimate.zip(noise) { kept * $0 + direction * $1 }
        if run.eta > 0 {
            let fresh = run.noise(step.index, 0)
            x = x.zip(fresh) { $0 + Float(random) * $1 }
        }
        try run.report(i, estimate)
    }
    return x
}
