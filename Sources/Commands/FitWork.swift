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
        var source: InputPicture
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
        paths = [try names.path(for: result)]
        // Named so that it pairs with the picture.
        if command.mode == .outpaint { paths.append(try names.path(beside: result, suffix: "fit-mask.png")) }
    }

    func check(_ size: PixelSize, mask: PixelSize?) throws { _ = try plan(size) }
    func request() throws -> StudioRequest? { nil }
    /// Of a short list too, pictures are read when their turn comes: nothing has to be known of all of them.
    func open() throws {}
    func prepare(_ studio: Studio?) throws { if session.journal != nil { _ = try opened() } }
    func close() { ready = nil }

    /// Reading and resampling, in operations.
    func work(_ size: PixelSize, _ studio: Studio?) throws -> Double { Double(size.area) * 1000 }
    var work: Double { ready.map { Double($0.source.picture.size.area) * 1000 } ?? 0 }

    private var options: FitOptions {
        FitOptions(mode: command.mode, goal: command.goal, multiple: command.multiple)
    }

    private func plan(_ size: PixelSize) throws(PaintingError) -> FitPlan {
        do throws(FitError) {
            return try FitPlan(source: size, options: options)
        } catch {
            throw .unsuitable("\(item.input): \(error.description)")
        }
    }

    private func opened() throws -> Ready {
        if let ready { return ready }
        try Interruption.check()
        let source = try InputPicture(item.input)
        let plan = try plan(source.picture.size)
        let recipe = FitRecipe(
            plan: plan, goal: command.goal, multiple: command.multiple, source: source.identity,
            form: session.form(at: paths.first ?? ""))
        let new = Ready(source: source, plan: plan, recipe: recipe)
        ready = new
        return new
    }

    func recipes() throws -> [ExpectedResult] {
        let ready = try opened()
        let hash = ready.recipe.hash(over: ready.source.picture.metadata)
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
                    ready.source.picture.size,
                    try FitPlan.candidates(source: ready.source.picture.size, options: options))
            } catch {
                throw PaintingError.unsuitable("\(item.input): \(error.description)")
            }
        } else {
            Console.say(command.telling.json ? json(ready.plan) : line(ready.plan))
        }
        close()
    }

    private func line(_ plan: FitPlan) -> String {
        isAlone && !session.console.isOfMany ? plan.description : "\(item.input): \(plan)"
    }

    /// What a fitted picture may have at most, like the pictures that are read.
    static let (longest, largestArea) = (65_535, 1 << 28)

    func make(_ advance: @escaping (_ work: Double, _ stage: String) throws -> Void) throws {
        let began = clock()
        let work = work
        let ready = try opened()
        let (picture, plan) = (ready.source.picture, ready.plan)
        if command.telling.json {
            Console.say(json(plan))
        } else {
            // Standard output holds the results' paths alone.
            try session.console.report(.note(line(plan)))
        }
        guard max(plan.target.width, plan.target.height, plan.scaled.width, plan.scaled.height) <= Self.longest,
            plan.target.area <= Self.largestArea
        else {
            throw PaintingError.unsuitable(
                "\(item.input): the size \(plan.target) is over the limit of \(Self.largestArea) pixels and \(Self.longest) on a side. Ask for a smaller size or multiple."
            )
        }
        try Interruption.check()
        let fitted = plan.apply(to: picture, threads: Threads(command.threads))
        if work > 0 { try advance(work, "fitting") }
        // What the picture's own past says goes on with it, with what was done here.
        let hash = ready.recipe.hash(over: picture.metadata)
        try session.write(
            fitted, ready.recipe, over: picture.metadata, to: paths[0], input: item.input, began: began)
        for path in paths.dropFirst() {
            let mask = try PictureFile.encode(plan.mask, as: .png, options: .init(), name: path)
            try session.write(mask, to: path, hash: hash, carriesRecipe: false)
            try session.console.report(
                .result(
                    .init(path: path, input: item.input, command: "fit", seconds: clock() - began, hash: hash)))
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
        Console.say("\(item.input): \(source), multiples of \(command.multiple)")
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

    private func json(_ plan: FitPlan) -> String {
        func size(_ size: PixelSize) -> JSONText { .list([.integer(size.width), .integer(size.height)]) }
        return JSONText.object([
            ("event", .text("plan")), ("input", .text(item.input)), ("source", size(plan.source)),
            ("scaled", size(plan.scaled)),
            ("target", size(plan.target)), ("mode", .text(plan.mode.rawValue)), ("text", .text(plan.description)),
        ]).string
    }
}
