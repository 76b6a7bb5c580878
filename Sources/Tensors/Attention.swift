import CDNNL
import CKernels
import Threads

extension Engine {
    /// Scaled dot-product attention with several heads. Source: Vaswani et al., "Attention Is All You Need" (2017).
    ///
    /// Queries are taken a tile at a time, so the whole score matrix never exists: each tile's scores are made,
    /// normalised and used while they are still in the processor's cache.
    ///
    /// - Parameters:
    ///   - q: `[N, T, C]`, heads side by side along C
    ///   - k: `[N, S, C]`
    ///   - v: `[N, S, C]`
    ///   - causal: query t sees keys 0…t only
    /// - Returns: `[N, T, C]`
    package func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, causal: Bool = false) -> Tensor {
        let (batch, queries, channels) = (q.shape[0], q.shape[1], q.shape[2])
        let keys = k.shape[1]
        precondition(
            k.shape == [batch, keys, channels] && v.shape == k.shape && channels % heads == 0,
            "attention of \(q.shape) over \(k.shape) and \(v.shape) with \(heads) heads")
        let width = channels / heads
        let scale = 1 / Float(width).squareRoot()
        // About half a megabyte of scores: they stay in the second-level cache.
        let tile = max(8, min(128, (1 << 17) / max(keys, 1)))
        let tiles = (queries + tile - 1) / tile
        let scratch = Storage(threads.count * tile * keys)
        var result = Tensor(unfilled: [batch, queries, channels])
        // Ours is the only cutting: a product that oneDNN splits over threads sums in an order that depends on them.
        Threads(1).apply()
        q.withPointer { q in
            k.withPointer { k in
                v.withPointer { v in
                    result.withMutablePointer { out in
                        threads.forEachWithWorker(batch * heads * tiles) { piece, worker in
                            let (head, index) = piece.quotientAndRemainder(dividingBy: tiles)
                            let (item, column) = (head / heads, head % heads * width)
                            let rows = index * tile..<min(queries, (index + 1) * tile)
                            let scores = scratch.pointer + worker * tile * keys
                            let (count, stride) = (rows.count, channels)
                            let query = q + (item * queries + rows.lowerBound) * channels + column
                            let key = k + item * keys * channels + column
                            let value = v + item * keys * channels + column
                            dnnl_shim_gemm(1, count, keys, width, scale, query, stride, key, stride, 0, scores, keys)
                            kernel_softmax(scores, count, keys, keys, causal ? rows.lowerBound : -1)
                            dnnl_shim_gemm(
                                0, count, width, keys, 1, scores, keys, value, stride, 0,
                                out + (item * queries + rows.lowerBound) * channels + column, stride)
                        }
                    }
                }
            }
        }
        return result
    }
}
