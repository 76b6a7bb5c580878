import Checkpoints
import Tensors

/// ESRGAN's generator: residual blocks of dense blocks at the size of the picture, or a fraction of it, then convolutions over
/// nearest-neighbour enlargements.
///
/// Source: Wang et al., "ESRGAN: Enhanced Super-Resolution Generative Adversarial Networks" (2018); Real-ESRGAN's smaller
/// factors begin with blocks of pixels as channels. ESRGAN+: Rakotonirina and Rasoanaivo (2020).
struct RRDBNet: Upscaler {
    let engine: Engine
    let factor: Int
    let channels: Int
    private let features, growth: Int
    private let isPlus: Bool
    /// Pixels, on each side, that become channels first.
    private let unshuffle: Int
    private let first: Convolution
    private let blocks: [[DenseBlock]]
    private let body: Convolution
    private let ups: [Convolution]
    private let full, last: Convolution

    /// - Throws: ``CheckpointError/invalid(_:)`` where shapes do not make such a network
    init(_ file: UpscalerFile, _ scope: WeightScope) throws(CheckpointError) {
        let entry = try file.shape("conv_first.weight", sides: 4)
        let dense = try file.shape("body.0.rdb1.conv1.weight", sides: 4)
        let exit = try file.shape("conv_last.weight", sides: 4)
        (features, growth, channels) = (entry[0], dense[0], exit[0])
        let blockCount = file.count("body.#.rdb1.conv1.weight", most: Self.mostBlocks + 1)
        let upCount = file.count("conv_up#.weight", from: 1)
        guard blockCount <= Self.mostBlocks, features <= Self.mostFeatures, growth <= Self.mostFeatures else {
            throw file.invalid(
                "\(blockCount) blocks of \(features) features growing by \(growth)",
                "at most \(Self.mostBlocks) of \(Self.mostFeatures) are read")
        }
        guard upCount <= 3 else { throw file.invalid("\(upCount) doublings", "at most 3 are read") }
        guard channels == 1 || channels == 3 else {
            throw file.invalid("\(channels) channels", "pictures of 1 or 3 are enlarged")
        }
        guard let unshuffle = [1, 2, 4].first(where: { entry[1] == exit[0] * $0 * $0 }) else {
            throw file.invalid(
                "\(entry[1]) channels in for \(channels) out", "1, 4 or 16 times as many are expected")
        }
        guard 1 << upCount >= unshuffle else {
            throw file.invalid(
                "\(upCount) doublings after blocks of \(unshuffle)×\(unshuffle) pixels",
                "networks that reduce pictures are not read")
        }
        (self.unshuffle, factor, engine) = (unshuffle, (1 << upCount) / unshuffle, scope.engine)
        isPlus = scope("body", 0)("rdb1").has("conv1x1")

        let (features, growth, isPlus) = (features, growth, isPlus)
        first = .fixed(scope("conv_first"), from: entry[1], to: features)
        blocks = (0..<blockCount).map { number in
            ["rdb1", "rdb2", "rdb3"].map {
                DenseBlock(scope("body", number)($0), features: features, growth: growth, isPlus: isPlus)
            }
        }
        body = .fixed(scope("conv_body"), from: features, to: features)
        ups = (0..<upCount).map { .fixed(scope("conv_up\($0 + 1)"), from: features, to: features) }
        full = .fixed(scope("conv_hr"), from: features, to: features)
        last = .fixed(scope("conv_last"), from: features, to: channels)
    }

    private static let (mostBlocks, mostFeatures) = (64, 512)

    var architecture: String { isPlus ? "RRDBNet (ESRGAN+)" : "RRDBNet" }
    var summary: String { "\(features) features, \(blocks.count) blocks" }

    var locality: (reach: Int, multiple: Int)? {
        // The first convolution, five in each dense block, one after them, and those that follow.
        let body = reachOfConvolution * (2 + 15 * blocks.count)
        return (unshuffle * (body + reachOfTail), 4 * unshuffle)
    }

    /// Rows and columns of the body's map that count for what follows it, as even numbers or whole tiles: convolutions after
    /// an enlargement reach less far.
    private var reachOfTail: Int {
        let levels = (1..<ups.count + 1).map { $0 } + [ups.count, ups.count]
        let reach = levels.reduce(0.0) { $0 + Double(reachOfConvolution) / Double(1 << $1) }
        return Int(reach.rounded(.up)).roundedUp(to: tailUnit)
    }

    /// Of what the tiles' first rows and columns have to be multiples.
    private var tailUnit: Int { ups.isEmpty ? 4 : 2 }

    func enlarge(
        _ picture: Tensor, _ bands: UpscalingBands, emit: (_ part: Tensor, _ row: Int, _ column: Int) throws -> Void,
        advance: (_ operations: Double) throws -> Void
    ) throws {
        let x = picture.unshuffled(unshuffle)
        let (height, width) = (x.shape[2], x.shape[3])
        let row = width * 4
        let shares = stages(height: height, width: width)

        let entry = try bands.through(x, reach: reachOfConvolution, bytesOfRow: row * (features + 16)) { x, band in
            bands.inner(try first(x), band)
        }
        var h = entry
        for block in blocks {
            let before = h
            for (number, dense) in block.enumerated() {
                h = try bands.through(h, reach: 5 * reachOfConvolution, bytesOfRow: row * dense.channelsAlive) {
                    x, band in
                    let made = bands.inner(try dense(x), band)
                    return number < 2 ? made : engine.sum(try before.rows(band.rows), made, scale: 0.2)
                }
                try advance(shares.dense)
            }
        }
        h = try bands.through(h, reach: reachOfConvolution, bytesOfRow: row * 3 * features) { x, band in
            engine.sum(try entry.rows(band.rows), bands.inner(try body(x), band))
        }
        try finish(h, picture, bands, shares.tail, emit: emit, advance: advance)
    }

    /// The enlargements, over tiles: rows of the full size would take most of the memory.
    private func finish(
        _ body: WaitingMap, _ picture: Tensor, _ bands: UpscalingBands, _ operations: Double,
        emit: (_ part: Tensor, _ row: Int, _ column: Int) throws -> Void, advance: (_ operations: Double) throws -> Void
    ) throws {
        let scale = 1 << ups.count
        let (height, width) = (picture.shape[2] * factor, picture.shape[3] * factor)
        let tiles = UpscalingTile.all(
            height: body.height, width: body.width, side: tileSide(bands), reach: reachOfTail)
        var strip: (rows: Range<Int>, map: FeatureMap)?
        for tile in tiles {
            if strip?.rows != tile.seenRows { strip = (tile.seenRows, try body.rows(tile.seenRows)) }
            guard let strip else { continue }
            let made = try tail(
                engine.part(strip.map, rows: 0..<tile.seenRows.count, columns: tile.seenColumns))
            // What mirrored pixels became is left out.
            let rows = tile.rows.from(0, times: scale).clamped(to: 0..<height)
            let columns = tile.columns.from(0, times: scale).clamped(to: 0..<width)
            try emit(
                made.part(
                    rows: rows.from(tile.seenRows.lowerBound * scale, times: 1),
                    columns: columns.from(tile.seenColumns.lowerBound * scale, times: 1)),
                rows.lowerBound, columns.lowerBound)
            try advance(operations * Double(tile.area) / Double(body.height * body.width))
        }
    }

    private func tail(_ x: FeatureMap) throws -> Tensor {
        try engine.doubled(x, by: ups, full, last)
    }

    /// Three maps of the full size at once.
    private var bytesOfTailPixel: Int { (3 * features.roundedUp(to: 16) << 2) << (2 * ups.count) }

    private func tileSide(_ bands: UpscalingBands) -> Int {
        let pixels = Double(bands.bytes / 2) / Double(bytesOfTailPixel)
        return max(8, (Int(pixels.squareRoot()) - 2 * reachOfTail) / 8 * 8)
    }

    private func stages(height: Int, width: Int) -> (dense: Double, tail: Double) {
        let pixels = Double(height * width)
        var (dense, tail) = (Work(), Work())
        for number in 0..<4 { dense.convolve(features + number * growth, growth, kernel: 3, pixels: pixels) }
        dense.convolve(features + 4 * growth, features, kernel: 3, pixels: pixels)
        for number in 0..<ups.count {
            tail.convolve(features, features, kernel: 3, pixels: pixels * Double(4 << (2 * number)))
        }
        let scaled = pixels * Double(1 << (2 * ups.count))
        tail.convolve(features, features, kernel: 3, pixels: scaled)
        tail.convolve(features, 16, kernel: 3, pixels: scaled)
        return (dense.operations, tail.operations)
    }

    func work(height: Int, width: Int) -> Work {
        let (rows, columns) = ((height + unshuffle - 1) / unshuffle, (width + unshuffle - 1) / unshuffle)
        let shares = stages(height: rows, width: columns)
        var work = Work()
        work.convolve(features + 4 * growth, features, kernel: 3, pixels: Double(rows * columns))
        work.operations = shares.dense * Double(3 * blocks.count) + shares.tail
        let body = blocks[0][0].channelsAlive * 4 * rows * columns
        work.activationBytes = Double(max(body, min(bytesOfTailPixel * rows * columns, UpscalingBands.usualBytes / 2)))
        // What came in, what came before the block, before this layer, and after it.
        work.waitingBytes = Double(4 * features.roundedUp(to: 16) * 4 * rows * columns)
        return work
    }
}

/// Five convolutions, each over everything that those before it made.
private struct DenseBlock: Sendable {
    private let convolutions: [Convolution]
    private let engine: Engine
    private let features, growth: Int
    /// ESRGAN+'s shortcut to the second convolution's result.
    private let shortcut: Convolution?

    init(_ scope: WeightScope, features: Int, growth: Int, isPlus: Bool) {
        convolutions = (0..<5).map { number in
            .fixed(
                scope("conv\(number + 1)"), from: features + number * growth, to: number < 4 ? growth : features)
        }
        (engine, self.features, self.growth) = (scope.engine, features, growth)
        shortcut = isPlus ? Self.shortcut(scope("conv1x1"), from: features, to: growth) : nil
    }

    /// A convolution of single pixels as the middle of a larger one, whose form hangs on no size.
    private static func shortcut(_ scope: WeightScope, from inputs: Int, to outputs: Int) -> Convolution {
        let weights = scope.weights("weight", [outputs, inputs, 1, 1])
        // A placeholder of a file that is going to be refused has no values.
        let values = scope.has("weight") ? scope.vector("weight", [outputs, inputs, 1, 1]) : []
        guard values.count == outputs * inputs, KernelPlan.hasWinograd(on: scope.engine) else {
            return Convolution(weights, bias: nil, padding: .init(0), form: .direct, on: scope.engine)
        }
        var widened = [Float](repeating: 0, count: values.count * 9)
        for (place, value) in values.enumerated() { widened[place * 9 + 4] = value }
        return Convolution(
            Weights([outputs, inputs, 3, 3], widened), bias: nil, padding: .init(1), form: .winograd, on: scope.engine)
    }

    /// Channels that are alive at once, all with whole lanes.
    var channelsAlive: Int { (3 * features + 4 * growth).roundedUp(to: 16) + (shortcut == nil ? 0 : 2 * growth) }

    func callAsFunction(_ x: FeatureMap) throws -> FeatureMap {
        var joint = JointMap(x, room: features + 4 * growth, on: engine)
        if let shortcut {
            let slopes = [Float](repeating: 0.2, count: growth)
            try joint.append(convolutions[0], slope: 0.2)
            var second = try joint.convolved(by: convolutions[1])
            engine.leak(&second, slopes: slopes)
            try shortcut.add(x, to: &second)
            joint.append(second)
            try joint.append(convolutions[2], slope: 0.2)
            var fourth = try joint.convolved(by: convolutions[3])
            engine.leak(&fourth, slopes: slopes)
            joint.append(engine.sum(fourth, second))
        } else {
            for convolution in convolutions.dropLast() { try joint.append(convolution, slope: 0.2) }
        }
        return engine.sum(x, try joint.convolved(by: convolutions[4]), scale: 0.2)
    }
}
