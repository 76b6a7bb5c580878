import Tensors
import TestKit
import Testing
import Threads

@Suite struct LinearTests {
    @Test("a matrix product equals its plain form on 1 to 77 rows and odd widths, made anew or added")
    func agreement() throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(3)
        for (inputs, outputs) in [(1, 1), (3, 5), (7, 1), (16, 33), (31, 17), (64, 128), (77, 63), (320, 7)] {
            for rows in [1, 2, 3, 5, 8, 16, 31, 64, 77] {
                let x = generator.tensor([1, rows, inputs])
                let weights = generator.tensor([outputs, inputs])
                let bias = generator.tensor([outputs])
                // A sum of K products of numbers up to 1 is about √K large, and errs by about 2⁻²⁴ at each step.
                let absolute = 4e-7 * Float(inputs).squareRoot()
                let comment = "\(rows) rows, \(inputs) to \(outputs)"
                for bias in [bias, nil] {
                    let linear = Linear(Weights(weights), bias: bias.map(Weights.init), on: engine)
                    let expected = Reference.linear(x, weights, bias: bias)
                    expectClose(try linear(x), expected, absolute: absolute, relative: 1e-6, comment)
                    let start = generator.tensor(expected.shape)
                    var sum = start
                    try linear.add(x, to: &sum)
                    expectClose(sum, start + expected, absolute: absolute, relative: 1e-6, "added, \(comment)")
                }
            }
        }
    }

    @Test("a gated product is the product of the gate, rounded or not", arguments: Engine.Precision.allCases)
    func gated(precision: Engine.Precision) throws {
        let engine = try Engine(threads: Threads(2), precision: precision)
        var generator = SeededGenerator(5)
        for (inputs, outputs, rows) in [(5, 7, 3), (256, 300, 33), (37, 64, 77)] {
            let x = generator.tensor([1, rows, 2 * inputs]).map { 3 * $0 }
            let linear = Linear(
                Weights(generator.tensor([outputs, inputs])), bias: Weights(generator.tensor([outputs])),
                precision: precision, on: engine)
            let start = generator.tensor([1, rows, outputs])
            var (once, apart) = (start, start)
            try linear.add(gated: x, to: &once)
            try linear.add(engine.geglu(x), to: &apart)
            #expect(once.values == apart.values, "\(inputs) to \(outputs)")
        }
    }

    @Test("one layer serves many row counts with the same packed weights")
    func rowCounts() throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(4)
        let weights = generator.tensor([40, 50])
        let linear = Linear(Weights(weights), bias: nil, on: engine)
        for rows in [9, 1, 300, 2, 9] {
            let x = generator.tensor([rows, 50])
            expectClose(try linear(x), Reference.linear(x, weights, bias: nil), absolute: 4e-6, "\(rows) rows")
        }
    }
}
