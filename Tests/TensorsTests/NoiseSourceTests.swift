import Checkpoints
import Tensors
import TestKit
import Testing
import Threads

/// Noise beside `torch.randn`: `Tools/golden/noise.py`.
@Suite struct NoiseSourceTests {
    @Test("a CUDA card's normal numbers, for any seed and call")
    func nvidia() throws {
        let cases = try #require(try Golden.json("noise/cases.json")["nv"].list)
        #expect(cases.count == 4)
        for entry in cases {
            var generator = NvidiaGenerator(seed: UInt64(try #require(entry["seed"].integer)))
            for call in entry["calls"].list ?? [] {
                let expected = (call.list ?? []).compactMap(\.double)
                expectClose(
                    generator.normal([1, 3, 3]).values.map(Double.init), expected, absolute: 1e-6, relative: 1e-6, "nv")
            }
        }
        var first = NvidiaGenerator(seed: 0)
        // As a card gives them.
        expectClose(
            first.normal([4]).values.map(Double.init), [-0.92466, -0.42534, -2.64385, 0.14518], absolute: 1e-5, "card")
    }

    @Test("torchsde's Brownian tree, between any two σ")
    func tree() throws {
        let file = try Golden.tensors("noise/tree.safetensors")
        let cases = try #require(try Golden.json("noise/cases.json")["tree"].list)
        #expect(cases.count > 30)
        for entry in cases {
            let range = try #require(entry["low"].double)...(try #require(entry["high"].double))
            let tree = BrownianTree(entropy: UInt64(try #require(entry["seed"].integer)), [1, 3, 5, 7], over: range) {
                var generator = TorchGenerator(seed: $0)
                return generator.normal($1)
            }
            let name = entry["name"].text ?? ""
            let noise = tree(try #require(entry["from"].double), try #require(entry["to"].double))
            expectClose(noise, try file.tensor(name), absolute: 2e-5, relative: 1e-5, name)
        }
    }

    private static let range = 0.03...14.6
    private func path(_ seed: UInt64 = 5, _ shape: [Int] = [1, 4, 64, 64]) -> BrownianPath {
        BrownianPath(PositionNoise(seed: seed), shape, over: Self.range)
    }

    @Test("a path is the same however it is asked: order, refinement, crop and threads change nothing")
    func consistency() {
        let sigmas = [9.0, 0.5, 14.6, 3.2, 0.03, 0.5001, 0.25, 14.59]
        let one = path(), other = path()
        let forward = sigmas.map { one.value(at: $0).values }
        let backward = sigmas.reversed().map { other.value(at: $0).values }
        for (a, b) in zip(forward, backward.reversed()) { #expect(a == b) }
        #expect(path(6).value(at: 3.2).values != forward[3])
        #expect(forward[4].allSatisfy { $0 == 0 })

        // A long way is the sum of short ones.
        let long = one(9, 0.5).values
        let sum = (one(9, 3.2), one(3.2, 0.5))
        for i in stride(from: 0, to: long.count, by: 97) {
            let gained =
                sum.0.values[i] * Float((9 - 3.2).squareRoot()) + sum.1.values[i] * Float((3.2 - 0.5).squareRoot())
            #expect(abs(long[i] * Float((9 - 0.5).squareRoot()) - gained) < 1e-5)
        }

        let noise = PositionNoise(seed: 5)
        let crop = BrownianPath(noise, [1, 4, 3, 5], over: Self.range, at: .init(x: 7, y: 11)).value(at: 3.2).values
        let whole = forward[3]
        for i in crop.indices {
            let (channel, y, x) = (i / 15, i / 5 % 3, i % 5)
            #expect(crop[i] == whole[(channel * 64 + y + 11) * 64 + x + 7])
        }
        let threaded = BrownianPath(noise, [1, 4, 64, 64], over: Self.range, threads: Threads(3)).value(at: 3.2).values
        #expect(threaded == whole)
    }

    @Test(
        "a path gains the distance in variance, and disjoint gains do not know each other",
        arguments: [1, 2] as [UInt64])
    func moments(seed: UInt64) {
        let path = path(seed, [1, 4, 128, 128])
        func mean(_ a: [Float], _ b: [Float]) -> Double {
            zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } / Double(a.count)
        }
        let ways = [(14.6, 8.0), (8, 7.9), (7.9, 1), (1, 0.2), (0.2, 0.1999), (0.05, 0.03)]
        let gains = ways.map { path($0.0, $0.1).values }
        for (i, a) in gains.enumerated() {
            // Five standard errors of 65,536 values.
            #expect(abs(mean(a, a) - 1) < 0.03, "variance from \(ways[i])")
            for (j, b) in gains[..<i].enumerated() { #expect(abs(mean(a, b)) < 0.02, "\(ways[i]) and \(ways[j])") }
        }
    }
}
