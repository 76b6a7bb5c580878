import Checkpoints
import Tensors

/// Real-ESRGAN's compact network: convolutions at the size of the picture, whose last makes a block of pixels for each, added
/// to the nearest-neighbour enlargement.
///
/// Source: xinntao/Real-ESRGAN, `archs/srvgg_arch.py`, `SRVGGNetCompact`.
struct CompactNet: Upscaler {
    let engine: Engine
    let factor: Int
    let channels: Int
    private let features: Int
    private let layers: [Layer]
    private let last: Convolution

    private struct Layer: Sendable {
        let convolution: Convolution
        /// What is below zero is multiplied by, one for each channel.
        let slopes: [Float]
    }

    /// - Throws: ``CheckpointError/invalid(_:)`` where shapes do not make such a network, or it does not say its activation
    init(_ file: UpscalerFile, _ scope: WeightScope) throws(CheckpointError) {
        // Convolutions are the even ones of a sequence, activations the odd.
        var count = 0
        while count <= Self.most, file.file.entries["body.\(2 * count).weight"] != nil { count += 1 }
        guard (2...Self.most).contains(count) else {
            throw file.invalid("\(count) convolutions", "2 to \(Self.most) are read")
        }
        let entry = try file.shape("body.0.weight", sides: 4)
        let exit = try file.shape("body.\(2 * count - 2).weight", sides: 4)
        (features, channels, engine) = (entry[0], entry[1], scope.engine)
        guard features <= 512 else { throw file.invalid("\(features) features", "at most 512 are read") }
        guard channels == 1 || channels == 3 else {
            throw file.invalid("\(channels) channels", "pictures of 1 or 3 are enlarged")
        }
        guard let factor = (1...8).first(where: { entry[1] * $0 * $0 == exit[0] }) else {
            throw file.invalid(
                "\(exit[0]) channels out of the last convolution", "\(channels) times the square of 1 to 8 are expected"
            )
        }
        self.factor = factor
        let slope = try Self.slope(file)
        let features = features
        layers = (0..<count - 1).map { number in
            let activation = scope("body", 2 * number + 1)
            let slopes = slope.map { Array(repeating: $0, count: features) }
            return Layer(
                convolution: .fixed(scope("body", 2 * number), from: number == 0 ? entry[1] : features, to: features),
                slopes: slopes ?? activation.vector("weight", [features]))
        }
        last = .fixed(scope("body", 2 * count - 2), from: features, to: exit[0])
    }

    private static let most = 130

    /// The slope of a network that learnt none; nil where each layer has its own.
    private static func slope(_ file: UpscalerFile) throws(CheckpointError) -> Float? {
        if file.file.entries["body.1.weight"] != nil { return nil }
        switch file.file.metadata["act_type"] {
        case "relu": return 0
        case "leakyrelu": return 0.1
        case let other:
            throw .invalid(
                "\(file.file.name) has no slopes, and says \(other.map { "\"\($0)\"" } ?? "nothing") of its activation, which may be relu or leakyrelu. Write act_type into its metadata."
            )
        }
    }

    var architecture: String { "SRVGG" }
    var summary: String { "\(features) features, \(layers.count + 1) convolutions" }
    var locality: (reach: Int, multiple: Int)? { (reachOfConvolution * (layers.count + 1), 4) }

    /// Layers that are run together.
    private static let together = 4

    func enlarge(
        _ picture: Tensor, _ bands: UpscalingBands, emit: (_ part: Tensor, _ row: Int, _ column: Int) throws -> Void,
        advance: (_ operations: Double) throws -> Void
    ) throws {
        let (height, width) = (picture.shape[2], picture.shape[3])
        let operations = work(height: height, width: width).operations / Double(layers.count + 1)
        let bytesOfRow = width * 4 * 2 * features.roundedUp(to: 16)

        var h: WaitingMap?
        for first in stride(from: 0, to: layers.count, by: Self.together) {
            let group = layers[first..<min(first + Self.together, layers.count)]
            let run = { (x: FeatureMap, band: UpscalingBands.Band) throws -> FeatureMap in
                var x = x
                for layer in group {
                    x = try layer.convolution(x)
                    engine.leak(&x, slopes: layer.slopes)
                }
                return bands.inner(x, band)
            }
            let reach = reachOfConvolution * group.count
            h =
                try h.map { try bands.through($0, reach: reach, bytesOfRow: bytesOfRow, run) }
                ?? bands.through(picture, reach: reach, bytesOfRow: bytesOfRow, run)
            try advance(operations * Double(group.count))
        }
        guard let h else { return }
        let exit = width * 4 * (features + 3 * channels * factor * factor).roundedUp(to: 16)
        for band in bands.cut(height, reach: reachOfConvolution, bytesOfRow: exit) {
            let made = engine.tensor(bands.inner(try last(h.rows(band.seen)), band)).shuffled(factor)
            try emit(sum(made, picture, from: band.rows.lowerBound), band.rows.lowerBound * factor, 0)
            try advance(operations * Double(band.rows.count) / Double(height))
        }
    }

    /// Some enlarged rows with the picture's pixels added, each to its whole block.
    private func sum(_ part: Tensor, _ picture: Tensor, from row: Int) -> Tensor {
        var sum = part
        let (height, width) = (part.shape[2], picture.shape[3])
        picture.withPointer { source in
            sum.withMutablePointer { out in
                for line in 0..<channels * height {
                    let (channel, y) = line.quotientAndRemainder(dividingBy: height)
                    let pixels = source + (channel * picture.shape[2] + row + y / factor) * width
                    let target = out + line * width * factor
                    for x in 0..<width * factor { target[x] += pixels[x / factor] }
                }
            }
        }
        return sum
    }

    func work(height: Int, width: Int) -> Work {
        let pixels = Double(height * width)
        var work = Work()
        for _ in layers { work.convolve(features, features, kernel: 3, pixels: pixels) }
        work.convolve(features, channels * factor * factor, kernel: 3, pixels: pixels)
        let wide = Double(features.roundedUp(to: 16))
        work.activationBytes = pixels * 4 * (2 * wide + Double(3 * channels * factor * factor))
        work.waitingBytes = pixels * 4 * 2 * wide
        return work
    }
}
