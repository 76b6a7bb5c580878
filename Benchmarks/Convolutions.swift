import Painting
import Tensors

/// Every convolution of the built-in model, and some of a large one: the planned form against each form of oneDNN's.
struct Convolutions {
    let engine: Engine
    let report: Report
    var rounds = 9

    /// - Parameters:
    ///   - height: of the latents, in cells
    func run(_ model: DiffusionModel, height: Int, width: Int) throws {
        let occurring = ConvolutionShape.all(of: model.unet.configuration, height: height, width: width, batch: 2)
        var shapes: [ConvolutionShape] = []
        for shape in occurring where !shapes.contains(shape) { shapes.append(shape) }

        report.heading("Convolutions of the built-in model, GFLOP/s counted as direct work (in turn, medians)")
        var step = (planned: 0.0, best: 0.0)
        for shape in shapes {
            let count = occurring.count { $0 == shape }
            let result = try compare(shape, count: count)
            step.planned += Double(count) * result.planned
            step.best += Double(count) * result.best
        }
        let ratio = step.planned / step.best
        report.line(
            "all \(occurring.count) of one guided step: \(step.planned.duration) as planned, "
                + "\(step.best.duration) if each ran in its best form (\(ratio.fixed(3)))",
            [
                ("bench", .text("convolutions-of-a-step")), ("planned", .number(step.planned)),
                ("best", .number(step.best)), ("ratio", .number(ratio)),
            ])

        report.heading("Some convolutions of Stable Diffusion 1.5")
        for shape in ConvolutionShape.stableDiffusion { _ = try compare(shape, count: 0) }
        Storage.trim()
    }

    private struct Candidate {
        let name: String
        let implementation: String
        let body: () throws -> Void
    }

    /// Seconds of the planned form and of oneDNN's faster one.
    private func compare(_ shape: ConvolutionShape, count: Int) throws -> (planned: Double, best: Double) {
        let candidates = [
            try candidate("planned", shape, nil), try? candidate("direct", shape, .direct),
            try? candidate("winograd", shape, .libraryWinograd),
        ].compactMap { $0 }
        let timings = try measure(
            rounds: rounds, atLeast: 0.01, by: engine.threads.count == 1 ? .processor : .wall, candidates.map(\.body))
        let best = timings.dropFirst().map(\.median).min() ?? timings[0].median
        let leastBest = timings.dropFirst().map(\.least).min() ?? timings[0].least
        let ratio = timings[0].median / best

        func speed(_ name: String) -> Double {
            guard let index = candidates.firstIndex(where: { $0.name == name }) else { return .nan }
            return shape.operations / timings[index].median / 1e9
        }
        let columns = ["planned", "direct", "winograd"].map { "\($0) \(speed($0).fixed(0).right(4))" }
        report.line(
            (count > 0 ? "\(count) × " : "") + shape.description.left(26) + columns.joined(separator: "  ")
                + "  planned/best \(ratio.fixed(3))  \(candidates[0].implementation)",
            [
                ("bench", .text("convolution")), ("shape", .text(shape.description)), ("count", .integer(count)),
                ("planned", .number(speed("planned"))), ("direct", .number(speed("direct"))),
                ("winograd", .number(speed("winograd"))), ("ratio", .number(ratio)),
                ("ratio-of-least", .number(timings[0].least / leastBest)),
                ("implementations", .object(candidates.map { ($0.name, .text($0.implementation)) })),
            ])
        return (timings[0].median, best)
    }

    private func candidate(_ name: String, _ shape: ConvolutionShape, _ form: KernelPlan.Form?) throws -> Candidate {
        let weights = Weights(
            [shape.outChannels, shape.inChannels, shape.kernel, shape.kernel],
            values(shape.outChannels * shape.inChannels * shape.kernel * shape.kernel, seed: 1))
        let convolution = Convolution(
            weights, bias: Weights([shape.outChannels], values(shape.outChannels, seed: 2)), stride: shape.stride,
            padding: .init(shape.kernel / 2), form: form, on: engine)
        let dimensions = [shape.batch, shape.inChannels, shape.height, shape.width]
        let x = engine.featureMap(Tensor(dimensions, values(dimensions.reduce(1, *), seed: 3)))
        var sum = try convolution(x)
        return Candidate(
            name: name, implementation: try convolution.implementation(for: x, accumulates: shape.accumulates)
        ) {
            if shape.accumulates { try convolution.add(x, to: &sum) } else { _ = try convolution(x) }
        }
    }

    /// Numbers between −0.1 and 0.1, always the same: none subnormal, few alike.
    private func values(_ count: Int, seed: UInt32) -> [Float] {
        var state = seed
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int32(bitPattern: state)) * 0x1p-31 * 0.1
        }
    }
}
