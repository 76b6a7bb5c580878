import Tensors

/// Ancestral sampling as the model was trained, over strides of its timesteps.
///
/// Noise is drawn for every step from a timestep above 0.
///
/// Source: Ho, Jain and Abbeel (2020), equations 6 and 7; diffusers, `scheduling_ddpm.py`, reference of record.
func sampleDDPM(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = x
    for (i, step) in run.steps.enumerated() {
        var estimate = try denoise(x, step.from)
        if let clip = run.configuration.clip { estimate = estimate.clamped(to: clip) }

        let (from, to) = (step.from.alphaBar, step.to.alphaBar)
        let alpha = from / to
        let beta = 1 - alpha
        let estimateShare = Float(to.squareRoot() * beta / (1 - from))
        let xShare = Float(alpha.squareRoot() * (1 - to) / (1 - from))
        x = estimate.zip(x) { estimateShare * $0 + xShare * $1 }
        if step.from.time > 0 {
            let variance = run.configuration.variance == .fixedLarge ? beta : max((1 - to) / (1 - from) * beta, 1e-20)
            let deviation = Float(variance.squareRoot())
            x = x.zip(run.noise(step.index, 0)) { $0 + deviation * $1 }
        }
        try run.report(i, estimate)
    }
    return x
}
