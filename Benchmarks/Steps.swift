import Checkpoints
import Networks
import Painting
import Raster
import Tensors

/// What painting is made of: reading the text, one step, encoding and decoding.
struct Steps {
    let engine: Engine
    let report: Report
    var rounds = 15

    static let prompt = "a painting of desert at sunset"

    /// - Parameter height: of the working picture, in pixels
    func run(_ model: DiffusionModel, _ name: String, height: Int, width: Int) throws {
        report.heading("\(name) at \(width)×\(height) pixels")
        let picture = Tensor([1, 3, height, width], repeating: 0.25)
        let latents = try model.codec.encode(picture)
        let positive = try model.text(Self.prompt, skip: nil)
        let negative = try model.text("", skip: nil)
        let context = Tensor.stack([negative.context, positive.context])
        let pair = Tensor.stack([latents, latents])

        let isPair = model.predictionsAtOnce(PixelSize(width: width, height: height)) > 1
        try tell("step", "one guided step of the UNet") {
            if isPair {
                _ = try model.unet(pair, times: [500, 500], context: context)
            } else {
                for text in [negative, positive] {
                    _ = try model.unet(latents, times: [500], context: text.context)
                }
            }
        }
        try tell("step-unguided", "one step without guidance") {
            _ = try model.unet(latents, times: [500], context: positive.context)
        }
        try tell("text", "reading a prompt") { _ = try model.text(Self.prompt, skip: nil) }
        try tell("encode", "encode") { _ = try model.codec.encode(picture) }
        try tell("decode", "decode") { _ = try model.codec.decode(latents) }
        Storage.trim()
    }

    /// How far a guided step of this engine's precision is from one in 32 bits.
    func tellRounding(of model: DiffusionModel, in folder: ModelFolder, height: Int, width: Int) throws {
        let cells = [2, model.unet.configuration.inChannels, height / model.codec.factor, width / model.codec.factor]
        let noise = PositionNoise(seed: 1)
        let latents = noise.normal(cells, .init(.start, pass: 0, step: 0, draw: 0), threads: engine.threads)
        let text = try model.text(Self.prompt, skip: nil).context
        func step(_ model: DiffusionModel) throws -> [Float] {
            try model.unet(latents, times: [500, 500], context: Tensor.stack([text, text])).values
        }
        let rounded = try step(model)
        let exact = try step(DiffusionModel(folder, on: Engine(threads: engine.threads)))
        let (error, size) = zip(rounded, exact).reduce((0.0, 0.0)) {
            ($0.0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)), $0.1 + Double($1.1 * $1.1))
        }
        let relative = (error / size).squareRoot()
        report.line(
            "a guided step differs from 32 bits by \((100 * relative).fixed(2)) % (rms)",
            [("bench", .text("rounding")), ("relative", .number(relative))])
    }

    /// - Parameters:
    ///   - folder: a model folder with a part "vae"
    ///   - side: of the picture, in pixels
    func run(autoencoderIn folder: ModelFolder, side: Int) throws {
        let autoencoder = try Autoencoder.load(folder, "vae", on: engine)
        report.heading("The small random autoencoder of the tests at \(side)×\(side) pixels")
        let picture = Tensor([1, 3, side, side], repeating: 0.25)
        let latents = try autoencoder.encode(picture).mean
        try tell("vae-encode", "encode") { _ = try autoencoder.encode(picture) }
        try tell("vae-decode", "decode") { _ = try autoencoder.decode(latents) }
        Storage.trim()
    }

    /// The autoencoder alone, at sizes where a step would take long.
    func run(codecIn folder: ModelFolder, side: Int) throws {
        let autoencoder = try Autoencoder.load(folder, "vae", on: engine)
        report.heading("The autoencoder of \(folder.name) at \(side)×\(side) pixels")
        let cells = side / autoencoder.configuration.factor
        let noise = PositionNoise(seed: 1)
        func random(_ shape: [Int]) -> Tensor {
            noise.normal(shape, .init(.start, pass: 0, step: 0, draw: 0), threads: engine.threads)
        }
        let latents = random([1, autoencoder.configuration.latentChannels, cells, cells])
        try tellOnce("decode") { _ = try autoencoder.decode(latents) }
        let picture = random([1, 3, side, side])
        try tellOnce("encode") { _ = try autoencoder.encode(picture) }
    }

    /// What takes a minute, once, with the packing of its weights.
    private func tellOnce(_ name: String, _ body: () throws -> Void) throws {
        Storage.trim()
        PeakMemory.reset()
        let seconds = try Stopwatch.wall.measure(body)
        let peak = PeakMemory.bytes
        report.line(
            "\(name.left(28)) \(seconds.duration.right(9))   peak memory \(peak.megabytes)",
            [("bench", .text(name)), ("seconds", .number(seconds)), ("peak", .number(peak))])
    }

    private func tell(_ name: String, _ title: String, _ body: @escaping () throws -> Void) throws {
        Storage.trim()
        PeakMemory.reset()
        if let profile = engine.profile {
            // Weights are packed when they are first met.
            try body()
            profile.clear()
        }
        let timing = try measure(rounds: rounds, [body])[0]
        let peak = PeakMemory.bytes
        report.line(
            "\(title.left(28)) \(timing.median.duration.right(9))   least \(timing.least.duration.right(9))"
                + "   peak memory \(peak.megabytes)",
            [
                ("bench", .text(name)), ("median", .number(timing.median)), ("least", .number(timing.least)),
                ("rounds", .integer(rounds)), ("threads", .integer(engine.threads.count)), ("peak", .number(peak)),
            ])
        if let profile = engine.profile {
            for line in profile.report(of: timing.seconds.reduce(0, +), on: engine) { report.remark("  " + line) }
        }
    }
}
