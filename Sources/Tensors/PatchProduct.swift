import CKernels

/// A convolution as one product in bfloat16: what it sees around each pixel becomes a row, its weights a matrix.
///
/// For maps of a few pixels and many channels, whose weights outweigh them by far: oneDNN's direct form reached 64 % of the
/// processor's peak there, a product 86 % (docs/performance.md). Rows are as many times larger than the map as the kernel has places,
/// which small maps can afford.
/// Source: Chellapilla, Puri and Simard, "High Performance Convolutional Neural Networks for Document Processing" (2006).
final class PatchProduct: Sendable {
    private let linear: Linear
    private let kernel: (height: Int, width: Int)

    /// - Parameter weights: `[O, I, kh, kw]`
    init(_ weights: Weights, bias: Weights?, on engine: Engine) {
        linear = Linear(weights.asPatches(lanes: engine.lanes), bias: bias, .bfloat16, on: engine)
        kernel = (weights.shape[2], weights.shape[3])
    }

    var layer: any ShelvedLayer { linear.operations }

    func implementation(for result: MapShape) throws -> String { try linear.implementation(rows: rows(of: result)) }

    private func rows(of result: MapShape) -> Int { result.batch * result.height * result.width }

    /// Writes the convolution of the map at `source`, or adds it.
    func run(
        _ source: UnsafePointer<Float>, _ x: MapShape, stride: Int, _ padding: Convolution.Padding,
        to destination: UnsafeMutablePointer<Float>, _ result: MapShape, accumulates: Bool, on engine: Engine
    ) throws {
        let (rows, across, outputs) = (rows(of: result), linear.inputs, linear.outputs)
        let (pixels, kernel, threads) = (result.height * result.width, kernel, engine.threads)
        var products = Tensor(unfilled: [rows, outputs])
        try engine.withFactors(source, x.count, of: .bfloat16) { map in
            let map = map.assumingMemoryBound(to: UInt16.self)
            try engine.withWords(rows * across) { patches in
                threads.forRanges(rows, grain: 4) { range in
                    for row in range {
                        let (item, pixel) = row.quotientAndRemainder(dividingBy: pixels)
                        let (down, right) = pixel.quotientAndRemainder(dividingBy: result.width)
                        kernel_patch(
                            map + item * x.blocks * x.planeSize, x.blocks, x.height, x.width, x.lanes,
                            down * stride - padding.top, right * stride - padding.left, kernel.height, kernel.width,
                            patches + row * across)
                    }
                }
                try products.withMutablePointer {
                    try linear.multiply(patches, rows: rows, to: $0, accumulates: false)
                }
            }
        }
        let (blocks, plane, lanes) = (result.blocks, result.planeSize, result.lanes)
        products.withPointer { products in
            threads.forEach(result.batch * blocks) { index in
                let (item, block) = index.quotientAndRemainder(dividingBy: blocks)
                let first = products + item * pixels * outputs + block * lanes
                let count = min(lanes, outputs - block * lanes)
                if accumulates {
                    kernel_add_rows_to_plane(first, outputs, count, destination + index * plane, pixels, lanes)
                } else {
                    kernel_rows_to_plane(first, outputs, count, destination + index * plane, pixels, lanes)
                }
            }
        }
    }
}
