import Foundation
import Tensors
import TestKit

/// Each operation in its plainest form: direct loops over `[N, C, H, W]` or rows, every sum in Double.
enum Reference {
    static func convolution(
        _ x: Tensor, _ weights: Tensor, bias: Tensor?, stride: Int, padding: Convolution.Padding
    ) -> Tensor {
        let (batch, inputs, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let (outputs, kernelHeight, kernelWidth) = (weights.shape[0], weights.shape[2], weights.shape[3])
        let outHeight = (height + padding.top + padding.bottom - kernelHeight) / stride + 1
        let outWidth = (width + padding.left + padding.right - kernelWidth) / stride + 1
        let (source, w, b) = (x.values, weights.values, bias?.values)
        var result = [Float](repeating: 0, count: batch * outputs * outHeight * outWidth)
        for n in 0..<batch {
            for o in 0..<outputs {
                for y in 0..<outHeight {
                    for x in 0..<outWidth {
                        var sum = Double(b?[o] ?? 0)
                        for i in 0..<inputs {
                            for dy in 0..<kernelHeight {
                                let row = y * stride + dy - padding.top
                                guard (0..<height).contains(row) else { continue }
                                for dx in 0..<kernelWidth {
                                    let column = x * stride + dx - padding.left
                                    guard (0..<width).contains(column) else { continue }
                                    let weight = w[((o * inputs + i) * kernelHeight + dy) * kernelWidth + dx]
                                    sum +=
                                        Double(weight)
                                        * Double(source[((n * inputs + i) * height + row) * width + column])
                                }
                            }
                        }
                        result[((n * outputs + o) * outHeight + y) * outWidth + x] = Float(sum)
                    }
                }
            }
        }
        return Tensor([batch, outputs, outHeight, outWidth], result)
    }

    static func linear(_ x: Tensor, _ weights: Tensor, bias: Tensor?) -> Tensor {
        let (outputs, inputs) = (weights.shape[0], weights.shape[1])
        let (source, w, b) = (x.values, weights.values, bias?.values)
        let rows = source.count / inputs
        var result: [Float] = []
        for row in 0..<rows {
            for o in 0..<outputs {
                var sum = Double(b?[o] ?? 0)
                for i in 0..<inputs { sum += Double(source[row * inputs + i]) * Double(w[o * inputs + i]) }
                result.append(Float(sum))
            }
        }
        return Tensor(x.shape.dropLast() + [outputs], result)
    }

    static func groupNorm(
        _ x: Tensor, weight: [Float], bias: [Float], groups: Int, epsilon: Double, adding added: Tensor? = nil,
        silu activates: Bool = false
    ) -> Tensor {
        let (batch, channels, pixels) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
        let perGroup = channels / groups
        var values = x.values.map(Double.init)
        if let added = added?.values {
            for i in values.indices { values[i] += Double(added[i / pixels]) }
        }
        for start in stride(from: 0, to: batch * channels * pixels, by: perGroup * pixels) {
            let group = start..<start + perGroup * pixels
            let mean = values[group].reduce(0, +) / Double(group.count)
            let variance = values[group].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(group.count)
            for i in group {
                let channel = i / pixels % channels
                let y = (values[i] - mean) / (variance + epsilon).squareRoot() * Double(weight[channel])
                values[i] = y + Double(bias[channel])
                if activates { values[i] = silu(values[i]) }
            }
        }
        return Tensor(x.shape, values.map(Float.init))
    }

    static func layerNorm(_ x: Tensor, weight: [Float], bias: [Float], epsilon: Double) -> Tensor {
        let width = weight.count
        var values = x.values.map(Double.init)
        for start in stride(from: 0, to: values.count, by: width) {
            let row = start..<start + width
            let mean = values[row].reduce(0, +) / Double(width)
            let variance = values[row].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
            for i in row {
                values[i] = (values[i] - mean) / (variance + epsilon).squareRoot() * Double(weight[i - start])
                values[i] += Double(bias[i - start])
            }
        }
        return Tensor(x.shape, values.map(Float.init))
    }

    static func attention(_ q: Tensor, _ k: Tensor, _ v: Tensor, heads: Int, causal: Bool = false) -> Tensor {
        let (batch, queries, channels, keys) = (q.shape[0], q.shape[1], q.shape[2], k.shape[1])
        let width = channels / heads
        let (q, k, v) = (q.values, k.values, v.values)
        var result = [Float](repeating: 0, count: batch * queries * channels)
        for n in 0..<batch {
            for head in 0..<heads {
                for t in 0..<queries {
                    let seen = causal ? min(t + 1, keys) : keys
                    let at = (n * queries + t) * channels + head * width
                    var scores = (0..<seen).map { s in
                        let key = (n * keys + s) * channels + head * width
                        return (0..<width).reduce(0.0) { $0 + Double(q[at + $1]) * Double(k[key + $1]) }
                            / Double(width).squareRoot()
                    }
                    let most = scores.max() ?? 0
                    scores = scores.map { exp($0 - most) }
                    let sum = scores.reduce(0, +)
                    for c in 0..<width {
                        result[at + c] = Float(
                            (0..<seen).reduce(0.0) {
                                $0 + scores[$1] / sum * Double(v[(n * keys + $1) * channels + head * width + c])
                            })
                    }
                }
            }
        }
        return Tensor([batch, queries, channels], result)
    }

    static func silu(_ x: Double) -> Double { x / (1 + exp(-x)) }
    static func gelu(_ x: Double) -> Double { 0.5 * x * erfc(-x / 2.0.squareRoot()) }
    static func quickGELU(_ x: Double) -> Double { x / (1 + exp(-1.702 * x)) }

    static func geglu(_ x: Tensor) -> Tensor {
        let width = (x.shape.last ?? 0) / 2
        let values = x.values
        let result = (0..<values.count / 2).map { i in
            let at = i / width * 2 * width + i % width
            return Float(Double(values[at]) * gelu(Double(values[at + width])))
        }
        return Tensor(x.shape.dropLast() + [width], result)
    }

    static func concatenated(_ a: Tensor, _ b: Tensor) -> Tensor {
        let items = (0..<a.shape[0]).flatMap { a.items($0..<$0 + 1).values + b.items($0..<$0 + 1).values }
        return Tensor([a.shape[0], a.shape[1] + b.shape[1], a.shape[2], a.shape[3]], items)
    }

    static func enlarged(_ x: Tensor, height: Int, width: Int) -> Tensor {
        let (planes, h, w) = (x.shape[0] * x.shape[1], x.shape[2], x.shape[3])
        let source = x.values
        var result: [Float] = []
        for plane in 0..<planes {
            for y in 0..<height {
                for x in 0..<width { result.append(source[(plane * h + y * h / height) * w + x * w / width]) }
            }
        }
        return Tensor([x.shape[0], x.shape[1], height, width], result)
    }

    /// Rows `[N, H·W, C]` as a map `[N, C, H, W]`.
    static func map(ofTokens tokens: Tensor, height: Int, width: Int) -> Tensor {
        let (batch, pixels, channels) = (tokens.shape[0], tokens.shape[1], tokens.shape[2])
        let source = tokens.values
        var result: [Float] = []
        for n in 0..<batch {
            for c in 0..<channels {
                for p in 0..<pixels { result.append(source[(n * pixels + p) * channels + c]) }
            }
        }
        return Tensor([batch, channels, height, width], result)
    }
}

extension SeededGenerator {
    /// Values spread evenly over −1…1.
    mutating func tensor(_ shape: [Int]) -> Tensor { Tensor(shape, values(shape.reduce(1, *))) }
}

extension Weights {
    init(_ tensor: Tensor) { self.init(tensor.shape, tensor.values) }
}

extension FeatureMap {
    /// Whether every lane past the last channel holds zero, which whole-block operations rely on.
    var hasCleanLanes: Bool {
        guard channels % lanes != 0 else { return true }
        return withPointer { values in
            (0..<batch).allSatisfy { item in
                let last = values + ((item + 1) * blocks - 1) * planeSize
                return (0..<planeSize).allSatisfy { $0 % lanes < channels % lanes || last[$0] == 0 }
            }
        }
    }
}
