import Checkpoints
import Painting
import Sampling
import TestKit
import Testing

@Suite struct SchedulerFileTests {
    private func read(_ text: String) throws -> SchedulerConfiguration {
        let json = try withGuardedFile(Array(text.utf8)) { try JSON($0) }
        return try SchedulerConfiguration(json, name: "scheduler_config.json")
    }

    @Test(
        "a description that is absurd, or asks for what is not built, is refused by name",
        arguments: [
            (#""beta_start":0"#, "beta_start = 0"), (#""beta_start":-0.1"#, "beta_start = -0.1"),
            (#""beta_end":1"#, "beta_end = 1"),
            (#""beta_end":NaN"#, "beta_end = nan"), (#""beta_end":Infinity"#, "beta_end = inf"),
            (#""beta_end":"0.02""#, #"beta_end = "0.02""#),
            (#""beta_schedule":"sigmoid""#, #"beta_schedule = "sigmoid""#),
            (#""beta_schedule":7"#, "beta_schedule = 7"),
            (#""prediction_type":"flow""#, #"prediction_type = "flow""#),
            (#""prediction_type":7"#, "prediction_type = 7"),
            (#""timestep_spacing":"even""#, #"timestep_spacing = "even""#),
            (#""variance_type":"learned""#, #"variance_type = "learned""#),
            (#""num_train_timesteps":0"#, "num_train_timesteps = 0"),
            (#""num_train_timesteps":1000000000"#, "num_train_timesteps = 1000000000"),
            (#""num_train_timesteps":"1000""#, "num_train_timesteps"),
            (#""num_train_timesteps":1,"rescale_betas_zero_snr":true"#, "num_train_timesteps = 1"),
            (#""steps_offset":-1"#, "steps_offset = -1"), (#""steps_offset":1000"#, "steps_offset = 1000"),
            (#""steps_offset":0.5"#, "steps_offset = 0.5"),
            (#""clip_sample":"yes""#, "clip_sample"),
            (#""clip_sample":true,"clip_sample_range":-1"#, "clip_sample_range = -1"),
            (#""set_alpha_to_one":1"#, "set_alpha_to_one = 1"),
            (#""rescale_betas_zero_snr":"no""#, "rescale_betas_zero_snr"),
            (#""trained_betas":[0.1]"#, "trained_betas = [0.1]"), (#""thresholding":true"#, "thresholding = true"),
            (#""use_karras_sigmas":7,"use_beta_sigmas":true"#, "use_beta_sigmas = true"),
            (#""algorithm_type":"sde-dpmsolver++""#, "sde-dpmsolver++"),
            (#""solver_order":3"#, "solver_order = 3"), (#""final_sigmas_type":"last""#, "last"),
            (#""timestep_type":"continuous""#, "continuous"),
        ])
    func refusals(changes: String, part: String) throws {
        let line = try #require(refusal { _ = try read("{\(changes)}") }, "\(changes) was taken")
        #expect(line.isOneLine && line.hasPrefix("scheduler_config.json has ") && line.contains(part), "\(line)")
    }

    @Test("no object is no description", arguments: ["[]", "null", "7"])
    func kinds(text: String) {
        #expect(refusal { _ = try read(text) }?.contains("holds \(text)") == true)
    }

    @Test(
        "any schedule that is taken has finite levels, and finds a timestep for any of its sigmas",
        arguments: [
            "{}", #"{"beta_start":0.999,"beta_end":0.999}"#, #"{"beta_start":1e-9,"beta_end":1e-9}"#,
            #"{"beta_start":0.9,"beta_end":0.001}"#, #"{"rescale_betas_zero_snr":true}"#, #"{"num_train_timesteps":1}"#,
            #"{"num_train_timesteps":2,"rescale_betas_zero_snr":true}"#, #"{"beta_schedule":"squaredcos_cap_v2"}"#,
            #"{"beta_schedule":"scaled_linear","rescale_betas_zero_snr":true}"#,
        ])
    func extremes(text: String) throws {
        let training = try read(text).training
        for time in [0, training.count / 2, training.count - 1] {
            let sigma = training.sigma(at: Double(time))
            #expect(sigma.isFinite && sigma > 0, "\(time)")
            for factor in [0.5, 1, 2] {
                let found = training.time(ofSigma: factor * sigma)
                #expect(found >= 0 && found <= Double(training.count), "\(time): \(found)")
            }
        }
    }
}
