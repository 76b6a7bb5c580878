import Sampling
import Tensors
import TestKit
import Testing

/// A mask's grey is a share of the steps.
@Suite struct MaskedDenoiserTests {
    @Test("of R steps a cell of strength v runs the last ⌈R·v⌉")
    func steps() {
        #expect(MaskedDenoiser.steps(0, of: 10) == 0)
        #expect(MaskedDenoiser.steps(1, of: 10) == 10)
        #expect(MaskedDenoiser.steps(1 / 65_535, of: 10) == 1)
        #expect(MaskedDenoiser.steps(0.501, of: 10) == 6)
        for count in [1, 3, 5, 15, 17, 51, 255, 1000] {
            for grey in 0...255 {
                let exact = (count * grey + 254) / 255
                #expect(MaskedDenoiser.steps(Float(grey) / 255, of: count) == exact, "\(grey)/255 of \(count)")
            }
        }
    }

    /// A "network" that pulls towards 0.8 and looks at nothing but each cell.
    private static func pull(_ x: Tensor, _ level: NoiseLevel) -> Tensor {
        x.map { 0.8 + Float(level.alpha) * 0.3 * ($0 - 0.8) }
    }

    private static func run(_ sampler: Sampler, _ steps: [Step], _ configuration: SchedulerConfiguration) -> Sampler.Run
    {
        Sampler.Run(
            steps: steps, configuration: configuration, eta: 0,
            noise: { step, _ in
                Tensor([1, 1, 1, 5], (0..<5).map { Float((step * 7 + $0 * 3) % 11) / 5 - 1 })
            }, path: { _, _ in Tensor([1, 1, 1, 5], repeating: 0.3) })
    }

    static let source = Tensor([1, 1, 1, 5], [0.1, -0.4, 0.5, 0.2, -0.9])
    static let noise = Tensor([1, 1, 1, 5], [0.7, 0.2, -0.8, 1.2, -0.1])
    static let strength = Tensor([1, 1, 1, 5], [0, 0.25, 0.5, 0.99, 1])

    @Test(
        "a grey cell is what a run of its own steps alone makes of it, and black is the source",
        arguments: [Sampler.ddim, .euler, .heun, .dpm2])
    func equalsShorterRuns(sampler: Sampler) throws {
        let configuration = SchedulerConfiguration()
        let whole = sampler.schedule(.model, count: 16, configuration).steps
        let count = 12
        let steps = Array(whole.suffix(count))
        let mask = MaskedDenoiser(source: Self.source, strength: Self.strength, steps: count)
        var run = Self.run(sampler, steps, configuration)
        run.progress = { mask.advance($0) }
        let painted = try sampler.sample(
            steps[0].from.noised(Self.source, Self.noise), run, mask.holding(Self.pull))
        for cell in 0..<5 {
            let last = MaskedDenoiser.steps(Self.strength.values[cell], of: count)
            let expected: Float
            if last == 0 {
                expected = Self.source.values[cell]
            } else {
                let part = Array(whole.suffix(last))
                expected = try sampler.sample(
                    part[0].from.noised(Self.source, Self.noise), Self.run(sampler, part, configuration), Self.pull
                ).values[cell]
            }
            #expect(abs(painted.values[cell] - expected) < 2e-5, "\(sampler.rawValue), cell \(cell)")
        }
    }

    @Test("black is the source and white an unmasked run with every sampler", arguments: Sampler.allCases)
    func ends(sampler: Sampler) throws {
        let configuration = SchedulerConfiguration()
        let steps = Array(sampler.schedule(.model, count: 16, configuration).steps.suffix(12))
        let mask = MaskedDenoiser(source: Self.source, strength: Self.strength, steps: 12)
        var run = Self.run(sampler, steps, configuration)
        run.eta = sampler.defaultEta
        let start = steps[0].from.noised(Self.source, Self.noise)
        let whole = try sampler.sample(start, run, Self.pull)
        run.progress = { mask.advance($0) }
        let painted = try sampler.sample(start, run, mask.holding(Self.pull))
        // Consistency models mix a trace of the last noise in; the descriptions of some schedules end above 0.
        #expect(abs(painted.values[0] - Self.source.values[0]) < 0.05, "\(sampler.rawValue)")
        #expect(painted.values[4] == whole.values[4])
        let moved = (0..<5).map { abs(painted.values[$0] - Self.source.values[$0]) }
        #expect(moved[1] > 1e-3 && moved[2] > 1e-3 && moved[3] > 1e-3, "\(sampler.rawValue): \(moved)")
    }

    @Test("a run begins with the fill where all of it runs, and with the source elsewhere")
    func begun() {
        let mask = MaskedDenoiser(source: Self.source, strength: Self.strength, steps: 12)
        let begun = mask.begun(with: Tensor([1, 1, 1, 5], repeating: 7)).values
        #expect(begun == [0.1, -0.4, 0.5, 7, 7])
    }
}
