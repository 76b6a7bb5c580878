import Tensors
import TestKit
import Testing
import Threads

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite struct StorageTests {
    // In a process of its own, since the count is the whole program's and other tests allocate meanwhile.
    @Test("a second step like the first asks the system for nothing")
    func reuse() async {
        await #expect(processExitsWith: .exitCode(7)) {
            let engine = try Engine(threads: Threads(2))
            var generator = SeededGenerator(11)
            let x = generator.tensor([2, 48, 33, 29])
            let convolution = Convolution(
                Weights(generator.tensor([48, 48, 3, 3])), bias: nil, padding: .init(1), on: engine)
            let linear = Linear(Weights(generator.tensor([48, 48])), bias: nil, on: engine)
            let one = Weights([48], [Float](repeating: 1, count: 48))
            let norm = GroupNorm(one, bias: one, groups: 4, epsilon: 1e-5, on: engine)

            func step() throws {
                var h = try convolution(norm(engine.featureMap(x), activation: .silu))
                let tokens = try linear(norm.tokens(h))
                engine.add(engine.attention(tokens, tokens, tokens, heads: 3), to: &h)
                h = engine.concatenated(h, h)
                _ = engine.tensor(engine.enlarged(h, height: 66, width: 58))
            }
            try step()
            let made = Storage.piecesMade
            for _ in 0..<3 { try step() }
            // A count that never moved would prove nothing.
            exit(made > 10 && Storage.piecesMade == made ? 7 : 1)
        }
    }

    @Test("copies of a tensor do not see each other's changes")
    func values() {
        let original = Tensor([4], [1, 2, 3, 4])
        var copy = original
        copy.withMutablePointer { $0[2] = 9 }
        #expect(original.values == [1, 2, 3, 4] && copy.values == [1, 2, 9, 4])
    }

    @Test("storage is aligned for the widest vectors", arguments: [0, 1, 7, 1000, 65_535, 65_537])
    func alignment(count: Int) {
        let storage = Storage(count)
        #expect(UInt(bitPattern: storage.pointer) % 64 == 0 && storage.count == count)
    }
}
