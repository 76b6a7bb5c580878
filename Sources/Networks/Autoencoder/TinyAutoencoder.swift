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
    /// Most bytes of a band of rows, for tests.
    package var bandBytes = Bands.usualBytes
    private let engine: Engine
    private let width: Int
    private let encoder: [Layer]
    private let decoder: [Layer]

    private enum Layer: Sendable {
        case convolution(Convolution)
        case block(Block)
        /// Nothing below zero is left of the convolution before.
        case relu
        /// The convolution that follows sees twice the size.
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
        let tiny = TinyAutoencoder(WeightScope(ledger, on: engine).shelved(), shapes)
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
        guard Self.areInOrder(encoder), Self.areInOrder(decoder) else { return nil }
        factor = 1 << decoder.count { if case .enlarge = $0 { true } else { false } }
    }

    /// - Parameter picture: `[N, 3, H, W]`, −1…1
    /// - Returns: scaled latents, `[N, latentChannels, H/factor, W/factor]`
    package func encode(_ picture: Tensor) throws -> Tensor {
        try run(encoder, picture.map { ($0 + 1) / 2 }, height: picture.shape[2], width: picture.shape[3])
    }

    /// - Parameter latents: scaled latents, `[N, latentChannels, h, w]`
    /// - Returns: `[N, 3, h·factor, w·factor]`, about −1…1
    package func decode(_ latents: Tensor) throws -> Tensor {
        let held = latents.map { tanhf($0 / 3) * 3 }
        let (height, width) = (latents.shape[2] * factor, latents.shape[3] * factor)
        return try run(decoder, held, height: height, width: width).map { 2 * $0 - 1 }
    }

    /// Where its weights are kept.
    package var shelf: Shelf { engine.shelf }

    /// Whether convolutions begin and end the layers, and follow what only belongs to them.
    private static func areInOrder(_ layers: [Layer]) -> Bool {
        func isConvolution(_ index: Int) -> Bool {
            guard layers.indices.contains(index), case .convolution = layers[index] else { return false }
            return true
        }
        guard layers.count > 1, isConvolution(0), isConvolution(layers.count - 1) else { return false }
        return layers.indices.allSatisfy { index in
            switch layers[index] {
            case .relu: isConvolution(index - 1)
            case .enlarge: isConvolution(index + 1)
            case .convolution, .block: true
            }
        }
    }

    /// - Parameters:
    ///   - height: of the picture on the one side or the other, in pixels
    private func run(_ layers: [Layer], _ x: Tensor, height: Int, width: Int) throws -> Tensor {
        let bands = Bands(
            engine, work(pictureHeight: height, width: width), batch: x.shape[0], bandBytes: bandBytes)
        var (h, doubled): (WaitingMap?, Bool) = (nil, false)
        for (index, layer) in layers.enumerated() {
            switch layer {
            case .convolution(let convolution):
                guard let x = h else {
                    h = try bands.convolved(x, by: convolution, relu: isRelu(layers, index + 1), measures: false)
                    continue
                }
                if index == layers.count - 1 { return try bands.tensor(x, by: convolution, doubled: doubled) }
                h = try bands.convolved(
                    x, by: convolution, doubled: doubled, relu: isRelu(layers, index + 1), measures: false)
                doubled = false
            case .block(let block): h = try h.map { try block($0, bands) }
            case .relu: break
            case .enlarge: doubled = true
            }
        }
        preconditionFailure("layers that end in no convolution")
    }

    private func isRelu(_ layers: [Layer], _ index: Int) -> Bool {
        if case .relu = layers[index] { true } else { false }
    }

    /// Three convolutions with the input added, and nothing below zero.
    private struct Block: Sendable {
        private let convolutions: [Convolution]
        private let skip: Convolution?

        init(_ scope: WeightScope, from inputs: Int, to outputs: Int, skips: Bool) {
            convolutions = [0, 2, 4].map {
                Convolution(scope("conv", $0), from: $0 == 0 ? inputs : outputs, to: outputs)
            }
            skip =
                skips
                ? Convolution(
                    scope("skip").weights("weight", [outputs, inputs, 1, 1]), bias: nil, padding: .init(0),
                    on: scope.engine) : nil
        }

        func callAsFunction(_ x: WaitingMap, _ bands: Bands) throws -> WaitingMap {
            var h = try bands.convolved(x, by: convolutions[0], relu: true, measures: false)
            h = try bands.convolved(h, by: convolutions[1], relu: true, measures: false)
            let sum: Bands.Sum = skip.map { .shortcut($0, of: x) } ?? .onto(x)
            return try bands.convolved(h, by: convolutions[2], sum: sum, relu: true, measures: false)
        }
    }

    /// One encoding or decoding of a picture: about three blocks on each level.
    package func work(pictureHeight height: Int, width pictureWidth: Int) -> Work {
        var work = Work()
        let pixels = Double(height * pictureWidth)
        for level in 0...max(factor.trailingZeroBitCount, 0) {
            work.operations += 20 * Double(width * width * 9) * pixels / pow(4, Double(level))
        }
        let rows = min(height, Bands.rows(from: width, to: width, width: pictureWidth) + 2)
        work.activationBytes = Double(3 * rows * pictureWidth * width) * 4
        work.waitingBytes = 3 * pixels * Double(width) * 4
        return work
    }
}
