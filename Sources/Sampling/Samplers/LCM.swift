import Tensors

/// Latent consistency: each step jumps to the clean picture and noises it anew to the next level.
///
/// Source: Luo et al., "Latent Consistency Models" (2023), algorithm 3; diffusers, `LCMScheduler`, reference of record.
func sampleLCM(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = x
    for (i, step) in run.steps.enumerated() {
        var estimate = try denoise(x, step.from)
        if let clip = run.configuration.clip { estimate = estimate.clamped(to: clip) }
        // At time 0 the picture is what it is: σ of data is ½.
        let time = step.from.time * run.configuration.consistency.timestepScaling
        let (skip, out) = (Float(0.25 / (time * time + 0.25)), Float(time / (time * time + 0.25).squareRoot()))
        let clean = x.zip(estimate) { skip * $0 + out * $1 }
        x = i + 1 < run.steps.count ? step.to.noised(clean, run.noise(step.index, 0)) : clean
        try run.report(i, clean)
    }
    return x
}
