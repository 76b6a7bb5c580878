import Painting
import Raster
import RasterFiles
import Threads

/// One picture on its way through gobig.
final class GoBigWork: ItemWork {
    let item: Item
    let session: PaintingSession
    private let command: GoBigCommand
    private let settings: Settings
    private let skip: Skip
    /// Tiles as a plan's file has them, where there is one.
    private let given: TilePlan?
    /// Which of the tiles are painted here; nil for all, which are then put together.
    private let shard: Shard?
    private let onlyAssembles: Bool

    private var path = ""
    private var source: GoBigSource?
    private var prepared: Prepared?

    /// Every so many-th tile.
    struct Shard {
        var number: Int
        var of: Int

        func has(_ tile: TilePlan.Tile) -> Bool { tile.index % of == number - 1 }
    }

    private struct Prepared {
        var source: GoBigSource
        var goBig: GoBig
        var recipe: Recipe
        var upscaler: LearnedUpscaler?
        /// Tiles that are to be painted, as far as their names tell.
        var missing: [TilePlan.Tile]
        /// Indices of tiles in which the mask leaves nothing to paint.
        var idle: Set<Int>
    }

    init(
        _ command: GoBigCommand, _ item: Item, _ session: PaintingSession, _ settings: Settings, skip: Skip,
        plan: TilePlan? = nil, shard: Shard? = nil, onlyAssembles: Bool = false
    ) {
        (self.command, self.item, self.session, self.settings, self.skip) = (command, item, session, settings, skip)
        (given, self.shard, self.onlyAssembles) = (plan, shard, onlyAssembles)
    }

    private var painting: PaintingOptions { command.painting }
    private var options: GoBigOptions { command.enlarging }

    // MARK: Names

    var resultCount: Int { 1 }
    private var page: String? {
        guard options.report, shard == nil else { return nil }
        return MaskPairing.stem(path) + "-report.html"
    }
    var paths: [String] { shard == nil ? [path] + [page].compactMap { $0 } : [] }

    func settle(_ names: inout OutputPlan) throws {
        names.options = session.output
        path = try names.path(for: .init(input: item.input, command: "gobig", subfolder: item.subfolder))
        // Told now, not once all is painted.
        if let page, !session.output.overwrite, session.journal == nil, WholeFile.exists(page) {
            throw PaintingError.cannotCreate(
                "\(page) is there already. Move it away, give another -o, or pass --overwrite.")
        }
    }

    private var folder: TileFolder { TileFolder(options.work ?? MaskPairing.stem(path) + ".tiles") }

    // MARK: Files and model

    func check(_ size: PixelSize, mask: PixelSize?) throws {
        guard let mask, let path = item.mask, mask != size else { return }
        throw PaintingError.unsuitable(
            "\(path) is \(mask) but \(item.input) is \(size). Resize the mask to the picture before it is enlarged.")
    }

    func request() throws -> StudioRequest? {
        try session.request(
            painting, try worded(), inheritingFrom: item.words == nil ? source.map { ($0.name, $0.metadata) } : nil)
    }

    private func worded() throws -> Settings { try session.worded(settings, painting, item) }

    func open() throws {
        source = try GoBigSource(item.input, mask: item.mask, options) { session.output.workingDepth($0, at: path) }
    }

    /// What is asked for, and the tiles that it gives.
    static func plan(
        _ command: GoBigCommand, _ settings: Settings, _ source: PixelSize, name: String, _ model: DiffusionModel
    )
        throws -> (Enlarging, TilePlan)
    {
        let asked = try command.enlarging.enlarging(source, name: name, model, seed: settings.seed)
        guard asked.mode == .tiles else { return (asked, TilePlan(whole: asked.size, overlap: asked.overlap)) }
        return (asked, try TilePlan(asked.wish(seed: settings.seed, cell: model.codec.factor), size: asked.size))
    }

    /// The tiles that the options give, and the hash of the picture's file, without painting any.
    ///
    /// - Parameter look: told of the hash before anything else is done
    func planned(_ shelf: StudioShelf, look: (_ hash: String) throws -> Void) throws -> TilePlan {
        try open()
        defer { close() }
        if let source { try look(source.identity.hash) }
        guard let source, let studio = try request().map({ try shelf.studio(for: $0) }) else {
            throw PaintingError.fault("a plan needs a picture and a model")
        }
        return try Self.plan(command, try worded(), source.size, name: source.name, studio.model).1
    }

    func prepare(_ studio: Studio?) throws {
        guard let source, let studio else { return }
        var settings = try worded()
        try painting.complete(&settings, for: studio.model, skips: [skip])
        let history =
            item.words == nil
            ? try session.inherit(
                &settings, from: source.metadata, options: painting, input: source.name,
                isFewStep: studio.model.scheduler.fewStep != nil)
            : Inheritance(source.metadata).history
        try studio.checkLength(settings)
        var (asked, plan) = try Self.plan(command, settings, source.size, name: source.name, studio.model)
        let upscaler = try options.upscaler.flatMap {
            $0 == "lanczos" ? nil : try LearnedUpscaler(named: $0, on: studio.model.engine)
        }
        try upscaler?.check(source.size, to: asked.size)
        (asked.map, asked.upscaler) = (source.map, upscaler.map { ($0.name, $0.hash ?? "") })
        settings.enlarging = asked
        let run = settings.plan(skip, studio.model.scheduler)
        var recipe = try session.recipe(
            "gobig", settings, studio, run, working: plan.tiles.first?.frame.size ?? asked.tile, at: path)
        (recipe.skip, recipe.strength) = (skip.percent(of: settings.steps), skip.strength(of: settings.steps))
        (recipe.source, recipe.sourceSize, recipe.history) = (source.identity, source.size, history)
        recipe.mask = source.mask?.identity
        if let told = try given ?? (command.told.isEmpty ? nil : TileEdits.plan(plan, with: command.told)) {
            recipe.edits = TileEdits.entries(told, from: plan)
            plan = told
        }
        let cost = TileCost(studio, settings, asked, skip: skip)
        let goBig = GoBig(cost, plan: plan, recipe: recipe, space: source.space)
        let folder = folder
        let idle = Set(
            plan.tiles.filter { !$0.isLeftOut && plan.wrap.text == nil && source.isBlack($0.frame, of: plan.size) }
                .map(\.index))
        let missing = plan.tiles.filter { tile in
            shard?.has(tile) != false && !tile.isLeftOut && !idle.contains(tile.index) && cost.run(tile).start != nil
                && !folder.has(tile, key: goBig.keys[tile.index])
        }
        prepared = Prepared(
            source: source, goBig: goBig, recipe: recipe, upscaler: upscaler, missing: missing, idle: idle)
    }

    func work(_ size: PixelSize, _ studio: Studio?) throws -> Double {
        guard let studio else { return 0 }
        var settings = try worded()
        try painting.complete(&settings, for: studio.model, skips: [skip])
        let (asked, plan) = try Self.plan(command, settings, size, name: item.input, studio.model)
        let cost = TileCost(studio, settings, asked, skip: skip)
        return try plan.tiles.reduce(PixelWork.enlarged.of(plan.size.area) + cost.after(plan, reports: options.report))
        {
            $0 + (try cost.work($1))
        }
    }

    var work: Double {
        guard let ready = prepared else { return 0 }
        let tiles = onlyAssembles ? [] : ready.missing
        return tiles.reduce(around(ready)) { $0 + ((try? ready.goBig.cost.work($1)) ?? 0) }
    }

    private func enlarging(_ ready: Prepared) -> Double {
        let size = ready.goBig.plan.size
        return ready.upscaler?.estimate(ready.source.size, to: size).operations ?? PixelWork.enlarged.of(size.area)
    }

    /// Work beside the tiles that are painted.
    private func around(_ ready: Prepared) -> Double {
        let enlarging = enlarging(ready)
        guard shard == nil else { return enlarging }
        return enlarging + ready.goBig.cost.after(ready.goBig.plan, reports: page != nil)
    }

    func close() { (source, prepared) = (nil, nil) }

    func recipes() throws -> [ExpectedResult] {
        guard let ready = prepared, shard == nil else { return [] }
        var exact = ready.recipe
        exact.kernels = try ready.goBig.studio.model.engine.kernels(isExact: true)
        return [
            .init(path: path, recipes: [ready.recipe.hash, exact.hash], carriesRecipe: session.output.writesRecipe)
        ]
            + [page].compactMap { $0 }.map { .init(path: $0, recipes: [ready.recipe.hash], carriesRecipe: false) }
    }

    // MARK: Telling

    func tell() throws {
        guard let ready = prepared else { return }
        let (goBig, source, console) = (ready.goBig, ready.source, session.console)
        try session.warnOfWords(goBig.settings, goBig.studio)
        try console.warnOfColour(
            source.metadata, source.channels, named: source.name, in: session.output.format(at: path))
        if skip.strength(of: goBig.settings.steps) > 0.4 {
            try console.report(
                .warning(
                    code: "skip",
                    text:
                        "\(source.name): at skip \(skip.percent(of: goBig.settings.steps)) tiles may each paint the whole subject anew. Skip 60 or more keeps the composition.",
                    path: source.name))
        }
        if shard == nil {
            try session.warnOfForm(
                depth: source.depth, hasTransparency: source.channels.hasAlpha, metadata: source.metadata, at: path)
        }
        var plan = try goBig.told(
            onlyAssembles ? [] : ready.missing, idle: ready.idle.count, around: around(ready), input: source.name,
            source: source.size)
        plan.bytes = max(plan.bytes, Self.leastBytes)
        plan.disk += Double(goBig.plan.size.area * source.channels.count * (2 + source.depth / 8))
        if session.output.format(at: path) == .tiff { plan.disk += Double(source.plateBytes(goBig.plan.size)) }
        if command.telling.explain { console.explain(plan) } else { try console.report(.plan(plan)) }
    }

    /// What strips and a tile take, whatever the picture's size.
    private static let leastBytes = 250e6

    // MARK: Painting

    func make(_ advance: Share) throws {
        guard let ready = prepared else { return }
        let (source, threads, began) = (ready.source, ready.goBig.studio.model.engine.threads, clock())
        try WholeFile.makeFolder(String(folder.path.dropLast()), for: folder.path)
        let hold = try folder.held(alone: shard == nil && !onlyAssembles)
        defer { withExtendedLifetime(hold) {} }
        var left = enlarging(ready)
        let enlarged = try source.enlarged(
            to: ready.goBig.plan.size, by: ready.upscaler, keepsColour: settings.keepsColour, in: folder,
            threads: threads
        ) { work in
            left -= work
            try advance(work, "enlarging")
        }
        // What was enlarged before, or is no larger, costs nothing now.
        advance.expect(-left)
        let strength = try source.strength(of: enlarged, options, in: folder.path, threads: threads)
        let painting = TilePainting(ready.goBig, enlarged: enlarged, strength: strength, folder: folder)
        if !onlyAssembles, !ready.missing.isEmpty { try painting.makeReady() }
        advance.turn()
        if !onlyAssembles { try paint(painting, painting.plan.tiles, advance) }
        if shard != nil { return }
        var recipe = ready.recipe
        var whole = try painting.assembled(in: folder.path) { try advance($0, "putting tiles together") }
        if let limit = options.maxSeam, let canvas = whole, !onlyAssembles {
            whole = try repair(painting, canvas, above: limit, advance)
        }
        if painting.tellings.values.contains(where: \.isExact) {
            try session.note(true, in: &recipe, ready.goBig.studio, at: path)
        }
        let depth = session.output.depth ?? source.depth
        var own =
            source.channels.isGrey && !enlarged.channels.isGrey ? source.metadata.inColour() : source.metadata
        own.plates = own.plates?.scaled(to: enlarged.size)
        let metadata =
            session.output.writesRecipe
            ? recipe.added(to: own, as: session.output.format(at: path)) : Recipe.removed(from: own)
        try session.write(
            enlarged.size, channels: enlarged.channels, depth: depth, metadata: metadata, to: path, hash: recipe.hash
        ) { send in
            try (whole ?? enlarged).forEachStrip { strip, _ in
                try Interruption.check()
                try send(strip.converted(depth: depth))
                try advance(PixelWork.written.of(strip.size.area), "writing")
            }
        }
        try session.console.report(
            .result(
                .init(
                    path: path, input: item.input, command: "gobig", skip: skip.percent(of: settings.steps),
                    seed: settings.seed, seconds: clock() - began, hash: recipe.hash)))
        if let page {
            let report = try GoBigReport(
                painting, result: whole ?? enlarged, title: source.identity.name, threads: threads)
            try advance(PixelWork.reported.of(enlarged.size.area), "measuring seams")
            try session.console.report(.note(report.summary))
            try session.write(Array(try report.html().utf8), to: page, hash: recipe.hash)
            try session.console.report(
                .result(.init(path: page, input: item.input, command: "gobig", seconds: clock() - began)))
        }
        if options.work == nil, given == nil { folder.remove() }
    }

    /// Paints the tiles that are missing; those of a later wave once all below them are there.
    ///
    /// - Parameter label: what their stages are told with
    private func paint(_ painting: TilePainting, _ tiles: [TilePlan.Tile], _ advance: Share, label: String = "") throws
    {
        let goBig = painting.goBig
        let mine = tiles.filter { shard?.has($0) != false }
        var waiting = 0
        for (number, tile) in mine.enumerated() {
            try Interruption.check()
            let stage = "\(label)tile \(number + 1) of \(mine.count)"
            if painting.isThere(tile) { continue }
            guard try painting.hasWork(tile) else {
                if prepared?.idle.contains(tile.index) != true { advance.expect(-(try goBig.cost.work(tile))) }
                continue
            }
            guard try painting.missing(beneath: tile).isEmpty else {
                waiting += 1
                continue
            }
            try painting.paint(tile, clock: clock) { try advance($0, stage) }
            if shard != nil {
                session.console.tell(
                    "tile \(tile.index + 1) of \(tiles.count), \(tile.frame)",
                    [("event", .text("tile")), ("tile", .integer(tile.index + 1)), ("of", .integer(tiles.count))])
            }
        }
        if waiting > 0 {
            try session.console.report(
                .warning(
                    code: "waiting",
                    text:
                        "\(waiting) tiles wait for others that another machine paints. Run this shard again when those are there.",
                    path: item.input))
        }
    }

    /// Paints over what shows of the seams, at most three times.
    private func repair(
        _ painting: TilePainting, _ first: PixelStore, above limit: Double, _ advance: Share
    ) throws -> PixelStore? {
        var canvas: PixelStore? = first
        for _ in 0..<3 {
            guard let whole = canvas else { break }
            let score = try SeamScore(painting.plan, result: whole, source: painting.enlarged)
            let showing = try score.showing(above: limit, whole)
            guard !showing.isEmpty else { break }
            try session.console.report(
                .note(
                    "\(showing.count) of \(score.edges.count) seams show above \(Console.number(limit)) and are painted again"
                ))
            let before = painting.plan.tiles.count
            painting.add(over: showing)
            let new = Array(painting.plan.tiles[before...])
            // Those of a run that was stopped are there already.
            advance.expect(
                try new.filter { !painting.isThere($0) }.reduce(0) { $0 + (try painting.goBig.cost.work($1)) })
            try paint(painting, new, advance, label: "seam, ")
            canvas = try painting.assembled(in: folder.path)
        }
        return canvas
    }
}
