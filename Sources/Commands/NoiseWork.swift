import Painting
import Raster
import RasterFiles
import Threads

/// Roughening one picture.
final class NoiseWork: ItemWork {
    let item: Item
    let session: PaintingSession
    private let command: NoiseCommand
    private let seed: UInt64
    private var path = ""
    private var gatePath: String?
    private var ready: Ready?

    private struct Ready {
        var source: InputPicture
        var mask: InputPicture?
        var history: Int
        var recipe: NoiseRecipe
    }

    init(_ command: NoiseCommand, _ item: Item, _ session: PaintingSession, seed: UInt64) {
        (self.command, self.item, self.session, self.seed) = (command, item, session, seed)
    }

    var resultCount: Int { 1 }
    var paths: [String] { [path] + [gatePath].compactMap { $0 } }

    func settle(_ names: inout OutputPlan) throws {
        names.options = session.output
        path = try names.path(for: .init(input: item.input, command: "noise", subfolder: item.subfolder))
        guard let gateOut = command.gateOut else { return }
        var options = OutputOptions()
        (options.path, options.overwrite) = (gateOut, session.output.overwrite)
        names.options = try options.checked()
        gatePath = try names.path(for: .init(input: item.input, command: "gate", subfolder: item.subfolder))
    }

    func check(_ size: PixelSize, mask: PixelSize?) throws {
        guard let path = item.mask, let mask else { return }
        try command.masking.check(mask, name: path, for: item.input, size)
    }

    func request() throws -> StudioRequest? { nil }
    /// Of a short list too, pictures are read when their turn comes: of all of them only the sizes have to be known.
    func open() throws {
        try check(try PictureFile.glance(item.input).size, mask: try item.mask.map { try PictureFile.glance($0).size })
    }
    func prepare(_ studio: Studio?) throws { if session.journal != nil { _ = try opened() } }
    func close() { ready = nil }

    /// In operations, about.
    func work(_ size: PixelSize, _ studio: Studio?) throws -> Double { Double(size.area) * 1000 }
    var work: Double { ready.map { Double($0.source.picture.size.area) * 1000 } ?? 0 }

    private func opened() throws -> Ready {
        if let ready { return ready }
        try Interruption.check()
        let source = try InputPicture(item.input)
        let mask = try item.mask.map { try InputPicture($0) }
        let recipe = NoiseRecipe(
            command.roughness, seed: seed, source: source.identity, mask: mask?.identity, masking: command.masking,
            form: session.form(at: path))
        let new = Ready(
            source: source, mask: mask, history: Inheritance(source.picture.metadata).history.count, recipe: recipe)
        ready = new
        return new
    }

    func recipes() throws -> [ExpectedResult] {
        let ready = try opened()
        let hash = ready.recipe.hash(over: ready.source.picture.metadata)
        return [.init(path: path, recipes: [hash], carriesRecipe: session.output.writesRecipe)]
            + [gatePath].compactMap { $0 }.map { .init(path: $0, recipes: [hash], carriesRecipe: false) }
    }

    func tell() throws {
        guard command.plansOnly else { return }
        let ready = try opened()
        try say(ready, try roughened(ready))
        close()
    }

    private func roughened(_ ready: Ready) throws -> Roughening.Result {
        let (picture, threads) = (ready.source.picture, Threads(command.threads))
        let mask = try ready.mask.map { file in
            let mask = try command.masking.mask(
                file.picture, name: file.path, for: item.input, picture.size, threads: threads)
            return command.invertMask ? mask.inverted : mask
        }
        return command.roughness(picture, seed: seed, pass: ready.history, mask: mask, threads: threads)
    }

    /// The plan in one line, with what was found in the picture.
    private func say(_ ready: Ready, _ result: Roughening.Result) throws {
        let (size, open) = (ready.source.picture.size, (result.openShare * 1000).rounded() / 10)
        let grain = (result.noise * 100).rounded() / 100
        let line =
            "\(item.input): \(size), \(ready.recipe.plan); its own noise \(Console.number(grain)), gate open on \(Console.number(open)) %"
        let members: [(String, JSONText)] =
            [
                ("event", .text("plan")), ("input", .text(item.input)),
                ("source", .list([.integer(size.width), .integer(size.height)])), ("noise", .number(grain)),
                ("open", .number(open)),
            ] + ready.recipe.members.filter { !["source", "mask"].contains($0.0) }
        if command.plansOnly { return session.console.say(line, members) }
        if command.telling.json { return session.console.say(nil, members) }
        try session.console.report(.note(line))
    }

    func make(_ advance: @escaping (_ work: Double, _ stage: String) throws -> Void) throws {
        let (began, work) = (clock(), work)
        let ready = try opened()
        let source = ready.source.picture
        try session.warnOfForm(source, at: path)
        try session.console.warnOfCarriedColour(source.metadata, source.channels, named: item.input)
        try Interruption.check()
        let result = try roughened(ready)
        if !session.console.isOfMany { try say(ready, result) }
        if work > 0 { try advance(work, "roughening") }
        try session.write(
            result.picture, ready.recipe, over: source.metadata, to: path, input: item.input, seed: ready.recipe.drawn,
            began: began)
        if let gatePath {
            let format = PictureFormat(path: gatePath) ?? .png
            let bytes = try PictureFile.encode(result.gate, as: format, name: gatePath)
            try session.write(
                bytes, to: gatePath, hash: ready.recipe.hash(over: source.metadata), carriesRecipe: false)
            try session.console.report(
                .result(.init(path: gatePath, input: item.input, command: "noise", seconds: clock() - began)))
        }
        close()
    }
}
