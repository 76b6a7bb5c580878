import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// DPM-Solver++ of second order, with one estimate of history. The first and last steps are of first order.
///
/// Source: Lu et al., "DPM-Solver++" (2022), algorithm 2; k-diffusion, `sample_dpmpp_2m`, reference of record.
func sampleDPMpp2M(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = sigmaScaled(x, run)
    var old: (estimate: Tensor, h: Double)?
    for (i, step) in run.steps.enumerated() {
        let estimate = try denoised(x, step.from, run, denoise)
        let (sigma, next) = (step.from.ratio, step.to.ratio)
        if next == 0 {
            x = estimate
        } else {
            let h = log(sigma / next)
            var mixed = estimate
            // diffusers' multistep solver may end a run that stops above 0 in first order too.
            let rule = run.configuration.firstOrderAtEnd
            let endsPlainly =
                run.configuration.multistepSpacing && i == run.steps.count - 1
                && (rule.always || (rule.inShortRuns && step.index < 14))
            if let old, !endsPlainly {
                let r = old.h / h
                let (now, before) = (Float(1 + 1 / (2 * r)), Float(1 / (2 * r)))
                mixed = estimate.zip(old.estimate) { now * $0 - before * $1 }
            }
            let (kept, gained) = (Float(next / sigma), Float(-expm1(-h)))
            x = x.zip(mixed) { kept * $0 + gained * $1 }
            old = (estimate, h)
        }
        try run.report(i, estimate)
    }
    return x
}
