/// Numbers in rows: a dense, row-major array of 32-bit floats with any number of dimensions.
///
/// Latents are `[N, C, H, W]`, tokens `[N, T, C]`, pictures for the painter `[N, 3, H, W]`. Inside the networks pictures
/// travel as ``FeatureMap``s, whose layout convolutions want. A tensor is a value: changing a copy never changes the
/// original.
package struct Tensor: Sendable {
    package private(set) var shape: [Int]
    private var storage: Storage

    /// A tensor holding anything, to be filled by its maker.
    package init(unfilled shape: [Int]) {
        self.shape = shape
        storage = Storage(shape.reduce(1, *))
    }

    package init(_ shape: [Int], repeating value: Float) {
        self.init(unfilled: shape)
        storage.pointer.update(repeating: value, count: count)
    }

    /// - Precondition: `values` fill the shape exactly.
    package init(_ shape: [Int], _ values: [Float]) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill \(shape)")
        self.init(unfilled: shape)
        values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { storage.pointer.update(from: base, count: source.count) }
        }
    }

    /// Number of values.
    package var count: Int { storage.count }

    package var values: [Float] { withPointer { Array(UnsafeBufferPointer(start: $0, count: count)) } }

    package func withPointer<Result>(_ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(storage) { try body(UnsafePointer(storage.pointer)) }
    }

    /// Lends the values for writing, having made them this tensor's own.
    package mutating func withMutablePointer<Result>(
        _ body: (UnsafeMutablePointer<Float>) throws -> Result
    ) rethrows -> Result {
        if !isKnownUniquelyReferenced(&storage) {
            let copy = Storage(storage.count)
            copy.pointer.update(from: storage.pointer, count: storage.count)
            storage = copy
        }
        return try withExtendedLifetime(storage) { try body(storage.pointer) }
    }

    /// The same values under another shape.
    package func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count, "\(self.shape) cannot be reshaped to \(shape)")
        var result = self
        result.shape = shape
        return result
    }

    /// Items `range` of the first dimension.
    package func items(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "items \(range) of \(shape)")
        let item = count / max(shape[0], 1)
        var result = Tensor(unfilled: [range.count] + shape.dropFirst())
        withPointer { source in
            result.withMutablePointer { $0.update(from: source + range.lowerBound * item, count: range.count * item) }
        }
        return result
    }

    /// Rows `range` of every channel of `[N, C, H, W]`.
    package func rows(_ range: Range<Int>) -> Tensor {
        if range == 0..<shape[2] { return self }
        var result = Tensor(unfilled: [shape[0], shape[1], range.count, shape[3]])
        let (all, some) = (shape[2] * shape[3], range.count * shape[3])
        withPointer { source in
            result.withMutablePointer { out in
                for plane in 0..<shape[0] * shape[1] {
                    (out + plane * some).update(from: source + plane * all + range.lowerBound * shape[3], count: some)
                }
            }
        }
        return result
    }

    /// Replaces the rows from `first` on of every channel of `[N, C, H, W]`.
    package mutating func write(rows: Tensor, at first: Int) {
        let (all, some, planes) = (shape[2] * shape[3], rows.shape[2] * shape[3], shape[0] * shape[1])
        let start = first * shape[3]
        precondition(rows.shape[0] * rows.shape[1] == planes && rows.shape[3] == shape[3] && start + some <= all)
        rows.withPointer { source in
            withMutablePointer { out in
                for plane in 0..<planes { (out + plane * all + start).update(from: source + plane * some, count: some) }
            }
        }
    }

    /// Tensors one after the other along the first dimension.
    package static func stack(_ tensors: [Tensor]) -> Tensor {
        precondition(!tensors.isEmpty && tensors.allSatisfy { $0.shape.dropFirst() == tensors[0].shape.dropFirst() })
        var result = Tensor(unfilled: [tensors.reduce(0) { $0 + $1.shape[0] }] + tensors[0].shape.dropFirst())
        result.withMutablePointer { destination in
            var offset = 0
            for tensor in tensors {
                tensor.withPointer { (destination + offset).update(from: $0, count: tensor.count) }
                offset += tensor.count
            }
        }
        return result
    }
}

// Arithmetic of samplers: whole-array and elementwise.
extension Tensor {
    package func map(_ transform: (Float) -> Float) -> Tensor {
        var result = Tensor(unfilled: shape)
        withPointer { x in
            result.withMutablePointer { y in
                for i in 0..<count { y[i] = transform(x[i]) }
            }
        }
        return result
    }

    /// Elementwise over two tensors of one shape.
    package func zip(_ other: Tensor, _ combine: (Float, Float) -> Float) -> Tensor {
        precondition(shape == other.shape, "elementwise over \(shape) and \(other.shape)")
        var result = Tensor(unfilled: shape)
        withPointer { a in
            other.withPointer { b in
                result.withMutablePointer { y in
                    for i in 0..<count { y[i] = combine(a[i], b[i]) }
                }
            }
        }
        return result
    }

    package static func * (scale: Float, tensor: Tensor) -> Tensor { tensor.map { scale * $0 } }
    package static func * (scale: Double, tensor: Tensor) -> Tensor { Float(scale) * tensor }
    package static func + (a: Tensor, b: Tensor) -> Tensor { a.zip(b, +) }
    package static func - (a: Tensor, b: Tensor) -> Tensor { a.zip(b, -) }

    package func clamped(to limit: Float) -> Tensor { map { min(max($0, -limit), limit) } }
}
