import Checkpoints
import Tensors

/// Some transformer blocks, a convolution after them, and what came in added.
struct SwinGroup: Sendable {
    let blocks: [SwinBlock]
    private let convolution: SwinConvolution
    private let engine: Engine

    /// - Parameter name: of the group in the file
    init(_ file: UpscalerFile, _ scope: WeightScope, name: String, width: Int, _ window: Int) throws(CheckpointError) {
        engine = scope.engine
        let count = file.count("\(name).residual_group.blocks.#.norm1.weight", most: 65)
        guard count <= 64 else { throw file.invalid("\(count) blocks in \(name)", "at most 64 are read") }
        var blocks: [SwinBlock] = []
        for number in 0..<count {
            blocks.append(
                try SwinBlock(
                    file, scope("residual_group")("blocks", number),
                    name: "\(name).residual_group.blocks.\(number)", width: width, window,
                    shift: number % 2 == 0 ? 0 : window / 2))
        }
        self.blocks = blocks
        convolution = SwinConvolution(scope("conv"), width: width)
    }

    /// - Parameter tokens: `[1, H·W, C]`; sides are multiples of the window
    func apply(to tokens: inout Tensor, height: Int, width: Int) throws {
        let before = tokens
        for block in blocks { try block.apply(to: &tokens, height: height, width: width) }
        var sum = engine.map(before, height: height, width: width)
        try convolution.add(engine.map(tokens, height: height, width: width), to: &sum)
        tokens = engine.tokens(sum)
    }

    func count(into work: inout Work, pixels: Double, window: Int) {
        for block in blocks { block.count(into: &work, pixels: pixels, window: window) }
        convolution.count(into: &work, pixels: pixels)
    }
}

/// One convolution, or three that become narrow between.
struct SwinConvolution: Sendable {
    private let layers: [Convolution]
    private let engine: Engine

    init(_ scope: WeightScope, width: Int) {
        engine = scope.engine
        layers =
            scope.has("0")
            ? [
                .fixed(scope("0"), from: width, to: width / 4),
                .fixed(scope("2"), from: width / 4, to: width / 4, kernel: 1),
                .fixed(scope("4"), from: width / 4, to: width),
            ] : [.fixed(scope, from: width, to: width)]
    }

    func callAsFunction(_ x: FeatureMap) throws -> FeatureMap { try layers[layers.count - 1](narrowed(x)) }

    func add(_ x: FeatureMap, to sum: inout FeatureMap) throws {
        try layers[layers.count - 1].add(narrowed(x), to: &sum)
    }

    private func narrowed(_ x: FeatureMap) throws -> FeatureMap {
        var h = x
        for layer in layers.dropLast() {
            h = try layer(h)
            engine.leak(&h, slopes: Array(repeating: 0.2, count: h.channels))
        }
        return h
    }

    func count(into work: inout Work, pixels: Double) {
        for layer in layers {
            work.convolve(
                layer.inChannels, layer.outChannels, kernel: layer.padding == .init(0) ? 1 : 3, pixels: pixels)
        }
    }
}

/// Attention inside windows, then two layers for each token; both added to what came in.
struct SwinBlock: Sendable {
    private let norm1, norm2: LayerNorm
    private let qkv, projection, feedIn, feedOut: Linear
    /// `[heads, T, T]`
    private let bias: Tensor
    private let heads, window, shift: Int
    private let engine: Engine

    init(
        _ file: UpscalerFile, _ scope: WeightScope, name: String, width: Int, _ window: Int, shift: Int
    ) throws(CheckpointError) {
        (engine, self.window, self.shift) = (scope.engine, window, shift)
        let precision = engine.precision
        heads = try file.shape("\(name).attn.relative_position_bias_table", sides: 2)[1]
        guard width % heads == 0 else {
            throw file.invalid("\(heads) heads in \(name)", "a divisor of \(width) is expected")
        }
        let hidden = try file.shape("\(name).mlp.fc1.weight", sides: 2)[0]
        norm1 = LayerNorm(scope("norm1"), width: width)
        let attention = scope("attn")
        qkv = Linear(
            attention("qkv"), from: width, to: 3 * width, bias: attention.has("qkv.bias"), precision: precision)
        projection = Linear(attention("proj"), from: width, to: width, precision: precision)
        norm2 = LayerNorm(scope("norm2"), width: width)
        feedIn = Linear(scope("mlp")("fc1"), from: width, to: hidden, precision: precision)
        feedOut = Linear(scope("mlp")("fc2"), from: hidden, to: width, precision: precision)

        let distances = 2 * window - 1
        let table = attention.vector("relative_position_bias_table", [distances * distances, heads])
        bias = Self.bias(table, heads: heads, window)
        // What follows from the window's size, and was saved all the same.
        for (key, sides) in [("attn.relative_position_index", 2), ("attn_mask", 3)] {
            if let shape = file.file.entries["\(name).\(key)"]?.shape, shape.count == sides {
                scope.ledger.passOver("\(name).\(key)")
            }
        }
    }

    /// A score for each pair of places in a window, by how far they are apart.
    private static func bias(_ table: [Float], heads: Int, _ window: Int) -> Tensor {
        let tokens = window * window
        var values = [Float](repeating: 0, count: heads * tokens * tokens)
        guard !table.isEmpty else { return Tensor([heads, tokens, tokens], values) }
        for query in 0..<tokens {
            for key in 0..<tokens {
                let down = query / window - key / window + window - 1
                let across = query % window - key % window + window - 1
                let row = (down * (2 * window - 1) + across) * heads
                for head in 0..<heads { values[(head * tokens + query) * tokens + key] = table[row + head] }
            }
        }
        return Tensor([heads, tokens, tokens], values)
    }

    /// Windows are worked on some rows of them at a time: no token is in two of them.
    func apply(to tokens: inout Tensor, height: Int, width: Int) throws {
        let (across, area, channels) = (width / window, window * window, tokens.shape[2])
        let rowsAtOnce = max(1, Self.tokensAtOnce / (width * window))
        for first in stride(from: 0, to: height / window, by: rowsAtOnce) {
            let rows = first..<min(height / window, first + rowsAtOnce)
            let places = places(rows, height: height, width: width)
            var x = Tensor(unfilled: [rows.count * across, area, channels])
            move(tokens, to: &x) { ($1, places[$0]) }

            let attended = engine.windowAttention(
                try qkv(norm1(x)), heads: heads, bias: bias,
                regions: shift > 0 ? regions(rows, height: height, width: width) : nil)
            try projection.add(attended, to: &x)
            try feedOut.add(engine.gelu(try feedIn(norm2(x))), to: &x)

            move(x, to: &tokens) { (places[$0], $1) }
        }
    }

    private static let tokensAtOnce = 1 << 14

    /// Copies rows of channels; the closure has where each goes and where it comes from.
    private func move(_ source: Tensor, to target: inout Tensor, _ pair: (Int, Int) -> (to: Int, from: Int)) {
        let channels = source.shape[2]
        let count = min(source.count, target.count) / channels
        source.withPointer { from in
            target.withMutablePointer { to in
                engine.threads.forRanges(count, grain: 1 << 11) { range in
                    for index in range {
                        let place = pair(index, index)
                        (to + place.to * channels).update(from: from + place.from * channels, count: channels)
                    }
                }
            }
        }
    }

    /// The token at every place of some rows of windows, which lie shifted on the picture and go round its edges.
    private func places(_ rows: Range<Int>, height: Int, width: Int) -> [Int] {
        var places: [Int] = []
        places.reserveCapacity(rows.count * window * width)
        forEachPlace(rows, width: width) { y, x in
            places.append((y + shift) % height * width + (x + shift) % width)
        }
        return places
    }

    /// Which part of the picture a place belongs to, where a window goes round an edge.
    private func regions(_ rows: Range<Int>, height: Int, width: Int) -> [Int32] {
        func part(_ place: Int, of count: Int) -> Int32 {
            place < count - window ? 0 : place < count - shift ? 1 : 2
        }
        var regions: [Int32] = []
        regions.reserveCapacity(rows.count * window * width)
        forEachPlace(rows, width: width) { y, x in regions.append(3 * part(y, of: height) + part(x, of: width)) }
        return regions
    }

    private func forEachPlace(_ rows: Range<Int>, width: Int, _ body: (_ y: Int, _ x: Int) -> Void) {
        for row in rows {
            for column in 0..<width / window {
                for place in 0..<window * window {
                    body(row * window + place / window, column * window + place % window)
                }
            }
        }
    }

    func count(into work: inout Work, pixels: Double, window: Int) {
        let (width, hidden) = (projection.inputs, feedIn.outputs)
        work.multiply(width, 4 * width + 2 * hidden, rows: pixels)
        work.attend(width, queries: pixels, keys: Double(window * window), batch: 1)
    }
}
