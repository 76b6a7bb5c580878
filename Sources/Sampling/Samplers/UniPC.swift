import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Unified predictor and corrector: after each step what the network sees at its end corrects the step, without another
/// evaluation.
///
/// Source: Zhao et al., "UniPC" (2023), algorithms 7 and 8; diffusers, `UniPCMultistepScheduler`, reference of record.
func sampleUniPC(_ x: Tensor, _ run: Sampler.Run, _ denoise: Denoiser) throws -> Tensor {
    let solver = run.configuration.uniPC
    var x = x
    /// Estimates so far and their levels, the latest first.
    var past: [(estimate: Tensor, level: NoiseLevel)] = []
    /// Where the last step began, and its order.
    var last: (x: Tensor, order: Int)?
    for (i, step) in run.steps.enumerated() {
        let estimate = try denoise(x, step.from)
        if let last, !solver.uncorrected.contains(step.index - 1) {
            x = UniPCStep(solver.kind, past, to: step.from, order: last.order).corrected(last.x, by: estimate)
        }
        past = [(estimate, step.from)] + past.prefix(solver.order - 1)
        var order = min(solver.order, past.count)
        if solver.lowersOrderAtEnd { order = min(order, run.steps.count - i) }
        // No history leads into a clean picture: its log signal-to-noise ratio is infinite.
        if step.to.sigma == 0 { order = 1 }
        last = (x, order)
        x = UniPCStep(solver.kind, past, to: step.to, order: order).predicted(x)
        try run.report(i, estimate)
    }
    return x
}

/// One step's numbers.
private struct UniPCStep {
    /// The estimate that the step starts with, and how later ones differ from it, each by its distance.
    let estimate: Tensor
    let differences: [Tensor]
    let order: Int
    /// σ'/σ, α'·(e^hh − 1), α'·B(h).
    let kept, gained, scale: Double
    /// R and b of the paper's equation 9.
    let matrix: [[Double]]
    let right: [Double]

    init(
        _ kind: SchedulerConfiguration.UniPC.Kind, _ past: [(estimate: Tensor, level: NoiseLevel)], to end: NoiseLevel,
        order: Int
    ) {
        func logSNR(_ level: NoiseLevel) -> Double { log(level.alpha / level.sigma) }
        let begin = past[0].level
        let h = logSNR(end) - logSNR(begin)
        let hh = -h
        let ratios = (1..<order).map { (logSNR(past[$0].level) - logSNR(begin)) / h }
        let first = past[0].estimate
        differences = zip(past[1..<order], ratios).map { earlier, ratio in
            let inverse = Float(1 / ratio)
            return earlier.estimate.zip(first) { ($0 - $1) * inverse }
        }
        let base = kind == .bh1 ? hh : expm1(hh)
        var (phi, factorial) = (expm1(hh) / hh - 1, 1.0)
        var (matrix, right): ([[Double]], [Double]) = ([], [])
        for k in 1...order {
            matrix.append((ratios + [1]).map { pow($0, Double(k - 1)) })
            right.append(phi * factorial / base)
            factorial *= Double(k + 1)
            phi = phi / hh - 1 / factorial
        }
        (self.matrix, self.right, self.order, estimate) = (matrix, right, order, first)
        (kept, gained) = (end.sigma / begin.sigma, -end.alpha * expm1(hh))
        // At a clean end, and where nothing is left to go, there are no differences to scale.
        scale = order == 1 && !(h.isFinite && h > 0) ? 0 : end.alpha * base
    }

    private func moved(_ x: Tensor) -> Tensor {
        let (kept, gained) = (Float(kept), Float(gained))
        return x.zip(estimate) { kept * $0 + gained * $1 }
    }

    func predicted(_ x: Tensor) -> Tensor {
        let weights: [Double] =
            switch order {
            case 1: []
            case 2: [0.5]
            default: solved(matrix.dropLast().map { Array($0.dropLast()) }, Array(right.dropLast()))
            }
        return zip(differences, weights).reduce(moved(x)) { sum, term in
            sum.zip(term.0) { $0 - Float(scale * term.1) * $1 }
        }
    }

    func corrected(_ x: Tensor, by found: Tensor) -> Tensor {
        guard scale != 0 else { return moved(x) }
        let weights = order == 1 ? [0.5] : solved(matrix, right)
        return zip(differences + [found.zip(estimate, -)], weights).reduce(moved(x)) { sum, term in
            sum.zip(term.0) { $0 - Float(scale * term.1) * $1 }
        }
    }
}

/// Gauss's elimination with the largest pivot; at most 3×3 here.
private func solved(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
    var (a, b) = (matrix, right)
    let n = b.count
    for column in 0..<n {
        let pivot = (column..<n).max { abs(a[$0][column]) < abs(a[$1][column]) } ?? column
        a.swapAt(column, pivot)
        b.swapAt(column, pivot)
        for row in column + 1..<n {
            let factor = a[row][column] / a[column][column]
            for k in column..<n { a[row][k] -= factor * a[column][k] }
            b[row] -= factor * b[column]
        }
    }
    for row in (0..<n).reversed() {
        for k in row + 1..<n { b[row] -= a[row][k] * b[k] }
        b[row] /= a[row][row]
    }
    return b
}
