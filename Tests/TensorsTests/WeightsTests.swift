import CKernels
import Tensors
import TestKit
import Testing

@Suite struct WeightsTests {
    /// An IEEE half by its definition: sign, five bits of exponent, ten of fraction.
    private func half(_ bits: UInt16) -> Float {
        let (exponent, fraction) = (Int(bits >> 10 & 31), Float(bits & 1023))
        let magnitude: Float =
            switch exponent {
            case 0: fraction * 0x1p-24
            case 31: fraction == 0 ? .infinity : .nan
            default: Float(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
            }
        return bits >> 15 == 1 ? -magnitude : magnitude
    }

    @Test(
        "every 16-bit float is read exactly: subnormals, both zeros, infinities and no numbers", arguments: [0, 1, 2])
    func float16(shift: Int) {
        let words = Array(UInt16.min...UInt16.max)
        for (word, value) in zip(words, Weights(words: words, format: .float16, shift: shift).floats()) {
            let expected = half(word)
            #expect(expected.isNaN ? value.isNaN : value.bitPattern == expected.bitPattern, "\(word)")
        }
    }

    @Test("every bfloat16 is the upper half of a float", arguments: [0, 1, 2])
    func bfloat16(shift: Int) {
        let words = Array(UInt16.min...UInt16.max)
        for (word, value) in zip(words, Weights(words: words, format: .bfloat16, shift: shift).floats()) {
            #expect(value.bitPattern == UInt32(word) << 16, "\(word)")
        }
    }

    @Test("floats become the nearest bfloat16, halves the even one, and no number stays none")
    func toBFloat16() {
        let cases: [(UInt32, UInt16)] = [
            (0x3f80_0000, 0x3f80), (0x3f80_7fff, 0x3f80), (0x3f80_8000, 0x3f80), (0x3f80_8001, 0x3f81),
            (0x3f81_8000, 0x3f82), (0xbf81_8000, 0xbf82), (0x7f7f_ffff, 0x7f80), (0x7f80_0000, 0x7f80),
            (0x7f80_0001, 0x7fc0), (0xffff_ffff, 0xffff), (0x0000_0001, 0), (0x8000_0000, 0x8000),
        ]
        var words = [UInt16](repeating: 0, count: cases.count)
        kernel_to_bfloat16(cases.map { Float(bitPattern: $0.0) }, &words, cases.count)
        #expect(words == cases.map(\.1))
    }

    @Test("32-bit floats are read from any address", arguments: [0, 1, 2, 3])
    func unaligned(shift: Int) {
        var generator = SeededGenerator(10)
        let values = generator.values(100)
        let memory = Storage(102)
        let start = UnsafeMutableRawPointer(memory.pointer) + shift
        UnsafeMutableRawBufferPointer(start: start, count: 400).copyBytes(from: values.withUnsafeBytes(Array.init))
        let weights = Weights(shape: [10, 10], format: .float32, bytes: UnsafeRawPointer(start), owner: memory)
        #expect(weights.floats() == values)
        #expect(weights.rows(3..<5).floats() == Array(values[30..<50]))
        #expect(weights.rows(3..<5).shape == [2, 10])
    }

    @Test("weights without values are no values")
    func empty() {
        for format in [Weights.Format.float32, .float16, .bfloat16] {
            let storage = Storage(0)
            let weights = Weights(
                shape: [0, 7], format: format, bytes: UnsafeRawPointer(storage.pointer), owner: storage)
            #expect(weights.floats().isEmpty)
        }
    }

    @Test("layers over float8 give what they give over the same values as floats")
    func float8Layers() throws {
        let engine = try Engine()
        var generator = SeededGenerator(8)
        for format in [Weights.Format.float8e4m3, .float8e5m2] {
            /// Codes of small numbers, both signs.
            let codes = Storage(64 * 64 * 9 / 4 + 1)
            let bytes = UnsafeMutableRawPointer(codes.pointer)
            for i in 0..<64 * 64 * 9 {
                let code = UInt8.random(in: 0..<0x38, using: &generator) | (Bool.random(using: &generator) ? 0x80 : 0)
                bytes.storeBytes(of: code, toByteOffset: i, as: UInt8.self)
            }
            func weights(_ shape: [Int]) -> Weights {
                Weights(shape: shape, format: format, bytes: bytes, owner: codes)
            }
            let x = Tensor([1, 64, 9, 7], generator.values(64 * 9 * 7))
            func convolved(_ weights: Weights) throws -> Tensor {
                engine.tensor(
                    try Convolution(weights, bias: nil, padding: .init(1), on: engine)(engine.featureMap(x)))
            }
            let small = weights([64, 64, 3, 3])
            expectClose(
                try convolved(small), try convolved(Weights(small.shape, small.floats())), absolute: 0, "\(format)")
            let matrix = weights([64, 64])
            let rows = Tensor([5, 64], generator.values(5 * 64))
            expectClose(
                try Linear(matrix, bias: nil, on: engine)(rows),
                try Linear(Weights(matrix.shape, matrix.floats()), bias: nil, on: engine)(rows), absolute: 0,
                "\(format)")
        }
    }
}

extension Weights {
    /// Weights over 16-bit words that begin `shift` bytes into their memory.
    init(words: [UInt16], shape: [Int]? = nil, format: Format, shift: Int = 0) {
        let memory = Storage(words.count / 2 + 2)
        let start = UnsafeMutableRawPointer(memory.pointer) + shift
        for (index, word) in words.enumerated() {
            start.storeBytes(of: word, toByteOffset: 2 * index, as: UInt16.self)
        }
        self.init(shape: shape ?? [words.count], format: format, bytes: UnsafeRawPointer(start), owner: memory)
    }
}
