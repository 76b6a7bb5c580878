import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// DPM-Solver++ of second order within each step, to below the next level, then fresh noise up to it.
///
/// Source: Lu et al., "DPM-Solver++" (2022), algorithm 1; k-diffusion, `sample_dpmpp_2s_ancestral`, reference of record.
func sampleDPMpp2SAncestral(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = sigmaScaled(x, run)
    for (i, step) in run.steps.enumerated() {
        let estimate = try denoised(x, step.from, run, denoise)
        let sigma = step.from.ratio
        let (down, up) = ancestralSplit(from: sigma, to: step.to.ratio, eta: run.eta)
        if down == 0 {
            x = estimate
        } else {
            // Half of the way in log σ is the geometric mean.
            let middle = (sigma * down).squareRoot()
            let there = exponentialStep(x, estimate, from: sigma, to: middle)
            let second = try denoised(there, run.level(middle), run, denoise)
            x = exponentialStep(x, second, from: sigma, to: down)
        }
        if up > 0 {
            let fresh = run.noise(step.index, 0)
            x = x.zip(fresh) { $0 + Float(up) * $1 }
        }
        try run.report(i, estimate)
    }
    return x
}

/// The step of first order that is exact while the estimate stays the same: x·σ'/σ + estimate·(1 − σ'/σ).
func exponentialStep(_ x: Tensor, _ estimate: Tensor, from sigma: Double, to next: Double) -> Tensor {
    let (kept, gained) = (Float(next / sigma), Float(-expm1(log(next / sigma))))
    return x.zip(estimate) { kept * $0 + gained * $1 }
}
