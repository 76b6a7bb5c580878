import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// DPM-Solver++ for the stochastic equation, of second order over two steps, with the midpoint rule. Noise is read from one
/// Brownian path.
///
/// Source: k-diffusion, `sample_dpmpp_2m_sde` with `solver_type` midpoint, reference of record.
func sampleDPMpp2MSDE(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = sigmaScaled(x, run)
    var old: (estimate: Tensor, h: Double)?
    for (i, step) in run.steps.enumerated() {
        let estimate = try denoised(x, step.from, run, denoise)
        let (sigma, next) = (step.from.ratio, step.to.ratio)
        if next == 0 {
            x = estimate
        } else {
            let h = log(sigma / next)
            let noisy = run.eta * h
            let gained = -expm1(-h - noisy)
            // The estimate, led on along its change since the step before.
            let lead = old.map { gained * h / (2 * $0.h) } ?? 0
            let (kept, now, before) = (Float(next / sigma * exp(-noisy)), Float(gained + lead), Float(lead))
            x = x.zip(estimate) { kept * $0 + now * $1 }
            if let old { x = x.zip(old.estimate) { $0 - before * $1 } }
            if run.eta > 0 {
                let up = Float(next * (-expm1(-2 * noisy)).squareRoot())
                x = x.zip(run.path(sigma, next)) { $0 + up * $1 }
            }
            old = (estimate, h)
        }
        try run.report(i, estimate)
    }
    return x
}
