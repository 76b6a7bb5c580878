import Painting
import Sampling
import Testing

/// `--run-steps`: exactly N steps, from training time ⌊1000·(100 − skip)/100⌋ to 0.
@Suite struct RunStepsTests {
    private func plan(
        _ sampler: Sampler, _ steps: Int, _ schedule: ScheduleName = .model, skip: String?,
        _ configuration: SchedulerConfiguration = SchedulerConfiguration()
    ) throws -> RunPlan {
        var settings = Settings()
        (settings.sampler, settings.schedule, settings.runSteps) = (sampler, schedule, steps)
        return settings.plan(try skip.map { try #require(Skip(percent: $0)) }, configuration)
    }

    /// Spread evenly below the start, counted by hand: the first timestep is the last one below the start's time.
    @Test(
        "timesteps are spread evenly from the start's time",
        arguments: [
            ("0", 4, [999, 749, 499, 249]), ("50", 2, [499, 249]), ("50", 1, [499]),
            ("37.5", 5, [624, 499, 374, 249, 124]),
            ("33.3", 3, [666, 444, 221]), ("99", 10, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]), ("99.9", 1, [0]),
        ] as [(String, Int, [Double])])
    func spread(skip: String, steps: Int, times: [Double]) throws {
        for sampler in [Sampler.ddim, .ddpm, .plms, .euler, .eulerAncestral, .heun, .dpmpp2M, .unipc, .dpmppSDE] {
            let plan = try plan(sampler, steps, skip: skip)
            #expect(plan.steps.map(\.from.time) == times, "\(sampler)")
            #expect(plan.steps.last?.to == .clean)
            #expect(zip(plan.steps, plan.steps.dropFirst()).allSatisfy { $0.to == $1.from })
        }
        let (over, timed) = (try plan(.euler, steps, skip: skip).sigma, try plan(.ddim, steps, skip: skip).sigma)
        #expect(abs(over / timed - 1) < 1e-9)
    }

    @Test("without an init image they begin with pure noise's time")
    func whole() throws {
        #expect(try plan(.euler, 4, skip: nil).steps.map(\.from.time) == [999, 749, 499, 249])
    }

    @Test("consistency steps come out of the fifty that the model was distilled with")
    func consistency() throws {
        // diffusers: LCMScheduler.set_timesteps(n, strength=s).
        #expect(try plan(.lcm, 4, skip: "0").steps.map(\.from.time) == [999, 759, 499, 259])
        #expect(try plan(.lcm, 4, skip: "50").steps.map(\.from.time) == [499, 379, 259, 139])
        #expect(try plan(.lcm, 1, skip: "98").steps.map(\.from.time) == [19])
        #expect(StepSchedule.mostSteps(.consistency, from: 500, SchedulerConfiguration()) == 25)
    }

    @Test(
        "named schedules spread sigma from the start's level",
        arguments: [ScheduleName.karras, .exponential, .uniform, .sgmUniform])
    func named(schedule: ScheduleName) throws {
        let configuration = SchedulerConfiguration()
        let plan = try plan(.euler, 5, schedule, skip: "40", configuration)
        #expect(plan.steps.count == 5)
        #expect(abs(plan.sigma - configuration.training.sigma(at: 599.0)) < 1e-9)
        let last = try #require(plan.steps.last)
        #expect(last.to == .clean)
        if schedule != .sgmUniform { #expect(abs(last.from.ratio - configuration.training.sigma(at: 0.0)) < 1e-9) }
        #expect(zip(plan.steps, plan.steps.dropFirst()).allSatisfy { $0.from.ratio > $1.from.ratio })
    }

    @Test("everything skipped runs nothing")
    func nothing() throws {
        #expect(try plan(.euler, 4, skip: "100").start == nil)
    }
}
