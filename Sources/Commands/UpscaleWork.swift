import Painting
import Raster
import RasterFiles
import Threads

/// Enlarging one picture.
final class UpscaleWork: ItemWork {
    let item: Item
    let session: PaintingSession
    private let command: UpscaleCommand
    private let shelf: UpscalerShelf
    private(set) var paths: [String] = []
    private var ready: Ready?

    private struct Ready {
        var source: InputPicture
        var upscaling: Upscaling
        var recipe: UpscaleRecipe
    }

    init(_ command: UpscaleCommand, _ item: Item, _ session: PaintingSession, _ shelf: UpscalerShelf) {
        (self.command, self.item, self.session, self.shelf) = (command, item, session, shelf)
    }

    var resultCount: Int { 1 }

    func settle(_ names: inout OutputPlan) throws {
        names.options = session.output
        paths = [try names.path(for: .init(input: item.input, command: "upscale", subfolder: item.subfolder))]
    }

    func check(_ size: PixelSize, mask: PixelSize?) throws { try upscaling(size).check(item.input) }
    func request() throws -> StudioRequest? { nil }
    /// Of a short list too, pictures are read when their turn comes: nothing has to be known of all of them.
    func open() throws {}
    func prepare(_ studio: Studio?) throws {
        // A file that is no upscaler is told before anything is enlarged.
        _ = try upscaler()
        if session.journal != nil { _ = try opened() }
    }
    func close() { ready = nil }

    func work(_ size: PixelSize, _ studio: Studio?) throws -> Double { try upscaling(size).estimate.operations }
    var work: Double {
        let size = ready?.source.picture.size ?? (try? PictureFile.glance(item.input).size)
        return size.flatMap { try? upscaling($0).estimate.operations } ?? 0
    }

    private func upscaler() throws -> any PictureUpscaler {
        try shelf.upscaler(command.upscalerKey) { try command.makeUpscaler(verbose: session.console.verbose) }
    }

    private func upscaling(_ size: PixelSize) throws -> Upscaling {
        Upscaling(try upscaler(), size, scale: command.scale)
    }

    private var threads: Threads { Threads(command.running.threads) }

    private func opened() throws -> Ready {
        if let ready { return ready }
        try Interruption.check()
        let source = try InputPicture(item.input)
        let upscaling = try upscaling(source.picture.size)
        try upscaling.check(item.input)
        let output = session.output
        let format = output.format(at: paths.first ?? "")
        let form = Recipe.Form(format: format, depth: output.depth, quality: format == .jpeg ? output.quality : nil)
        let kernels = try (upscaling.upscaler as? LearnedUpscaler)?.kernels() ?? []
        let new = Ready(
            source: source, upscaling: upscaling,
            recipe: UpscaleRecipe(upscaling, source: source.identity, form: form, kernels: kernels))
        ready = new
        return new
    }

    func recipes() throws -> [ExpectedResult] {
        let ready = try opened()
        let hash = ready.recipe.hash(over: ready.source.picture.metadata)
        return paths.map { .init(path: $0, recipes: [hash], carriesRecipe: session.output.writesRecipe) }
    }

    func tell() throws {
        guard command.plansOnly else { return }
        let upscaling = try opened().upscaling
        session.console.say(line(upscaling), members(upscaling))
        close()
    }

    private func line(_ upscaling: Upscaling) -> String {
        let estimate = upscaling.estimate
        return
            "\(item.input): \(upscaling.description), about \(Console.time(upscaling.seconds(threads))), at most about \(MemorySize.text(estimate.bytes)) beside the pictures"
    }

    private func members(_ upscaling: Upscaling) -> [(String, JSONText)] {
        func size(_ size: PixelSize) -> JSONText { .list([.integer(size.width), .integer(size.height)]) }
        let estimate = upscaling.estimate
        return [
            ("event", .text("plan")), ("input", .text(item.input)), ("source", size(upscaling.source)),
            ("target", size(upscaling.target)), ("upscaler", .text(upscaling.upscaler.name)),
            ("factor", upscaling.upscaler.factor.map(JSONText.integer) ?? .null),
            ("passes", .integer(estimate.passes)),
            ("seconds", .number((upscaling.seconds(threads) * 10).rounded() / 10)),
            ("bytes", .number(estimate.bytes.rounded())),
        ]
    }

    func make(_ advance: @escaping (_ work: Double, _ stage: String) throws -> Void) throws {
        let began = clock()
        let ready = try opened()
        let (picture, output, console) = (ready.source.picture, session.output, session.console)
        if !console.isOfMany || console.tellsAll {
            console.tell("\(item.input): \(ready.upscaling.description)", members(ready.upscaling))
        }
        if ready.upscaling.upscaler is LearnedUpscaler {
            try console.warnOfColour(picture, named: item.input)
        } else {
            try console.warnOfCarriedColour(picture.metadata, picture.channels, named: item.input)
        }
        var result = try ready.upscaling.apply(to: picture, depth: output.depth, threads: threads) {
            try advance($0, "upscaling")
        }
        // What the picture's own past says goes on with it, with what was done here.
        result.metadata =
            output.writesRecipe
            ? ready.recipe.added(to: picture.metadata, as: output.format(at: paths[0]))
            : Recipe.removed(from: picture.metadata)
        let hash = ready.recipe.hash(over: picture.metadata)
        try session.warnOfForm(picture, at: paths[0])
        try session.write(result, to: paths[0], hash: hash)
        if let learned = ready.upscaling.upscaler as? LearnedUpscaler {
            session.tellProfile(of: learned.network.engine, seconds: clock() - began)
        }
        try console.report(
            .result(
                .init(path: paths[0], input: item.input, command: "upscale", seconds: clock() - began, hash: hash)))
        close()
    }
}
