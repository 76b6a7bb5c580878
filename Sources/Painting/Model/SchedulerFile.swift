import Checkpoints
import Sampling

extension SchedulerConfiguration {
    /// Reads a diffusers `scheduler_config.json`. Options that change the numbers and that are not built are refused by
    /// name.
    ///
    /// - Parameter name: the file's name, for messages
    /// - Throws: ``CheckpointError/invalid(_:)``
    package init(_ json: JSON, name: String) throws(CheckpointError) {
        let file = try Configuration(json, name: name)
        let only: [(key: String, values: [JSON])] = [
            ("trained_betas", []), ("thresholding", [.bool(false)]), ("interpolation_type", [.text("linear")]),
            ("use_beta_sigmas", [.bool(false)]), ("use_lu_lambdas", [.bool(false)]),
            ("use_flow_sigmas", [.bool(false)]),
            ("timestep_type", [.text("discrete")]), ("sigma_min", []), ("sigma_max", []),
            ("final_sigmas_type", [.text("zero"), .text("sigma_min")]), ("algorithm_type", [.text("dpmsolver++")]),
            ("solver_order", [.integer(2)]), ("solver_type", [.text("midpoint"), .text("bh1"), .text("bh2")]),
        ]
        try file.allow(only: only, of: "schedules")

        let count = try file.count("num_train_timesteps", default: 1000, in: 1...100_000)
        // Outside these nothing, or all, of a picture would be left after a step.
        let start = try file.number("beta_start", default: 0.0001, in: 1e-9...0.999)
        let end = try file.number("beta_end", default: 0.02, in: 1e-9...0.999)
        let zeroTerminal = try file.flag("rescale_betas_zero_snr", default: false)
        guard !zeroTerminal || count > 1 else {
            throw file.invalid("num_train_timesteps", "rescale_betas_zero_snr needs two or more")
        }
        let prediction: Prediction
        switch json["prediction_type"] {
        case .null, .text("epsilon"): prediction = .epsilon
        case .text("v_prediction"): prediction = .v
        case .text("sample"): prediction = .sample
        default: throw file.invalid("prediction_type", "one of epsilon, v_prediction, sample is expected")
        }
        let clips = try file.flag("clip_sample", default: false)
        let bound = try file.number("clip_sample_range", default: 1, in: 1e-6...1e6)
        self.init(
            training: TrainingSchedule(
                try file.choice("beta_schedule") ?? .linear, start: start, end: end, count: count,
                zeroTerminal: zeroTerminal),
            prediction: prediction,
            spacing: try file.choice("timestep_spacing"),
            stepsOffset: try file.count("steps_offset", default: 0, in: 0...count - 1),
            endsClean: try file.flag("set_alpha_to_one", default: true),
            endsAtZeroSigma: json["final_sigmas_type"].text != "sigma_min",
            clip: clips ? Float(bound) : nil,
            variance: try file.choice("variance_type") ?? .fixedSmall,
            multistepSpacing: json["_class_name"].text?.hasPrefix("DPMSolverMultistep") ?? false)
        if try file.flag("use_karras_sigmas", default: false) {
            ownSchedule = .karras
        } else if try file.flag("use_exponential_sigmas", default: false) {
            ownSchedule = .exponential
        }
    }
}
