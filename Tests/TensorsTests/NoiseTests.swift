import Checkpoints
import Tensors
import TestKit
import Testing
import Threads

@Suite struct NoiseTests {
    /// `Tools/golden/randn.py`
    @Test("normal numbers are PyTorch's, for any seed, size and sequence of calls")
    func torch() throws {
        let file = try Golden.tensors("randn/randn.safetensors")
        let cases = try #require(try Golden.json("randn/cases.json").list)
        #expect(cases.count > 50)
        for entry in cases {
            let seed: UInt64 = try #require(entry["seed"].integer.map { UInt64($0) })
            var generator = TorchGenerator(seed: seed)
            for (shape, key) in zip(entry["shapes"].list ?? [], entry["keys"].list ?? []) {
                let shape = (shape.list ?? []).compactMap(\.integer)
                let expected = try file.tensor(key.text ?? "")
                expectClose(generator.normal(shape), expected, absolute: 2e-6, key.text ?? "")
            }
        }
    }

    @Test("the noise of a crop is the crop of the noise")
    func crop() {
        let noise = PositionNoise(seed: 7)
        let whole = noise.normal([1, 3, 20, 30], .init(.start))
        let crop = noise.normal([1, 3, 6, 9], .init(.start), at: .init(x: 11, y: 5))
        for channel in 0..<3 {
            for y in 0..<6 {
                for x in 0..<9 {
                    #expect(
                        crop.values[(channel * 6 + y) * 9 + x] == whole.values[(channel * 20 + y + 5) * 30 + x + 11])
                }
            }
        }
    }

    @Test("seed, purpose, pass, step, draw and channel each change the noise; batch and threads do not")
    func uses() {
        let base = PositionNoise.Use(.sampler, pass: 1, step: 2, draw: 3)
        let others: [PositionNoise.Use] = [
            .init(.start, pass: 1, step: 2, draw: 3), .init(.sampler, pass: 2, step: 2, draw: 3),
            .init(.sampler, pass: 1, step: 3, draw: 3), .init(.sampler, pass: 1, step: 2, draw: 4),
        ]
        let noise = PositionNoise(seed: 1)
        let values = noise.normal([1, 2, 8, 8], base).values
        for other in others { #expect(noise.normal([1, 2, 8, 8], other).values != values) }
        #expect(PositionNoise(seed: 2).normal([1, 2, 8, 8], base).values != values)
        #expect(PositionNoise(seed: 1 + 1 << 32).normal([1, 2, 8, 8], base).values != values)
        #expect(Array(values[..<64]) != Array(values[64...]))
        let batch = noise.normal([2, 2, 8, 8], base, threads: Threads(3)).values
        #expect(batch == values + values)
    }

    @Test("position noise is normal: mean 0, variance 1, no neighbour knows the other")
    func moments() {
        let values = PositionNoise(seed: 3).normal([1, 4, 128, 128], .init(.start)).values.map(Double.init)
        let mean = values.reduce(0, +) / Double(values.count)
        let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
        let neighbours = zip(values, values.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / Double(values.count)
        let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / Double(values.count)
        // Five standard errors of 65,536 values.
        #expect(abs(mean) < 0.02 && abs(variance - 1) < 0.03 && abs(neighbours) < 0.02 && abs(fourth - 3) < 0.2)
    }

    @Test("Philox gives the words of its authors' known answers")
    func philoxKnownAnswers() {
        // kat_vectors of Random123: philox4x32-10.
        #expect(PositionNoise.words((0, 0, 0, 0), key: (0, 0)) == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
        let all = UInt32.max
        #expect(
            PositionNoise.words((all, all, all, all), key: (all, all)) == [
                0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd,
            ])
    }
}
