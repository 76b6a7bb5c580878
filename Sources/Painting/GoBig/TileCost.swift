import Networks
import Raster
import Sampling

/// What is run for the tiles of an enlarged picture, and what that takes: known from sizes and settings, before any picture
/// is read.
package struct TileCost {
    package let studio: Studio
    package let settings: Settings
    package let enlarging: Enlarging
    /// How much of the schedule the enlarged picture stands in for, where a tile says nothing else.
    package let skip: Skip

    /// - Parameter settings: with ``Settings/enlarging``
    package init(_ studio: Studio, _ settings: Settings, _ enlarging: Enlarging, skip: Skip) {
        (self.studio, self.settings, self.enlarging, self.skip) = (studio, settings, enlarging, skip)
    }

    /// The settings of one tile.
    func settings(for tile: TilePlan.Tile) -> Settings {
        var settings = settings
        settings.prompt = tile.prompt ?? settings.prompt
        settings.seed &+= tile.seedOffset
        // Generators that count give every tile the same noise.
        if settings.rng != .position, enlarging.layout == .grid { settings.seed &+= UInt64(tile.index) }
        return settings
    }

    package func run(_ tile: TilePlan.Tile) -> RunPlan {
        settings(for: tile).plan(tile.skip ?? skip, studio.model.scheduler)
    }

    /// From a tile's frame to the size that is painted.
    func working(_ tile: TilePlan.Tile) throws(PaintingError) -> WorkingPlan {
        do throws(FitError) {
            return try WorkingPlan(source: tile.frame.size, multiple: studio.model.multiple)
        } catch {
            throw .unsuitable(error.description)
        }
    }

    /// Whether all is painted as one.
    package var isJoint: Bool { enlarging.mode == .joint }

    /// How a painting as one is looked at.
    func latentTiles(_ size: PixelSize) -> LatentTiles? {
        guard isJoint else { return nil }
        return LatentTiles(size, enlarging.tile, overlap: enlarging.overlap, factor: studio.model.codec.factor)
    }

    /// Work of one call of the model on a tile.
    func step(_ size: PixelSize, _ run: RunPlan) -> Work {
        studio.model.stepWork(size, settings, run, in: latentTiles(size))
    }

    /// Work of a tile, for progress.
    package func work(_ tile: TilePlan.Tile) throws(PaintingError) -> Double {
        let (run, size) = (run(tile), try working(tile).working)
        guard run.start != nil, !tile.isLeftOut else { return 0 }
        let model = studio.model
        return Double(run.evaluations) * step(size, run).operations
            + model.codecWork(size, decoding: false).operations + model.codecWork(size, decoding: true).operations
            + PixelWork.tile(tile.frame.size.area)
    }

    /// Work of putting tiles together, those that were there before too.
    func joining(_ tiles: [TilePlan.Tile]) -> Double {
        let isPainted = tiles.contains { run($0).start != nil && !$0.isLeftOut }
        return isPainted ? tiles.reduce(0) { $0 + PixelWork.joined.of($1.frame.size.area) } : 0
    }

    /// Work of everything that follows the tiles.
    package func after(_ plan: TilePlan, reports: Bool) -> Double {
        let pixels = plan.size.area
        return joining(plan.tiles) + PixelWork.written.of(pixels) + (reports ? PixelWork.reported.of(pixels) : 0)
    }

    /// What all tiles will take.
    ///
    /// - Parameter around: work of the run beside its tiles
    /// - Throws: ``PaintingError/unsuitable(_:)`` where even one layer after the other needs more memory than there may be
    package func estimate(_ tiles: [TilePlan.Tile], around: Double) throws(PaintingError) -> Estimate {
        var rest = Estimate.nothing
        rest.seconds = around / studio.model.nominalSpeed
        guard let largest = tiles.max(by: { $0.frame.size.area < $1.frame.size.area }) else { return rest }
        let (run, size) = (run(largest), try working(largest).working)
        guard run.start != nil else { return rest }
        var estimate = try studio.model.estimate(
            size, predictions: settings.predictions, encodes: true, runs: [run.evaluations], step: step(size, run))
        var work = around
        for tile in tiles { work += try self.work(tile) }
        estimate.seconds = work / studio.model.nominalSpeed + 0.5
        return estimate
    }
}
