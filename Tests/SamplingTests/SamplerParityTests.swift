import Checkpoints
import Painting
import Sampling
import Tensors
import TestKit
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Whole runs of each sampler × prediction, from given noise, over an elementwise stand-in for a network:
/// `Tools/golden/sampling.py`.
@Suite struct SamplerParityTests {
    @Test("a whole run equals the reference of record", arguments: Sampler.allCases)
    func parity(sampler: Sampler) throws {
        let file = try Golden.tensors("sampling/\(sampler.rawValue).safetensors")
        let cases = try #require(try Golden.json("sampling/cases.json").list)
            .filter { $0["sampler"].text == sampler.rawValue }
        #expect(cases.count >= 10)
        for entry in cases { try check(sampler, entry, file) }
    }

    private func check(_ sampler: Sampler, _ entry: JSON, _ file: GoldenTensors) throws {
        let name = try #require(entry["name"].text)
        var configuration = try SchedulerConfiguration(entry["config"], name: name)
        configuration.prediction = try #require(
            Prediction(rawValue: entry["prediction"].text == "v_prediction" ? "v" : entry["prediction"].text ?? ""))
        let named = entry["schedule"].text ?? "model"
        // "default" is k-diffusion's own.
        let schedule = try #require(ScheduleName(rawValue: named == "default" ? "uniform" : named))
        let count = try #require(entry["steps"].integer)
        let family = sampler.family(configuration)
        let whole =
            if let strength = entry["strength"].double {
                // What the consistency pipeline calls strength, `--run-steps` says by where it starts.
                StepSchedule(family, schedule, running: count, from: Int(1000 * strength), configuration)
            } else {
                sampler.schedule(schedule, count: count, configuration)
            }
        let steps = Array(whole.steps.dropFirst(try #require(entry["start"].integer)))
        expectClose(
            steps.map(\.from.time), try #require(entry["timesteps"].list).compactMap(\.double).suffix(steps.count),
            absolute: 2e-3, "\(name): timesteps")

        var asked = 0
        let (a, b) = (try file.tensor("a"), try file.tensor("b"))
        let network: Predictor = { x, time in
            asked += 1
            let wave = Float(0.3 * cos(0.005 * time))
            return a.zip(x, *).zip(b) { tanhf($0 + $1 + wave) }
        }
        let start = try file.tensor("\(name)/x0init")
        let noises = file.has("\(name)/noises") ? try file.tensor("\(name)/noises") : nil
        var drawn = 0
        let run = Sampler.Run(
            steps: steps, configuration: configuration, eta: entry["eta"].double ?? 0,
            noise: { _, _ in
                defer { drawn += 1 }
                return noises.map { $0.items(drawn..<drawn + 1).reshaped(start.shape) }
                    ?? Tensor(start.shape, repeating: 0)
            },
            path: { from, to in
                if entry["path"].bool == true {
                    func value(_ sigma: Double) -> Tensor {
                        a.zip(b) { Float(Double($0) * sin(3 * sigma) + Double($1) * sigma) }
                    }
                    return value(to).zip(value(from)) { ($0 - $1) / Float(abs(to - from).squareRoot()) }
                }
                defer { drawn += 1 }
                return noises?.items(drawn..<drawn + 1).reshaped(start.shape) ?? Tensor(start.shape, repeating: 0)
            })
        let isKDiffusion = !entry["sigmas"].isNull
        let scaled = isKDiffusion ? steps[0].from.alpha * start : start
        let result = try sampler.sample(scaled, run, denoiser(configuration.prediction, network))
        // The reference in double precision; ours keeps its tables in double and pictures in single.
        expectClose(
            result.values.map(Double.init), try file.doubles("\(name)/output64"), absolute: 2e-5, relative: 2e-5, name)
        // k-diffusion draws what it then multiplies by nothing.
        let draws = entry["eta"].double == 0 && sampler.takesEta && sampler != .eulerAncestral
        #expect(drawn == (draws ? 0 : entry["draws"].integer), "\(name): noises drawn")
        #expect(asked == sampler.evaluations(steps, configuration), "\(name): evaluations")
    }
}
