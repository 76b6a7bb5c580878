import Painting
import Raster
import RasterFiles
import Threads

/// Fitting one picture.
final class FitWork: ItemWork {
    let item: Item
    let session: PaintingSession
    private let command: FitCommand
    /// Whether there is no other that it could be taken for.
    private let isAlone: Bool
    private(set) var paths: [String] = []
    private var ready: Ready?

    private struct Ready {
        var source: PictureReader
        var plan: FitPlan
        var recipe: FitRecipe
    }

    init(_ command: FitCommand, _ item: Item, _ session: PaintingSession, isAlone: Bool) {
        (self.command, self.item, self.session, self.isAlone) = (command, item, session, isAlone)
    }

    var resultCount: Int { 1 }

    func settle(_ names: inout OutputPlan) throws {
        names.options = session.output
        let result = OutputPlan.Result(input: item.input, command: "fit", subfolder: item.subfolder)
        let path = try names.path(for: result)
        paths = [path]
        if command.mode == .outpaint { paths.append(try names.path(ofMaskBeside: path, of: result)) }
    }

    func size(of path: String) throws -> PixelSize { try command.limits.size(of: path) }
    func check(_ size: PixelSize, mask: PixelSize?) throws { _ = try plan(size) }
    func request() throws -> StudioRequest? { nil }
    /// Of a short list too, pictures are read when their turn comes: nothing has to be known of all of them.
    func open() throws {}
    func prepare(_ studio: Studio?) throws { if session.journal != nil { _ = try opened() } }
    func close() { ready = nil }

    /// Reading and resampling, in operations.
    func work(_ size: PixelSize, _ studio: Studio?) throws -> Double { Double(size.area) * 1000 }
    var work: Double {
        // A pipe can be looked at only once.
        let glanced = ready == nil && WholeFile.isPlain(item.input) ? try? size(of: item.input) : nil
        return (ready?.source.size ?? glanced).map { Double($0.area) * 1000 } ?? 0
    }

    private var options: FitOptions {
        FitOptions(mode: command.mode, goal: command.goal, multiple: command.sideMultiple)
    }

    private func plan(_ size: PixelSize) throws(PaintingError) -> FitPlan {
        let plan: FitPlan
        do throws(FitError) {
            plan = try FitPlan(source: size, options: options)
        } catch {
            throw .unsuitable("\(item.input): \(error.description)")
        }
        try command.limits.check(
            plan.target, cutFrom: plan.scaled, of: item.input, mend: "Ask for a smaller size or multiple")
        return plan
    }

    private func opened() throws -> Ready {
        if let ready { return ready }
        try Interruption.check()
        // Inks are scaled as they are; what runs on beyond the sides is drawn in colours.
        let keepsInks = command.mode != .outpaint && paths.first.map(session.output.format) == .tiff
        let source = try InputStrips(item.input, command.limits, keepingInks: keepsInks)
        source.reader.deepen(to: session.output.workingDepth(source.reader.depth, at: paths.first ?? ""))
        let plan = try plan(source.reader.size)
        let recipe = FitRecipe(
            plan: plan, goal: command.goal, multiple: command.sideMultiple, source: source.identity,
            form: session.form(at: paths.first ?? ""))
        let new = Ready(source: source.reader, plan: plan, recipe: recipe)
        ready = new
        return new
    }

    /// What is kept of a picture that runs on beyond its sides is held whole, since lines run to any of its pixels; source and
    /// result pass in strips. Its mask goes beside it.
    private func runOn(
        _ ready: Ready, in folder: String, began: Double, _ advance: @escaping (_ share: Double) throws -> Void
    ) throws {
        let source = ready.source
        var metadata = source.metadata
        let (plan, hash) = (ready.plan, ready.recipe.hash(over: metadata))
        metadata.plates = metadata.plates?.scaled(to: plan.scaled).surrounded(by: plan.padding)
        func strips(_ body: (Range<Int>) throws -> Void) rethrows {
            let most = max(1, PixelStore.stripSamples / (plan.target.width * source.channels.count))
            for y in stride(from: 0, to: plan.target.height, by: most) {
                try body(y..<min(plan.target.height, y + most))
            }
        }
        let threads = command.threading.pool
        let drawn = Continuation(
            of: try source.kept(plan, in: folder, threads: threads), by: plan.padding, threads: threads)
        try session.write(
            plan.target, channels: source.channels, depth: source.depth, ready.recipe, over: metadata, to: paths[0],
            input: item.input, began: began
        ) { send in
            try strips { rows in
                try send(drawn.strip(rows))
                try advance(Double(rows.count) / Double(plan.target.height))
            }
        }
        for path in paths.dropFirst() {
            try session.write(
                plan.target, channels: .grey, depth: 8, metadata: .init(), to: path, hash: hash, format: .png
            ) { send in try strips { try send(plan.mask($0)) } }
            try session.console.report(
                .result(
                    .init(path: path, input: item.input, command: "fit", seconds: clock() - began, hash: hash)))
        }
        close()
    }

    func recipes() throws -> [ExpectedResult] {
        let ready = try opened()
        let hash = ready.recipe.hash(over: ready.source.metadata)
        return paths.enumerated().map { place, path in
            .init(path: path, recipes: [hash], carriesRecipe: place == 0 && session.output.writesRecipe)
        }
    }

    func tell() throws {
        guard command.plansOnly else { return }
        let ready = try opened()
        if command.list {
            do throws(FitError) {
                tell(
                    ready.source.size,
                    try FitPlan.candidates(source: ready.source.size, options: options))
            } catch {
                throw PaintingError.unsuitable("\(item.input): \(error.description)")
            }
        } else {
            Console.say(command.telling.json ? json(ready) : line(ready))
        }
        close()
    }

    private func line(_ ready: Ready) -> String {
        let plan = ready.plan
        var line = isAlone && !session.console.isOfMany ? plan.description : "\(item.input): \(plan)"
        let bytes = Double(ready.source.diskBytes(plan))
        // What is less than that no disk lacks.
        if bytes >= 1e8 || command.telling.explain && bytes > 0 {
            line += ", with \(MemorySize.text(bytes)) on disk meanwhile"
        }
        return line
    }

    func make(_ advance: Share) throws {
        let began = clock()
        let work = work
        let ready = try opened()
        let (source, plan, path) = (ready.source, ready.plan, paths[0])
        try session.console.warnOfCarriedColour(
            source.metadata, source.channels, named: item.input, in: session.output.format(at: path))
        if command.telling.json {
            Console.say(json(ready))
        } else {
            // Standard output holds the results' paths alone.
            try session.console.report(.note(line(ready)))
        }
        let (folder, threads) = (try session.folder(of: path), command.threading.pool)
        source.folder = folder
        if plan.mode == .outpaint {
            return try runOn(ready, in: folder, began: began) { try advance(work * $0, "fitting") }
        }
        try session.write(
            plan.target, channels: source.channels, depth: source.depth, ready.recipe, over: source.metadata, to: path,
            input: item.input, began: began
        ) { send in
            try source.fitted(plan, in: folder, threads: threads) { strip, _ in
                try send(strip)
                if work > 0 {
                    try advance(work * Double(strip.height) / Double(plan.target.height), "fitting")
                }
            }
        }
        close()
    }

    private func tell(_ source: PixelSize, _ candidates: [FitCandidate]) {
        if command.telling.json {
            for candidate in candidates {
                Console.say(
                    JSONText.object([
                        ("event", .text("candidate")), ("input", .text(item.input)),
                        ("size", .list([.integer(candidate.size.width), .integer(candidate.size.height)])),
                        ("aspect_error", .number(candidate.aspectError)),
                        ("area_change", .number(candidate.areaChange)),
                        ("exact", .bool(candidate.isExact)), ("chosen", .bool(candidate.isChosen)),
                    ]).string)
            }
            return
        }
        Console.say("\(item.input): \(source), multiples of \(command.sideMultiple)")
        for candidate in candidates {
            let aspect = candidate.isExact ? "exact" : "aspect \(Self.percent(candidate.aspectError))"
            Console.say(
                "\(candidate.isChosen ? "*" : " ") \(Self.padded(candidate.size.description, 12))\(Self.padded(aspect, 16))area \(Self.percent(candidate.areaChange, signed: true))"
            )
        }
    }

    private static func percent(_ share: Double, signed: Bool = false) -> String {
        let value = (share * 10000).rounded() / 100
        return (signed && value > 0 ? "+" : "") + "\(value) %"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private func json(_ ready: Ready) -> String {
        let plan = ready.plan
        func size(_ size: PixelSize) -> JSONText { .list([.integer(size.width), .integer(size.height)]) }
        return JSONText.object([
            ("event", .text("plan")), ("input", .text(item.input)), ("source", size(plan.source)),
            ("scaled", size(plan.scaled)),
            ("target", size(plan.target)), ("mode", .text(plan.mode.rawValue)), ("text", .text(plan.description)),
            ("disk", .integer(ready.source.diskBytes(plan))),
        ]).string
    }
}
