import Tensors

/// Linear multistep of fourth order: the slopes of the last four steps, weighed by the integral of the polynomial through
/// them.
///
/// Source: k-diffusion, `sample_lms`, reference of record, which integrates numerically.
func sampleLMS(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    var x = sigmaScaled(x, run)
    let sigmas = run.steps.map(\.from.ratio)
    var slopes: [Tensor] = []
    for (i, step) in run.steps.enumerated() {
        let estimate = try denoised(x, step.from, run, denoise)
        let inverse = Float(1 / step.from.ratio)
        slopes = [x.zip(estimate) { ($0 - $1) * inverse }] + slopes.prefix(3)
        let weights = multistepWeights((0..<slopes.count).map { sigmas[i - $0] }, to: step.to.ratio)
        for (slope, weight) in zip(slopes, weights) { x = x.zip(slope) { $0 + Float(weight) * $1 } }
        try run.report(i, estimate)
    }
    return x
}

/// ∫ of each Lagrange polynomial through `nodes`, from the first node to `end`.
///
/// - Parameter nodes: σ of the present step, then of those before it; at most four, so that two points of Gauss and
///   Legendre are exact
func multistepWeights(_ nodes: [Double], to end: Double) -> [Double] {
    let (middle, half) = ((nodes[0] + end) / 2, (end - nodes[0]) / 2)
    let points = [-1, 1].map { middle + half * $0 / 3.0.squareRoot() }
    return nodes.indices.map { j in
        points.reduce(0) { sum, tau in
            sum
                + nodes.indices.reduce(half) { product, m in
                    m == j ? product : product * (tau - nodes[m]) / (nodes[j] - nodes[m])
                }
        }
    }
}
