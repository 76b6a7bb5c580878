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
        engine.timed("group normalisation", x.shapeDescription) { normalised(x, adding: added, activation) }
    }

    private func normalised(_ x: FeatureMap, adding added: Tensor?, _ activation: Activation) -> FeatureMap {
        let (scale, shift) = laneScales(x, adding: added)
        var result = x.like()
        x.withPointer { source in
            result.withMutablePointer { out in
                forEachPiece(x) { plane, pixels in
                    let offset = plane * x.planeSize + pixels.lowerBound * x.lanes
                    scale.withUnsafeBufferPointer { scale in
                        shift.withUnsafeBufferPointer { shift in
                            guard let scale = scale.baseAddress, let shift = shift.baseAddress else { return }
                            kernel_scale_plane(
                                source + offset, out + offset, pixels.count, x.lanes, scale + plane * x.lanes,
                                shift + plane * x.lanes, activation == .silu ? kernel_silu : kernel_identity)
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
        let (scale, shift) = laneScales(x, adding: nil)
        var result = Tensor(unfilled: [x.batch, x.pixels, x.channels])
        x.withPointer { source in
            result.withMutablePointer { out in
                forEachPiece(x) { plane, pixels in
                    let (item, block) = plane.quotientAndRemainder(dividingBy: x.blocks)
                    scale.withUnsafeBufferPointer { scale in
                        shift.withUnsafeBufferPointer { shift in
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

    private func forEachPiece(_ x: FeatureMap, _ body: (_ plane: Int, _ pixels: Range<Int>) -> Void) {
        let pieces = (x.pixels + Self.pieceSize - 1) / Self.pieceSize
        engine.threads.forEach(x.batch * x.blocks * pieces) { index in
            let (plane, piece) = index.quotientAndRemainder(dividingBy: pieces)
            body(plane, piece * Self.pieceSize..<min(x.pixels, (piece + 1) * Self.pieceSize))
        }
    }

    /// Scale and shift of every lane of every plane, such that x·scale + shift is the normalised value.
    ///
    /// Sums are taken about a pivot (each lane's first value), so that a large mean does not swallow a small variance.
    private func laneScales(_ x: FeatureMap, adding added: Tensor?) -> (scale: [Float], shift: [Float]) {
        precondition(
            x.channels == weight.count, "\(x.shapeDescription) into a normalisation of \(weight.count) channels")
        let (lanes, planes) = (x.lanes, x.batch * x.blocks)
        let pieces = (x.pixels + Self.pieceSize - 1) / Self.pieceSize
        var sums = [Double](repeating: 0, count: planes * pieces * lanes)
        var squares = sums
        x.withPointer { source in
            sums.withUnsafeMutableBufferPointer { sums in
                squares.withUnsafeMutableBufferPointer { squares in
                    guard let sums = sums.baseAddress, let squares = squares.baseAddress else { return }
                    nonisolated(unsafe) let (sum, square) = (sums, squares)
                    forEachPiece(x) { plane, pixels in
                        let piece = (plane * pieces + pixels.lowerBound / Self.pieceSize) * lanes
                        let start = source + plane * x.planeSize
                        kernel_lane_moments(
                            start + pixels.lowerBound * lanes, pixels.count, lanes, start, sum + piece, square + piece)
                    }
                }
            }
        }

        var scale = [Float](repeating: 0, count: planes * lanes)
        var shift = scale
        let perGroup = x.channels / groups
        let pixels = Double(x.pixels)
        x.withPointer { source in
            for item in 0..<x.batch {
                for group in 0..<groups {
                    // Each channel's mean and sum of squared differences, then those of the group.
                    var means = [Double](repeating: 0, count: perGroup)
                    var within = 0.0
                    for member in 0..<perGroup {
                        let channel = group * perGroup + member
                        let plane = item * x.blocks + channel / lanes
                        let (sum, square) = (0..<pieces).reduce((0.0, 0.0)) { total, piece in
                            let at = (plane * pieces + piece) * lanes + channel % lanes
                            return (total.0 + sums[at], total.1 + squares[at])
                        }
                        let pivot = Double(source[plane * x.planeSize + channel % lanes])
                        let extra = added.map { $0.withPointer { Double($0[item * x.channels + channel]) } } ?? 0
                        means[member] = pivot + sum / pixels + extra
                        within += square - sum * sum / pixels
                    }
                    let mean = means.reduce(0, +) / Double(perGroup)
                    let between = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } * pixels
                    let variance = max(0, (within + between) / (pixels * Double(perGroup)))
                    let inverse = 1 / (variance + Double(epsilon)).squareRoot()
                    for member in 0..<perGroup {
                        let channel = group * perGroup + member
                        let at = (item * x.blocks + channel / lanes) * lanes + channel % lanes
                        let extra = added.map { $0.withPointer { Double($0[item * x.channels + channel]) } } ?? 0
                        let factor = inverse * Double(weight[channel])
                        scale[at] = Float(factor)
                        shift[at] = Float(Double(bias[channel]) + (extra - mean) * factor)
                    }
                }
            }
        }
        return (scale, shift)
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
