import Tensors
import TestKit
import Testing
import Threads

@Suite struct ElementwiseTests {
    /// −30…30 in small steps, and the extremes.
    private let points = (-30_000...30_000).map { Float($0) / 1000 } + [-1e30, -1e4, -1e-30, 0, 1e-30, 1e4, 1e30]

    // The error function is a polynomial good to 1.5e-7 and the exponential is good to 1 ulp; both are multiplied by x,
    // whose own rounding is the relative part.
    @Test("silu, gelu and quick gelu equal their formulas to 1e-6")
    func activations() throws {
        let engine = try Engine(threads: Threads(2))
        let x = Tensor([points.count], points)
        let exact = points.map(Double.init)
        expectClose(
            engine.silu(x).values.map(Double.init), exact.map(Reference.silu), absolute: 1e-6, relative: 3e-7, "silu")
        expectClose(
            engine.gelu(x).values.map(Double.init), exact.map(Reference.gelu), absolute: 1e-6, relative: 3e-7, "gelu")
        expectClose(
            engine.quickGELU(x).values.map(Double.init), exact.map(Reference.quickGELU), absolute: 1e-6, relative: 3e-7,
            "quick gelu")
    }

    @Test("gated gelu equals its plain form", arguments: [1, 3, 16, 37, 128])
    func geglu(width: Int) throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(UInt64(width))
        for rows in [1, 15, 16, 17, 50] {
            let x = generator.tensor([1, rows, 2 * width]).map { 5 * $0 }
            expectClose(engine.geglu(x), Reference.geglu(x), absolute: 5e-6, relative: 1e-6, "\(rows) rows")
        }
    }

    @Test("not a number stays not a number", arguments: [-Float.nan, .nan])
    func notANumber(x: Float) throws {
        let engine = try Engine(threads: Threads(1))
        let x = Tensor([1], [x])
        for y in [engine.silu(x), engine.gelu(x), engine.quickGELU(x)] { #expect(y.values[0].isNaN) }
    }
}
