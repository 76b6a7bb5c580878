import Checkpoints
import Sampling

extension SchedulerConfiguration {
    /// Reads a diffusers `scheduler_config.json`. Options that change the numbers and that are not built are refused by
    /// name.
    ///
    /// - Parameter name: the file's name, for messages
    /// - Throws: ``CheckpointError/invalid(_:)``
    package init(_ json: JSON, name: String) throws(CheckpointError) {
        func invalid(_ key: String, _ expected: String) -> CheckpointError {
            .invalid("\(name) has \(key) = \(json[key].description), but \(expected).")
        }
        let only: [(String, [JSON])] = [
            ("trained_betas", []), ("thresholding", [.bool(false)]), ("interpolation_type", [.text("linear")]),
            ("use_beta_sigmas", [.bool(false)]), ("use_lu_lambdas", [.bool(false)]), ("use_flow_sigmas", [.bool(false)]),
            ("timestep_type", [.text("discrete")]), ("sigma_min", []), ("sigma_max", []),
            ("final_sigmas_type", [.text("zero"), .text("sigma_min")]), ("algorithm_type", [.text("dpmsolver++")]),
            ("solver_order", [.integer(2)]), ("solver_type", [.text("midpoint"), .text("bh1"), .text("bh2")]),
        ]
        for (key, allowed) in only where !json[key].isNull && !allowed.contains(json[key]) {
            throw invalid(key, allowed.isEmpty ? "schedules with it are not supported" : "only \(allowed[0].description) is supported")
        }
        func choice<Choice: RawRepresentable & CaseIterable>(_ key: String) throws(CheckpointError) -> Choice?
        where Choice.RawValue == String {
            if json[key].isNull { return nil }
            guard let text = json[key].text, let found = Choice(rawValue: text) else {
                let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
                throw invalid(key, "one of \(names) is expected")
            }
            return found
        }

        let count = json["num_train_timesteps"].integer ?? 1000
        guard (1...100_000).contains(count) else { throw invalid("num_train_timesteps", "1 to 100000 are expected") }
        let (start, end) = (json["beta_start"].double ?? 0.0001, json["beta_end"].double ?? 0.02)
        guard start > 0, start < 1 else { throw invalid("beta_start", "a number between 0 and 1 is expected") }
        guard end > 0, end < 1 else { throw invalid("beta_end", "a number between 0 and 1 is expected") }
        let offset = json["steps_offset"].integer ?? 0
        guard (0..<count).contains(offset) else { throw invalid("steps_offset", "0 to \(count - 1) are expected") }

        let prediction: Prediction
        switch json["prediction_type"].text ?? "epsilon" {
        case "epsilon": prediction = .epsilon
        case "v_prediction": prediction = .v
        case "sample": prediction = .sample
        default: throw invalid("prediction_type", "one of epsilon, v_prediction, sample is expected")
        }
        self.init(
            training: TrainingSchedule(
                try choice("beta_schedule") ?? .linear, start: start, end: end, count: count,
                zeroTerminal: json["rescale_betas_zero_snr"].bool ?? false),
            prediction: prediction,
            spacing: try choice("timestep_spacing"),
            stepsOffset: offset,
            endsClean: json["set_alpha_to_one"].bool ?? true,
            endsAtZeroSigma: json["final_sigmas_type"].text != "sigma_min",
            clip: json["clip_sample"].bool == true ? Float(json["clip_sample_range"].double ?? 1) : nil,
            variance: try choice("variance_type") ?? .fixedSmall,
            multistepSpacing: json["_class_name"].text?.hasPrefix("DPMSolverMultistep") ?? false)
    }
}
