import Tensors

/// Measures where one form of a layer overtakes another on this processor, for a ``KernelTable``.
package struct Tuning {
    private let exact: Engine
    private let rounded: Engine

    /// - Parameter threads: of paintings to come
    /// - Throws: ``EngineError/libraryMissing(_:)``
    package init(threads: Int?) throws {
        exact = try Engine(threads: .init(threads), precision: .f32)
        rounded = try Engine(threads: .init(threads), precision: .bf16)
    }

    /// What was measured at one size: seconds of each form.
    private struct Trial {
        /// What a threshold is compared with: a width, or a number of tiles.
        let size: Int
        /// Seconds of the form that small sizes run in, and of the one that large sizes do.
        let small, large: Double
    }

    private static let widths = [64, 96, 128, 192, 256, 384, 512, 768]
    private static let channels = [160, 320, 640, 1280]
    private static let sides = [4, 8, 12, 16, 24]

    /// - Parameter tell: takes a line for each thing measured
    package func table(tell: (String) -> Void) throws -> KernelTable {
        var table = KernelTable.shipped
        let hasBFloat16 = exact.hasBFloat16
        if hasBFloat16 {
            let trials = try Self.widths.map { width in
                let seconds = try race([product(width, on: exact), product(width, on: rounded)])
                tell(line("product, \(width) wide", ["32 bits", "bfloat16"], seconds))
                return Trial(size: width, small: seconds[0], large: seconds[1])
            }
            table.roundedWidth = Self.threshold(trials)
        }
        guard KernelPlan.hasWinograd(on: exact) else { return table }
        var direct: [Trial] = []
        var directRounded: [Trial] = []
        for side in Self.sides {
            for count in Self.channels {
                var forms: [KernelPlan.Form] = [.winograd, .direct]
                if hasBFloat16 { forms.append(.roundedProduct) }
                let seconds = try race(forms.map { try convolution(count, side: side, $0) })
                let names = ["Winograd", "direct", "product in bfloat16"]
                tell(line("convolution, \(count) channels at \(side)×\(side)", names, seconds))
                let tiles = KernelPlan.tiles(height: side, width: side)
                direct.append(Trial(size: tiles, small: seconds[1], large: seconds[0]))
                if hasBFloat16 {
                    directRounded.append(Trial(size: tiles, small: seconds[2], large: min(seconds[0], seconds[1])))
                }
            }
        }
        table.winogradTiles = Self.threshold(direct)
        if hasBFloat16 { table.winogradTilesRounded = Self.threshold(directRounded) }
        return table
    }

    /// The size from which the large form is taken such that all trials together take least time.
    private static func threshold(_ trials: [Trial]) -> Int {
        let sizes = Set(trials.map(\.size)).sorted()
        func time(_ threshold: Int) -> Double {
            trials.reduce(0) { $0 + ($1.size < threshold ? $1.small : $1.large) }
        }
        // From the least on, or from one past each size.
        let candidates = [sizes.first ?? 1] + sizes.map { $0 + 1 }
        return candidates.min { time($0) < time($1) } ?? 1
    }

    private func product(_ width: Int, on engine: Engine) -> () throws -> Void {
        let linear = Linear(
            Weights([width, width], values(width * width)), bias: nil, precision: engine.precision, on: engine)
        let x = Tensor([1024, width], values(1024 * width))
        return { _ = try linear(x) }
    }

    private func convolution(_ channels: Int, side: Int, _ form: KernelPlan.Form) throws -> () throws -> Void {
        let engine = form == .roundedProduct ? rounded : exact
        let convolution = Convolution(
            Weights([channels, channels, 3, 3], values(channels * channels * 9)), bias: nil, padding: .init(1),
            precision: engine.precision, form: form, on: engine)
        let x = engine.featureMap(Tensor([2, channels, side, side], values(2 * channels * side * side)))
        return { _ = try convolution(x) }
    }

    /// Seconds of each, measured in turn so that what slows the machine for a while slows all of them alike: medians.
    private func race(_ bodies: [() throws -> Void]) throws -> [Double] {
        let clock = ContinuousClock()
        var seconds = bodies.map { _ in [Double]() }
        var repeats = 1
        for round in 0...9 {
            for (index, body) in bodies.enumerated() {
                let time = try clock.measure { for _ in 0..<repeats { try body() } } / .seconds(1)
                // The first round packs weights; the second tells how many make up two milliseconds.
                if round == 1, index == 0 { repeats = max(1, min(100, Int(2e-3 / max(time, 1e-6)))) }
                if round > 1 { seconds[index].append(time / Double(repeats)) }
            }
        }
        return seconds.map { $0.sorted()[$0.count / 2] }
    }

    private func line(_ what: String, _ names: [String], _ seconds: [Double]) -> String {
        let best = seconds.min() ?? 1
        let columns = zip(names, seconds).map { "\($0) \(($1 / best).fixed(2))" }
        return what.left(40) + columns.joined(separator: "  ")
    }

    /// Numbers between −0.1 and 0.1, always the same.
    private func values(_ count: Int) -> [Float] {
        var state: UInt32 = 1
        return (0..<count).map { _ in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int32(bitPattern: state)) * 0x1p-31 * 0.1
        }
    }
}
