import Tensors
import TestKit
import Testing
import Threads

@Suite struct ConvolutionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var channels: (Int, Int)
        var kernel: Int
        var stride = 1
        var padding: Convolution.Padding
        var size: (height: Int, width: Int)
        var batch = 1

        var testDescription: String {
            "\(channels.0) to \(channels.1), kernel \(kernel), stride \(stride), \(batch)×\(size.height)×\(size.width)"
        }
    }

    static let cases: [Case] = {
        var cases: [Case] = []
        let sizes = [(1, 1), (1, 7), (7, 1), (5, 9), (13, 11), (24, 17)]
        let channels = [(3, 16), (4, 32), (16, 16), (20, 4), (32, 32), (48, 64), (64, 64), (32, 20), (64, 3)]
        for (index, channels) in channels.enumerated() {
            for (offset, size) in sizes.enumerated() {
                let batch = 1 + (index + offset) % 3
                cases.append(.init(channels: channels, kernel: 3, padding: .init(1), size: size, batch: batch))
                cases.append(.init(channels: channels, kernel: 1, padding: .init(0), size: size, batch: batch))
                cases.append(.init(channels: channels, kernel: 5, padding: .init(2), size: size, batch: batch))
                cases.append(
                    .init(channels: channels, kernel: 3, stride: 2, padding: .init(1), size: size, batch: batch))
                if size.0 > 1, size.1 > 1 {
                    let far = Convolution.Padding(top: 0, left: 0, bottom: 1, right: 1)
                    cases.append(
                        .init(channels: channels, kernel: 3, stride: 2, padding: far, size: size, batch: batch))
                    let odd = Convolution.Padding(top: 2, left: 1, bottom: 0, right: 1)
                    cases.append(.init(channels: channels, kernel: 3, padding: odd, size: size, batch: batch))
                }
            }
        }
        return cases
    }()

    @Test("a convolution equals its plain form, with and without a bias, made anew or added")
    func agreement() throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(1)
        var implementations: Set<String> = []
        for c in Self.cases {
            let x = generator.tensor([c.batch, c.channels.0, c.size.height, c.size.width])
            let weights = generator.tensor([c.channels.1, c.channels.0, c.kernel, c.kernel])
            let bias = generator.tensor([c.channels.1])
            let expected = Reference.convolution(x, weights, bias: bias, stride: c.stride, padding: c.padding)
            let convolution = Convolution(
                Weights(weights), bias: Weights(bias), stride: c.stride, padding: c.padding, on: engine)
            let map = engine.featureMap(x)
            let implementation = try convolution.implementation(for: map)
            implementations.insert(implementation)
            // Sizes and kernels that networks have must not fall to oneDNN's reference loops, hundreds of times slower.
            if engine.lanes > 1, c.kernel < 5 {
                #expect(!implementation.hasPrefix("ref"), "\(c.testDescription) by \(implementation)")
            }

            // A sum of K products of numbers up to 1 is about √K large and is rounded K times, to 2⁻²⁴ of that: chance
            // makes it K·2⁻²⁴ in all. Winograd's transforms multiply by up to 3 and by a third, and lose two bits more.
            let terms = Float(c.channels.0 * c.kernel * c.kernel)
            let absolute = (implementation == "winograd" ? 0x1p-22 : 0x1p-24) * (terms + 8)
            let comment = "\(c.testDescription) by \(implementation)"
            let result = try convolution(map)
            expectClose(engine.tensor(result), expected, absolute: absolute, relative: 1e-6, comment)
            #expect(result.hasCleanLanes, "\(comment)")

            let start = generator.tensor(expected.shape)
            var sum = engine.featureMap(start)
            try convolution.add(map, to: &sum)
            expectClose(engine.tensor(sum), start + expected, absolute: absolute, relative: 1e-6, "added, \(comment)")
            #expect(sum.hasCleanLanes, "added, \(comment)")

            let bare = Convolution(Weights(weights), bias: nil, stride: c.stride, padding: c.padding, on: engine)
            expectClose(
                engine.tensor(try bare(map)),
                Reference.convolution(x, weights, bias: nil, stride: c.stride, padding: c.padding),
                absolute: absolute, relative: 1e-6, "without a bias, \(comment)")
        }
        #expect(Self.cases.count == 270)
        // Both forms must have been met, or this test proves only half.
        #expect(implementations.contains { $0 != "winograd" })
        if engine.lanes > 1 { #expect(implementations.contains("winograd"), "\(implementations)") }
    }

    @Test("a direct convolution rounded to bfloat16 differs by as much as that rounding, and Winograd is never rounded")
    func rounded() throws {
        let engine = try Engine(threads: Threads(2))
        guard engine.hasBFloat16 else { return }
        var generator = SeededGenerator(3)
        for c in Self.cases where c.kernel < 5 {
            let x = generator.tensor([c.batch, c.channels.0, c.size.height, c.size.width])
            let weights = generator.tensor([c.channels.1, c.channels.0, c.kernel, c.kernel])
            let bias = generator.tensor([c.channels.1])
            let start = generator.tensor(
                Reference.convolution(x, weights, bias: bias, stride: c.stride, padding: c.padding).shape)
            func run(_ precision: Engine.Precision) throws -> Tensor {
                let convolution = Convolution(
                    Weights(weights), bias: Weights(bias), stride: c.stride, padding: c.padding, precision: precision,
                    on: engine)
                var sum = engine.featureMap(start)
                try convolution.add(engine.featureMap(x), to: &sum)
                #expect(sum.hasCleanLanes, "\(c.testDescription)")
                return engine.tensor(sum)
            }
            let (exact, rounded) = (try run(.f32), try run(.bf16))
            let tiles = KernelPlan.tiles(height: start.shape[2], width: start.shape[3])
            if c.kernel == 3, c.stride == 1, tiles >= engine.table.winogradTilesRounded {
                #expect(rounded.values == exact.values, "\(c.testDescription)")
                continue
            }
            // Each factor errs by 2⁻⁹ at most, and errors of K products up to 1 add up as √K by chance.
            let terms = Float(c.channels.0 * c.kernel * c.kernel)
            expectClose(rounded, exact, absolute: 0x1p-7 * terms.squareRoot(), c.testDescription)
            let differs = rounded.values != exact.values
            #expect(differs, "\(c.testDescription)")
        }
    }

    @Test("adding into a shared map leaves the other holder's values alone")
    func sharing() throws {
        let engine = try Engine(threads: Threads(1))
        var generator = SeededGenerator(2)
        let start = generator.tensor([1, 20, 3, 3])
        let kept = engine.featureMap(start)
        var sum = kept
        let weights = Weights(generator.tensor([20, 20, 1, 1]))
        try Convolution(weights, bias: nil, padding: .init(0), on: engine).add(kept, to: &sum)
        #expect(engine.tensor(kept).values == start.values)
        #expect(engine.tensor(sum).values != start.values)
    }
}
