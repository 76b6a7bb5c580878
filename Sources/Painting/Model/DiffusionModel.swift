import Checkpoints
import Networks
import Raster
import Sampling
import Tensors

/// A whole model, ready to paint: its networks, its codec, and what is known about how it wants to be used.
package struct DiffusionModel: Sendable {
    package enum Family: String, Sendable {
        case miniature, sd1, sd2, sdxl
    }

    package let name: String
    package let family: Family
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

    /// - Parameter scheduler: instead of what the folder says
    /// - Throws: ``CheckpointError`` naming each file, key or value that is wrong
    package init(_ folder: ModelFolder, scheduler: SchedulerConfiguration? = nil, on engine: Engine)
        throws(CheckpointError)
    {
        let index = try JSON(try folder.file("model_index.json"))
        unet = try UNet.load(folder, "unet", on: engine)
        let files = try folder.weights("unet", stem: "diffusion_pytorch_model")
        weightCount = files.reduce(0) { $0 + $1.valueCount }
        formats = Set(files.flatMap(\.formats)).sorted()
        text = try TextConditioner(folder, on: engine)
        codec = try Self.codec(folder, index, on: engine)
        if let scheduler {
            self.scheduler = scheduler
        } else {
            self.scheduler = try Self.scheduler(folder, index)
        }
        (name, self.engine) = (folder.name, engine)
        zerosForMissingText =
            index["_class_name"].text?.hasPrefix("StableDiffusionXL") == true
            && index["force_zeros_for_empty_prompt"].bool ?? true
        if case .autoencoder(let autoencoder) = codec, autoencoder.configuration.imageChannels != 3 {
            throw .invalid(
                "The autoencoder of \(name) takes \(autoencoder.configuration.imageChannels) channels, but pictures have 3."
            )
        }

        let c = unet.configuration
        family =
            if case .unshuffle = codec { .miniature } else if c.added != nil { .sdxl } else if c.contextWidth == 1024 {
                .sd2
            } else { .sd1 }
        guard c.contextWidth == text.contextWidth else {
            throw .invalid(
                "The UNet of \(name) wants texts \(c.contextWidth) wide but its text encoder makes them \(text.contextWidth) wide."
            )
        }
        guard c.inChannels == codec.latentChannels, c.outChannels == codec.latentChannels else {
            throw .invalid(
                "The UNet of \(name) takes \(c.inChannels) and gives \(c.outChannels) channels but its latents have \(codec.latentChannels). Inpainting and other special models are not read yet."
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

    private static func codec(_ folder: ModelFolder, _ index: JSON, on engine: Engine) throws(CheckpointError) -> Codec
    {
        switch index["codec"]["kind"] {
        case .null: return .autoencoder(try Autoencoder.load(folder, "vae", on: engine))
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
        let name = "scheduler/scheduler_config.json"
        var configuration = try SchedulerConfiguration(try JSON(try folder.file(name)), name: "\(folder.name)/\(name)")
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
    package var goodArea: Int {
        switch family {
        case .miniature: 1024 * 1024
        case .sd1: 768 * 768
        case .sd2: 1024 * 1024
        case .sdxl: 1536 * 1536
        }
    }

    /// Steps that `--run-steps` can ask for at a skip.
    package func room(for skip: Skip, _ sampler: Sampler) -> Int {
        StepSchedule.mostSteps(
            sampler.family(scheduler), from: skip.time(of: scheduler.training.count), scheduler)
    }

    package var defaultSampler: Sampler { scheduler.fewStep?.sampler ?? (family == .miniature ? .ddim : .dpmpp2M) }

    /// Whether a clip skip changes what the text encoder gives: OpenCLIP's, and SDXL's two, are always read at one layer.
    package var takesClipSkip: Bool { family == .miniature || family == .sd1 }
}
