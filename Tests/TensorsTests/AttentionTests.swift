import Tensors
import TestKit
import Testing
import Threads

@Suite struct AttentionTests {
    @Test(
        "attention equals its plain form: heads, masks, other numbers of keys, sequences longer than a tile",
        arguments: [
            (queries: 1, keys: 1, heads: 1, width: 1, causal: false), (1, 5, 2, 3, false), (7, 3, 1, 8, false),
            (77, 77, 4, 16, true), (77, 77, 1, 5, true), (129, 77, 8, 8, false), (300, 300, 2, 20, false),
            (128, 128, 3, 7, true), (257, 1500, 1, 10, false), (5, 9, 2, 4, true), (9, 5, 2, 4, true),
            // So many keys that a tile has few queries.
            (40, 6000, 1, 4, false),
        ])
    func agreement(queries: Int, keys: Int, heads: Int, width: Int, causal: Bool) throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(UInt64(queries * 10_000 + keys))
        let q = generator.tensor([2, queries, heads * width]).map { 2 * $0 }
        let k = generator.tensor([2, keys, heads * width]).map { 2 * $0 }
        let v = generator.tensor([2, keys, heads * width])
        let result = engine.attention(q, k, v, heads: heads, causal: causal)
        // A mean of values up to 1; scores of about 10 round to 1e-6, and their exponentials by as much, relatively.
        expectClose(
            result, Reference.attention(q, k, v, heads: heads, causal: causal), absolute: 3e-6, relative: 1e-6)
    }

    @Test(
        "rounded to bfloat16 it differs by as much as that rounding",
        arguments: [
            (queries: 1, keys: 1, heads: 1, width: 1, causal: false), (7, 3, 1, 8, false), (77, 77, 4, 16, true),
            (129, 77, 2, 41, false), (300, 1301, 2, 40, false), (9, 5, 2, 5, true), (60, 700, 1, 80, true),
        ])
    func rounded(queries: Int, keys: Int, heads: Int, width: Int, causal: Bool) throws {
        let engine = try Engine(threads: Threads(2), precision: .bf16)
        guard engine.hasBFloat16 else { return }
        var generator = SeededGenerator(UInt64(queries * 10_000 + keys))
        let q = generator.tensor([2, queries, heads * width])
        let k = generator.tensor([2, keys, heads * width])
        let v = generator.tensor([2, keys, heads * width])
        let result = engine.attention(q, k, v, heads: heads, causal: causal, precision: .bf16)
        // Factors err by 2⁻⁹ at most, and a mean of values up to 1 by about as much.
        expectClose(result, Reference.attention(q, k, v, heads: heads, causal: causal), absolute: 1e-2)
        let exact = engine.attention(q, k, v, heads: heads, causal: causal).values
        let differs = exact != result.values
        #expect(differs)
    }

    @Test("scores far beyond what an exponential can hold leave no infinity behind")
    func largeScores() throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(6)
        // Whole numbers, whose products and sums single precision holds exactly: scores reach ±90,000.
        let q = generator.tensor([1, 30, 16]).map { ($0 * 150).rounded() }
        let k = generator.tensor([1, 40, 16]).map { ($0 * 150).rounded() }
        let v = generator.tensor([1, 40, 16])
        for causal in [false, true] {
            let result = engine.attention(q, k, v, heads: 1, causal: causal)
            expectClose(result, Reference.attention(q, k, v, heads: 1, causal: causal), absolute: 3e-6)
        }
    }
}
