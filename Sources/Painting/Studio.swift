import Checkpoints
import Networks
import Raster
import Sampling
import Tensors

/// Where painting happens: a loaded model and what every picture of one command shares.
package final class Studio {
    package let model: DiffusionModel
    private let folder: ModelFolder
    private let options: ModelOptions
    /// The same in 32 bits throughout, once it was needed.
    private var exactTwin: Studio?
    /// Texts that were read, by what decides how.
    var texts = Recent<TextKey, [Conditioning]>(128)
    /// Embeddings that prompts may name.
    var embeddings: [Embedding] = []
    var names: [EmbeddingNames]
    /// LoRAs that were merged into the model.
    package private(set) var adapters: [AdapterFiles.Chosen] = []
    /// Hypernetworks that its attention looks through.
    package private(set) var hypernetworks: [HypernetworkFiles.Chosen] = []
    private var hashes: [(part: String, hash: String)]?
    /// Another autoencoder than the model's own.
    private let otherAutoencoder: String?
    private var autoencoderHash: String?
    private var masks = Recent<PixelSize, Tensor>(8)

    /// - Parameters:
    ///   - name: "miniature" for the model inside the program, or the path of a model folder or file
    ///   - options: what is known of the model beside what it says itself
    ///   - adapters: merged into it
    ///   - hypernetworks: put between its attention and what that looks at
    package convenience init(
        model name: String, as options: ModelOptions = .init(), adapters: [AdapterFiles.Chosen] = [],
        hypernetworks: [HypernetworkFiles.Chosen] = [], on engine: Engine
    ) throws {
        var options = options
        options.adapters = adapters.map(\.adapter)
        options.hypernetworks = hypernetworks.map { ($0.file, $0.weight) }
        try self.init(try ModelFolder(named: name), as: options, on: engine)
        (self.adapters, self.hypernetworks) = (adapters, hypernetworks)
    }

    package init(_ folder: ModelFolder, as options: ModelOptions = .init(), on engine: Engine) throws {
        (self.folder, self.options, otherAutoencoder) = (folder, options, options.autoencoder)
        model = try DiffusionModel(folder, as: options, on: engine)
        names = model.text.names([])
    }

    /// The same model in 32 bits throughout; nil where it is so already.
    func exact() throws -> Studio? {
        if let exactTwin { return exactTwin }
        guard let engine = model.engine.exact() else { return nil }
        let twin = try Studio(folder, as: options, on: engine)
        // Texts are read in 32 bits anyway.
        (twin.embeddings, twin.names, twin.texts) = (embeddings, names, texts)
        exactTwin = twin
        return twin
    }

    /// What a model for inpainting sees beside the latents where everything is to be repainted: a white mask, and grey
    /// for what it leaves of the picture. Source: AUTOMATIC1111's web UI, `modules/processing.py`,
    /// `inpainting_image_conditioning`.
    func wholeMask(_ size: PixelSize) throws -> Tensor {
        if let known = masks[size] { return known }
        let left = try model.codec.encode(Tensor([1, 3, size.height, size.width], repeating: 0))
        let (height, width) = (left.shape[2], left.shape[3])
        let new = Tensor(
            [1, 1 + left.shape[1], height, width],
            Array(repeating: 1, count: height * width) + left.values)
        masks[size] = new
        return new
    }

    /// SHA-256 of the weights of each part that the model has, the UNet first; of a model in one file, of the file.
    package func modelHashes() throws(CheckpointError) -> [(part: String, hash: String)] {
        if let hashes { return hashes }
        let found = try Self.modelHashes(folder)
        hashes = found
        return found
    }

    /// The same of a model that is not loaded.
    package static func modelHashes(of name: String) throws(CheckpointError) -> [(part: String, hash: String)] {
        try modelHashes(try ModelFolder(named: name))
    }

    private static func modelHashes(_ folder: ModelFolder) throws(CheckpointError) -> [(part: String, hash: String)] {
        if let file = folder.checkpoint?.file { return [("file", hash([file]))] }
        var found: [(part: String, hash: String)] = []
        for (part, stem) in parts where part == "unet" || folder.has("\(part)/config.json") {
            found.append((part, hash(try folder.weights(part, stem: stem))))
        }
        return found
    }

    private static func hash(_ files: [TensorFile]) -> String {
        var sum = SHA256()
        for file in files { file.forEachPiece { sum.update($0) } }
        return sum.finish()
    }

    /// Name and SHA-256 of the autoencoder that was given beside the model.
    package func autoencoder() throws(CheckpointError) -> (name: String, hash: String)? {
        guard let path = otherAutoencoder else { return nil }
        let hash: String
        if let known = autoencoderHash { hash = known } else { hash = try Self.autoencoderHash(of: path) }
        autoencoderHash = hash
        return (path.split(separator: "/").last.map(String.init) ?? path, hash)
    }

    /// SHA-256 of an autoencoder's weights; of one in two files, the encoder's first.
    package static func autoencoderHash(of path: String) throws(CheckpointError) -> String {
        let (folder, part) = try ModelFolder.autoencoder(path: path, scale: 1)
        return hash(try folder.weights(part, stem: "diffusion_pytorch_model"))
    }

    private static let parts = [
        ("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"), ("text_encoder", "model"),
        ("text_encoder_2", "model"),
    ]
}

extension Engine {
    /// What decides the last bits of a picture beside its settings, as recipes name it.
    ///
    /// - Parameter isExact: the picture was painted again in 32 bits
    package func kernels(isExact: Bool = false) throws -> [(String, String)] {
        let libraries = try Engine.libraries()
        return [
            ("processor", instructionSet), ("loops", libraries.kernels), ("oneDNN", libraries.oneDNN),
            ("precision", (isExact ? .f32 : precision).rawValue), ("plan", KernelPlan.name),
            ("table", table.description),
        ]
    }
}

/// One painting of one picture: everything between latents and latents. All commands that paint go through it.
package struct LatentPainter {
    package private(set) var studio: Studio
    package let settings: Settings
    /// Size of the working picture, in pixels.
    package let size: PixelSize
    /// Counts loops and the length of the source's own history, so that repeated painting with one seed does not burn in.
    package let pass: Int
    private(set) var noise: NoiseSource

    /// - Parameter place: of the picture among the cells of a larger one that it is a tile of
    package init(
        _ studio: Studio, _ settings: Settings, size: PixelSize, pass: Int = 0, at place: PositionNoise.Place = .init()
    ) {
        (self.studio, self.settings, self.size, self.pass) = (studio, settings, size, pass)
        let codec = studio.model.codec
        let shape = [1, codec.latentChannels, size.height / codec.factor, size.width / codec.factor]
        noise = NoiseSource(settings, shape: shape, pass: pass, at: place, threads: studio.model.engine.threads)
    }

    /// Paints, decodes, and looks at what came out. What is no picture is painted once more in 32 bits, where it was not.
    ///
    /// - Parameters:
    ///   - place: " at skip 50", for the message
    ///   - source: what it is painted over, which may have one colour itself
    ///   - paint: paints with the painter that it gets
    /// - Returns: the picture, and whether 32 bits were needed
    /// - Throws: ``PaintingError/unsuitable(_:)`` when it is none in 32 bits either
    package mutating func picture(
        _ place: String = "", from source: Tensor? = nil, _ paint: (inout LatentPainter) throws -> Tensor
    ) throws -> (FloatPicture, isExact: Bool) {
        var again = self
        let mayBeFlat = source?.picture().isFlat == true
        let first = try model.codec.decode(paint(&self)).picture()
        guard let fault = first.fault(mayBeFlat: mayBeFlat) else { return (first, false) }
        guard let exact = try studio.exact() else { throw unsound(fault, place) }
        model.unet.shelf.empty()
        again.studio = exact
        let second = try exact.model.codec.decode(paint(&again)).picture()
        self = again
        guard let fault = second.fault(mayBeFlat: mayBeFlat) else { return (second, true) }
        throw unsound(fault, place)
    }

    private func unsound(_ fault: String, _ place: String) -> PaintingError {
        .unsuitable(
            "The model \(model.name) painted \(fault)\(place). Check the model with models verify, or lower --guidance."
        )
    }

    var model: DiffusionModel { studio.model }

    /// A picture that is painted in parts: what is held of it and for how long.
    package struct Held {
        /// The clean picture, as latents.
        package var source: Tensor
        /// `[1, 1, h, w]`, 0…1: cells of strength v run the last ⌈R·v⌉ of R steps.
        package var strength: Tensor
        package var fill: Masking.Fill

        package init(source: Tensor, strength: Tensor, fill: Masking.Fill = .original) {
            (self.source, self.strength, self.fill) = (source, strength, fill)
        }
    }

    var latentShape: [Int] {
        [1, model.codec.latentChannels, size.height / model.codec.factor, size.width / model.codec.factor]
    }

    /// The working picture as latents. Where the encoding is a sample its noise is drawn first, as other tools do.
    ///
    /// - Parameter known: the latents, where they are known already; what would be drawn for them is still drawn
    package mutating func encode(_ picture: Tensor, known: Tensor? = nil) throws -> Tensor {
        try encode([picture], known: known.map { [$0] })[0]
    }

    /// Several forms of one picture, all with the same draw.
    mutating func encode(_ pictures: [Tensor], known: [Tensor]?) throws -> [Tensor] {
        // Pictures are read far less often than steps are run, and packing these weights again takes a moment.
        defer { if known == nil { for shelf in model.codec.encoderShelf { shelf.empty() } } }
        guard settings.encode == .sample, model.codec.believes else {
            return try known ?? pictures.map { try model.codec.encode($0) }
        }
        let drawn = noise.posterior()
        return try known ?? pictures.map { try model.codec.encode($0, noise: { _ in drawn }) }
    }

    /// Noises latents to the start's level and paints the steps.
    ///
    /// - Parameters:
    ///   - latents: what the init image became, or nil to paint from noise alone
    ///   - held: what is held of it, where a mask says so
    ///   - beside: `[1, C, h, w]`, what a model for inpainting sees; without it, that all is to be painted
    ///   - tiles: looks at the picture tile by tile, where it is too large to be looked at whole
    ///   - guide: holds what is broad in each guess
    ///   - way: to the noise that leads to the latents, where painting starts from that
    ///   - evaluated: told after each time that the network was asked; may throw to stop
    package mutating func paint(
        _ latents: Tensor?, _ plan: RunPlan, held: Held? = nil, beside: Tensor? = nil, tiles: LatentTiles? = nil,
        guide: CompositionGuide? = nil, way: Inversion.Way? = nil, evaluated: @escaping () throws -> Void
    ) throws -> Tensor {
        guard let first = plan.start else { return latents ?? Tensor(latentShape, repeating: 0) }
        let clock = PromptClock()
        let joined = try denoiser(settings, plan, beside: beside, tiles: tiles, clock)
        let denoise = guide.map { $0.holding(joined) } ?? joined

        let unit = noise.start()
        let start = settings.initialNoiseMultiplier * unit
        let mask = held.map { MaskedDenoiser(source: $0.source, strength: $0.strength, steps: plan.steps.count) }
        let x: Tensor =
            if let latents, let way {
                try inverted(
                    latents, way, plan, from: first, unit: unit, beside: beside, tiles: tiles, evaluated: evaluated)
            } else if let latents {
                first.noised(begun(latents, held, mask, unit), start)
            } else {
                plan.startsFromUnitNoise ? start : first.sigma * start
            }
        var source = noise
        let run = Sampler.Run(
            steps: plan.steps, configuration: plan.configuration, eta: settings.eta,
            noise: { step, draw in source.step(step, draw) }, path: noise.path(over: plan.span),
            progress: { mask?.advance($0) })
        let counted: Denoiser = { x, level in
            let estimate = try denoise(x, level)
            clock.advance()
            try evaluated()
            return estimate
        }
        // Models that see the mask keep what it keeps by themselves; not every tool trusts them.
        guard let mask, !model.takesMask || settings.conventions.holdsWhatModelsSee else {
            return try settings.sampler.sample(x, run, counted)
        }
        return mask.ended(with: try settings.sampler.sample(x, run, mask.holding(counted)))
    }

    /// What guesses the clean picture, whole or tile by tile.
    ///
    /// - Parameter clock: advanced by whoever asks, once for each step
    func denoiser(
        _ settings: Settings, _ plan: RunPlan, beside: Tensor?, tiles: LatentTiles?, _ clock: PromptClock
    ) throws -> Denoiser {
        let conditioning = try studio.conditioning(settings)
        let seen = model.takesMask ? try beside ?? studio.wholeMask(size) : nil
        func part(_ size: PixelSize, _ beside: Tensor?) -> Denoiser {
            model.denoiser(
                conditioning, prediction: plan.configuration.prediction, size: size, beside: beside, clock: clock,
                settings.manner(plan))
        }
        guard let tiles else { return part(size, seen) }
        return tiles.joined { x, y in part(tiles.size * model.codec.factor, seen?.part(tiles.frame(x, y))) }
    }

    /// The clean picture that a run begins with: cells that run all of it begin with the fill.
    private func begun(_ latents: Tensor, _ held: Held?, _ mask: MaskedDenoiser?, _ unit: Tensor) -> Tensor {
        guard let held, let mask else { return latents }
        switch held.fill {
        case .original: return latents
        case .blur, .colour: return mask.begun(with: latents)
        // The web UI takes the very noise that painting starts from.
        case .noise: return mask.begun(with: unit)
        case .nothing: return mask.begun(with: Tensor(latents.shape, repeating: 0))
        }
    }
}

extension FloatPicture {
    /// What makes it no picture, in words: numbers that are none, or one colour everywhere.
    fileprivate func fault(mayBeFlat: Bool) -> String? {
        guard values.allSatisfy(\.isFinite) else { return "values that are not numbers" }
        return isFlat && !mayBeFlat ? "one colour and nothing else" : nil
    }

    /// Whether all pixels are the same.
    fileprivate var isFlat: Bool { values.indices.allSatisfy { values[$0] == values[$0 % channelCount] } }
}
