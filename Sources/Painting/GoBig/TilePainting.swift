import Raster
import RasterFiles
import Threads

/// The tiles of one picture on their way: which are there, which are to be painted, and what they are together.
package final class TilePainting {
    package private(set) var goBig: GoBig
    private let folder: TileFolder
    private var canvas: TileCanvas
    private let strength: TileStrength
    private let threads: Threads
    /// Noise that goes in before a tile is painted, once it was asked for.
    private var grain: TileGrain?
    /// Strengths are asked for several times in a row.
    private var known: (index: Int, strength: Mask?)?

    /// What was learnt of a tile while it was painted.
    package struct Telling: Sendable {
        package var seconds: Double
        package var isExact: Bool
    }

    /// Of tiles that were painted in this run, by their index.
    package private(set) var tellings: [Int: Telling] = [:]

    /// Tiles whose files were found whole, or written, in this run.
    private var whole: Set<Int> = []

    package init(_ goBig: GoBig, enlarged: PixelStore, strength: TileStrength, folder: TileFolder) {
        (self.goBig, self.folder, self.strength) = (goBig, folder, strength)
        threads = goBig.studio.model.engine.threads
        canvas = TileCanvas(plan: goBig.plan, enlarged: enlarged, threads: threads)
    }

    package var plan: TilePlan { goBig.plan }
    package var enlarged: PixelStore { canvas.enlarged }

    private func strength(_ tile: TilePlan.Tile) throws -> Mask? {
        if let known, known.index == tile.index { return known.strength }
        let found = try strength.strength(tile.frame, plan, source: canvas.enlarged, threads: threads)
        known = (tile.index, found)
        return found
    }

    /// Whether a tile has anything to paint.
    package func hasWork(_ tile: TilePlan.Tile) throws -> Bool {
        guard !tile.isLeftOut, goBig.cost.run(tile).start != nil else { return false }
        return try strength(tile)?.isBlack != true
    }

    /// Whether a tile is there already, and whole.
    package func isThere(_ tile: TilePlan.Tile) -> Bool {
        // Many tiles ask for each of those around them: a file is read for that once.
        if whole.contains(tile.index) { return true }
        guard !tile.isLeftOut, folder.tile(tile, key: goBig.keys[tile.index]) != nil else { return false }
        whole.insert(tile.index)
        return true
    }

    /// Tiles that one waits for.
    package func missing(beneath tile: TilePlan.Tile) throws -> [TilePlan.Tile] {
        try plan.beneath(tile).filter { try !isThere($0) && hasWork($0) }
    }

    /// Paints a tile and keeps it.
    ///
    /// - Parameters:
    ///   - clock: seconds that never go back
    ///   - advance: told of work done, in the unit of ``TileCost/work(_:)``; may throw to stop
    package func paint(
        _ tile: TilePlan.Tile, clock: () -> Double, advance: @escaping (_ work: Double) throws -> Void
    ) throws {
        let (began, key) = (clock(), goBig.keys[tile.index])
        let region = try canvas.ground(of: tile, painted: picture)
        let (painted, isExact) = try goBig.paint(
            tile, on: region, from: try roughened(tile), strength: try strength(tile), stem: folder.stem(key: key),
            advance: advance)
        try folder.keep(painted, tile, key: key, threads: threads)
        whole.insert(tile.index)
        tellings[tile.index] = Telling(seconds: clock() - began, isExact: isExact)
    }

    /// Looks over the whole picture where that has to be done before any tile is painted, for it takes its time.
    package func makeReady() throws {
        guard goBig.settings.noise != nil, grain == nil else { return }
        grain = try TileGrain(goBig.settings, pass: goBig.history, over: enlarged, threads: threads)
    }

    /// What a tile starts from where noise goes in first. Repairs start from what was painted as it is.
    private func roughened(_ tile: TilePlan.Tile) throws -> Picture? {
        guard goBig.settings.noise != nil, !tile.seesPainted else { return nil }
        try makeReady()
        return try grain.map { grain in
            let frame = tile.frame
            let wide = Rectangle(
                x: frame.x - grain.reach, y: frame.y - grain.reach, width: frame.width + 2 * grain.reach,
                height: frame.height + 2 * grain.reach)
            return grain.roughened(try plan.read(enlarged, under: wide), frame, mask: try strength(tile))
        }
    }

    /// A painted tile; nil where there is nothing to paint.
    ///
    /// - Throws: ``PaintingError/missing(_:)`` where it should be there
    package func picture(_ tile: TilePlan.Tile) throws -> Picture? {
        // It may have been painted before it was left out.
        if tile.isLeftOut { return nil }
        if let picture = folder.tile(tile, key: goBig.keys[tile.index]) { return picture }
        guard try hasWork(tile) else { return nil }
        throw PaintingError.missing(
            "Tile \(tile.index + 1) of \(plan.tiles.count), \(tile.frame), is not in \(folder.path). Paint it with gobig render."
        )
    }

    /// All tiles laid over the enlarged source, 16 bits; nil where there was nothing to paint in any.
    ///
    /// - Parameters:
    ///   - scratch: folder on whose disk the pixels lie meanwhile
    ///   - advance: told of work done, in all that of ``TileCost/joining(_:)``; may throw to stop
    /// - Throws: ``PaintingError/missing(_:)`` where a tile is not there
    package func assembled(in scratch: String, advance: (_ work: Double) throws -> Void = { _ in }) throws
        -> PixelStore?
    {
        let source = canvas.enlarged
        guard try plan.tiles.contains(where: { try isThere($0) || hasWork($0) }) else { return nil }
        let whole = try PixelStore(size: plan.size, channels: source.channels, depth: 16, in: scratch)
        try source.forEachStrip { strip, y in try whole.write(strip.converted(depth: 16), y: y) }
        for tile in plan.tiles {
            let painted = try picture(tile)
            try advance(PixelWork.joined.of(tile.frame.size.area))
            if painted == nil, tile.wave > 0 { continue }
            for piece in plan.pieces(of: tile.frame) {
                var region = try whole.read(piece.picture)
                try canvas.lay(tile, painted, onto: &region, at: piece.picture)
                try whole.write(region, x: piece.picture.x, y: piece.picture.y)
            }
        }
        return whole
    }

    /// Tiles over seams that show, each in the middle of the part that shows; painted on what is there.
    package func add(over seams: [SeamScore.Edge]) {
        let wish = TilePlan.Wish(
            tile: goBig.enlarging.tile, overlap: goBig.enlarging.overlap, cell: goBig.studio.model.codec.factor)
        let new = plan.repairs(of: seams, wish)
        goBig.add(new)
        canvas = TileCanvas(plan: goBig.plan, enlarged: canvas.enlarged, threads: threads)
    }
}

extension PixelStore {
    /// All pixels in strips from top to bottom.
    package func forEachStrip(_ take: (_ strip: Picture, _ y: Int) throws -> Void) throws {
        let rows = max(1, (1 << 22) / (size.width * channels.count))
        for y in stride(from: 0, to: size.height, by: rows) {
            try take(
                try read(Rectangle(x: 0, y: y, width: size.width, height: min(rows, size.height - y))), y)
        }
    }
}
