import CKernels

extension Engine {
    package func silu(_ x: Tensor) -> Tensor { elementwise(x, kernel_silu_array) }
    /// With the error function, not its tanh approximation.
    package func gelu(_ x: Tensor) -> Tensor { elementwise(x, kernel_gelu_array) }
    /// x·σ(1.702·x), the approximation that OpenAI's CLIP was trained with.
    package func quickGELU(_ x: Tensor) -> Tensor { elementwise(x, kernel_quick_gelu_array) }

    /// Gated GELU: the first half of each row times gelu of the second. **Shape** `[…, 2·C]` → `[…, C]`
    package func geglu(_ x: Tensor) -> Tensor {
        let width = (x.shape.last ?? 0) / 2
        var result = Tensor(unfilled: x.shape.dropLast() + [width])
        x.withPointer { source in
            result.withMutablePointer { out in
                timed("gated GELU", "\(width) wide") {
                    threads.forRanges(x.count / (2 * width), grain: 16) { rows in
                        kernel_geglu(
                            source + rows.lowerBound * 2 * width, out + rows.lowerBound * width, rows.count, width)
                    }
                }
            }
        }
        return result
    }

    /// Adds tokens `[N, H·W, C]` to the map of the same pixels.
    package func add(_ tokens: Tensor, to map: inout FeatureMap) {
        let (batch, channels, pixels, blocks, lanes) = (map.batch, map.channels, map.pixels, map.blocks, map.lanes)
        precondition(tokens.shape == [batch, pixels, channels], "\(tokens.shape) onto \(map.shapeDescription)")
        let (plane, shape) = (map.planeSize, map.shapeDescription)
        tokens.withPointer { source in
            map.withMutablePointer { destination in
                timed("tokens added to pixels", shape) {
                    threads.forEach(batch * blocks) { index in
                        let (item, block) = index.quotientAndRemainder(dividingBy: blocks)
                        kernel_add_rows_to_plane(
                            source + item * pixels * channels + block * lanes, channels,
                            min(lanes, channels - block * lanes),
                            destination + index * plane, pixels, lanes)
                    }
                }
            }
        }
    }

    private func elementwise(
        _ x: Tensor, _ kernel: @Sendable (UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, Int) -> Void
    ) -> Tensor {
        var result = Tensor(unfilled: x.shape)
        x.withPointer { source in
            result.withMutablePointer { out in
                timed("activation", "\(x.shape.last ?? 0) wide") {
                    threads.forRanges(x.count, grain: 1 << 14) {
                        kernel(source + $0.lowerBound, out + $0.lowerBound, $0.count)
                    }
                }
            }
        }
        return result
    }
}
