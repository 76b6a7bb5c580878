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
        var source: PictureReader
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

    func size(of path: String) throws -> PixelSize { try command.limits.size(of: path) }

    func check(_ size: PixelSize, mask: PixelSize?) throws {
        let upscaling = try upscaling(size)
        for size in upscaling.sizes {
            try command.limits.check(
                size, of: item.input, mend: "Choose a smaller --scale, or an upscaler of a smaller factor")
        }
        try (upscaling.upscaler as? LearnedUpscaler)?.check(size, to: upscaling.target)
    }
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
        let size = ready?.source.size ?? (try? size(of: item.input))
        return size.flatMap { try? upscaling($0).estimate.operations } ?? 0
    }

    private func upscaler() throws -> any PictureUpscaler {
        try shelf.upscaler(command.upscalerKey) { try command.makeUpscaler(verbose: session.console.verbose) }
    }

    private func upscaling(_ size: PixelSize) throws -> Upscaling {
        Upscaling(try upscaler(), size, scale: command.scale)
    }

    private var threads: Threads { command.running.threading.pool }

    private func opened() throws -> Ready {
        if let ready { return ready }
        try Interruption.check()
        let source = try InputStrips(item.input, command.limits)
        source.reader.deepen(to: session.output.workingDepth(source.reader.depth, at: paths.first ?? ""))
        try check(source.reader.size, mask: nil)
        let upscaling = try upscaling(source.reader.size)
        let kernels = try (upscaling.upscaler as? LearnedUpscaler)?.kernels() ?? []
        let new = Ready(
            source: source.reader, upscaling: upscaling,
            recipe: UpscaleRecipe(
                upscaling, source: source.identity, form: session.form(at: paths.first ?? ""), kernels: kernels))
        ready = new
        return new
    }

    func recipes() throws -> [ExpectedResult] {
        let ready = try opened()
        let hash = ready.recipe.hash(over: ready.source.metadata)
        return paths.map { .init(path: $0, recipes: [hash], carriesRecipe: session.output.writesRecipe) }
    }

    func tell() throws {
        guard command.plansOnly else { return }
        let ready = try opened()
        session.console.say(line(ready), members(ready))
        close()
    }

    private func diskBytes(_ ready: Ready) -> Int {
        let keepsInks = paths.first.map(session.output.format) == .tiff
        return ready.upscaling.diskBytes(ready.source)
            + (keepsInks ? ready.source.plateBytes(ready.upscaling.target) : 0)
    }

    private func line(_ ready: Ready) -> String {
        let (upscaling, estimate) = (ready.upscaling, ready.upscaling.estimate)
        let disk = diskBytes(ready)
        return
            "\(item.input): \(upscaling.description), about \(Console.time(upscaling.seconds(threads))), at most about \(MemorySize.text(estimate.bytes)) in memory"
            + (disk > 0 ? " and \(MemorySize.text(Double(disk))) on disk meanwhile" : "")
    }

    private func members(_ ready: Ready) -> [(String, JSONText)] {
        let upscaling = ready.upscaling
        func size(_ size: PixelSize) -> JSONText { .list([.integer(size.width), .integer(size.height)]) }
        let estimate = upscaling.estimate
        return [
            ("event", .text("plan")), ("input", .text(item.input)), ("source", size(upscaling.source)),
            ("target", size(upscaling.target)), ("upscaler", .text(upscaling.upscaler.name)),
            ("factor", upscaling.upscaler.factor.map(JSONText.integer) ?? .null),
            ("passes", .integer(estimate.passes)),
            ("seconds", .number((upscaling.seconds(threads) * 10).rounded() / 10)),
            ("bytes", .number(estimate.bytes.rounded())), ("disk", .integer(diskBytes(ready))),
        ]
    }

    func make(_ advance: Share) throws {
        let began = clock()
        let ready = try opened()
        let (source, upscaling, console) = (ready.source, ready.upscaling, session.console)
        let format = session.output.format(at: paths[0])
        if !console.isOfMany || console.tellsAll {
            console.tell("\(item.input): \(upscaling.description)", members(ready))
        }
        if upscaling.upscaler is LearnedUpscaler {
            try console.warnOfColour(source.metadata, source.channels, named: item.input, in: format)
        } else {
            try console.warnOfCarriedColour(source.metadata, source.channels, named: item.input, in: format)
        }
        source.folder = try session.folder(of: paths[0])
        var metadata = source.metadata
        metadata.plates = metadata.plates?.scaled(to: upscaling.target)
        try session.write(
            upscaling.target, channels: source.channels, depth: source.depth, ready.recipe, over: metadata,
            to: paths[0], input: item.input, began: began
        ) { send in
            try upscaling.apply(to: source, depth: session.output.depth, threads: threads) { operations in
                try advance(operations, "upscaling")
            } _: { band in
                try send(band)
            }
        }
        if let learned = upscaling.upscaler as? LearnedUpscaler {
            session.tellProfile(of: learned.network.engine, seconds: clock() - began)
        }
        close()
    }
}
