import Tensors
import TestKit
import Testing
import Threads

/// What the forms of a convolution promise, on the shapes that the built-in model and Stable Diffusion run.
@Suite struct ConvolutionFormTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        var inputs, outputs, height, width: Int
        var kernel = 3
        var stride = 1
        var batch = 2
        var testDescription: String { "\(inputs)→\(outputs) \(width)×\(height) \(kernel)×\(kernel)/\(stride) \(batch)" }
    }

    static let shapes: [Shape] = [
        .init(inputs: 48, outputs: 64, height: 76, width: 116), .init(inputs: 64, outputs: 64, height: 76, width: 116),
        .init(inputs: 64, outputs: 96, height: 38, width: 58), .init(inputs: 96, outputs: 96, height: 38, width: 58),
        .init(inputs: 96, outputs: 96, height: 38, width: 58, stride: 2),
        .init(inputs: 256, outputs: 96, height: 38, width: 58),
        .init(inputs: 256, outputs: 96, height: 38, width: 58, kernel: 1),
        .init(inputs: 160, outputs: 160, height: 19, width: 29),
        .init(inputs: 320, outputs: 160, height: 19, width: 29),
        .init(inputs: 64, outputs: 48, height: 76, width: 116), .init(inputs: 32, outputs: 32, height: 64, width: 64),
        .init(inputs: 320, outputs: 160, height: 8, width: 8), .init(inputs: 640, outputs: 640, height: 8, width: 8),
        .init(inputs: 640, outputs: 640, height: 16, width: 16, batch: 1),
        // A 256×256 picture in the built-in model, and what oneDNN's own Winograd rounds differently on 8 threads.
        .init(inputs: 160, outputs: 64, height: 64, width: 64), .init(inputs: 128, outputs: 128, height: 64, width: 64),
        .init(inputs: 1280, outputs: 160, height: 8, width: 8, batch: 1),
        .init(inputs: 48, outputs: 40, height: 3, width: 5),
        // Few rows of long products: no sum may be cut where threads are many.
        .init(inputs: 2560, outputs: 160, height: 2, width: 2, batch: 1),
        .init(inputs: 4, outputs: 96, height: 24, width: 40), .init(inputs: 96, outputs: 3, height: 24, width: 40),
    ]

    @Test("a convolution gives the same bytes on any number of threads", arguments: shapes)
    func threads(shape: Shape) throws {
        for precision in [Engine.Precision.f32, .bf16] {
            let results = try [1, 2, 3, 5, 8, 16].map { count in
                let engine = try Engine(threads: Threads(count))
                return try convolve(shape, nil, precision, on: engine)
            }
            for (result, implementation) in results.dropFirst() {
                // Compared outside #expect, which would look for the shortest edit between two long lists.
                let same = result.values == results[0].result.values
                #expect(same, "\(precision): \(implementation) after \(results[0].implementation)")
            }
        }
    }

    @Test("the form follows the map's tiles and what may be rounded, and not the batch")
    func plan() throws {
        var engine = try Engine()
        guard KernelPlan.hasWinograd(on: engine) else { return }
        engine.table = .init(roundedWidth: 64, winogradTiles: 3, winogradTilesRounded: 6)
        func form(_ height: Int, _ width: Int, _ precision: Engine.Precision, inputs: Int = 64, stride: Int = 1)
            -> KernelPlan.Form
        {
            KernelPlan.form(
                [64, inputs, 3, 3], stride: stride, height: height, width: width, precision: precision, on: engine)
        }
        let rounded: KernelPlan.Form = engine.hasBFloat16 ? .roundedDirect : .direct
        let product: KernelPlan.Form = engine.hasBFloat16 ? .roundedProduct : .direct
        #expect(form(8, 4, .f32) == .direct && form(8, 5, .f32) == .winograd)
        #expect(form(8, 4, .auto) == product && form(12, 8, .auto) == .winograd)
        if engine.hasBFloat16 { #expect(form(8, 9, .auto) == .winograd && form(8, 8, .auto) == .roundedProduct) }
        #expect(form(8, 8, .auto, inputs: 63) == .winograd, "too narrow to be rounded")
        #expect(form(40, 40, .f32, stride: 2) == .direct && form(40, 40, .bf16, stride: 2) == rounded)
        #expect(form(8, 8, .f32, stride: 2) == .direct && form(8, 8, .bf16, stride: 2) == product)

        var generator = SeededGenerator(1)
        let weights = Weights(generator.tensor([64, 64, 3, 3]))
        let convolution = Convolution(weights, bias: nil, padding: .init(1), precision: .auto, on: engine)
        let x = generator.tensor([1, 64, 8, 8])
        let alone = engine.tensor(try convolution(engine.featureMap(x))).values
        let beside = engine.tensor(try convolution(engine.featureMap(Tensor.stack([x, x])))).values
        let same = beside[..<alone.count].elementsEqual(alone)
        #expect(same)

        // A product's rows, too, come out as they would alone.
        let wide = Convolution(
            Weights(generator.tensor([160, 2560, 3, 3])), bias: nil, padding: .init(1), precision: .auto,
            form: engine.hasBFloat16 ? .roundedProduct : nil, on: engine)
        let item = generator.tensor([1, 2560, 4, 4])
        let first = engine.tensor(try wide(engine.featureMap(item))).values
        let many = engine.tensor(try wide(engine.featureMap(Tensor.stack([item, item, item])))).values
        let isSame = many[..<first.count].elementsEqual(first)
        #expect(isSame)
    }

    @Test("every form differs from the direct one by rounding alone", arguments: shapes.filter { $0.stride == 1 })
    func agreement(shape: Shape) throws {
        let engine = try Engine()
        let direct = try convolve(shape, .direct, on: engine).result
        let planned = try convolve(shape, nil, on: engine).result
        let scale = Float(shape.inputs * shape.kernel * shape.kernel).squareRoot()
        expectClose(planned, direct, absolute: 2e-5 * scale)
    }

    @Test(
        "as a product of patches a convolution differs from the direct one in bfloat16 by the order of its sums alone",
        arguments: [
            Shape(inputs: 64, outputs: 48, height: 8, width: 8), .init(inputs: 80, outputs: 64, height: 3, width: 5),
            .init(inputs: 67, outputs: 71, height: 7, width: 6, batch: 3),
            .init(inputs: 96, outputs: 80, height: 9, width: 12, stride: 2),
            .init(inputs: 65, outputs: 64, height: 5, width: 4, kernel: 5),
            .init(inputs: 64, outputs: 66, height: 6, width: 7, kernel: 1, batch: 1),
        ])
    func patches(shape: Shape) throws {
        let engine = try Engine()
        guard engine.hasBFloat16 else { return }
        for padding in [nil, Convolution.Padding(top: 0, left: 1, bottom: 2, right: 0)] {
            let direct = try convolve(shape, .roundedDirect, .bf16, padding: padding, on: engine).result
            let product = try convolve(shape, .roundedProduct, .bf16, padding: padding, on: engine).result
            let scale = Float(shape.inputs * shape.kernel * shape.kernel).squareRoot()
            expectClose(product, direct, absolute: 2e-6 * scale)
        }
    }

    @Test("no convolution is left to oneDNN's reference loops", arguments: shapes)
    func fast(shape: Shape) throws {
        let engine = try Engine()
        guard engine.lanes > 1 else { return }
        #expect(!(try convolve(shape, nil, on: engine).implementation.hasPrefix("ref")))
    }

    private func convolve(
        _ shape: Shape, _ form: KernelPlan.Form?, _ precision: Engine.Precision = .f32,
        padding: Convolution.Padding? = nil, on engine: Engine
    ) throws -> (result: Tensor, implementation: String) {
        func noise(_ shape: [Int], _ draw: Int) -> Tensor {
            PositionNoise(seed: 5).normal(shape, .init(.start, pass: 0, step: 0, draw: draw), threads: engine.threads)
        }
        let weights = noise([shape.outputs, shape.inputs, shape.kernel, shape.kernel], 1)
        let bias = noise([1, shape.outputs, 1, 1], 2)
        let convolution = Convolution(
            Weights(weights.shape, weights.values), bias: Weights([shape.outputs], bias.values), stride: shape.stride,
            padding: padding ?? .init(shape.kernel / 2), precision: precision, form: form, on: engine)
        let x = engine.featureMap(noise([shape.batch, shape.inputs, shape.height, shape.width], 3))
        var sum = try convolution(x)
        try convolution.add(x, to: &sum)
        return (engine.tensor(sum), try convolution.implementation(for: x))
    }
}
