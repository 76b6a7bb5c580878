import Checkpoints
import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A small autoencoder that does about what the large one does in a fraction of the time, in scaled latents. Its layers
/// are numbered through; their kinds and sizes are read from the weights.
///
/// Source: madebyollin/taesd, `taesd.py`; diffusers, `models/autoencoders/autoencoder_tiny.py`, whose names are used.
package struct TinyAutoencoder: Sendable {
    package let latentChannels: Int
    /// Pixels of the picture to one latent cell, on each side.
    package let factor: Int
    private let engine: Engine
    private let width: Int
    private let encoder: [Layer]
    private let decoder: [Layer]

    private enum Layer: Sendable {
        case convolution(Convolution)
        case block(Block)
        case relu
        case enlarge
    }

    /// More layers than any has.
    private static let mostLayers = 64

    /// - Throws: ``CheckpointError`` naming each file or key that is wrong
    package static func load(_ folder: ModelFolder, _ part: String, on engine: Engine) throws(CheckpointError)
        -> TinyAutoencoder
    {
        let settings = try folder.settings("\(part)/config.json")
        let file = try Configuration(settings.json, name: settings.name)
        try file.allow(
            only: [
                ("act_fn", [.text("relu")]), ("upsampling_scaling_factor", [.integer(2)]),
                ("scaling_factor", [.number(1), .integer(1)]), ("latent_magnitude", [.integer(3), .number(3)]),
            ], of: "tiny autoencoders")
        let files = try folder.weights(part, stem: "diffusion_pytorch_model")
        let ledger = WeightLedger(files)
        var shapes: [String: [Int]] = [:]
        for file in files { shapes.merge(file.entries.mapValues(\.shape)) { $1 } }
        let tiny = TinyAutoencoder(WeightScope(ledger, on: engine), shapes)
        try ledger.close()
        guard let tiny else { throw .invalid("\(folder.name) is not the tiny autoencoder that is known.") }
        return tiny
    }

    private init?(_ scope: WeightScope, _ shapes: [String: [Int]]) {
        func shape(_ key: String) -> [Int]? { shapes[key].flatMap { $0.count == 4 ? $0 : nil } }
        func layers(_ half: String) -> [Layer] {
            let numbers = shapes.keys.compactMap { key -> Int? in
                key.hasPrefix("\(half).layers.")
                    ? key.split(separator: ".").dropFirst(2).first.flatMap { Int($0) } : nil
            }
            return (0...min(max(numbers.max() ?? 0, 0), Self.mostLayers)).map { number in
                let (name, here) = ("\(half).layers.\(number)", scope(half)("layers", number))
                if let first = shape("\(name).conv.0.weight") {
                    return .block(
                        Block(here, from: first[1], to: first[0], skips: shapes["\(name).skip.weight"] != nil))
                }
                if let one = shape("\(name).weight") {
                    let hasBias = shapes["\(name).bias"] != nil
                    return .convolution(
                        Convolution(
                            here.weights("weight", [one[0], one[1], 3, 3]),
                            bias: hasBias ? here.weights("bias", [one[0]]) : nil,
                            // The encoder halves the size where a convolution has no bias.
                            stride: half == "encoder" && !hasBias ? 2 : 1, padding: .init(1), on: scope.engine))
                }
                return number == 1 ? .relu : .enlarge
            }
        }
        guard let first = shape("decoder.layers.0.weight") else { return nil }
        (engine, latentChannels, width) = (scope.engine, first[1], first[0])
        (encoder, decoder) = (layers("encoder"), layers("decoder"))
        factor = 1 << decoder.count { if case .enlarge = $0 { true } else { false } }
    }

    /// - Parameter picture: `[N, 3, H, W]`, −1…1
    /// - Returns: scaled latents, `[N, latentChannels, H/factor, W/factor]`
    package func encode(_ picture: Tensor) throws -> Tensor {
        engine.tensor(try run(encoder, engine.featureMap(picture.map { ($0 + 1) / 2 })))
    }

    /// - Parameter latents: scaled latents, `[N, latentChannels, h, w]`
    /// - Returns: `[N, 3, h·factor, w·factor]`, about −1…1
    package func decode(_ latents: Tensor) throws -> Tensor {
        let held = latents.map { tanhf($0 / 3) * 3 }
        return engine.tensor(try run(decoder, engine.featureMap(held))).map { 2 * $0 - 1 }
    }

    private func run(_ layers: [Layer], _ x: FeatureMap) throws -> FeatureMap {
        var h = x
        for layer in layers {
            switch layer {
            case .convolution(let convolution): h = try convolution(h)
            case .block(let block): h = try block(h)
            case .relu: engine.relu(&h)
            case .enlarge: h = engine.enlarged(h, height: 2 * h.height, width: 2 * h.width)
            }
        }
        return h
    }

    /// Three convolutions with the input added, and nothing below zero.
    private struct Block: Sendable {
        private let engine: Engine
        private let convolutions: [Convolution]
        private let skip: Convolution?

        init(_ scope: WeightScope, from inputs: Int, to outputs: Int, skips: Bool) {
            engine = scope.engine
            convolutions = [0, 2, 4].map {
                Convolution(scope("conv", $0), from: $0 == 0 ? inputs : outputs, to: outputs)
            }
            skip =
                skips
                ? Convolution(
                    scope("skip").weights("weight", [outputs, inputs, 1, 1]), bias: nil, padding: .init(0),
                    on: scope.engine) : nil
        }

        func callAsFunction(_ x: FeatureMap) throws -> FeatureMap {
            var h = try convolutions[0](x)
            engine.relu(&h)
            h = try convolutions[1](h)
            engine.relu(&h)
            var sum = try skip.map { try $0(x) } ?? x
            try convolutions[2].add(h, to: &sum)
            engine.relu(&sum)
            return sum
        }
    }

    /// One encoding or decoding of a picture: about three blocks on each level.
    package func work(pictureHeight height: Int, width pictureWidth: Int) -> Work {
        var work = Work()
        var pixels = Double(height * pictureWidth)
        for _ in 0...max(factor.trailingZeroBitCount, 0) {
            let own = 2 * Double(width * width * 9) * pixels
            work.operations += 10 * own
            work.activationBytes = max(work.activationBytes, pixels * Double(width) * 4 * 4)
            pixels /= 4
        }
        return work
    }
}

extension Engine {
    /// Nothing below zero.
    fileprivate func relu(_ map: inout FeatureMap) {
        let count = map.count
        map.withMutablePointer { values in
            threads.forRanges(count, grain: 1 << 16) { for i in $0 { values[i] = max(values[i], 0) } }
        }
    }
}
