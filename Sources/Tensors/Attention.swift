import CKernels
import Threads

extension Engine {
    /// Scaled dot-product attention with several heads. Source: Vaswani et al., "Attention Is All You Need" (2017).
    ///
    /// Scores, softmax and the sum of values are one pass over the keys (`attention.h`), so scores are never in memory.
    ///
    /// - Parameters:
    ///   - q: `[N, T, C]`, heads side by side along C
    ///   - k: `[N, S, C]`
    ///   - v: `[N, S, C]`
    ///   - causal: query t sees keys 0…t only
    ///   - precision: what the layer allows; the plan picks as for a matrix of `C` inputs and outputs
    /// - Returns: `[N, T, C]`
    package func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, causal: Bool = false, precision: Precision = .f32
    )
        -> Tensor
    {
        let (batch, queries, channels) = (q.shape[0], q.shape[1], q.shape[2])
        let keys = k.shape[1]
        precondition(
            k.shape == [batch, keys, channels] && v.shape == k.shape && channels % heads == 0,
            "attention of \(q.shape) over \(k.shape) and \(v.shape) with \(heads) heads")
        let width = channels / heads
        let scale = 1 / Float(width).squareRoot()
        let product = KernelPlan.product(inputs: channels, outputs: channels, precision: precision, on: self)
        let bfloat16: Int32 = product == .bfloat16 ? 1 : 0
        let tile = attention_rows()
        let tiles = (queries + tile - 1) / tile
        let packedFloats = attention_packed_floats(keys, width)
        let scratchFloats = attention_scratch_floats(width)
        // Few enough heads at once that their packed keys and values stay small, enough for every thread.
        let atOnce = min(batch * heads, max(threads.count, packedMost / packedFloats))
        var result = Tensor(unfilled: [batch, queries, channels])

        timed(
            "attention, \(product.rawValue)",
            "\(queries) over \(keys), \(batch)·\(heads) heads of \(width)",
            operations: 4 * Double(batch * queries) * Double(keys * channels)
        ) {
            q.withPointer { q in
                k.withPointer { k in
                    v.withPointer { v in
                        result.withMutablePointer { out in
                            scratch.lend(atOnce * packedFloats + threads.count * scratchFloats) { memory in
                                /// Offset of a head's first value in rows of `rows` tokens an item.
                                func start(_ head: Int, rows: Int) -> Int {
                                    head / heads * rows * channels + head % heads * width
                                }
                                for first in stride(from: 0, to: batch * heads, by: atOnce) {
                                    let count = min(atOnce, batch * heads - first)
                                    threads.forEach(count) { index in
                                        let place = start(first + index, rows: keys)
                                        attention_pack(
                                            k + place, v + place, channels, keys, width, bfloat16,
                                            memory + index * packedFloats)
                                    }
                                    threads.forEachWithWorker(count * tiles) { piece, worker in
                                        let (index, tileIndex) = piece.quotientAndRemainder(dividingBy: tiles)
                                        let row = tileIndex * tile
                                        let place = start(first + index, rows: queries) + row * channels
                                        attention_head(
                                            q + place, channels, min(tile, queries - row),
                                            memory + index * packedFloats,
                                            keys, width, scale, causal ? row : -1, bfloat16, out + place,
                                            memory + atOnce * packedFloats + worker * scratchFloats)
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        return result
    }

    /// Most floats of packed keys and values, where one head for each thread does not need more: 32 MB.
    private var packedMost: Int { 1 << 23 }
}
