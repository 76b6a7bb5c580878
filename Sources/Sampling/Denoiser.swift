import Tensors

/// How noisy a picture is, in the three ways in which it is said.
package struct NoiseLevel: Sendable, Equatable {
    /// Training timestep, 0…999; may be fractional.
    package let time: Double
    /// Share of the picture, √ᾱ.
    package let alpha: Double
    /// Share of the noise, √(1 − ᾱ).
    package let sigma: Double

    package init(time: Double, alphaBar: Double) {
        (self.time, alpha, sigma) = (time, alphaBar.squareRoot(), (1 - alphaBar).squareRoot())
    }

    /// From σ as k-diffusion writes it: noise for one part of picture.
    package init(time: Double, ratio: Double) {
        let alpha = 1 / (ratio * ratio + 1).squareRoot()
        (self.time, self.alpha, sigma) = (time, alpha, ratio * alpha)
    }

    /// Nothing is noisy.
    package static let clean = NoiseLevel(time: 0, alphaBar: 1)

    package var alphaBar: Double { alpha * alpha }
    /// σ as k-diffusion writes it: noise for one part of picture, ∞ for pure noise.
    package var ratio: Double { sigma / alpha }

    static func ratio(alphaBar: Double) -> Double { ((1 - alphaBar) / alphaBar).squareRoot() }

    /// alpha·picture + sigma·noise
    package func noised(_ picture: Tensor, _ noise: Tensor) -> Tensor {
        let (alpha, sigma) = (Float(alpha), Float(sigma))
        return picture.zip(noise) { alpha * $0 + sigma * $1 }
    }
}

/// The one contract between samplers and everything that predicts: given a noisy picture and its level, the best guess of
/// the clean one.
///
/// `x` is scaled as networks are trained (alpha·picture + sigma·noise). What a network really predicts, guidance and masks
/// are wrapped once into this type; samplers never learn which network they drive.
package typealias Denoiser = (_ x: Tensor, _ level: NoiseLevel) throws -> Tensor

/// What a network was trained to predict.
package enum Prediction: String, Sendable, CaseIterable {
    /// The noise.
    case epsilon
    /// alpha·noise − sigma·picture. Source: Salimans and Ho, "Progressive Distillation" (2022), appendix D.
    case v
    /// The clean picture.
    case sample
}

/// A network's prediction at a training timestep.
package typealias Predictor = (_ x: Tensor, _ time: Double) throws -> Tensor

/// A denoiser over a network that predicts `prediction`.
package func denoiser(_ prediction: Prediction, _ predict: @escaping Predictor) -> Denoiser {
    { x, level in
        let output = try predict(x, level.time)
        let (alpha, sigma) = (Float(level.alpha), Float(level.sigma))
        switch prediction {
        case .epsilon: return x.zip(output) { ($0 - sigma * $1) / alpha }
        case .v: return x.zip(output) { alpha * $0 - sigma * $1 }
        case .sample: return output
        }
    }
}
