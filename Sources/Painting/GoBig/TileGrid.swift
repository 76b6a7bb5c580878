import Raster
import Tensors

/// Tiles along one side of the picture: where each begins, and the seams between neighbours.
struct TileRow {
    let starts: [Int]
    /// Length of each tile.
    let length: Int
    /// Behind each tile; behind the last only where the side goes on at its beginning.
    let seams: [Range<Int>]

    /// Spread evenly and moved by what `shift` says, tile by tile; both in whole cells.
    ///
    /// - Parameters:
    ///   - whole: length of the side
    ///   - shift: −1…1 for each tile, of `jitter`
    init(whole: Int, tile: Int, overlap: Int, jitter: Int, cell: Int, wraps: Bool, shift: (Int) -> Double) {
        func up(_ length: Int) -> Int { (length + cell - 1) / cell * cell }
        let (padded, reach) = (up(whole), jitter / cell)
        let stride = max(cell, tile - up(overlap) - 2 * reach * cell)
        if wraps {
            let count = max(2, (whole + stride - 1) / stride)
            starts = (0..<count).map { i in
                (i * (whole / cell) / count + Int((shift(i) * Double(reach)).rounded())) * cell
            }
            length = tile
        } else if padded <= tile {
            (starts, length) = ([0], padded)
        } else {
            let count = (padded - tile + stride - 1) / stride + 1
            let room = (padded - tile) / cell
            starts = (0..<count).map { i in
                let moved = i == 0 || i == count - 1 ? 0 : Int((shift(i) * Double(reach)).rounded())
                return (i * room / (count - 1) + moved) * cell
            }
            length = tile
        }
        let (starts, length) = (starts, length)
        let seamCount = wraps ? starts.count : starts.count - 1
        seams = (0..<seamCount).map { i in
            let next = i + 1 < starts.count ? starts[i + 1] : starts[0] + whole
            let shared = starts[i] + length - next
            let first = next + (shared - overlap) / 2
            return first..<first + overlap
        }
    }

    /// The seams on both sides of a tile. Of a side that goes on, the first tile's own seam lies before its beginning.
    func sides(of tile: Int, whole: Int) -> (before: Range<Int>?, after: Range<Int>?) {
        let after = tile < seams.count ? seams[tile] : nil
        if tile > 0 { return (seams[tile - 1], after) }
        guard seams.count == starts.count, let last = seams.last else { return (nil, after) }
        return (last.lowerBound - whole..<last.upperBound - whole, after)
    }

    func range(_ tile: Int) -> Range<Int> { starts[tile]..<starts[tile] + length }
}

extension TilePlan {
    /// Rows of tiles, and the tiles of each row; with a jitter every row has its own boundaries.
    private static func rows(_ wish: Wish, _ size: PixelSize) -> (down: TileRow, across: [TileRow]) {
        func row(_ whole: Int, _ tile: Int, _ wraps: Bool, _ number: Int) -> TileRow {
            TileRow(
                whole: whole, tile: tile, overlap: wish.overlap, jitter: wish.jitter, cell: wish.cell, wraps: wraps
            ) { tile in
                let words = PositionNoise.words(
                    (UInt32(tile), UInt32(truncatingIfNeeded: number), 0, 0xF000_0000),
                    key: (UInt32(truncatingIfNeeded: wish.seed), UInt32(truncatingIfNeeded: wish.seed >> 32)))
                return Double(words[0]) / Double(UInt32.max) * 2 - 1
            }
        }
        let down = row(size.height, wish.tile.height, wish.wrap.y, -1)
        return (down, down.starts.indices.map { row(size.width, wish.tile.width, wish.wrap.x, $0) })
    }

    static func grid(_ wish: Wish, _ size: PixelSize) -> [Tile] {
        let (down, across) = rows(wish, size)
        return across.indices.flatMap { y in
            across[y].starts.indices.map { x in
                let (left, right) = across[y].sides(of: x, whole: size.width)
                let (top, bottom) = down.sides(of: y, whole: size.height)
                return Tile(
                    index: 0, wave: 0,
                    frame: Rectangle(across[y].range(x), down.range(y)),
                    feather: .seams(.init(left: left, right: right, top: top, bottom: bottom), smooth: true),
                    seesPainted: false)
            }
        }
    }

    /// Further tiles over the boundaries of those that stand, painted on what they became.
    func repairs(_ repair: Repair, _ wish: Wish) -> [Tile] {
        let wave = (tiles.last?.wave ?? 0) + 1
        func tile(_ x: Int, _ y: Int, _ size: PixelSize, _ feather: Feather) -> Tile {
            self.repair(x, y, size, feather, wave: wave, cell: wish.cell)
        }
        let (rows, columns) = seamLines
        let side = wish.tile
        switch repair {
        case .band, .halfTile:
            func length(_ length: Int) -> Int {
                repair == .halfTile ? length : max(length / 4, 2 * wish.overlap) / wish.cell * wish.cell
            }
            let narrow = PixelSize(width: length(side.width), height: side.height)
            let low = PixelSize(width: side.width, height: length(side.height))
            return columns.map { tile($0.at, ($0.from + $0.to) / 2, narrow, .tent(across: true, down: false)) }
                + rows.map { tile(($0.from + $0.to) / 2, $0.at, low, .tent(across: false, down: true)) }
        case .intersections:
            return columns.flatMap { column in
                rows.filter { $0.at == column.to && $0.from <= column.at && column.at < $0.to }.map {
                    tile(column.at, $0.at, side, .tent(across: true, down: true))
                }
            }
        }
    }

    /// A tile around a place, painted on what is there; it begins at whole cells.
    func repair(_ x: Int, _ y: Int, _ size: PixelSize, _ feather: Feather, wave: Int, cell: Int) -> Tile {
        func down(_ place: Int) -> Int { Int((Double(place) / Double(cell)).rounded(.down)) * cell }
        var tile = Tile(
            index: 0, wave: wave,
            frame: Rectangle(
                x: down(x - size.width / 2), y: down(y - size.height / 2), width: size.width, height: size.height),
            feather: feather, seesPainted: true)
        tile.skip = Skip(percent: Self.repairSkip)
        return tile
    }

    /// Percent that a repair skips: it need not change more than what shows.
    static let repairSkip = "65"

    /// A boundary between two tiles: the middle of their seam, from one crossing boundary to the next.
    package struct SeamLine: Sendable, Equatable {
        package var at, from, to: Int
        /// Length of the blend across it.
        package var width: Int
    }

    /// Boundaries between tiles of the first wave: those across (rows) and those down (columns).
    package var seamLines: (rows: [SeamLine], columns: [SeamLine]) {
        var (rows, columns): ([SeamLine], [SeamLine]) = ([], [])
        for tile in tiles where tile.wave == 0 && !tile.isLeftOut {
            let edges = edges(of: tile)
            let whole = covered(by: tile)
            let (left, right) = (edges.left?.middle ?? whole.x, edges.right?.middle ?? whole.x + whole.width)
            let (top, bottom) = (edges.top?.middle ?? whole.y, edges.bottom?.middle ?? whole.y + whole.height)
            if let seam = edges.left, (1..<size.width).contains(seam.middle) {
                columns.append(
                    .init(at: seam.middle, from: max(0, top), to: min(size.height, bottom), width: seam.count))
            }
            if let seam = edges.top, (1..<size.height).contains(seam.middle) {
                rows.append(.init(at: seam.middle, from: max(0, left), to: min(size.width, right), width: seam.count))
            }
        }
        return (rows.filter { $0.to > $0.from }, columns.filter { $0.to > $0.from })
    }

    /// Where a tile begins to show over what lies before it.
    private func edges(of tile: Tile) -> Feather.Seams {
        let frame = tile.frame
        switch tile.feather {
        case .seams(let seams, _): return seams
        case .left: return .init(left: frame.x > 0 ? frame.x..<frame.x + 64 : nil)
        case .frame(let overlap):
            let width = min(37, overlap)
            return .init(
                left: frame.x..<frame.x + width,
                right: frame.x + frame.width - width..<frame.x + frame.width,
                top: frame.y..<frame.y + width,
                bottom: frame.y + frame.height - width..<frame.y + frame.height)
        case .softened(let inside, let radius):
            let reach = Int(2 * radius)
            func seam(_ place: Int) -> Range<Int> { place - reach..<place + reach }
            return .init(
                left: seam(inside.x), right: seam(inside.x + inside.width - 1), top: seam(inside.y),
                bottom: seam(inside.y + inside.height - 1))
        case .tent: return .init()
        }
    }
}

extension Range<Int> {
    var middle: Int { (lowerBound + upperBound) / 2 }
}

extension Rectangle {
    init(_ x: Range<Int>, _ y: Range<Int>) {
        self.init(x: x.lowerBound, y: y.lowerBound, width: x.count, height: y.count)
    }
}
