import Tensors
import TestKit
import Testing
import Threads

/// The same bytes whatever the number of threads: a recipe must paint the same picture on every machine of one kind.
@Suite(.serialized) struct ThreadIndependenceTests {
    private let engines: [Engine]

    init() throws {
        engines = try [1, 2, 3, 8].map { try Engine(threads: Threads($0)) }
    }

    /// Runs `body` on each engine and compares the bits of the results.
    private func expectSame(
        _ comment: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: (Engine) throws -> [Float]
    ) throws {
        let results = try engines.map { try body($0).map(\.bitPattern) }
        for (engine, result) in zip(engines, results) where result != results[0] {
            let count = zip(result, results[0]).reduce(0) { $0 + ($1.0 == $1.1 ? 0 : 1) }
            Issue.record(
                "\(comment): \(count) of \(result.count) values differ between 1 and \(engine.threads.count) threads",
                sourceLocation: sourceLocation)
        }
    }

    @Test(
        "a convolution",
        arguments: [
            // The built-in model's levels, two items at a time.
            (inputs: 64, outputs: 64, height: 76, width: 116, batch: 2), (96, 96, 38, 58, 2), (160, 160, 19, 29, 2),
            (48, 64, 76, 116, 1), (64, 48, 76, 116, 1), (320, 160, 19, 29, 1),
            // Channels that are no multiple of the lanes, and hardly any pixels to share out.
            (4, 320, 9, 13, 1), (320, 4, 9, 13, 1), (20, 36, 17, 23, 2), (640, 64, 1, 1, 1), (512, 512, 3, 5, 1),
        ])
    func convolutions(inputs: Int, outputs: Int, height: Int, width: Int, batch: Int) throws {
        var generator = SeededGenerator(UInt64(inputs * outputs))
        let x = generator.tensor([batch, inputs, height, width])
        for (kernel, stride) in [(3, 1), (1, 1), (3, 2), (5, 1)] {
            if kernel == 5, inputs * outputs * height * width > 1 << 26 { continue }
            let weights = Weights(generator.tensor([outputs, inputs, kernel, kernel]))
            let bias = Weights(generator.tensor([outputs]))
            try expectSame("kernel \(kernel), stride \(stride)") { engine in
                var values: [Float] = []
                for precision in [Engine.Precision.f32, .bf16] {
                    let convolution = Convolution(
                        weights, bias: bias, stride: stride, padding: .init(kernel / 2), precision: precision,
                        on: engine)
                    let map = engine.featureMap(x)
                    var sum = try convolution(map)
                    try convolution.add(map, to: &sum)
                    values += engine.tensor(sum).values
                }
                return values
            }
        }
    }

    @Test(
        "a matrix product",
        arguments: [
            (inputs: 64, outputs: 512), (96, 96), (160, 160), (160, 1280), (640, 160), (768, 320), (1280, 1280),
            (256, 16),
            // Long sums with few results: where a library is tempted to split the sum itself.
            (5120, 1280), (4096, 16), (10_000, 3), (333, 1),
        ])
    func matrices(inputs: Int, outputs: Int) throws {
        var generator = SeededGenerator(UInt64(inputs * outputs))
        let weights = Weights(generator.tensor([outputs, inputs]))
        let bias = Weights(generator.tensor([outputs]))
        for rows in [1, 2, 7, 64, 77, 154, 551, 1102] where rows * inputs * outputs < 1 << 30 {
            let x = generator.tensor([rows, inputs])
            try expectSame("\(rows) rows") { engine in
                var values: [Float] = []
                for precision in [Engine.Precision.f32, .bf16] {
                    let linear = Linear(weights, bias: bias, precision: precision, on: engine)
                    var sum = try linear(x)
                    try linear.add(x, to: &sum)
                    values += sum.values
                }
                return values
            }
        }
    }

    @Test(
        "attention",
        arguments: [
            (queries: 551, keys: 551, heads: 8, width: 20), (2204, 77, 4, 24), (77, 77, 8, 64),
            // One piece of work, which no loop of ours splits.
            (16, 16, 1, 16), (100, 4000, 1, 512), (8, 3000, 1, 512), (1, 2000, 1, 64),
        ])
    func attention(queries: Int, keys: Int, heads: Int, width: Int) throws {
        var generator = SeededGenerator(UInt64(queries * keys))
        for batch in [1, 2] {
            let q = generator.tensor([batch, queries, heads * width])
            let k = generator.tensor([batch, keys, heads * width])
            let v = generator.tensor([batch, keys, heads * width])
            try expectSame("batch \(batch)") { engine in
                // What ran before must not matter either.
                engine.threads.apply()
                return engine.attention(q, k, v, heads: heads).values
                    + engine.attention(q, k, v, heads: heads, precision: .bf16).values
            }
        }
    }

    @Test("everything between")
    func others() throws {
        var generator = SeededGenerator(9)
        let x = generator.tensor([2, 84, 76, 61])
        let added = generator.tensor([2, 84])
        let (weight, bias) = (Weights(generator.tensor([84])), Weights(generator.tensor([84])))
        try expectSame("group normalisation") { engine in
            let norm = GroupNorm(weight, bias: bias, groups: 7, epsilon: 1e-5, on: engine)
            let map = engine.featureMap(x)
            return engine.tensor(norm(map, adding: added, activation: .silu)).values + norm.tokens(map).values
        }
        let rows = generator.tensor([1000, 84])
        try expectSame("layer normalisation") { LayerNorm(weight, bias: bias, on: $0)(rows).values }
        try expectSame("activations") { engine in
            engine.silu(x).values + engine.gelu(x).values + engine.quickGELU(x).values + engine.geglu(rows).values
        }
        let tokens = generator.tensor([2, 76 * 61, 168])
        try expectSame("maps") { engine in
            let map = engine.featureMap(x)
            var joined = engine.concatenated(map, engine.sum(map, map))
            engine.add(tokens, to: &joined)
            return engine.tensor(engine.enlarged(joined, height: 99, width: 133)).values
        }
    }
}
