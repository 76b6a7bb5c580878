import CKernels

/// Group normalisation with its learnt scale and shift. Source: Wu and He, "Group Normalization" (2018).
package struct GroupNorm: Sendable {
    package let groups: Int
    package let epsilon: Float
    let weight: [Float]
    let bias: [Float]
    private let engine: Engine

    /// - Parameters:
    ///   - weight: `[C]`
    ///   - bias: `[C]`
    package init(_ weight: Weights, bias: Weights, groups: Int, epsilon: Float, on engine: Engine) {
        precondition(weight.count % groups == 0, "\(weight.count) channels do not split into \(groups) groups")
        (self.groups, self.epsilon, self.engine) = (groups, epsilon, engine)
        (self.weight, self.bias) = (weight.floats(), bias.floats())
    }

    package enum Activation: Sendable {
        case identity, silu
    }

    /// - Parameter added: `[N, C]`, added to every pixel of its channel first (the time embedding in a residual block).
    package func callAsFunction(_ x: FeatureMap, adding added: Tensor? = nil, activation: Activation = .identity)
        -> FeatureMap
    {
        let scales = engine.timed("group normalisation", x.shapeDescription) {
            self.scales(LaneMoments(of: x, on: engine), adding: added)
        }
        return apply(scales, to: x, activation: activation)
    }

    /// What a map is multiplied by and what is added, for every lane of every plane, such that x·scale + shift is the
    /// normalised value.
    package struct Scales: Sendable {
        fileprivate var scale: [Float]
        fileprivate var shift: [Float]
    }

    /// Normalises a map, or some of its rows, with scales that were taken from the whole.
    ///
    /// - Parameters:
    ///   - rows: those that are wanted; nil: all
    package func apply(
        _ scales: Scales, to x: FeatureMap, rows: Range<Int>? = nil, activation: Activation = .identity
    ) -> FeatureMap {
        engine.timed("group normalisation", x.shapeDescription) {
            normalised(x, scales, rows: rows ?? 0..<x.height, activation)
        }
    }

    private func normalised(
        _ x: FeatureMap, _ scales: Scales, rows: Range<Int>, _ activation: Activation
    ) -> FeatureMap {
        var result = x.like(height: rows.count)
        let (start, size, pixels) = (rows.lowerBound * x.width * x.lanes, result.planeSize, result.pixels)
        x.withPointer { source in
            result.withMutablePointer { out in
                forEachPiece(planes: x.batch * x.blocks, pixels: pixels) { plane, pixels in
                    let offset = pixels.lowerBound * x.lanes
                    scales.scale.withUnsafeBufferPointer { scale in
                        scales.shift.withUnsafeBufferPointer { shift in
                            guard let scale = scale.baseAddress, let shift = shift.baseAddress else { return }
                            kernel_scale_plane(
                                source + plane * x.planeSize + start + offset, out + plane * size + offset,
                                pixels.count, x.lanes, scale + plane * x.lanes, shift + plane * x.lanes,
                                activation == .silu ? kernel_silu : kernel_identity)
                        }
                    }
                }
            }
        }
        return result
    }

    /// The same as rows for a transformer. **Shape** `[N, H·W, C]`
    package func tokens(_ x: FeatureMap) -> Tensor {
        engine.timed("group normalisation", x.shapeDescription) { normalisedTokens(x) }
    }

    private func normalisedTokens(_ x: FeatureMap) -> Tensor {
        let scales = scales(LaneMoments(of: x, on: engine))
        var result = Tensor(unfilled: [x.batch, x.pixels, x.channels])
        x.withPointer { source in
            result.withMutablePointer { out in
                forEachPiece(planes: x.batch * x.blocks, pixels: x.pixels) { plane, pixels in
                    let (item, block) = plane.quotientAndRemainder(dividingBy: x.blocks)
                    scales.scale.withUnsafeBufferPointer { scale in
                        scales.shift.withUnsafeBufferPointer { shift in
                            guard let scale = scale.baseAddress, let shift = shift.baseAddress else { return }
                            kernel_scale_plane_to_rows(
                                source + plane * x.planeSize + pixels.lowerBound * x.lanes,
                                out + (item * x.pixels + pixels.lowerBound) * x.channels + block * x.lanes, x.channels,
                                min(x.lanes, x.channels - block * x.lanes), pixels.count, x.lanes,
                                scale + plane * x.lanes, shift + plane * x.lanes)
                        }
                    }
                }
            }
        }
        return result
    }

    /// Pixels that one piece of work covers, whatever the number of threads.
    private static let pieceSize = 2048

    private func forEachPiece(
        planes: Int, pixels: Int, _ body: (_ plane: Int, _ pixels: Range<Int>) -> Void
    ) {
        let pieces = (pixels + Self.pieceSize - 1) / Self.pieceSize
        engine.threads.forEach(planes * pieces) { index in
            let (plane, piece) = index.quotientAndRemainder(dividingBy: pieces)
            body(plane, piece * Self.pieceSize..<min(pixels, (piece + 1) * Self.pieceSize))
        }
    }

    /// - Parameter added: `[N, C]`, added to every pixel of its channel first
    package func scales(_ moments: LaneMoments, adding added: Tensor? = nil) -> Scales {
        precondition(
            moments.channels == weight.count,
            "\(moments.channels) channels into a normalisation of \(weight.count) channels")
        let (lanes, blocks) = (moments.lanes, moments.blocks)
        var scales = Scales(scale: [Float](repeating: 0, count: moments.batch * blocks * lanes), shift: [])
        scales.shift = scales.scale
        let perGroup = moments.channels / groups
        let pixels = Double(moments.pixels)
        for item in 0..<moments.batch {
            for group in 0..<groups {
                // Each channel's mean and sum of squared differences, then those of the group.
                var means = [Double](repeating: 0, count: perGroup)
                var within = 0.0
                for member in 0..<perGroup {
                    let channel = group * perGroup + member
                    let at = (item * blocks + channel / lanes) * lanes + channel % lanes
                    let (sum, square) = (moments.sums[at], moments.squares[at])
                    let extra = added.map { $0.withPointer { Double($0[item * moments.channels + channel]) } } ?? 0
                    means[member] = Double(moments.pivots[at]) + sum / pixels + extra
                    within += square - sum * sum / pixels
                }
                let mean = means.reduce(0, +) / Double(perGroup)
                let between = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } * pixels
                let variance = max(0, (within + between) / (pixels * Double(perGroup)))
                let inverse = 1 / (variance + Double(epsilon)).squareRoot()
                for member in 0..<perGroup {
                    let channel = group * perGroup + member
                    let at = (item * blocks + channel / lanes) * lanes + channel % lanes
                    let extra = added.map { $0.withPointer { Double($0[item * moments.channels + channel]) } } ?? 0
                    let factor = inverse * Double(weight[channel])
                    scales.scale[at] = Float(factor)
                    scales.shift[at] = Float(Double(bias[channel]) + (extra - mean) * factor)
                }
            }
        }
        return scales
    }
}

/// Layer normalisation of rows. Source: Ba, Kiros and Hinton, "Layer Normalization" (2016).
package struct LayerNorm: Sendable {
    let weight: [Float]
    let bias: [Float]
    let epsilon: Float
    private let engine: Engine

    /// - Parameters:
    ///   - weight: `[C]`
    ///   - bias: `[C]`
    package init(_ weight: Weights, bias: Weights, epsilon: Float = 1e-5, on engine: Engine) {
        (self.weight, self.bias) = (weight.floats(), bias.floats())
        (self.epsilon, self.engine) = (epsilon, engine)
    }

    /// **Shape** `[…, C]`
    package func callAsFunction(_ x: Tensor) -> Tensor {
        let width = weight.count
        precondition(x.shape.last == width, "\(x.shape) into a normalisation of \(width) channels")
        var result = Tensor(unfilled: x.shape)
        x.withPointer { source in
            result.withMutablePointer { out in
                engine.timed("layer normalisation", "\(width) wide") {
                    engine.threads.forRanges(x.count / width, grain: 64) { rows in
                        kernel_layer_norm(
                            source + rows.lowerBound * width, out + rows.lowerBound * width, rows.count, width, weight,
                            bias, epsilon)
                    }
                }
            }
        }
        return result
    }
}
