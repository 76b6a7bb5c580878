import Tensors

/// Euler's method up the probability flow, from a clean picture to the noise that it would have come from.
///
/// Source: AUTOMATIC1111's web UI, `scripts/img2imgalt.py`: `find_noise_for_image`, and its "sigma adjustment", which asks the
/// denoiser at the level that each step leaves instead of the one that it comes to. The way up from nothing at all then adds
/// nothing.
///
/// - Parameters:
///   - picture: clean
///   - levels: ever noisier, without the clean one
///   - isAdjusted: whether each step looks at the level that it leaves
/// - Returns: picture + σ·noise at the last level
package func eulerInverted(
    _ picture: Tensor, _ levels: [NoiseLevel], isAdjusted: Bool, _ denoise: Denoiser
) throws -> Tensor {
    var x = picture
    for (index, level) in levels.enumerated() {
        let before = index == 0 ? 0 : levels[index - 1].ratio
        if isAdjusted, index == 0 { continue }
        let asked = isAdjusted ? levels[index - 1] : level
        let estimate = try denoise(asked.alpha * x, asked)
        let share = Float((level.ratio - before) / asked.ratio)
        x = x.zip(estimate) { $0 + share * ($0 - $1) }
    }
    return x
}
