import Raster

/// Which of many frames lie near a place, found without looking at all of them.
package struct TileIndex {
    /// Side of the squares that frames are noted in.
    private let side: Int
    private var frames: [Place: [Int]] = [:]

    private struct Place: Hashable {
        var x, y: Int
    }

    package init(_ tiles: [TilePlan.Tile]) {
        side = max(1, tiles.map { max($0.frame.width, $0.frame.height) }.max() ?? 1)
        for tile in tiles {
            for place in places(tile.frame) { frames[place, default: []].append(tile.index) }
        }
    }

    private func places(_ frame: Rectangle) -> [Place] {
        func squares(_ start: Int, _ length: Int) -> ClosedRange<Int> {
            func square(_ place: Int) -> Int { Int((Double(place) / Double(side)).rounded(.down)) }
            return square(start)...square(start + max(1, length) - 1)
        }
        return squares(frame.y, frame.height).flatMap { y in
            squares(frame.x, frame.width).map { Place(x: $0, y: y) }
        }
    }

    /// Indices of tiles that may meet a rectangle, in their order: all that do are among them.
    package func near(_ rectangle: Rectangle) -> [Int] {
        Set(places(rectangle).flatMap { frames[$0] ?? [] }).sorted()
    }
}
