import Checkpoints
import Networks
import Raster
import Sampling
import Tensors

/// What a user says about a model that the model itself may not say.
package struct ModelOptions: Sendable {
    package var kind: ModelKind?
    package var prediction: Prediction?
    /// A file or folder with another autoencoder.
    package var autoencoder: String?
    /// Instead of what the model says.
    package var scheduler: SchedulerConfiguration?
    /// Merged into the weights, one after the other.
    package var adapters: [Adapter]
    /// What attention looks at goes through them, one after the other.
    package var hypernetworks: [(file: HypernetworkFile, strength: Double)] = []

    package init(
        kind: ModelKind? = nil, prediction: Prediction? = nil, autoencoder: String? = nil,
        scheduler: SchedulerConfiguration? = nil, adapters: [Adapter] = []
    ) {
        (self.kind, self.prediction, self.autoencoder) = (kind, prediction, autoencoder)
        (self.scheduler, self.adapters) = (scheduler, adapters)
    }
}

/// A whole model, ready to paint: its networks, its codec, and what is known about how it wants to be used.
package struct DiffusionModel: Sendable {
    package let name: String
    /// What kind of model it is, and what said so.
    package let kind: ModelCharacter.Said<ModelKind>
    package let unet: UNet
    package let codec: Codec
    package let text: TextConditioner
    package let scheduler: SchedulerConfiguration
    package let engine: Engine
    /// Values in the UNet, and the number formats that they lie in.
    package let weightCount: Int
    package let formats: [String]
    /// Whether a negative prompt that was not given is zeros instead of an empty text.
    package let zerosForMissingText: Bool
    /// What said what the network predicts, and whether its schedule ends in pure noise.
    let predictionBy: String
    let zeroTerminalBy: String
    let headsBy: String
    /// For each adapter what is left out of it, in words; nil where all fitted.
    package let leftOut: [String?]
    /// The same for each hypernetwork.
    package let leftOutOfHypernetworks: [String?]

    package var family: ModelKind.Family { kind.value.family }

    /// - Throws: ``CheckpointError`` or ``PaintingError`` naming each file, key or value that is wrong
    package init(_ folder: ModelFolder, as options: ModelOptions = .init(), on engine: Engine) throws {
        let index = folder.checkpoint == nil ? try JSON(try folder.file("model_index.json")) : .null
        let adapters = options.adapters.isEmpty ? nil : AdapterLedger(options.adapters)
        var unet = try UNet.load(folder, "unet", on: engine, adapters: adapters)
        leftOutOfHypernetworks = try unet.take(options.hypernetworks, model: folder.name, on: engine)
        self.unet = unet
        let files = try folder.weights("unet", stem: "diffusion_pytorch_model")
        weightCount = files.reduce(0) { $0 + $1.valueCount }
        formats = Set(files.flatMap(\.formats)).sorted()
        text = try TextConditioner(folder, on: engine, adapters: adapters)
        leftOut = try adapters?.close(model: folder.name, contextWidth: unet.configuration.contextWidth) ?? []
        let c = unet.configuration
        codec = try Self.codec(folder, index, options, isXL: c.added != nil, on: engine)
        (name, self.engine) = (folder.name, engine)

        if let checkpoint = folder.checkpoint {
            let character = try ModelCharacter(
                folder, checkpoint, asked: options.kind, prediction: options.prediction, unet: unet)
            kind = character.kind
            scheduler = options.scheduler ?? character.scheduler
            (predictionBy, zeroTerminalBy) = (character.prediction.by, character.zeroTerminal.by)
            headsBy = checkpoint.headsSource
            zerosForMissingText = checkpoint.family == .sdxl
        } else {
            kind = try Self.kind(folder, index, codec, c, asked: options.kind)
            var scheduler = try options.scheduler ?? Self.scheduler(folder, index)
            scheduler.prediction = options.prediction ?? scheduler.prediction
            scheduler.fewStep = kind.value.fewStep ?? scheduler.fewStep
            self.scheduler = scheduler
            predictionBy = options.prediction == nil ? ModelFolder.scheduler : "--prediction"
            (zeroTerminalBy, headsBy) = (ModelFolder.scheduler, "unet/config.json")
            zerosForMissingText =
                index["_class_name"].text?.hasPrefix("StableDiffusionXL") == true
                && index["force_zeros_for_empty_prompt"].bool ?? true
        }
        try check()
    }

    /// Whether all parts fit each other.
    private func check() throws(CheckpointError) {
        let c = unet.configuration
        if let channels = codec.imageChannels, channels != 3 {
            throw .invalid("The autoencoder of \(name) takes \(channels) channels, but pictures have 3.")
        }
        guard c.contextWidth == text.contextWidth else {
            throw .invalid(
                "The UNet of \(name) wants texts \(c.contextWidth) wide but its text encoder makes them \(text.contextWidth) wide."
            )
        }
        guard c.inChannels == codec.latentChannels || takesMask, c.outChannels == codec.latentChannels else {
            throw .invalid(
                "The UNet of \(name) takes \(c.inChannels) and gives \(c.outChannels) channels but its latents have \(codec.latentChannels). Of such models only those for inpainting are read."
            )
        }
        if let added = c.added {
            let numbers = (added.total - (text.pooledWidth ?? 0)) / added.number
            guard let pooled = text.pooledWidth, pooled + numbers * added.number == added.total, numbers == 6 else {
                throw .invalid(
                    "The UNet of \(name) wants \(added.total) added values, which do not fit its text encoders and six sizes."
                )
            }
        }
    }

    /// Whether the network sees a mask and what it leaves of the picture beside the noisy latents: a model for inpainting.
    package var takesMask: Bool { unet.configuration.inChannels == 2 * codec.latentChannels + 1 }

    /// Whether the network is told of guidance instead of being run twice.
    package var embedsGuidance: Bool { unet.configuration.guidanceWidth != nil }

    private static func kind(
        _ folder: ModelFolder, _ index: JSON, _ codec: Codec, _ c: UNetConfiguration, asked: ModelKind?
    ) throws -> ModelCharacter.Said<ModelKind> {
        let family: ModelKind.Family =
            if case .unshuffle = codec { .miniature } else if c.added != nil { .sdxl } else if c.contextWidth == 1024 {
                .sd2
            } else { .sd1 }
        if let asked {
            guard asked.family == family else {
                throw PaintingError.unsuitable(
                    "--kind is \(asked.name) but \(folder.name) has the shape of \(family.rawValue). Leave --kind out, or choose the other model."
                )
            }
            return .init(value: asked, by: "--kind")
        }
        let pace = try pace(folder)
        return .init(value: ModelKind(family, pace.value.pace), by: pace.by)
    }

    /// Whether a folder is one of a few-step model, of any family: its descriptions say so of latent consistency models
    /// only.
    static func pace(_ folder: ModelFolder) throws(CheckpointError) -> ModelCharacter.Said<ModelKind> {
        let network = "unet/config.json"
        if folder.has(network), !(try folder.settings(network).json["time_cond_proj_dim"].isNull) {
            return .init(value: ModelKind(.sd1, .lcm), by: network)
        }
        if folder.has(ModelFolder.scheduler),
            try folder.settings(ModelFolder.scheduler).json["_class_name"].text == "LCMScheduler"
        {
            return .init(value: ModelKind(.sd1, .lcm), by: ModelFolder.scheduler)
        }
        return .init(value: ModelKind(.sd1), by: network)
    }

    private static func codec(
        _ folder: ModelFolder, _ index: JSON, _ options: ModelOptions, isXL: Bool, on engine: Engine
    ) throws(CheckpointError) -> Codec {
        switch index["codec"]["kind"] {
        case .null:
            if let path = options.autoencoder {
                return try Codec(path, scale: OriginalCheckpoint.scale(isXL ? .sdxl : .sd1), on: engine)
            }
            if folder.has("vae/config.json"),
                try folder.settings("vae/config.json").json["_class_name"] == .text("AutoencoderTiny")
            {
                return .tiny(try TinyAutoencoder.load(folder, "vae", on: engine))
            }
            return .autoencoder(try Autoencoder.load(folder, "vae", on: engine))
        case _ where options.autoencoder != nil:
            throw .invalid("\(folder.name) paints without an autoencoder, so --vae has no place. Leave it out.")
        case .text("unshuffle"):
            guard let factor = index["codec"]["factor"].integer, (1...16).contains(factor) else {
                throw .invalid(
                    "\(folder.name)/model_index.json has codec.factor = \(index["codec"]["factor"].description), but 1 to 16 are expected."
                )
            }
            return .unshuffle(factor: factor)
        default:
            throw .invalid(
                "\(folder.name)/model_index.json has the codec \(index["codec"]["kind"].description), but only \"unshuffle\" is known."
            )
        }
    }

    private static func scheduler(_ folder: ModelFolder, _ index: JSON) throws(CheckpointError)
        -> SchedulerConfiguration
    {
        let description = try folder.settings(ModelFolder.scheduler)
        var configuration = try SchedulerConfiguration(description.json, name: description.name)
        // diffusers' pipelines for SD 1 and 2 correct two values of outdated descriptions, whatever these say.
        let pipeline = index["_class_name"].text ?? ""
        if pipeline.hasPrefix("StableDiffusion"), !pipeline.hasPrefix("StableDiffusionXL") {
            configuration.stepsOffset = 1
            configuration.clip = nil
        }
        // Folders are diffusers' own: its multistep solver counts one step more than others when it spaces them.
        if case .text = index["_class_name"], index["codec"].isNull { configuration.multistepSpacing = true }
        return configuration
    }

    /// What both sides of a picture must be a multiple of, in pixels.
    package var multiple: Int { codec.factor << (unet.configuration.blockOutChannels.count - 1) }

    /// The area at which the model composes well, in pixels.
    package var goodArea: Int { kind.value.goodArea }

    /// The area that a part of a picture is enlarged to when it is painted alone, in pixels.
    package var trainedArea: Int { kind.value.trainedArea }

    /// Steps that `--run-steps` can ask for at a skip.
    package func room(for skip: Skip, _ sampler: Sampler) -> Int {
        StepSchedule.mostSteps(
            sampler.family(scheduler), from: skip.time(of: scheduler.training.count), scheduler)
    }

    package var defaultSampler: Sampler { scheduler.fewStep?.sampler ?? (family == .miniature ? .ddim : .dpmpp2M) }

    /// Guidance where none is asked for. A network that is told of guidance was trained with it told; 8.5 is diffusers'.
    package var defaultGuidance: Double { embedsGuidance ? 8.5 : scheduler.fewStep == nil ? 7.5 : 0 }

    /// Whether a clip skip changes what the text encoder gives: OpenCLIP's, and SDXL's two, are always read at one layer.
    package var takesClipSkip: Bool { family == .miniature || family == .sd1 }
}
