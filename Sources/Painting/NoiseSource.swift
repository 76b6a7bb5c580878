import Sampling
import Tensors
import Threads

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// All unit noise of one painting, in the order and from the generator that its settings ask for.
package struct NoiseSource {
    private let settings: Settings
    private let shape: [Int]
    private let pass: Int
    private let place: PositionNoise.Place
    private let threads: Threads
    private var generator: Generator?

    /// Generators whose numbers depend on how many were drawn before.
    private enum Generator {
        case torch(TorchGenerator)
        case nv(NvidiaGenerator)

        init?(_ source: Settings.RandomSource, seed: UInt64) {
            switch source {
            case .position: return nil
            case .torch: self = .torch(TorchGenerator(seed: seed))
            case .nv: self = .nv(NvidiaGenerator(seed: seed))
            }
        }

        mutating func normal(_ shape: [Int]) -> Tensor {
            switch self {
            case .torch(var torch):
                defer { self = .torch(torch) }
                return torch.normal(shape)
            case .nv(var nv):
                defer { self = .nv(nv) }
                return nv.normal(shape)
            }
        }
    }

    /// - Parameters:
    ///   - shape: `[1, C, H, W]` of the latents
    ///   - pass: counts loops, repairs and the length of the source's own history
    ///   - place: of the latents among the cells of a larger picture
    init(
        _ settings: Settings, shape: [Int], pass: Int, at place: PositionNoise.Place = .init(), threads: Threads
    ) {
        (self.settings, self.shape, self.pass, self.place, self.threads) = (settings, shape, pass, place, threads)
        generator = Generator(settings.rng, seed: settings.seed)
    }

    private func placed(_ purpose: PositionNoise.Purpose, seed: UInt64, step: Int = 0, draw: Int = 0) -> Tensor {
        PositionNoise(seed: seed).normal(
            shape, .init(purpose, pass: pass, step: step, draw: draw), at: place, threads: threads)
    }

    /// For a sample of the autoencoder's belief. The web UI draws it from a generator that nobody seeds; where its rules
    /// hold it is noise by place, and the picture's own generator begins with the starting noise.
    mutating func posterior() -> Tensor {
        guard settings.conventions.encoderSharesGenerator else { return placed(.encoder, seed: settings.seed) }
        return generator?.normal(shape) ?? placed(.encoder, seed: settings.seed)
    }

    /// The noise that painting starts from.
    mutating func start() -> Tensor {
        var noise = generator?.normal(shape) ?? placed(.start, seed: settings.seed)
        if let variation = settings.variation {
            var other = Generator(settings.rng, seed: variation.seed)
            if let varied = other?.normal(shape) {
                noise = Self.turned(noise, to: varied, by: Float(variation.strength))
            } else {
                // Two noises of a whole latent are at right angles, so the way between them is a quarter of a circle; what
                // it makes of a cell depends on that cell alone.
                let angle = variation.strength * .pi / 2
                let (own, others) = (Float(cos(angle)), Float(sin(angle)))
                noise = noise.zip(placed(.start, seed: variation.seed)) { own * $0 + others * $1 }
            }
        }
        // "Eta noise seed delta": what follows comes from a generator of its own.
        if settings.etaNoiseDelta != 0 { generator = Generator(settings.rng, seed: stepSeed) }
        return noise
    }

    private var stepSeed: UInt64 { settings.seed &+ UInt64(bitPattern: Int64(settings.etaNoiseDelta)) }

    /// Fresh noise within a step.
    mutating func step(_ index: Int, _ draw: Int) -> Tensor {
        generator?.normal(shape) ?? placed(.sampler, seed: stepSeed, step: index, draw: draw)
    }

    /// What a Brownian path over `span` gains between two σ.
    func path(over span: ClosedRange<Double>) -> (_ from: Double, _ to: Double) -> Tensor {
        let source = settings.rng
        if source == .position {
            let path = BrownianPath(
                PositionNoise(seed: settings.seed), shape, over: span, pass: pass, at: place, threads: threads)
            return { path($0, $1) }
        }
        let tree = BrownianTree(entropy: settings.seed, shape, over: span) { seed, shape in
            var generator = Generator(source, seed: seed)
            return generator?.normal(shape) ?? Tensor(shape, repeating: 0)
        }
        return { tree($0, $1) }
    }

    /// Spherical interpolation as the web UI has it: angles are taken along the height of each channel's columns, and noises
    /// that are almost the same are mixed the wrong way round.
    ///
    /// Source: `modules/rng.py`, `slerp`, over a tensor C×H×W with norms along dimension 1.
    package static func turned(_ low: Tensor, to high: Tensor, by amount: Float) -> Tensor {
        let (columns, height, width) = (low.shape[0] * low.shape[1], low.shape[2], low.shape[3])
        var (a, b) = (low.values, high.values)
        var angles = [Float](repeating: 0, count: columns * width)
        var mean = 0.0
        for channel in 0..<columns {
            for x in 0..<width {
                var (dot, lengths): (Float, (Float, Float)) = (0, (0, 0))
                for y in 0..<height {
                    let i = (channel * height + y) * width + x
                    lengths.0 += a[i] * a[i]
                    lengths.1 += b[i] * b[i]
                    dot += a[i] * b[i]
                }
                dot /= (lengths.0 * lengths.1).squareRoot()
                mean += Double(dot)
                angles[channel * width + x] = acosf(dot)
            }
        }
        if mean / Double(angles.count) > 0.9995 { return low.zip(high) { $0 * amount + $1 * (1 - amount) } }
        for channel in 0..<columns {
            for x in 0..<width {
                let angle = angles[channel * width + x]
                let (own, others) = (sinf((1 - amount) * angle) / sinf(angle), sinf(amount * angle) / sinf(angle))
                for y in 0..<height {
                    let i = (channel * height + y) * width + x
                    a[i] = own * a[i] + others * b[i]
                }
            }
        }
        b = []
        return Tensor(low.shape, a)
    }
}
