import Raster

/// How an enlarged picture is cut into tiles, in which order they are painted, and how they are laid over one another.
///
/// A pure function of sizes and settings: the same on every machine.
package struct TilePlan: Sendable, Equatable {
    /// Where tiles lie and how they are joined; all but the first are those of other tools.
    package enum Layout: String, Sendable, CaseIterable {
        /// Spread evenly, joined by smooth weights in the middle of their overlaps.
        case grid
        /// Columns of the full height with a ramp on their left edge. Source: lowfuel's ProgRockDiffusion, `prd.py`.
        case progrock
        /// From the middle outwards, with a frame that fades on all four sides. Source: lowfuel's progrock-stable, `prs.py`.
        case progrockGrid = "progrock-grid"
        /// Source: AUTOMATIC1111's web UI, `modules/images.py`, `split_grid` and `combine_grid`.
        case sdUpscale = "sd-upscale"
        /// Tiles side by side, each painted through a softened mask on what was painted before.
        /// Source: Coyote-A's ultimate-upscale-for-automatic1111, `scripts/ultimate-upscale.py`.
        case ultimate

        /// Its tiles follow from the picture alone.
        package var hasOwnTiles: Bool { self == .progrock }
        /// How far its tiles lie over one another is settled.
        package var hasOwnOverlap: Bool { self == .progrock || self == .ultimate }
    }

    /// What is asked of a plan.
    package struct Wish: Sendable, Equatable {
        package var layout = Layout.grid
        /// Sides of a tile, in enlarged pixels.
        package var tile: PixelSize
        /// How far tiles lie over one another at least, in enlarged pixels.
        package var overlap: Int
        /// How far boundaries are moved at most, in enlarged pixels.
        package var jitter = 0
        package var seed: UInt64 = 0
        package var wrap = Wrap()
        package var repair: [Repair] = []
        /// How much larger the picture has become: some layouts count their tiles by it.
        package var scale = 2.0
        /// Side of a latent cell, in pixels: tiles begin at whole cells.
        package var cell: Int

        package init(tile: PixelSize, overlap: Int, cell: Int) {
            (self.tile, self.overlap, self.cell) = (tile, overlap, cell)
        }
    }

    /// The sides over which a texture goes on at the opposite one.
    package struct Wrap: Sendable, Equatable {
        package var x = false
        package var y = false

        package init(x: Bool = false, y: Bool = false) { (self.x, self.y) = (x, y) }

        package init?(_ text: String) {
            switch text {
            case "x": self.init(x: true)
            case "y": self.init(y: true)
            case "xy": self.init(x: true, y: true)
            default: return nil
            }
        }

        package var text: String? { x || y ? (x ? "x" : "") + (y ? "y" : "") : nil }
    }

    /// A further pass over what was painted, where tiles meet.
    package enum Repair: String, Sendable, CaseIterable {
        /// Narrow bands along every boundary.
        case band
        /// Whole tiles, moved by half a tile along one side and then the other.
        case halfTile = "half-tile"
        /// Whole tiles over the corners where four tiles meet.
        case intersections
    }

    package struct Tile: Sendable, Equatable {
        /// Counts from 0 in the order in which tiles are painted and laid.
        package var index: Int
        /// Passes over the picture: 0, then one for each repair.
        package var wave: Int
        /// What is painted, in enlarged pixels; may reach past the picture, whose mirror image it sees there, or with a wrap
        /// its other side.
        package var frame: Rectangle
        package var feather: Feather
        /// It is painted on what was painted before, not on the enlarged source.
        package var seesPainted: Bool
        /// Added to the seed.
        package var seedOffset: UInt64 = 0
        // What a person may set for it alone.
        package var prompt: String?
        package var skip: Skip?
        /// It is left as it is.
        package var isLeftOut = false
    }

    /// The enlarged picture.
    package var size: PixelSize
    package var wrap: Wrap
    package var layout: Layout
    package var overlap: Int
    package var tiles: [Tile]

    /// The plan of a size.
    ///
    /// - Throws: ``PaintingError/usage(_:)`` where the wish cannot be granted
    package init(_ wish: Wish, size: PixelSize) throws(PaintingError) {
        try Self.check(wish, size)
        self.size = size
        (wrap, layout, overlap) = (wish.wrap, wish.layout, wish.overlap)
        tiles =
            switch wish.layout {
            case .grid: Self.grid(wish, size)
            case .progrock: Self.progrock(wish, size)
            case .progrockGrid: Self.progrockGrid(wish, size)
            case .sdUpscale: Self.sdUpscale(wish, size)
            case .ultimate: Self.ultimate(wish, size)
            }
        for repair in wish.repair { tiles += repairs(repair, wish) }
        for index in tiles.indices { tiles[index].index = index }
    }

    /// One tile over all, which is painted as one.
    package init(whole size: PixelSize, overlap: Int) {
        (self.size, wrap, layout, self.overlap) = (size, .init(), .grid, overlap)
        tiles = [
            Tile(
                index: 0, wave: 0, frame: Rectangle(size), feather: .seams(.init(), smooth: true), seesPainted: false)
        ]
    }

    /// Most tiles of one picture.
    package static let most = 1 << 20

    private static func check(_ wish: Wish, _ size: PixelSize) throws(PaintingError) {
        let (tile, cell) = (wish.tile, wish.cell)
        guard tile.width % cell == 0, tile.height % cell == 0, tile.width >= 2 * cell, tile.height >= 2 * cell else {
            throw .usage(
                "--tile is \(tile), but its sides must be multiples of \(cell) from \(2 * cell) on. Choose \(max(2, tile.width / cell) * cell)."
            )
        }
        guard wish.overlap >= 0, 2 * wish.overlap <= min(tile.width, tile.height) else {
            throw .usage(
                "--overlap is \(wish.overlap), but a tile of \(tile) can have 0 to \(min(tile.width, tile.height) / 2). Lower it, or raise --tile."
            )
        }
        let room = min(tile.width, tile.height) - wish.overlap
        guard wish.jitter >= 0, 2 * wish.jitter < room else {
            throw .usage(
                "--jitter is \(wish.jitter), but tiles of \(tile) with an overlap of \(wish.overlap) leave room for less than \(room / 2). Lower it, or raise --tile."
            )
        }
        if wish.wrap.text != nil, wish.layout != .grid {
            throw .usage(
                "--wrap is \(wish.wrap.text ?? ""), but --layout \(wish.layout.rawValue) knows no picture that goes on at its other side. Leave one of them out."
            )
        }
        if wish.jitter > 0, wish.layout != .grid {
            throw .usage(
                "--jitter is \(wish.jitter), but --layout \(wish.layout.rawValue) has its boundaries where they are. Leave one of them out."
            )
        }
        for (wraps, length, side, name) in [
            (wish.wrap.x, size.width, tile.width, "wide"), (wish.wrap.y, size.height, tile.height, "high"),
        ] where wraps {
            guard length % cell == 0, length >= side else {
                throw .usage(
                    "--wrap needs an enlarged picture that is a multiple of \(cell) pixels \(name) and at least a tile of \(side), but it is \(size). Choose another --size or --tile."
                )
            }
        }
        let stride = (max(cell, tile.width - wish.overlap), max(cell, tile.height - wish.overlap))
        let count = (size.width / stride.0 + 1) * (size.height / stride.1 + 1)
        guard count <= most else {
            throw .usage(
                "Tiles of \(tile) would be \(count) on \(size), and at most \(most) are planned. Raise --tile.")
        }
    }
}

extension TilePlan {
    /// What a tile covers of the picture itself.
    package func covered(by tile: Tile) -> Rectangle { tile.frame.intersection(Rectangle(size)) }

    /// The pieces of the picture that a frame covers, each with its place inside the frame. There is one, but where a texture
    /// goes on at its other side.
    package func pieces(of frame: Rectangle) -> [(picture: Rectangle, x: Int, y: Int)] {
        func spans(_ start: Int, _ length: Int, _ whole: Int, _ wraps: Bool) -> [(from: Int, count: Int, at: Int)] {
            guard wraps else {
                let (from, to) = (max(0, start), min(whole, start + length))
                return to > from ? [(from, to - from, from - start)] : []
            }
            var (result, at): ([(from: Int, count: Int, at: Int)], Int) = ([], 0)
            while at < length {
                let from = ((start + at) % whole + whole) % whole
                let count = min(length - at, whole - from)
                result.append((from, count, at))
                at += count
            }
            return result
        }
        let rows = spans(frame.y, frame.height, size.height, wrap.y)
        return spans(frame.x, frame.width, size.width, wrap.x).flatMap { column in
            rows.map { row in
                (
                    Rectangle(x: column.from, y: row.from, width: column.count, height: row.count), column.at, row.at
                )
            }
        }
    }

    /// Whether two frames cover a pixel in common.
    func touch(_ one: Rectangle, _ other: Rectangle) -> Bool {
        func near(_ a: Int, _ aLength: Int, _ b: Int, _ bLength: Int, _ whole: Int, _ wraps: Bool) -> Bool {
            let shifts = wraps ? [-whole, 0, whole] : [0]
            return shifts.contains { a < b + $0 + bLength && b + $0 < a + aLength }
        }
        return near(one.x, one.width, other.x, other.width, size.width, wrap.x)
            && near(one.y, one.height, other.y, other.height, size.height, wrap.y)
    }

    /// Tiles that must be there before this one is painted: those that it is painted on. Tiles of one repair are painted by
    /// themselves, so that each may be painted anywhere.
    package func beneath(_ tile: Tile) -> [Tile] {
        guard tile.seesPainted else { return [] }
        return tiles[..<tile.index].filter {
            !$0.isLeftOut && ($0.wave < tile.wave || tile.wave == 0) && touch($0.frame, tile.frame)
        }
    }
}

extension Rectangle {
    package func intersection(_ other: Rectangle) -> Rectangle {
        let (left, top) = (max(x, other.x), max(y, other.y))
        return Rectangle(
            x: left, y: top, width: max(0, min(x + width, other.x + other.width) - left),
            height: max(0, min(y + height, other.y + other.height) - top))
    }

    package func moved(x dx: Int, y dy: Int) -> Rectangle {
        Rectangle(x: x + dx, y: y + dy, width: width, height: height)
    }
}
