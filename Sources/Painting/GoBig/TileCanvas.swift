import Raster
import RasterFiles
import Threads

/// The enlarged source, and painted tiles laid over it one after the other.
///
/// Tiles whose weights are shares of one whole are laid so that the shares come out: the tile that is laid gets its weight
/// divided by all weights so far. Where a tile equals what is below it, nothing changes to the bit. Worked on in 16 bits.
package struct TileCanvas {
    let plan: TilePlan
    /// As the source is: its channels, its depth.
    let enlarged: PixelStore
    let threads: Threads
    private let index: TileIndex

    package init(plan: TilePlan, enlarged: PixelStore, threads: Threads) {
        (self.plan, self.enlarged, self.threads, index) = (plan, enlarged, threads, TileIndex(plan.tiles))
    }

    /// How far a picture that goes on at its other side may be moved to meet a place, in an order that decides sums.
    private var shifts: (x: [Int], y: [Int]) {
        (
            plan.wrap.x ? [-plan.size.width, 0, plan.size.width] : [0],
            plan.wrap.y ? [-plan.size.height, 0, plan.size.height] : [0]
        )
    }

    /// The source under a frame, with its mirror image where the frame reaches past it.
    func source(_ frame: Rectangle) throws -> Picture { try plan.read(enlarged, under: frame) }

    /// What a tile is painted on.
    ///
    /// - Parameter painted: a painted tile; nil where there was nothing to paint
    func ground(of tile: TilePlan.Tile, painted: (TilePlan.Tile) throws -> Picture?) throws -> Picture {
        let source = try source(tile.frame)
        guard tile.seesPainted else { return source }
        var region = source.converted(depth: 16)
        for below in plan.beneath(tile) { try lay(below, try painted(below), onto: &region, at: tile.frame) }
        return region
    }

    /// Lays a tile over a region.
    ///
    /// - Parameters:
    ///   - painted: the tile's frame, colours alone, 16 bits; nil for the source itself
    ///   - place: of the region, in the picture; a region never goes on at the other side
    package func lay(_ tile: TilePlan.Tile, _ painted: Picture?, onto region: inout Picture, at place: Rectangle) throws
    {
        if painted == nil, tile.wave > 0 { return }
        for dx in shifts.x {
            for dy in shifts.y {
                let frame = tile.frame.moved(x: dx, y: dy)
                let shared = frame.intersection(place)
                guard shared.width > 0, shared.height > 0 else { continue }
                let weights = weights(tile, frame, in: shared)
                let part = shared.moved(x: -frame.x, y: -frame.y)
                let over =
                    try painted?.cropped(to: part) ?? source(shared).converted(depth: 16)
                region.blend(over, by: weights, at: shared.moved(x: -place.x, y: -place.y), threads: threads)
            }
        }
    }

    /// How much of each pixel a tile takes when it is laid.
    private func weights(_ tile: TilePlan.Tile, _ frame: Rectangle, in shared: Rectangle) -> [Float] {
        guard tile.feather.isShare else {
            return tile.feather.weights(tile.frame).cropped(to: shared.moved(x: -frame.x, y: -frame.y)).values
        }
        let moved = (x: frame.x - tile.frame.x, y: frame.y - tile.frame.y)
        func shares(_ other: TilePlan.Tile, _ dx: Int, _ dy: Int) -> (across: [Float], down: [Float])? {
            other.feather.sides(shared.moved(x: -dx, y: -dy))
        }
        guard let own = shares(tile, moved.x, moved.y) else { return [] }
        var total = own.down.flatMap { y in own.across.map { y * $0 } }
        let weight = total
        for dx in shifts.x {
            for dy in shifts.y {
                for other in index.near(shared.moved(x: -dx, y: -dy)).map({ plan.tiles[$0] })
                where other.index < tile.index && other.wave == tile.wave && other.feather.isShare {
                    let place = other.frame.moved(x: dx, y: dy).intersection(shared)
                    guard place.width > 0, place.height > 0, let sides = shares(other, dx, dy) else { continue }
                    for y in sides.down.indices where sides.down[y] > 0 {
                        for x in sides.across.indices {
                            total[y * shared.width + x] += sides.down[y] * sides.across[x]
                        }
                    }
                }
            }
        }
        return zip(weight, total).map { $0 > 0 ? min(1, $0 / $1) : 0 }
    }
}

extension TilePlan {
    /// What a store of the plan's size has under a frame, with its mirror image where the frame reaches past it, or its other
    /// side where it goes on there.
    ///
    /// - Throws: ``PictureFileError``
    func read(_ store: PixelStore, under frame: Rectangle) throws(PictureFileError) -> Picture {
        func within(_ start: Int, _ length: Int, _ whole: Int, _ wraps: Bool) -> Range<Int> {
            wraps ? start..<start + length : max(0, start)..<min(whole, start + length)
        }
        let inside = Rectangle(
            within(frame.x, frame.width, size.width, wrap.x), within(frame.y, frame.height, size.height, wrap.y))
        let pieces = pieces(of: inside)
        var joined = try store.read(pieces[0].picture)
        if pieces.count > 1 {
            joined = joined.spread(over: inside.size)
            for piece in pieces { joined.put(try store.read(piece.picture), x: piece.x, y: piece.y) }
        }
        return joined.padded(
            by: Margins(
                left: inside.x - frame.x, right: frame.x + frame.width - inside.x - inside.width,
                top: inside.y - frame.y, bottom: frame.y + frame.height - inside.y - inside.height))
    }
}
