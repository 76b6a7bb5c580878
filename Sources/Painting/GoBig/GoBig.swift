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
    package let cost: TileCost
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
    ///   - recipe: of the whole
    ///   - space: of the source's colours
    package init(_ cost: TileCost, plan: TilePlan, recipe: Recipe, space: ColourSpace = .sRGB) {
        self.space = space
        (self.cost, self.plan, history) = (cost, plan, recipe.history.count)
        identity = SHA256.hash(Array(Self.identity(recipe, cost.enlarging).utf8))
        keys = keys(from: 0)
    }

    package var studio: Studio { cost.studio }
    package var settings: Settings { cost.settings }
    package var enlarging: Enlarging { cost.enlarging }
    package var skip: Skip { cost.skip }

    /// A changed setting is to paint anew only what it touches, so what only says where tiles lie is left out; their frames
    /// are in their own keys.
    private static func identity(_ recipe: Recipe, _ enlarging: Enlarging) -> String {
        var recipe = recipe
        // Tiles are painted on what has as many bits as are asked for.
        recipe.form = .init(depth: recipe.form.depth)
        (recipe.settings.prompt, recipe.skip, recipe.strength, recipe.settings.seed) = ("", nil, nil, 0)
        (recipe.run, recipe.startSigma, recipe.edits) = (0, 0, [])
        var asked = Enlarging(size: enlarging.size, tile: enlarging.size)
        (asked.map, asked.upscaler, asked.mode) = (enlarging.map, enlarging.upscaler, enlarging.mode)
        (asked.composition, asked.fidelity) = (enlarging.composition, enlarging.fidelity)
        if enlarging.mode == .joint { (asked.tile, asked.overlap) = (enlarging.tile, enlarging.overlap) }
        recipe.settings.enlarging = asked
        return recipe.json
    }

    private func keys(from first: Int) -> [String] {
        var keys = Array(keys.prefix(first))
        for tile in plan.tiles.dropFirst(first) {
            let settings = cost.settings(for: tile)
            let beneath = plan.beneath(tile).map { keys[$0.index] }
            let what = JSONText.object([
                ("of", .text(identity)), ("frame", .text(tile.frame.description)), ("wave", .integer(tile.wave)),
                ("wrap", .text(plan.wrap.text ?? "")), ("seed", .unsigned(settings.seed)),
                ("prompt", .text(settings.prompt)), ("skip", .text((tile.skip ?? skip).percent(of: settings.steps))),
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

    /// The plan as it is told.
    ///
    /// - Parameters:
    ///   - missing: tiles that are still to be painted
    ///   - idle: tiles in which there is nothing to paint
    ///   - around: work of the run beside them
    /// - Throws: ``PaintingError/unsuitable(_:)`` as ``TileCost/estimate(_:around:)``
    package func told(
        _ missing: [TilePlan.Tile], idle: Int, around: Double, input: String?, source: PixelSize
    ) throws(PaintingError) -> PaintingEvent.Plan {
        let (run, estimate) = (settings.plan(skip, studio.model.scheduler), try cost.estimate(missing, around: around))
        let paints = plan.tiles.filter { !$0.isLeftOut }
        let largest = paints.max { $0.frame.size.area < $1.frame.size.area }?.frame.size ?? plan.size
        let runs = run.start != nil
        return PaintingEvent.Plan(
            source: source, enlarged: plan.size, working: cost.isJoint ? enlarging.tile : largest,
            tiles: cost.latentTiles(plan.size)?.count ?? paints.count,
            painted: runs ? paints.count - missing.count - idle : 0,
            steps: settings.steps, run: runs ? run.steps.count : 0, sigma: runs ? run.sigma : 0,
            seconds: estimate.seconds, bytes: estimate.bytes, disk: estimate.disk,
            times: runs ? run.steps.map(\.from.time) : [], input: input, skip: skip.percent(of: settings.steps),
            seed: settings.seed, sampler: settings.sampler.rawValue, schedule: settings.schedule.rawValue,
            guidance: settings.effectiveGuidance, words: studio.count(settings, evaluations: run.evaluations),
            networks: studio.networks(in: settings), departures: settings.departures, beginning: settings.beginning)
    }

    /// Paints one tile.
    ///
    /// - Parameters:
    ///   - region: what the tile's frame shows before
    ///   - start: what painting starts from, where that is not the region as it is
    ///   - strength: of each of its pixels; nil where all are painted wholly
    ///   - stem: where a painting as one keeps its calls
    /// - Returns: colours alone, 16 bits, of the frame's size; and whether 32 bits were needed
    /// - Throws: ``PaintingError``
    package func paint(
        _ tile: TilePlan.Tile, on region: Picture, from start: Picture? = nil, strength: Mask?, stem: String,
        advance: @escaping (_ work: Double) throws -> Void
    ) throws -> (Picture, isExact: Bool) {
        let (model, threads, settings, run) = (
            studio.model, studio.model.engine.threads, cost.settings(for: tile), cost.run(tile)
        )
        let plan = try cost.working(tile)
        func opaque(_ picture: Picture) -> FloatPicture {
            picture.floats(threads: threads).bleedingColours(threads: threads).colour()
        }
        let visible = opaque(region)
        let seen = space.seen(visible, threads: threads)
        let begun = start.map { space.seen(opaque($0), threads: threads) } ?? seen
        let picture = Tensor(picture: plan.prepare(begun, threads: threads))
        let (factor, place) = (model.codec.factor, place(tile))
        var painter = LatentPainter(studio, settings, size: plan.working, pass: history + tile.wave, at: place)
        let latents = try painter.encode(picture)
        try advance(model.codecWork(plan.working, decoding: false).operations)
        let held = strength.map {
            LatentPainter.Held(source: latents, strength: LatentMask($0, plan, factor: factor).strength)
        }
        var tiles = cost.latentTiles(plan.working)
        tiles?.memory = GuessMemory(stem: stem, shape: latents.shape)
        let guide = CompositionGuide(
            latents, amount: enlarging.composition,
            frame: Rectangle(x: place.x, y: place.y, width: latents.shape[3], height: latents.shape[2]),
            factor: factor, threads: threads)
        let work = cost.step(plan.working, run).operations
        let (decoded, isExact) = try painter.picture(" in the tile at \(tile.frame)", from: picture) { painter in
            try painter.paint(latents, run, held: held, tiles: tiles, guide: guide) { try advance(work) }
        }
        try advance(model.codecWork(plan.working, decoding: true).operations)
        tiles?.memory?.forget()
        let staysGrey = region.channels.isGrey
        var painted = plan.restore(decoded, threads: threads)
        if staysGrey { painted = painted.grey().colour() }
        painted = TileFidelity(amount: enlarging.fidelity, times: enlarging.times)
            .held(painted, to: seen, threads: threads)
        painted = TileAnchor(amount: settings.colourAnchor, frame: tile.frame)
            .anchored(painted, to: seen, threads: threads)
        painted = space.carried(painted, over: visible, seen: seen, threads: threads)
        if let strength { painted = painted.laid(over: visible, through: strength, in: space) }
        let whole = region.floats(threads: threads)
        if let alpha = whole.alpha {
            // What nobody sees is not painted on; what is faint is changed as what was seen in its place.
            let own = whole.droppingAlpha().colour()
            for i in painted.values.indices {
                let isHidden = alpha.values[i / 3] == 0
                painted.values[i] = isHidden ? own.values[i] : painted.values[i] + own.values[i] - visible.values[i]
            }
        }
        painted = staysGrey ? painted.channel(0) : painted
        Storage.trim()
        try advance(PixelWork.tile(tile.frame.size.area))
        return (painted.picture(depth: 16, threads: threads), isExact)
    }

    /// Where a tile's cells lie among those of the enlarged picture.
    private func place(_ tile: TilePlan.Tile) -> PositionNoise.Place {
        let factor = studio.model.codec.factor
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
