import CKernels

extension Engine {
    /// Attention inside windows, with a learnt bias for each pair of places. Source: Liu et al., "Swin Transformer" (2021).
    ///
    /// - Parameters:
    ///   - qkv: `[W, T, 3·C]`, queries, keys and values of every token of W windows
    ///   - bias: `[heads, T, T]`, added to the scores
    ///   - regions: of every token of every window; tokens of different ones hardly see each other. Nil: all see all
    /// - Returns: `[W, T, C]`
    package func windowAttention(_ qkv: Tensor, heads: Int, bias: Tensor, regions: [Int32]?) -> Tensor {
        let (windows, tokens, channels) = (qkv.shape[0], qkv.shape[1], qkv.shape[2] / 3)
        let width = channels / heads
        precondition(bias.shape == [heads, tokens, tokens] && channels % heads == 0, "\(qkv.shape) with \(bias.shape)")
        precondition(regions.map { $0.count == windows * tokens } ?? true)
        let scale = 1 / Float(width).squareRoot()
        let scratchFloats = kernel_window_scratch_floats(tokens, width).roundedUp(to: 16)
        var result = Tensor(unfilled: [windows, tokens, channels])
        timed(
            "attention in windows", "\(windows) of \(tokens), \(heads) heads of \(width)",
            operations: 4 * Double(windows * tokens * tokens) * Double(channels)
        ) {
            qkv.withPointer { qkv in
                bias.withPointer { bias in
                    result.withMutablePointer { out in
                        scratch.lend(threads.count * scratchFloats) { memory in
                            (regions ?? []).withUnsafeBufferPointer { regions in
                                threads.forEachWithWorker(windows) { window, worker in
                                    kernel_window_attention(
                                        qkv + window * tokens * 3 * channels, tokens, width, heads, scale, bias,
                                        regions.isEmpty ? nil : regions.baseAddress.map { $0 + window * tokens },
                                        out + window * tokens * channels, memory + worker * scratchFloats)
                                }
                            }
                        }
                    }
                }
            }
        }
        return result
    }

    /// The pixels of one map as rows. **Shape** `[1, H·W, C]`
    package func tokens(_ map: FeatureMap) -> Tensor {
        precondition(map.batch == 1)
        var result = Tensor(unfilled: [1, map.pixels, map.channels])
        let (ones, zeros) = ([Float](repeating: 1, count: map.lanes), [Float](repeating: 0, count: map.lanes))
        let (channels, lanes, pixels, plane) = (map.channels, map.lanes, map.pixels, map.planeSize)
        timed("pixels as rows", map.shapeDescription) {
            map.withPointer { source in
                result.withMutablePointer { out in
                    threads.forEach(map.blocks) { block in
                        kernel_scale_plane_to_rows(
                            source + block * plane, out + block * lanes, channels,
                            min(lanes, channels - block * lanes), pixels, lanes, ones, zeros)
                    }
                }
            }
        }
        return result
    }

    /// Rows `[1, H·W, C]` as a map.
    package func map(_ tokens: Tensor, height: Int, width: Int) -> FeatureMap {
        var map = FeatureMap(
            unfilledBatch: 1, channels: tokens.shape[2], height: height, width: width, lanes: lanes)
        let count = map.count
        map.withMutablePointer { out in
            threads.forRanges(count, grain: 1 << 16) {
                (out + $0.lowerBound).update(repeating: 0, count: $0.count)
            }
        }
        add(tokens, to: &map)
        return map
    }
}
