import Tensors
import TestKit
import Testing
import Threads

@Suite struct ProfileTests {
    @Test("a profile counts calls and operations by kind and shape")
    func counts() throws {
        let profile = Profile()
        let engine = try Engine(threads: Threads(2), profile: profile)
        var generator = SeededGenerator(1)
        let convolution = Convolution(
            Weights(generator.tensor([6, 5, 1, 1])), bias: nil, padding: .init(0), on: engine)
        let map = engine.featureMap(generator.tensor([2, 5, 7, 9]))
        _ = try convolution(map)
        _ = try convolution(map)
        let linear = Linear(Weights(generator.tensor([4, 3])), bias: nil, on: engine)
        _ = try linear(generator.tensor([11, 3]))
        let q = generator.tensor([2, 8, 12])
        let k = generator.tensor([2, 5, 12])
        _ = engine.attention(q, k, k, heads: 3)
        _ = engine.silu(q)

        let lines = profile.longestFirst()
        func line(_ kind: String) throws -> Profile.Line { try #require(lines.first { $0.work.kind == kind }) }
        #expect(lines.count == 4)
        #expect(zip(lines, lines.dropFirst()).allSatisfy { $0.seconds >= $1.seconds })
        #expect(lines.allSatisfy { $0.seconds > 0 })
        #expect(try line("convolution, direct").calls == 2)
        #expect(try line("convolution, direct").operations == Double(2 * 2 * 5 * 6 * 2 * 7 * 9))
        #expect(try line("product, float32").operations == Double(2 * 11 * 3 * 4))
        #expect(try line("attention, float32").operations == Double(4 * 2 * 8 * 5 * 12))
        #expect(try line("activation").operations == 0)

        profile.clear()
        #expect(profile.longestFirst().isEmpty)
    }

    @Test("the peak is one that a processor can have, and bfloat16's is there where it is multiplied")
    func peak() throws {
        let engine = try Engine(threads: Threads(1))
        #expect((1e9...1e12).contains(Profile.peak(engine.threads, bfloat16: false)))
        let rounded = Profile.peak(engine.threads, bfloat16: true)
        #expect(engine.hasBFloat16 ? (1e9...1e13).contains(rounded) : rounded == 0)
    }
}
