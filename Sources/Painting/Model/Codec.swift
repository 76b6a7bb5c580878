import Checkpoints
import Networks
import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What stands between pictures and the latents that a network paints in.
package enum Codec: Sendable {
    /// A learnt autoencoder.
    case autoencoder(Autoencoder)
    /// A small one that stands in for it, and speaks in scaled latents.
    case tiny(TinyAutoencoder)
    /// Each block of factor × factor pixels becomes one cell with 3·factor² channels: nothing is lost.
    case unshuffle(factor: Int)

    /// Pixels to one latent cell, on each side.
    package var factor: Int {
        switch self {
        case .autoencoder(let autoencoder): autoencoder.configuration.factor
        case .tiny(let tiny): tiny.factor
        case .unshuffle(let factor): factor
        }
    }

    package var latentChannels: Int {
        switch self {
        case .autoencoder(let autoencoder): autoencoder.configuration.latentChannels
        case .tiny(let tiny): tiny.latentChannels
        case .unshuffle(let factor): 3 * factor * factor
        }
    }

    /// Channels of the pictures that it takes; nil where it takes any.
    var imageChannels: Int? {
        switch self {
        case .autoencoder(let autoencoder): autoencoder.configuration.imageChannels
        case .tiny, .unshuffle: nil
        }
    }

    /// Whether encoding can draw from a belief.
    package var believes: Bool { if case .autoencoder = self { true } else { false } }

    /// Where the weights of the way in, and of the way out, are kept.
    var encoderShelf: [Shelf] {
        switch self {
        case .autoencoder(let autoencoder): [autoencoder.shelves.encoder]
        case .tiny(let tiny): [tiny.shelf]
        case .unshuffle: []
        }
    }

    var decoderShelf: [Shelf] {
        switch self {
        case .autoencoder(let autoencoder): [autoencoder.shelves.decoder]
        case .tiny(let tiny): [tiny.shelf]
        case .unshuffle: []
        }
    }

    /// An autoencoder from a file or folder of its own.
    ///
    /// - Parameter scale: what latents are multiplied by, where the file does not say
    /// - Throws: ``CheckpointError``
    package init(_ path: String, scale: Double, on engine: Engine) throws(CheckpointError) {
        let (folder, part) = try ModelFolder.autoencoder(path: path, scale: scale)
        self =
            try folder.settings("\(part)/config.json").json["_class_name"] == .text("AutoencoderTiny")
            ? .tiny(try TinyAutoencoder.load(folder, part, on: engine))
            : .autoencoder(try Autoencoder.load(folder, part, on: engine))
    }

    /// - Parameters:
    ///   - picture: `[1, 3, H, W]`, −1…1, sides multiples of `factor`
    ///   - noise: unit noise of a shape, to draw from the autoencoder's belief instead of taking its mean
    /// - Returns: scaled latents, `[1, latentChannels, H/factor, W/factor]`
    package func encode(_ picture: Tensor, noise: ((_ shape: [Int]) -> Tensor)? = nil) throws -> Tensor {
        switch self {
        case .unshuffle(let factor): return Self.unshuffled(picture, factor)
        case .tiny(let tiny): return try tiny.encode(picture)
        case .autoencoder(let autoencoder):
            let posterior = try autoencoder.encode(picture)
            var latents = posterior.mean
            if let noise {
                let drawn = noise(latents.shape)
                latents = latents + posterior.logVariance.map { expf(0.5 * $0) }.zip(drawn, *)
            }
            let (scale, shift) = (Float(autoencoder.configuration.scale), Float(autoencoder.configuration.shift))
            return latents.map { ($0 - shift) * scale }
        }
    }

    /// - Parameter latents: scaled latents
    /// - Returns: `[1, 3, H, W]`, about −1…1
    package func decode(_ latents: Tensor) throws -> Tensor {
        switch self {
        case .unshuffle(let factor): return Self.shuffled(latents, factor)
        case .tiny(let tiny): return try tiny.decode(latents)
        case .autoencoder(let autoencoder):
            let (scale, shift) = (Float(autoencoder.configuration.scale), Float(autoencoder.configuration.shift))
            return try autoencoder.decode(latents.map { $0 / scale + shift })
        }
    }

    /// Channel c, row dy, column dx of a block become channel c·factor² + dy·factor + dx, as PyTorch's `pixel_unshuffle`.
    static func unshuffled(_ picture: Tensor, _ factor: Int) -> Tensor {
        let (n, c, h, w) = (picture.shape[0], picture.shape[1], picture.shape[2] / factor, picture.shape[3] / factor)
        var result = Tensor(unfilled: [n, c * factor * factor, h, w])
        picture.withPointer { source in
            result.withMutablePointer { out in
                forEachCell(n * c, h, w, factor) { pixel, cell in out[cell] = source[pixel] }
            }
        }
        return result
    }

    static func shuffled(_ latents: Tensor, _ factor: Int) -> Tensor {
        let (n, c, h, w) = (latents.shape[0], latents.shape[1] / (factor * factor), latents.shape[2], latents.shape[3])
        var result = Tensor(unfilled: [n, c, h * factor, w * factor])
        latents.withPointer { source in
            result.withMutablePointer { out in
                forEachCell(n * c, h, w, factor) { pixel, cell in out[pixel] = source[cell] }
            }
        }
        return result
    }

    private static func forEachCell(
        _ planes: Int, _ h: Int, _ w: Int, _ factor: Int, _ body: (_ pixel: Int, _ cell: Int) -> Void
    ) {
        for plane in 0..<planes {
            for dy in 0..<factor {
                for dx in 0..<factor {
                    for y in 0..<h {
                        let row = ((plane * h + y) * factor + dy) * w * factor + dx
                        let cells = (((plane * factor + dy) * factor + dx) * h + y) * w
                        for x in 0..<w { body(row + x * factor, cells + x) }
                    }
                }
            }
        }
    }
}
