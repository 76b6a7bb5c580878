import Tensors
import TestKit
import Testing
import Threads

@Suite struct NormalizationTests {
    @Test(
        "group normalisation equals its plain form, with an addend, an activation, or as tokens",
        arguments: [
            (channels: 3, groups: 1, batch: 1, height: 1, width: 1), (4, 2, 3, 5, 7), (16, 4, 2, 1, 7),
            (20, 5, 2, 9, 11),
            (21, 7, 1, 3, 3), (32, 32, 2, 8, 8), (33, 3, 3, 13, 5), (64, 8, 1, 50, 49), (96, 32, 2, 19, 29),
        ])
    func groups(channels: Int, groups: Int, batch: Int, height: Int, width: Int) throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(UInt64(channels))
        let x = generator.tensor([batch, channels, height, width])
        let added = generator.tensor([batch, channels])
        let (weight, bias) = (generator.values(channels), generator.values(channels))
        let norm = GroupNorm(
            Weights([channels], weight), bias: Weights([channels], bias), groups: groups, epsilon: 1e-5, on: engine)
        let map = engine.featureMap(x)
        for addend in [nil, added] {
            for activates in [false, true] {
                let result = norm(map, adding: addend, activation: activates ? .silu : .identity)
                let expected = Reference.groupNorm(
                    x, weight: weight, bias: bias, groups: groups, epsilon: 1e-5, adding: addend, silu: activates)
                // Sums are in double; what is left is one scale, one shift and one product in single precision. Where a
                // group holds few values its variance is small, and the scale multiplies the rounding of the shift.
                expectClose(
                    engine.tensor(result), expected, absolute: 4e-6, relative: 1e-6, "\(addend == nil), \(activates)")
                #expect(result.hasCleanLanes)
            }
        }
        let expected = Reference.groupNorm(x, weight: weight, bias: bias, groups: groups, epsilon: 1e-5)
        let tokens = Reference.map(ofTokens: norm.tokens(map), height: height, width: width)
        expectClose(tokens, expected, absolute: 4e-6, relative: 1e-6, "tokens")
    }

    @Test("a large mean does not swallow a small variance")
    func largeMean() throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(5)
        // Evenly spread values of half-width 0.173 have a standard deviation of 0.1.
        let x = generator.tensor([2, 20, 31, 70]).map { 1000 + 0.173 * $0 }
        let (weight, bias) = (generator.values(20), generator.values(20))
        let norm = GroupNorm(Weights([20], weight), bias: Weights([20], bias), groups: 4, epsilon: 1e-5, on: engine)
        let expected = Reference.groupNorm(x, weight: weight, bias: bias, groups: 4, epsilon: 1e-5)
        // x·scale + shift is about 10,000 − 10,000: scale and shift are rounded to 2⁻²⁴ of that, 6e-4 each. Sums of
        // plain squares in single precision would be wrong by more than the whole result.
        expectClose(engine.tensor(norm(engine.featureMap(x))), expected, absolute: 1.5e-3)
    }

    @Test("a map that is the same everywhere normalises to its shift")
    func constant() throws {
        let engine = try Engine(threads: Threads(2))
        let norm = GroupNorm(
            Weights([20], [Float](repeating: 1, count: 20)), bias: Weights([20], [Float](repeating: 0.5, count: 20)),
            groups: 5, epsilon: 1e-5, on: engine)
        let result = engine.tensor(norm(engine.featureMap(Tensor([1, 20, 9, 9], repeating: 3))))
        // 3·scale − 3·scale, with a scale of 1/√epsilon = 316: the rounding of one product of 949.
        expectClose(result, Tensor([1, 20, 9, 9], repeating: 0.5), absolute: 1e-4)
    }

    @Test("layer normalisation equals its plain form on odd widths", arguments: [1, 3, 15, 16, 17, 64, 77, 320, 1283])
    func layers(width: Int) throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(UInt64(width))
        let (weight, bias) = (generator.values(width), generator.values(width))
        let norm = LayerNorm(Weights([width], weight), bias: Weights([width], bias), epsilon: 1e-5, on: engine)
        for rows in [1, 2, 65, 131] {
            let x = generator.tensor([rows, width]).map { 3 * $0 + 2 }
            // Mean and variance are summed in sixteen strands of single precision: a few 2⁻²⁴ of values up to 5.
            expectClose(
                norm(x), Reference.layerNorm(x, weight: weight, bias: bias, epsilon: 1e-5), absolute: 4e-6,
                relative: 1e-6, "\(rows) rows")
        }
    }
}
