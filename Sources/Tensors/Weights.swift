import CKernels
import Threads

/// Numbers that a network learnt, as they lie in a file: converted to 32-bit floats where they are used.
///
/// Unchecked: the bytes are never written, and `owner` (a mapped file, or an array) keeps them alive.
package struct Weights: @unchecked Sendable {
    package enum Format: String, Sendable, CaseIterable {
        case float32 = "F32"
        case float16 = "F16"
        case bfloat16 = "BF16"
        /// One bit of sign, four of exponent, three of fraction; no infinities.
        case float8e4m3 = "F8_E4M3"
        /// One bit of sign, five of exponent, two of fraction: the upper half of a float16.
        case float8e5m2 = "F8_E5M2"

        /// Bytes of one value.
        package var size: Int {
            switch self {
            case .float32: 4
            case .float16, .bfloat16: 2
            case .float8e4m3, .float8e5m2: 1
            }
        }

        /// All names, for messages.
        package static var names: String {
            allCases.dropLast().map(\.rawValue).joined(separator: ", ") + " or " + (allCases.last?.rawValue ?? "")
        }
    }

    package let shape: [Int]
    package let format: Format
    private let bytes: UnsafeRawPointer
    private let owner: AnyObject
    /// What the file has, where values are read in the order of ``asPatches(lanes:)``.
    private var kernel: Kernel?

    private struct Kernel {
        /// `[O, I, kh, kw]`
        let shape: [Int]
        let lanes: Int

        var count: Int { shape.reduce(1, *) }
    }

    /// - Precondition: `bytes` hold `shape` values of `format` for as long as `owner` lives.
    package init(shape: [Int], format: Format, bytes: UnsafeRawPointer, owner: AnyObject) {
        (self.shape, self.format, self.bytes, self.owner) = (shape, format, bytes, owner)
    }

    /// Weights made in memory.
    package init(_ shape: [Int], _ values: [Float]) {
        let storage = Storage(values.count)
        precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill \(shape)")
        values.withUnsafeBufferPointer { source in
            if let base = source.baseAddress { storage.pointer.update(from: base, count: source.count) }
        }
        self.init(shape: shape, format: .float32, bytes: UnsafeRawPointer(storage.pointer), owner: storage)
    }

    package var count: Int { shape.reduce(1, *) }

    /// The same values under another shape, such as a 1×1 convolution read as a matrix.
    package func reshaped(_ shape: [Int]) -> Weights {
        precondition(shape.reduce(1, *) == count)
        return Weights(shape: shape, format: format, bytes: bytes, owner: owner)
    }

    /// Float8 as floats, for operations that read bytes themselves; the others as they are.
    var widened: Weights {
        switch format {
        case .float32, .float16, .bfloat16: self
        case .float8e4m3, .float8e5m2: Weights(shape, floats())
        }
    }

    /// Rows `range` of the first dimension.
    package func rows(_ range: Range<Int>) -> Weights {
        let row = count / max(shape[0], 1)
        return Weights(
            shape: [range.count] + shape.dropFirst(), format: format,
            bytes: bytes + range.lowerBound * row * format.size, owner: owner)
    }

    /// Values of a convolution's `[O, I, kh, kw]` when it is filled up as ``filledUp(toLanes:)`` does.
    func countFilledUp(toLanes lanes: Int) -> Int {
        shape[0].roundedUp(to: lanes) * shape[1].roundedUp(to: lanes) * shape[2] * shape[3]
    }

    /// A convolution's `[O, I, kh, kw]` with zeros up to whole blocks of `lanes` channels on both sides.
    func filledUp(toLanes lanes: Int) -> Weights {
        let (outputs, inputs, kernel) = (shape[0], shape[1], shape[2] * shape[3])
        let (allOutputs, allInputs) = (outputs.roundedUp(to: lanes), inputs.roundedUp(to: lanes))
        if (allOutputs, allInputs) == (outputs, inputs) { return self }
        let (plain, filled) = (Storage(count), Storage(allOutputs * allInputs * kernel))
        copy(to: plain.pointer)
        filled.pointer.update(repeating: 0, count: filled.count)
        for output in 0..<outputs {
            (filled.pointer + output * allInputs * kernel).update(
                from: plain.pointer + output * inputs * kernel, count: inputs * kernel)
        }
        return Weights(
            shape: [allOutputs, allInputs, shape[2], shape[3]], format: .float32,
            bytes: UnsafeRawPointer(filled.pointer), owner: filled)
    }

    /// Writes all values as floats. Files promise no alignment, so values are moved by bytes first.
    package func copy(to floats: UnsafeMutablePointer<Float>) {
        precondition(kernel == nil, "patches are copied on threads")
        withExtendedLifetime(owner) {
            switch format {
            case .float32: UnsafeMutableRawPointer(floats).copyMemory(from: bytes, byteCount: count * 4)
            case .float16: widen(kernel_from_float16, to: floats)
            case .bfloat16: widen(kernel_from_bfloat16, to: floats)
            case .float8e4m3: look(up: Self.e4m3, to: floats)
            case .float8e5m2: look(up: Self.e5m2, to: floats)
            }
        }
    }

    /// A convolution's `[O, I, kh, kw]` as the matrix `[O, kh·kw·I′]` that patches of a ``FeatureMap`` are multiplied by: for
    /// every place of the kernel all channels, with zeros up to whole blocks of `lanes`. Values are moved when they are copied.
    func asPatches(lanes: Int) -> Weights {
        var weights = Weights(
            shape: [shape[0], shape[2] * shape[3] * shape[1].roundedUp(to: lanes)], format: format, bytes: bytes,
            owner: owner)
        weights.kernel = Kernel(shape: shape, lanes: lanes)
        return weights
    }

    private func copyPatches(of kernel: Kernel, to floats: UnsafeMutablePointer<Float>, threads: Threads) {
        let (inputs, places) = (kernel.shape[1], kernel.shape[2] * kernel.shape[3])
        let (whole, across) = (Weights(shape: kernel.shape, format: format, bytes: bytes, owner: owner), shape[1])
        let wide = across / places
        threads.forRanges(kernel.shape[0], grain: 8) { outputs in
            let plain = Storage(inputs * places)
            defer { withExtendedLifetime(plain) {} }
            for output in outputs {
                whole.rows(output..<output + 1).copy(to: plain.pointer)
                let row = floats + output * across
                for place in 0..<places {
                    let here = row + place * wide
                    for input in 0..<inputs { here[input] = plain.pointer[input * places + place] }
                    (here + inputs).update(repeating: 0, count: wide - inputs)
                }
            }
        }
    }

    /// The same on several threads.
    func copy(to floats: UnsafeMutablePointer<Float>, threads: Threads) {
        if let kernel { return copyPatches(of: kernel, to: floats, threads: threads) }
        threads.forRanges(count, grain: 1 << 16) { range in
            Weights(shape: [range.count], format: format, bytes: bytes + range.lowerBound * format.size, owner: owner)
                .copy(to: floats + range.lowerBound)
        }
    }

    /// Bytes that they take in their file.
    var bytesOfFile: Int { (kernel?.count ?? count) * format.size }

    /// Lends the bytes as they lie in the file, at any alignment.
    func withBytes<Result>(_ body: (UnsafeRawPointer) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(owner) { try body(bytes) }
    }

    /// Tells the owner that these bytes, packed now, are hardly needed any more.
    func letGo() {
        (owner as? any PagedBytes)?.letGo(of: UnsafeRawBufferPointer(start: bytes, count: bytesOfFile))
    }

    private func widen(
        _ convert: (UnsafePointer<UInt16>, UnsafeMutablePointer<Float>, Int) -> Void,
        to floats: UnsafeMutablePointer<Float>
    ) {
        if UInt(bitPattern: bytes) % 2 == 0 {
            return convert(bytes.assumingMemoryBound(to: UInt16.self), floats, count)
        }
        let words = [UInt16](unsafeUninitializedCapacity: count) { buffer, filled in
            UnsafeMutableRawPointer(buffer.baseAddress)?.copyMemory(from: bytes, byteCount: count * 2)
            filled = count
        }
        convert(words, floats, count)
    }

    private func look(up table: [Float], to floats: UnsafeMutablePointer<Float>) {
        let codes = bytes.assumingMemoryBound(to: UInt8.self)
        table.withUnsafeBufferPointer { table in
            for i in 0..<count { floats[i] = table[Int(codes[i])] }
        }
    }

    /// The value of each code. Source: Micikevicius et al., "FP8 Formats for Deep Learning" (2022), table 1.
    private static let e4m3 = table(fractionBits: 3, bias: 7) { code in code & 127 == 127 ? .nan : nil }
    private static let e5m2 = table(fractionBits: 2, bias: 15) { code in
        code & 127 == 124 ? .infinity : code & 127 > 124 ? .nan : nil
    }

    private static func table(fractionBits: Int, bias: Int, special: (Int) -> Float?) -> [Float] {
        (0..<256).map { code in
            let exponent = (code & 127) >> fractionBits
            let fraction = Float(code & (1 << fractionBits - 1)) / Float(1 << fractionBits)
            let size =
                special(code)
                ?? Float(
                    sign: .plus, exponent: max(exponent, 1) - bias, significand: exponent == 0 ? fraction : 1 + fraction
                )
            return code < 128 ? size : -size
        }
    }

    package func floats() -> [Float] {
        [Float](unsafeUninitializedCapacity: count) { buffer, filled in
            if let base = buffer.baseAddress { copy(to: base) }
            filled = count
        }
    }
}

/// Bytes that the system can bring back from a file, so that they need not stay in memory.
package protocol PagedBytes: AnyObject {
    /// `bytes` may leave memory until they are read again.
    func letGo(of bytes: UnsafeRawBufferPointer)
}

extension Int {
    package func roundedUp(to multiple: Int) -> Int { (self + multiple - 1) / multiple * multiple }
}
