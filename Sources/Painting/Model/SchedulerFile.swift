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
            ("solver_p", []), ("predict_x0", [.bool(true)]),
        ]
        let scheduler = json["_class_name"].text ?? ""
        // These two belong to the class that names them: dpmpp-2m is of second order, unipc takes both.
        let solver: [(key: String, values: [JSON])] =
            scheduler.hasPrefix("UniPC")
            ? [("solver_type", ["bh2", "bh1", "midpoint", "heun", "logrho"].map(JSON.text))]
            : [("solver_order", [.integer(2)]), ("solver_type", ["midpoint", "bh1", "bh2"].map(JSON.text))]
        try file.allow(only: only + solver, of: "schedules")

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
            endsClean: json["set_alpha_to_one"].isNull ? nil : try file.flag("set_alpha_to_one", default: true),
            endsAtZeroSigma: json["final_sigmas_type"].text != "sigma_min",
            clip: clips ? Float(bound) : nil,
            variance: try file.choice("variance_type") ?? .fixedSmall,
            multistepSpacing: scheduler.hasPrefix("DPMSolverMultistep") || scheduler.hasPrefix("UniPC"))
        if try file.flag("use_karras_sigmas", default: false) {
            ownSchedule = .karras
        } else if try file.flag("use_exponential_sigmas", default: false) {
            ownSchedule = .exponential
        }
        firstOrderAtEnd = (
            always: try file.flag("euler_at_final", default: false),
            inShortRuns: try file.flag("lower_order_final", default: true)
        )
        try readUniPC(file, scheduler)
        consistency.originalSteps = try file.count("original_inference_steps", default: min(50, count), in: 1...count)
        consistency.timestepScaling = try file.number("timestep_scaling", default: 10, in: 1e-6...1e6)
        fewStep = Self.fewStep(scheduler, self, zeroTerminal: zeroTerminal)
    }

    private mutating func readUniPC(_ file: Configuration, _ scheduler: String) throws(CheckpointError) {
        guard scheduler.hasPrefix("UniPC") else { return }
        uniPC.order = try file.count("solver_order", default: 2, in: 1...3)
        uniPC.kind = file.json["solver_type"].text == "bh1" ? .bh1 : .bh2
        uniPC.lowersOrderAtEnd = try file.flag("lower_order_final", default: true)
        if file.json["disable_corrector"].isNull { return }
        guard let steps = file.counts("disable_corrector", lengths: 0...1000, in: 0...100_000) else {
            throw file.invalid("disable_corrector", "a list of steps is expected")
        }
        uniPC.uncorrected = Set(steps)
    }

    /// Models for a few steps say so by their scheduler: consistency models by its class, Turbo and Lightning by Euler
    /// steps that trail. (Models that end in pure noise trail too; they are no few-step models.)
    private static func fewStep(_ scheduler: String, _ read: SchedulerConfiguration, zeroTerminal: Bool) -> FewStep? {
        if scheduler.hasPrefix("LCM") { return FewStep(.lcm) }
        guard read.spacing == .trailing, read.prediction != .v, !zeroTerminal else { return nil }
        if scheduler.hasPrefix("EulerAncestralDiscrete") { return FewStep(.eulerAncestral) }
        return scheduler.hasPrefix("EulerDiscrete") ? FewStep(.euler) : nil
    }
}
