import Checkpoints
import Tensors

/// A transformer whose attention looks into windows, every second time shifted by half of one.
///
/// Source: Liang et al., "SwinIR: Image Restoration Using Swin Transformer" (2021), and its `network_swinir.py`.
struct SwinIR: Upscaler {
    let engine: Engine
    let factor: Int
    let channels: Int
    private let width, window: Int
    /// Values are this many times as large inside.
    private let range: Float
    private let mean: [Float]
    private let entry: Convolution
    private let entryNorm: LayerNorm?
    private let groups: [SwinGroup]
    private let exitNorm: LayerNorm
    private let after: SwinConvolution
    private let head: Head

    /// What makes pixels of features.
    private enum Head: Sendable {
        /// Channels become blocks of pixels, once or more, each time after a convolution.
        case shuffle(before: Convolution, steps: [(Convolution, factor: Int)], last: Convolution)
        /// The same once, and nothing else.
        case direct(Convolution)
        /// Convolutions over nearest-neighbour enlargements.
        case nearest(before: Convolution, ups: [Convolution], full: Convolution, last: Convolution)
        /// Pictures stay as large: what is to be added to them.
        case residual(Convolution)
    }

    /// - Throws: ``CheckpointError/invalid(_:)`` where shapes do not make such a network
    init(_ file: UpscalerFile, _ scope: WeightScope) throws(CheckpointError) {
        let first = try file.shape("conv_first.weight", sides: 4)
        (width, channels, engine) = (first[0], first[1], scope.engine)
        guard channels == 1 || channels == 3 else {
            throw file.invalid("\(channels) channels", "pictures of 1 or 3 are enlarged")
        }
        let layers = file.count("layers.#.residual_group.blocks.0.norm1.weight", most: 25)
        guard layers <= 24, width <= 1024 else {
            throw file.invalid("\(layers) layers \(width) wide", "at most 24 of 1024 are read")
        }
        // A table has a row for every distance in a window: (2·window − 1)² of them.
        let table = try file.shape("layers.0.residual_group.blocks.0.attn.relative_position_bias_table", sides: 2)
        guard let window = (2...32).first(where: { (2 * $0 - 1) * (2 * $0 - 1) == table[0] }) else {
            throw file.invalid(
                "a table of \(table[0]) distances", "windows of 2 to 32 pixels have an odd number squared")
        }
        self.window = window
        // Those that take out the traces of JPEG were trained on 0…255, and only they have such windows.
        range = window == 7 ? 255 : 1
        mean = channels == 3 ? [0.4488, 0.4371, 0.4040] : [0]

        let width = width
        entry = .fixed(scope("conv_first"), from: first[1], to: width)
        entryNorm = scope.has("patch_embed.norm") ? LayerNorm(scope("patch_embed")("norm"), width: width) : nil
        var groups: [SwinGroup] = []
        for layer in 0..<layers {
            groups.append(try SwinGroup(file, scope("layers", layer), name: "layers.\(layer)", width: width, window))
        }
        self.groups = groups
        exitNorm = LayerNorm(scope("norm"), width: width)
        after = SwinConvolution(scope("conv_after_body"), width: width)
        (head, factor) = try Self.head(file, scope, width: width, channels: channels)
    }

    private static func head(
        _ file: UpscalerFile, _ scope: WeightScope, width: Int, channels: Int
    ) throws(CheckpointError) -> (Head, Int) {
        guard scope.has("conv_before_upsample.0") else {
            guard scope.has("upsample.0") else {
                return (.residual(.fixed(scope("conv_last"), from: width, to: channels)), 1)
            }
            let outputs = try file.shape("upsample.0.weight", sides: 4)[0]
            guard let factor = (1...8).first(where: { channels * $0 * $0 == outputs }) else {
                throw file.invalid(
                    "\(outputs) channels to enlarge by", "\(channels) times the square of 1 to 8 are expected")
            }
            return (.direct(.fixed(scope("upsample", 0), from: width, to: outputs)), factor)
        }
        let features = try file.shape("conv_before_upsample.0.weight", sides: 4)[0]
        let before = Convolution.fixed(scope("conv_before_upsample", 0), from: width, to: features)
        let last = Convolution.fixed(scope("conv_last"), from: features, to: channels)
        if scope.has("conv_up1") {
            let count = file.count("conv_up#.weight", from: 1)
            guard count <= 3 else { throw file.invalid("\(count) doublings", "at most 3 are read") }
            let ups = (0..<count).map { Convolution.fixed(scope("conv_up\($0 + 1)"), from: features, to: features) }
            let full = Convolution.fixed(scope("conv_hr"), from: features, to: features)
            return (.nearest(before: before, ups: ups, full: full, last: last), 1 << count)
        }
        var (steps, factor): ([(Convolution, factor: Int)], Int) = ([], 1)
        while steps.count < 4, file.file.entries["upsample.\(2 * steps.count).weight"] != nil {
            let outputs = try file.shape("upsample.\(2 * steps.count).weight", sides: 4)[0]
            guard let step = [2, 3].first(where: { features * $0 * $0 == outputs }), factor * step <= 8 else {
                throw file.invalid(
                    "\(outputs) channels to enlarge \(features) by",
                    "4 or 9 times as many, up to 8 times in all, are read")
            }
            steps.append((.fixed(scope("upsample", 2 * steps.count), from: features, to: outputs), step))
            factor *= step
        }
        return (.shuffle(before: before, steps: steps, last: last), factor)
    }

    var architecture: String { "SwinIR" }
    var summary: String {
        "\(width) wide, \(groups.map { "\($0.blocks.count)" }.joined(separator: "+")) blocks, windows of \(window)"
    }

    /// Attention passes everything on from window to window.
    var locality: (reach: Int, multiple: Int)? { nil }

    func enlarge(
        _ picture: Tensor, _ bands: UpscalingBands, emit: (_ part: Tensor, _ row: Int, _ column: Int) throws -> Void,
        advance: (_ operations: Double) throws -> Void
    ) throws {
        let (height, columns) = (picture.shape[2], picture.shape[3])
        let side = tileSide(bands)
        // A picture that is not larger than a tile with what it sees is one.
        let step = max(height, columns) <= side ? side : side - 2 * margin
        for tile in UpscalingTile.all(height: height, width: columns, side: step, reach: margin) {
            let seen = padded(picture.part(rows: tile.seenRows, columns: tile.seenColumns))
            let share = Double(tile.area) / Double(tile.seenRows.count * tile.seenColumns.count)
            let expected = work(height: tile.seenRows.count, width: tile.seenColumns.count).operations * share
            let perGroup = expected / Double(groups.count + 1)
            let deep = try features(seen) { try advance(perGroup) }

            let inner = (
                rows: tile.rows.from(tile.seenRows.lowerBound, times: 1),
                columns: tile.columns.from(tile.seenColumns.lowerBound, times: 1)
            )
            let parts = UpscalingTile.all(
                height: deep.height, width: deep.width, side: headSide(bands), reach: Self.reachOfHead)
            for part in parts {
                let rows = part.rows.clamped(to: inner.rows)
                let columns = part.columns.clamped(to: inner.columns)
                guard !rows.isEmpty, !columns.isEmpty else { continue }
                let made = try pixels(
                    engine.part(deep, rows: part.seenRows, columns: part.seenColumns),
                    seen.part(rows: part.seenRows, columns: part.seenColumns)
                ).part(
                    rows: rows.from(part.seenRows.lowerBound, times: factor),
                    columns: columns.from(part.seenColumns.lowerBound, times: factor))
                try emit(
                    restored(made), (rows.lowerBound + tile.seenRows.lowerBound) * factor,
                    (columns.lowerBound + tile.seenColumns.lowerBound) * factor)
            }
            try advance(perGroup)
        }
    }

    /// What tiles see beyond their own on each side: some windows, beyond which little changes anything.
    private var margin: Int { 8 * window }

    /// What the head's convolutions see, at most: two at the size of the picture, and those of larger ones.
    private static var reachOfHead: Int { 4 * reachOfConvolution }

    /// Tokens of five kinds at once.
    private var bytesOfPixel: Int { 4 * 5 * width.roundedUp(to: 16) }

    /// The head's maps.
    private var bytesOfHeadPixel: Int {
        let features: Int
        switch head {
        case .shuffle(let before, _, _), .nearest(let before, _, _, _): features = before.outChannels
        case .direct, .residual: features = channels
        }
        return 4 * 3 * features.roundedUp(to: 16) * factor * factor
    }

    private func tileSide(_ bands: UpscalingBands) -> Int {
        let side = Int((Double(bands.allBytes) / Double(bytesOfPixel)).squareRoot())
        return max(4 * margin, side) / window * window
    }

    private func headSide(_ bands: UpscalingBands) -> Int {
        let side = Int((Double(bands.bytes) / Double(bytesOfHeadPixel)).squareRoot()) - 2 * Self.reachOfHead
        return max(16, side) / 4 * 4
    }

    /// What the transformer sees in a picture whose sides are whole windows.
    ///
    /// - Parameter advance: told after each group
    private func features(_ x: Tensor, advance: () throws -> Void) throws -> FeatureMap {
        let shallow = try entry(engine.featureMap(x))
        var tokens = engine.tokens(shallow)
        if let entryNorm { tokens = entryNorm(tokens) }
        for group in groups {
            try group.apply(to: &tokens, height: x.shape[2], width: x.shape[3])
            try advance()
        }
        return engine.sum(
            try after(engine.map(exitNorm(tokens), height: x.shape[2], width: x.shape[3])), shallow)
    }

    private func pixels(_ deep: FeatureMap, _ x: Tensor) throws -> Tensor {
        switch head {
        case .residual(let last):
            return x + engine.tensor(try last(deep))
        case .direct(let last):
            return engine.tensor(try last(deep)).shuffled(factor)
        case .shuffle(let before, let steps, let last):
            var h = try before(deep)
            engine.leak(&h, slopes: Array(repeating: 0.01, count: h.channels))
            for (convolution, factor) in steps {
                h = engine.featureMap(engine.tensor(try convolution(h)).shuffled(factor))
            }
            return engine.tensor(try last(h))
        case .nearest(let before, let ups, let full, let last):
            var h = try before(deep)
            engine.leak(&h, slopes: Array(repeating: 0.01, count: h.channels))
            return try engine.doubled(h, by: ups, full, last)
        }
    }

    /// Whole windows of mirrored pixels, less the mean.
    private func padded(_ picture: Tensor) -> Tensor {
        let (height, columns) = (picture.shape[2].roundedUp(to: window), picture.shape[3].roundedUp(to: window))
        var result = Tensor(unfilled: [1, channels, height, columns])
        picture.withPointer { source in
            result.withMutablePointer { out in
                for line in 0..<channels * height {
                    let (channel, y) = line.quotientAndRemainder(dividingBy: height)
                    let row = source + (channel * picture.shape[2] + mirrored(y, picture.shape[2])) * picture.shape[3]
                    for x in 0..<columns {
                        out[line * columns + x] = (row[mirrored(x, picture.shape[3])] - mean[channel]) * range
                    }
                }
            }
        }
        return result
    }

    private func restored(_ made: Tensor) -> Tensor {
        var result = made
        let plane = made.shape[2] * made.shape[3]
        result.withMutablePointer { out in
            for i in 0..<channels * plane { out[i] = out[i] / range + mean[i / plane] }
        }
        return result
    }

    func work(height: Int, width columns: Int) -> Work {
        let pixels = Double(height.roundedUp(to: window) * columns.roundedUp(to: window))
        var work = Work()
        for group in groups { group.count(into: &work, pixels: pixels, window: window) }
        after.count(into: &work, pixels: pixels)
        switch head {
        case .residual(let last), .direct(let last):
            work.convolve(width, last.outChannels, kernel: 3, pixels: pixels)
        case .shuffle(let before, let steps, _):
            work.convolve(width, before.outChannels, kernel: 3, pixels: pixels)
            var scaled = pixels
            for (convolution, factor) in steps {
                work.convolve(convolution.inChannels, convolution.outChannels, kernel: 3, pixels: scaled)
                scaled *= Double(factor * factor)
            }
            work.convolve(before.outChannels, 16, kernel: 3, pixels: scaled)
        case .nearest(let before, let ups, let full, _):
            work.convolve(width, before.outChannels, kernel: 3, pixels: pixels)
            var scaled = pixels
            for _ in ups {
                scaled *= 4
                work.convolve(full.inChannels, full.outChannels, kernel: 3, pixels: scaled)
            }
            work.convolve(full.inChannels, full.outChannels + 16, kernel: 3, pixels: scaled)
        }
        work.activationBytes = min(
            Double(bytesOfPixel) * pixels + min(Double(bytesOfHeadPixel) * pixels, Double(UpscalingBands.usualBytes)),
            Double(UpscalingBands.usualRoom + UpscalingBands.usualBytes))
        return work
    }
}
