import Checkpoints
import Networks
import Sampling
import Tensors

/// What the shapes of a model in one file cannot say, each with what said it. The first that speaks decides: what the user
/// asks for, a description beside the file, marks in the file, a trial of the network, the family's habit.
package struct ModelCharacter: Sendable {
    package struct Said<Value: Sendable>: Sendable {
        package var value: Value
        /// Who said it, for people.
        package var by: String
    }

    package let kind: Said<ModelKind>
    package let prediction: Said<Prediction>
    package let zeroTerminal: Said<Bool>
    package let scheduler: SchedulerConfiguration

    private static let habit = "the family's default"

    /// What a file is, from its keys alone: before any network is built.
    ///
    /// - Throws: ``PaintingError/unsuitable(_:)`` when `asked` is of another family than the file's shapes
    static func kind(_ checkpoint: OriginalCheckpoint, asked: ModelKind?) throws(PaintingError) -> Said<ModelKind> {
        let family: ModelKind.Family =
            switch checkpoint.family {
            case .sd1: .sd1
            case .sd2: .sd2
            case .sdxl: .sdxl
            }
        if let asked {
            guard asked.family == family else {
                throw .unsuitable(
                    "--kind is \(asked.name) but \(checkpoint.file.name) has the shape of \(family.rawValue). Leave --kind out, or choose the other model."
                )
            }
            return Said(value: asked, by: "--kind")
        }
        for key in ["time_embed.cond_proj", "time_embedding.cond_proj"]
        where checkpoint.file.entries["model.diffusion_model.\(key).weight"] != nil {
            return Said(value: ModelKind(family, .lcm), by: "its key \(key)")
        }
        return Said(value: ModelKind(family), by: "its keys and shapes")
    }

    /// - Parameters:
    ///   - kind, prediction: what the user asks for
    ///   - unet: the network, for a trial where nothing else says what it predicts
    /// - Throws: ``PaintingError``, ``CheckpointError``, or what running the network throws
    init(
        _ folder: ModelFolder, _ checkpoint: OriginalCheckpoint, asked: ModelKind?, prediction: Prediction?, unet: UNet
    )
        throws
    {
        kind = try Self.kind(checkpoint, asked: asked)
        let family = kind.value.family
        let file = checkpoint.file

        if folder.has(ModelFolder.scheduler) {
            let description = try folder.settings(ModelFolder.scheduler)
            var configuration = try SchedulerConfiguration(description.json, name: description.name)
            let by = "\(description.name) beside it"
            self.prediction =
                prediction.map { Said(value: $0, by: "--prediction") } ?? Said(value: configuration.prediction, by: by)
            configuration.prediction = self.prediction.value
            configuration.fewStep = kind.value.fewStep ?? configuration.fewStep
            zeroTerminal = Said(value: configuration.training.endsInNoise, by: by)
            scheduler = configuration
            return
        }

        let description = checkpoint.description
        if let prediction {
            self.prediction = Said(value: prediction, by: "--prediction")
        } else if let said = description?.parameterization, let name = description?.name {
            self.prediction = Said(value: said == "v" ? .v : said == "x0" ? .sample : .epsilon, by: "\(name) beside it")
        } else if file.entries["v_pred"] != nil || file.metadata["v_pred"] != nil {
            self.prediction = Said(value: .v, by: "its key v_pred")
        } else if let said = Self.predictionInMetadata(file.metadata) {
            self.prediction = said
        } else if family == .sd2, unet.configuration.inChannels == unet.configuration.outChannels {
            self.prediction = Said(value: try Self.trial(unet), by: "a trial of the network")
        } else {
            self.prediction = Said(value: .epsilon, by: Self.habit)
        }

        if let said = description?.zeroTerminal, let name = description?.name {
            zeroTerminal = Said(value: said, by: "\(name) beside it")
        } else if file.entries["ztsnr"] != nil || file.metadata["ztsnr"] != nil {
            zeroTerminal = Said(value: true, by: "its key ztsnr")
        } else {
            zeroTerminal = Said(value: false, by: Self.habit)
        }

        let betas = description?.betas ?? (0.00085, 0.012)
        var scheduler = SchedulerConfiguration(
            training: TrainingSchedule(
                .scaledLinear, start: betas.start, end: betas.end, count: description?.timesteps ?? 1000,
                zeroTerminal: zeroTerminal.value),
            prediction: self.prediction.value,
            // Otherwise each sampler's own: whole timesteps from 1 on for ddim and its like, 999…0 over σ.
            spacing: kind.value.pace != .full || zeroTerminal.value ? .trailing : nil, stepsOffset: 1)
        scheduler.fewStep = kind.value.fewStep
        self.scheduler = scheduler
    }

    /// `modelspec.*`: Stability-AI/ModelSpec.
    private static func predictionInMetadata(_ metadata: [String: String]) -> Said<Prediction>? {
        for key in ["modelspec.predict_key", "modelspec.prediction_type"] {
            switch metadata[key]?.lowercased() {
            case "epsilon", "eps": return Said(value: .epsilon, by: "its \(key)")
            case "v", "v_prediction", "v-prediction": return Said(value: .v, by: "its \(key)")
            case "sample", "x0": return Said(value: .sample, by: "its \(key)")
            default: continue
            }
        }
        if metadata["modelspec.architecture"]?.hasSuffix("-v") == true {
            return Said(value: .v, by: "its modelspec.architecture")
        }
        return nil
    }

    /// Asks the network itself: of an even grey at the noisiest level, one that predicts noise gives about the same back,
    /// one that predicts v something far below. Source: AUTOMATIC1111's web UI, `modules/sd_models_config.py`.
    private static func trial(_ unet: UNet) throws -> Prediction {
        let c = unet.configuration
        // Enough cells for every level to have one.
        let side = max(8, 1 << (c.blockOutChannels.count - 1))
        let x = Tensor([1, c.inChannels, side, side], repeating: 0.5)
        let context = Tensor([1, 2, c.contextWidth], repeating: 0.5)
        let output = try unet(x, times: [999], context: context)
        let mean = output.values.reduce(0.0) { $0 + Double($1) - 0.5 } / Double(max(output.count, 1))
        return mean < -1 ? .v : .epsilon
    }
}

extension TrainingSchedule {
    /// Whether nothing of the picture is left at the last timestep.
    package var endsInNoise: Bool { alphaBars.last == 0 }
}
