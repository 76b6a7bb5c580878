import Checkpoints
import Painting
import Sampling
import TestKit
import Testing

/// Timesteps, ᾱ and σ against diffusers and k-diffusion: `Tools/golden/schedules.py`.
@Suite struct ScheduleParityTests {
    private func cases(_ scheduler: String) throws -> [JSON] {
        let found = try #require(try Golden.json("schedules/cases.json").list).filter {
            $0["scheduler"].text == scheduler
        }
        #expect(!found.isEmpty, "no case of \(scheduler)")
        return found
    }

    private func doubles(_ json: JSON) -> [Double] { (json.list ?? []).compactMap(\.double) }

    private func checkTraining(_ training: TrainingSchedule, _ entry: JSON, _ name: String) {
        for (index, value) in entry["alphas_cumprod64"].object ?? [:] {
            guard let index = Int(index), let value = value.double else { continue }
            expectClose([training.alphaBars[index]], [value], absolute: 1e-7, relative: 1e-9, "\(name): ᾱ \(index)")
        }
    }

    @Test("whole timesteps are spaced as diffusers spaces them")
    func ddim() throws {
        for entry in try cases("DDIMScheduler") {
            let name = entry["name"].text ?? "?"
            let configuration = try SchedulerConfiguration(entry["config"], name: name)
            checkTraining(configuration.training, entry, name)
            let count = entry["steps"].integer ?? 0
            let times = doubles(entry["timesteps"])
            guard times.allSatisfy({ $0 < 1000 }) else { continue }
            let steps = Sampler.ddim.schedule(.model, count: count, configuration).steps
            expectClose(steps.map(\.from.time), times, absolute: 0, "\(name): timesteps")
            if let final = entry["final_alpha_cumprod"].double,
                steps.last.map({ $0.from.time < Double(1000 / count) }) == true
            {
                expectClose([steps[count - 1].to.alphaBar], [final], absolute: 1e-6, "\(name): final ᾱ")
            }
        }
    }

    @Test("levels for Euler are those of diffusers")
    func euler() throws {
        for entry in try cases("EulerDiscreteScheduler")
        where entry["config"]["use_karras_sigmas"].bool != true
            && entry["config"]["use_exponential_sigmas"].bool != true
        {
            let name = entry["name"].text ?? "?"
            let configuration = try SchedulerConfiguration(entry["config"], name: name)
            checkTraining(configuration.training, entry, name)
            let steps = Sampler.euler.schedule(.model, count: entry["steps"].integer ?? 0, configuration).steps
            let times = doubles(entry["timesteps"])
            guard times.count > 1 else { continue }
            expectClose(steps.map(\.from.time), times, absolute: 1e-3, "\(name): timesteps")
            // diffusers keeps ᾱ in single precision, which moves the smallest σ by some 1e-5.
            expectClose(
                steps.map(\.from.ratio) + [steps[steps.count - 1].to.ratio], doubles(entry["sigmas"]), absolute: 3e-5,
                relative: 2e-5, "\(name): σ")
        }
    }

    @Test(
        "named schedules are those of k-diffusion",
        arguments: [
            ("karras", ScheduleName.karras), ("exponential", .exponential), ("sgm-uniform", .sgmUniform),
            ("default", .uniform),
        ])
    func named(scheduler: String, name: ScheduleName) throws {
        for entry in try cases("k_diffusion \(scheduler)") where entry["sigma_min"].isNull {
            let configuration = try SchedulerConfiguration(entry["config"], name: scheduler)
            let steps = Sampler.euler.schedule(name, count: entry["steps"].integer ?? 0, configuration).steps
            let label = entry["name"].text ?? "?"
            expectClose(
                steps.map(\.from.ratio) + [0], doubles(entry["sigmas64"]), absolute: 1e-9, relative: 1e-7, "\(label): σ"
            )
            expectClose(steps.map(\.from.time), doubles(entry["timesteps64"]), absolute: 1e-4, "\(label): timesteps")
        }
    }

    @Test("σ and timestep turn into each other as in k-diffusion")
    func conversion() throws {
        let training = TrainingSchedule(.scaledLinear)
        let back = try #require(try cases("k_diffusion DiscreteSchedule.sigma_to_t").first)
        expectClose(
            doubles(back["sigmas64"].isNull ? back["sigmas"] : back["sigmas64"]).map { training.time(ofSigma: $0) },
            doubles(back["timesteps64"].isNull ? back["timesteps"] : back["timesteps64"]), absolute: 2e-3, "σ to t")
        let there = try #require(try cases("k_diffusion DiscreteSchedule.t_to_sigma").first)
        expectClose(
            doubles(there["timesteps"]).map { training.sigma(at: $0) }, doubles(there["sigmas"]), absolute: 1e-6,
            relative: 1e-5, "t to σ")
    }

    @Test("noise levels fall strictly, whatever the schedule")
    func falling() {
        for betas in TrainingSchedule.Betas.allCases {
            for zero in [false, true] {
                let configuration = SchedulerConfiguration(training: TrainingSchedule(betas, zeroTerminal: zero))
                for sampler in Sampler.allCases {
                    for name in sampler.takesSchedule ? ScheduleName.allCases : [.model] {
                        for count in [1, 2, 7, 50, 1000] where sampler != .lcm || count <= 50 {
                            let steps = sampler.schedule(name, count: count, configuration).steps
                            #expect(steps.count == count)
                            let rising = steps.first { !($0.to.sigma < $0.from.sigma) }
                            #expect(rising == nil, "\(betas), zero \(zero), \(sampler) \(name), \(count) steps")
                        }
                    }
                }
            }
        }
    }
}
