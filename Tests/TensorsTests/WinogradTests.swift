import Tensors
import TestKit
import Testing
import Threads

/// Our own Winograd against the definition of a convolution, for both widths of vectors and every format of weights.
@Suite struct WinogradTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var inputs, outputs, height, width: Int
        var batch = 1
        var padding = Convolution.Padding(1)
        var testDescription: String {
            "\(inputs)→\(outputs) \(width)×\(height) \(batch) "
                + "(\(padding.top) \(padding.left) \(padding.bottom) \(padding.right))"
        }
    }

    static let cases: [Case] = [
        // One tile and its parts.
        .init(inputs: 16, outputs: 16, height: 4, width: 4), .init(inputs: 1, outputs: 1, height: 1, width: 1),
        .init(inputs: 3, outputs: 5, height: 2, width: 7),
        .init(inputs: 20, outputs: 70, height: 5, width: 9, batch: 3),
        // Every remainder of tiles in registers, of blocks in a group, of channels in a chunk.
        .init(inputs: 130, outputs: 80, height: 8, width: 28), .init(inputs: 128, outputs: 48, height: 12, width: 12),
        .init(inputs: 257, outputs: 33, height: 4, width: 20), .init(inputs: 40, outputs: 64, height: 61, width: 83),
        // More tiles than one piece holds.
        .init(inputs: 24, outputs: 24, height: 50, width: 131, batch: 2),
        // Padding that is not the same all around, none, and more than the kernel.
        .init(inputs: 17, outputs: 19, height: 9, width: 11, padding: .init(0)),
        .init(inputs: 17, outputs: 19, height: 9, width: 11, padding: .init(top: 0, left: 0, bottom: 1, right: 1)),
        .init(
            inputs: 8, outputs: 16, height: 6, width: 5, batch: 2, padding: .init(top: 2, left: 3, bottom: 1, right: 4)),
    ]

    @Test("agrees with the definition", arguments: cases, [16, 8])
    func agreement(of test: Case, lanes: Int) throws {
        let engine = try Engine(threads: Threads(3), lanes: lanes)
        guard engine.lanes == lanes else { return }
        var generator = SeededGenerator(UInt64(test.inputs * 7919 + test.outputs))
        let x = generator.tensor([test.batch, test.inputs, test.height, test.width])
        let weights = generator.tensor([test.outputs, test.inputs, 3, 3])
        let bias = generator.tensor([test.outputs])
        for format in [Weights.Format.float32, .float16, .bfloat16] {
            let rounded = weights.rounded(to: format)
            let convolution = Convolution(
                rounded, bias: Weights(bias), padding: test.padding, form: .winograd, on: engine)
            let result = engine.tensor(try convolution(engine.featureMap(x)))
            let scale = Float(test.inputs * 9).squareRoot()
            let exact = Reference.convolution(
                x, Tensor(weights.shape, rounded.floats()), bias: bias, stride: 1, padding: test.padding)
            expectClose(result, exact, absolute: 1.5e-5 * scale)

            var sum = try convolution(engine.featureMap(x))
            try convolution.add(engine.featureMap(x), to: &sum)
            expectClose(engine.tensor(sum), exact.scaled(by: 2), absolute: 3e-5 * scale)
        }
    }

    @Test("lanes past the last channel stay zero, so that the next layer may read them")
    func unusedLanes() throws {
        let engine = try Engine()
        guard engine.lanes > 1 else { return }
        var generator = SeededGenerator(3)
        let convolution = Convolution(
            Weights(generator.tensor([5, 7, 3, 3])), bias: Weights(generator.tensor([5])), padding: .init(1), on: engine
        )
        let result = try convolution(engine.featureMap(generator.tensor([1, 7, 6, 6])))
        let clean = result.withPointer { values in
            (0..<36 * engine.lanes).allSatisfy { $0 % engine.lanes < 5 || values[$0] == 0 }
        }
        #expect(clean)
    }
}

extension Tensor {
    fileprivate func scaled(by factor: Float) -> Tensor { Tensor(shape, values.map { $0 * factor }) }

    /// The values as they would lie in a file of `format`.
    fileprivate func rounded(to format: Weights.Format) -> Weights {
        switch format {
        case .float16: Weights(words: values.map { Float16($0).bitPattern }, shape: shape, format: format)
        case .bfloat16: Weights(words: values.map { UInt16($0.bitPattern >> 16) }, shape: shape, format: format)
        default: Weights(self)
        }
    }
}
