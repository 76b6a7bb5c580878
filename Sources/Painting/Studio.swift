import Checkpoints
import Networks
import Raster
import Sampling
import Tensors

/// Where painting happens: a loaded model and what every picture of one command shares.
package final class Studio {
    package let model: DiffusionModel
    private let folder: ModelFolder
    /// Texts that were read, by what decides how.
    var texts: [TextKey: [Conditioning]] = [:]
    /// Embeddings that prompts may name.
    var embeddings: [Embedding] = []
    var names: [EmbeddingNames]
    private var hash: String?

    /// - Parameters:
    ///   - name: "miniature" for the model inside the program, or the path of a model folder
    ///   - scheduler: instead of what the folder says
    package init(model name: String, scheduler: SchedulerConfiguration? = nil, on engine: Engine)
        throws(CheckpointError)
    {
        folder = name == "miniature" ? .miniature : try ModelFolder(path: name)
        model = try DiffusionModel(folder, scheduler: scheduler, on: engine)
        names = model.text.names([])
    }

    /// SHA-256 of the UNet's weights.
    package func modelHash() throws(CheckpointError) -> String {
        if let hash { return hash }
        var sum = SHA256()
        for file in try folder.weights("unet", stem: "diffusion_pytorch_model") { file.withBytes { sum.update($0) } }
        let new = sum.finish()
        hash = new
        return new
    }

    /// Which code the numbers came from, for the recipe.
    package func kernels() throws -> [(String, String)] {
        let libraries = try Engine.libraries()
        return [
            ("processor", model.engine.instructionSet), ("loops", libraries.kernels), ("oneDNN", libraries.oneDNN),
            ("precision", "f32"), ("plan", KernelPlan.name),
        ]
    }
}

/// One painting of one picture: everything between latents and latents. All commands that paint go through it.
package struct LatentPainter {
    package let studio: Studio
    package let settings: Settings
    /// Size of the working picture, in pixels.
    package let size: PixelSize
    /// Counts loops and the length of the source's own history, so that repeated painting with one seed does not burn in.
    package let pass: Int
    private var torch: TorchGenerator

    package init(_ studio: Studio, _ settings: Settings, size: PixelSize, pass: Int = 0) {
        (self.studio, self.settings, self.size, self.pass) = (studio, settings, size, pass)
        torch = TorchGenerator(seed: settings.seed)
    }

    private var model: DiffusionModel { studio.model }

    var latentShape: [Int] {
        [1, model.codec.latentChannels, size.height / model.codec.factor, size.width / model.codec.factor]
    }

    private mutating func noise(_ use: PositionNoise.Purpose, step: Int = 0, draw: Int = 0) -> Tensor {
        switch settings.rng {
        case .torch: torch.normal(latentShape)
        case .position:
            PositionNoise(seed: settings.seed).normal(
                latentShape, .init(use, pass: pass, step: step, draw: draw), threads: model.engine.threads)
        }
    }

    /// The working picture as latents. Where the encoding is a sample its noise is drawn first, as other tools do.
    ///
    /// - Parameter known: the latents, where they are known already; what would be drawn for them is still drawn
    package mutating func encode(_ picture: Tensor, known: Tensor? = nil) throws -> Tensor {
        guard settings.encode == .sample, case .autoencoder = model.codec else {
            return try known ?? model.codec.encode(picture)
        }
        let drawn = noise(.encoder)
        return try known ?? model.codec.encode(picture, noise: { _ in drawn })
    }

    /// Noises latents to the first step's level and paints the steps.
    ///
    /// - Parameter latents: what the init image became, or nil to paint from noise alone
    package mutating func paint(
        _ latents: Tensor?, steps: [Step], progress: @escaping (Sampler.Progress) throws -> Void
    ) throws -> Tensor {
        guard let first = steps.first else { return latents ?? Tensor(latentShape, repeating: 0) }
        var configuration = model.scheduler
        configuration.prediction = settings.prediction ?? configuration.prediction
        let clock = PromptClock()
        let prompted = model.denoiser(
            try studio.conditioning(settings), prediction: configuration.prediction, size: size, clock: clock)
        let denoise: Denoiser = { x, level in
            defer { clock.advance() }
            return try prompted(x, level)
        }

        let start = settings.initialNoiseMultiplier * noise(.start)
        let x: Tensor =
            if let latents {
                first.from.noised(latents, start)
            } else {
                // From nothing: samplers over σ begin with σ of noise, the others with noise alone.
                settings.sampler.takesSchedule ? first.from.sigma * start : start
            }
        var generator = self
        let run = Sampler.Run(
            steps: steps, configuration: configuration, eta: settings.eta,
            noise: { step, draw in generator.noise(.sampler, step: step, draw: draw) }, progress: progress)
        return try settings.sampler.sample(x, run, denoise)
    }
}
