import Networks
import Raster
import RasterFiles
import Sampling
import Tensors
import Threads

/// Paints an enlarged picture tile by tile: every tile starts from what the picture has there.
///
/// Noise belongs to places of the enlarged picture, so that tiles that overlap start from the same grain; a tile depends on no
/// other, unless it is painted on what was painted before.
package struct GoBig {
    package let studio: Studio
    package let settings: Settings
    package let enlarging: Enlarging
    /// How much of the schedule the enlarged picture stands in for, where a tile says nothing else.
    package let skip: Skip
    package private(set) var plan: TilePlan
    /// Recipes of the source's past.
    package let history: Int
    /// Of the source, and of everything but what is being painted.
    package let space: ColourSpace
    /// What all tiles are painted from: the recipe, without what is a tile's own matter.
    private let identity: String
    /// For each tile, the hash of everything that it is painted from.
    package private(set) var keys: [String] = []

    /// - Parameters:
    ///   - settings: with ``Settings/enlarging``
    ///   - recipe: of the whole
    package init(
        _ studio: Studio, _ settings: Settings, _ enlarging: Enlarging, skip: Skip, plan: TilePlan, recipe: Recipe,
        space: ColourSpace = .sRGB
    ) {
        self.space = space
        (self.studio, self.settings, self.enlarging, self.skip) = (studio, settings, enlarging, skip)
        (self.plan, history) = (plan, recipe.history.count)
        identity = Self.identity(recipe, enlarging)
        keys = keys(from: 0)
    }

    /// A changed setting is to paint anew only what it touches, so what only says where tiles lie is left out; their frames
    /// are in their own keys.
    private static func identity(_ recipe: Recipe, _ enlarging: Enlarging) -> String {
        var recipe = recipe
        recipe.form = .init()
        (recipe.settings.prompt, recipe.skip, recipe.strength, recipe.settings.seed) = ("", nil, nil, 0)
        (recipe.run, recipe.startSigma, recipe.edits) = (0, 0, [])
        var asked = Enlarging(size: enlarging.size, tile: enlarging.size)
        (asked.map, asked.upscaler, asked.mode) = (enlarging.map, enlarging.upscaler, enlarging.mode)
        if enlarging.mode == .joint { (asked.tile, asked.overlap) = (enlarging.tile, enlarging.overlap) }
        recipe.settings.enlarging = asked
        return recipe.json
    }

    private func keys(from first: Int) -> [String] {
        var keys = Array(keys.prefix(first))
        for tile in plan.tiles.dropFirst(first) {
            let settings = settings(for: tile)
            let beneath = plan.beneath(tile).map { keys[$0.index] }
            let what = JSONText.object([
                ("of", .text(identity)), ("frame", .text(tile.frame.description)), ("wave", .integer(tile.wave)),
                ("wrap", .text(plan.wrap.text ?? "")), ("seed", .unsigned(settings.seed)),
                ("prompt", .text(settings.prompt)), ("skip", .text(percent(tile))),
                ("on", .list(beneath.map(JSONText.text))),
            ])
            keys.append(SHA256.hash(Array(what.string.utf8)))
        }
        return keys
    }

    /// Adds tiles behind the others.
    mutating func add(_ tiles: [TilePlan.Tile]) {
        let first = plan.tiles.count
        plan.add(tiles)
        keys = keys(from: first)
    }

    private func percent(_ tile: TilePlan.Tile) -> String { (tile.skip ?? skip).percent(of: settings.steps) }

    /// The settings of one tile.
    func settings(for tile: TilePlan.Tile) -> Settings {
        var settings = settings
        settings.prompt = tile.prompt ?? settings.prompt
        settings.seed &+= tile.seedOffset
        // Generators that count give every tile the same noise.
        if settings.rng != .position, plan.layout == .grid { settings.seed &+= UInt64(tile.index) }
        return settings
    }

    package func run(_ tile: TilePlan.Tile) -> RunPlan {
        settings(for: tile).plan(tile.skip ?? skip, studio.model.scheduler)
    }

    /// From a tile's frame to the size that is painted.
    private func working(_ tile: TilePlan.Tile) throws(PaintingError) -> WorkingPlan {
        do throws(FitError) {
            return try WorkingPlan(source: tile.frame.size, multiple: studio.model.multiple)
        } catch {
            throw .unsuitable(error.description)
        }
    }

    /// Whether all is painted as one.
    package var isJoint: Bool { enlarging.mode == .joint }

    /// How a painting as one is looked at.
    private func latentTiles(_ size: PixelSize) -> LatentTiles? {
        guard isJoint else { return nil }
        return LatentTiles(size, enlarging.tile, overlap: enlarging.overlap, factor: studio.model.codec.factor)
    }

    /// Work of one call of the model on a tile.
    private func step(_ size: PixelSize, _ run: RunPlan) -> Work {
        guard let tiles = latentTiles(size) else { return studio.model.stepWork(size, settings, run) }
        var work = studio.model.stepWork(tiles.size * studio.model.codec.factor, settings, run)
        work.operations *= Double(tiles.count)
        return work
    }

    /// Work of a tile, for progress.
    package func work(_ tile: TilePlan.Tile) throws(PaintingError) -> Double {
        let (run, size) = (run(tile), try working(tile).working)
        guard run.start != nil, !tile.isLeftOut else { return 0 }
        let model = studio.model
        return Double(run.evaluations) * step(size, run).operations
            + model.codecWork(size, decoding: false).operations + model.codecWork(size, decoding: true).operations
    }

    /// What all tiles will take.
    ///
    /// - Throws: ``PaintingError/unsuitable(_:)`` where even one layer after the other needs more memory than there may be
    package func estimate(_ tiles: [TilePlan.Tile]) throws(PaintingError) -> Estimate {
        guard let largest = tiles.max(by: { $0.frame.size.area < $1.frame.size.area }) else { return .nothing }
        let (run, size) = (run(largest), try working(largest).working)
        guard run.start != nil else { return .nothing }
        var estimate = try studio.model.estimate(
            size, predictions: settings.predictions, encodes: true, runs: [run.evaluations], step: step(size, run))
        var work = 0.0
        for tile in tiles { work += try self.work(tile) }
        estimate.seconds = work / studio.model.engine.nominalSpeed + 0.5
        return estimate
    }

    /// The plan as it is told.
    ///
    /// - Parameter missing: tiles that are still to be painted
    /// - Throws: ``PaintingError/unsuitable(_:)`` as ``estimate(_:)``
    package func told(_ missing: [TilePlan.Tile], input: String?, source: PixelSize) throws(PaintingError)
        -> PaintingEvent.Plan
    {
        let (run, estimate) = (settings.plan(skip, studio.model.scheduler), try estimate(missing))
        let paints = plan.tiles.filter { !$0.isLeftOut }
        let largest = paints.max { $0.frame.size.area < $1.frame.size.area }?.frame.size ?? plan.size
        let runs = run.start != nil
        return PaintingEvent.Plan(
            source: source, enlarged: plan.size, working: isJoint ? enlarging.tile : largest,
            tiles: latentTiles(plan.size)?.count ?? paints.count, painted: runs ? paints.count - missing.count : 0,
            steps: settings.steps, run: runs ? run.steps.count : 0, sigma: runs ? run.sigma : 0,
            seconds: estimate.seconds, bytes: estimate.bytes, disk: estimate.disk,
            times: runs ? run.steps.map(\.from.time) : [], input: input, skip: skip.percent(of: settings.steps),
            seed: settings.seed, sampler: settings.sampler.rawValue, schedule: settings.schedule.rawValue,
            guidance: settings.effectiveGuidance, words: studio.count(settings, evaluations: run.evaluations),
            networks: studio.networks(in: settings), departures: settings.departures)
    }

    /// Paints one tile.
    ///
    /// - Parameters:
    ///   - region: what the tile's frame shows before
    ///   - strength: of each of its pixels; nil where all are painted wholly
    ///   - stem: where a painting as one keeps its calls
    /// - Returns: colours alone, 16 bits, of the frame's size; and whether 32 bits were needed
    /// - Throws: ``PaintingError``
    package func paint(
        _ tile: TilePlan.Tile, on region: Picture, strength: Mask?, stem: String,
        advance: @escaping (_ work: Double) throws -> Void
    ) throws -> (Picture, isExact: Bool) {
        let (model, threads, settings, run) = (
            studio.model, studio.model.engine.threads, settings(for: tile), run(tile)
        )
        let plan = try working(tile)
        let visible = region.floats(threads: threads).bleedingColours(threads: threads).colour()
        let seen = space.seen(visible, threads: threads)
        let picture = Tensor(picture: plan.prepare(seen, threads: threads))
        let factor = model.codec.factor
        var painter = LatentPainter(
            studio, settings, size: plan.working, pass: history + tile.wave, at: place(tile, factor: factor))
        let latents = try painter.encode(picture)
        try advance(model.codecWork(plan.working, decoding: false).operations)
        let held = strength.map {
            LatentPainter.Held(source: latents, strength: LatentMask($0, plan, factor: factor).strength)
        }
        var tiles = latentTiles(plan.working)
        tiles?.memory = GuessMemory(stem: stem, shape: latents.shape)
        let work = step(plan.working, run).operations
        let (decoded, isExact) = try painter.picture(" in the tile at \(tile.frame)", from: picture) { painter in
            try painter.paint(latents, run, held: held, tiles: tiles) { try advance(work) }
        }
        try advance(model.codecWork(plan.working, decoding: true).operations)
        tiles?.memory?.forget()
        let staysGrey = region.channels.isGrey
        var painted = plan.restore(decoded, threads: threads)
        if staysGrey { painted = painted.grey().colour() }
        painted = TileAnchor(amount: settings.colourAnchor, frame: tile.frame)
            .anchored(painted, to: seen, threads: threads)
        painted = space.carried(painted, over: visible, seen: seen, threads: threads)
        if let strength { painted = painted.laid(over: visible, through: strength, in: space) }
        if region.channels.hasAlpha {
            // What transparent pixels hide is changed as what was seen in their place.
            let own = region.floats(threads: threads).droppingAlpha().colour()
            for i in painted.values.indices { painted.values[i] += own.values[i] - visible.values[i] }
        }
        painted = staysGrey ? painted.channel(0) : painted
        Storage.trim()
        return (painted.picture(depth: 16, threads: threads), isExact)
    }

    /// Where a tile's cells lie among those of the enlarged picture.
    private func place(_ tile: TilePlan.Tile, factor: Int) -> PositionNoise.Place {
        func cell(_ place: Int) -> Int { Int((Double(place) / Double(factor)).rounded(.down)) }
        return PositionNoise.Place(
            x: cell(tile.frame.x), y: cell(tile.frame.y), periodX: plan.wrap.x ? plan.size.width / factor : nil,
            periodY: plan.wrap.y ? plan.size.height / factor : nil)
    }
}

extension TilePlan {
    /// Adds tiles behind the others, in a wave of their own.
    mutating func add(_ new: [Tile]) {
        for tile in new {
            var tile = tile
            tile.index = tiles.count
            tiles.append(tile)
        }
    }
}

extension LatentTiles {
    /// Of a working picture whose tiles have the given size in pixels.
    init(_ size: PixelSize, _ tile: PixelSize, overlap: Int, factor: Int) {
        self.init(
            whole: PixelSize(width: size.width / factor, height: size.height / factor),
            tile: PixelSize(width: tile.width / factor, height: tile.height / factor),
            overlap: overlap / factor)
    }
}

extension FloatPicture {
    /// Laid over another picture with α = min(1, 2v), in linear light; exactly the other one where v is 0.
    fileprivate func laid(over other: FloatPicture, through mask: Mask, in space: ColourSpace) -> FloatPicture {
        var result = other
        for pixel in mask.values.indices where mask.values[pixel] > 0 {
            let alpha = min(1, 2 * mask.values[pixel])
            for channel in 0..<channelCount {
                let i = pixel * channelCount + channel
                result.values[i] = space.mixed(other.values[i], values[i], share: alpha, channel: channel)
            }
        }
        return result
    }
}
