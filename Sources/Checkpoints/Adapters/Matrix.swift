import Tensors

/// Rows of numbers: the factors that adapters are made of.
struct Matrix {
    let rows: Int
    let columns: Int
    var values: [Float]

    init(_ rows: Int, _ columns: Int, _ values: [Float]) {
        precondition(values.count == rows * columns, "\(values.count) values do not fill \(rows)×\(columns)")
        (self.rows, self.columns, self.values) = (rows, columns, values)
    }

    var transposed: Matrix {
        var turned = [Float](repeating: 0, count: values.count)
        for row in 0..<rows {
            for column in 0..<columns { turned[column * rows + row] = values[row * columns + column] }
        }
        return Matrix(columns, rows, turned)
    }

    /// The first rows.
    func top(_ count: Int) -> Matrix { Matrix(count, columns, Array(values[..<(count * columns)])) }

    /// `self · other`, in 32-bit floats.
    func times(_ other: Matrix, on engine: Engine) throws -> Matrix {
        let product = Linear(
            Weights([other.columns, other.rows], other.transposed.values), bias: nil, on: engine)
        return Matrix(rows, other.columns, try product(Tensor([rows, columns], values)).values)
    }

    /// Each value of `self` times the whole of `other`.
    func kronecker(_ other: Matrix) -> Matrix {
        var result = [Float](repeating: 0, count: values.count * other.values.count)
        let width = columns * other.columns
        for i in 0..<rows {
            for p in 0..<other.rows {
                for j in 0..<columns {
                    let factor = values[i * columns + j]
                    let (place, source) = (
                        (i * other.rows + p) * width + j * other.columns, p * other.columns
                    )
                    for q in 0..<other.columns { result[place + q] = factor * other.values[source + q] }
                }
            }
        }
        return Matrix(rows * other.rows, width, result)
    }

    /// A convolution in CP form: `Σ core[i,q,k]·inputs[q,j]·outputs[i,o]` as rows `o` of columns `(j,k)`.
    ///
    /// - Parameters:
    ///   - core: `[i, q·k]`, with `k` the pixels of the kernel
    ///   - outputs: `[i, o]`
    ///   - inputs: `[q, j]`
    static func composed(core: Matrix, outputs: Matrix, inputs: Matrix, on engine: Engine) throws -> Matrix {
        let (rank, inner, pixels) = (core.rows, inputs.rows, core.columns / inputs.rows)
        // q last, so that one product sums over it.
        var turned = [Float](repeating: 0, count: core.values.count)
        for i in 0..<rank {
            for q in 0..<inner {
                for k in 0..<pixels {
                    turned[(i * pixels + k) * inner + q] = core.values[(i * inner + q) * pixels + k]
                }
            }
        }
        let half = try Matrix(rank * pixels, inner, turned).times(inputs, on: engine)
        var spread = [Float](repeating: 0, count: half.values.count)
        for i in 0..<rank {
            for k in 0..<pixels {
                for j in 0..<inputs.columns {
                    spread[(i * inputs.columns + j) * pixels + k] = half.values[(i * pixels + k) * inputs.columns + j]
                }
            }
        }
        return try outputs.transposed.times(Matrix(rank, inputs.columns * pixels, spread), on: engine)
    }
}
