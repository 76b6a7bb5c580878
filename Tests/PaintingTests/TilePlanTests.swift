import Foundation
import Painting
import Raster
import RasterFiles
import TestKit
import Testing
import Threads

/// Where tiles lie and how much of each pixel they take, whatever the sizes.
@Suite struct TilePlanTests {
    /// A random wish that can be granted.
    private static func wish(_ generator: inout SeededGenerator) -> (TilePlan.Wish, PixelSize) {
        let tile = PixelSize(
            width: 8 * .random(in: 4...16, using: &generator), height: 8 * .random(in: 4...16, using: &generator))
        let overlap = Int.random(in: 0...min(tile.width, tile.height) / 2, using: &generator)
        var wish = TilePlan.Wish(tile: tile, overlap: overlap, cell: 8)
        let room = min(tile.width, tile.height) - overlap
        wish.jitter = Bool.random(using: &generator) ? .random(in: 0..<max(1, room / 2), using: &generator) : 0
        wish.seed = .random(in: 0 ... .max, using: &generator)
        var size = PixelSize(
            width: .random(in: 9...400, using: &generator), height: .random(in: 9...300, using: &generator))
        if Int.random(in: 0..<3, using: &generator) == 0 {
            wish.wrap = TilePlan.Wrap(x: true, y: Bool.random(using: &generator))
            size = PixelSize(
                width: max(tile.width, size.width / 8 * 8), height: max(tile.height, size.height / 8 * 8))
        }
        return (wish, size)
    }

    @Test(
        "in the grid every pixel is covered, weights add up to one, tiles begin at whole cells and lie over one another"
    )
    func grid() throws {
        for seed in 1...120 {
            var generator = SeededGenerator(UInt64(seed))
            let (wish, size) = Self.wish(&generator)
            let plan = try TilePlan(wish, size: size)
            #expect(try TilePlan(wish, size: size) == plan)
            var sums = [Float](repeating: 0, count: size.area)
            for tile in plan.tiles {
                #expect(tile.frame.x % 8 == 0 && tile.frame.y % 8 == 0 && !tile.seesPainted)
                let weights = tile.feather.weights(tile.frame)
                let range = (weights.values.min() ?? -1, weights.values.max() ?? 2)
                #expect(range.0 >= 0 && range.1 <= 1, "\(range) in \(tile) of \(wish) on \(size)")
                for piece in plan.pieces(of: tile.frame) {
                    #expect(piece.picture.fits(in: size))
                    for y in 0..<piece.picture.height {
                        for x in 0..<piece.picture.width {
                            sums[(piece.picture.y + y) * size.width + piece.picture.x + x] +=
                                weights[piece.x + x, piece.y + y]
                        }
                    }
                }
            }
            #expect(sums.allSatisfy { abs($0 - 1) < 1e-5 }, "\(wish) on \(size)")
            // A tile reaches at most a cell past the picture.
            if wish.wrap.text == nil {
                #expect(plan.tiles.allSatisfy { $0.frame.x + $0.frame.width < size.width + 8 })
            }
        }
    }

    @Test("whichever tiles meet a place are found without looking at all")
    func index() throws {
        for seed in 1...60 {
            var generator = SeededGenerator(UInt64(seed))
            let (wish, size) = Self.wish(&generator)
            let tiles = try TilePlan(wish, size: size).tiles
            let index = TileIndex(tiles)
            for _ in 0..<20 {
                let place = Rectangle(
                    x: .random(in: -50...size.width, using: &generator),
                    y: .random(in: -50...size.height, using: &generator),
                    width: .random(in: 1...90, using: &generator), height: .random(in: 1...90, using: &generator))
                let near = index.near(place)
                #expect(near == near.sorted() && Set(near).count == near.count)
                let meeting = tiles.filter { !$0.frame.intersection(place).size.isEmpty }.map(\.index)
                #expect(Set(meeting).isSubset(of: near))
            }
        }
    }

    @Test("a jitter moves boundaries, another seed moves them elsewhere, and overlaps stay as wide")
    func jitter() throws {
        var wish = TilePlan.Wish(tile: PixelSize(width: 128, height: 128), overlap: 32, cell: 8)
        let size = PixelSize(width: 700, height: 500)
        let still = try TilePlan(wish, size: size)
        wish.jitter = 24
        let moved = try TilePlan(wish, size: size)
        wish.seed = 5
        let other = try TilePlan(wish, size: size)
        #expect(moved != other && still.tiles.map(\.frame) != moved.tiles.map(\.frame))
        for plan in [moved, other] {
            let lines = plan.seamLines.columns
            #expect(Set(lines.map(\.at)).count > still.seamLines.columns.count / 4)
            #expect(lines.allSatisfy { $0.width == 26 })
        }
    }

    @Test("what cannot be planned is refused with both values")
    func refusals() {
        func refused(_ change: (inout TilePlan.Wish) -> Void, _ size: PixelSize = PixelSize(width: 400, height: 300))
            -> String?
        {
            var wish = TilePlan.Wish(tile: PixelSize(width: 128, height: 128), overlap: 32, cell: 8)
            change(&wish)
            do {
                _ = try TilePlan(wish, size: size)
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(refused { _ in } == nil)
        #expect(refused { $0.overlap = 65 }?.contains("0 to 64") == true)
        #expect(refused { $0.tile.width = 100 }?.contains("multiples of 8") == true)
        #expect(refused { $0.jitter = 48 }?.contains("less than 48") == true)
        #expect(refused({ $0.wrap = .init(x: true) }, PixelSize(width: 401, height: 300))?.contains("401") == true)
        #expect(
            refused({
                $0.wrap = .init(x: true); $0.layout = .ultimate
            })?.contains("ultimate") == true)
        #expect(
            refused(
                {
                    $0.overlap = 0; $0.tile = .init(width: 16, height: 16)
                }, .init(width: 1 << 20, height: 1 << 20)) != nil)
    }

    @Test("other tools' layouts: frames are theirs, and tiles of one colour each look together as theirs do")
    func layouts() throws {
        struct Case: Decodable {
            let name: String
            let layout: String
            let size: [Int]
            let frames: [[Int]]
            let scale: Double?
            let tile: [Int]?
            let overlap: Int?
        }
        let cases = try JSONDecoder().decode(
            [Case].self, from: Data(contentsOf: URL(fileURLWithPath: Golden.path("gobig/cases.json"))))
        #expect(cases.count == 8)
        for known in cases {
            let size = PixelSize(width: known.size[0], height: known.size[1])
            let tile = known.tile.map { PixelSize(width: $0[0], height: $0[1]) } ?? PixelSize(width: 64, height: 64)
            var wish = TilePlan.Wish(tile: tile, overlap: known.overlap ?? 32, cell: 8)
            wish.layout = try #require(TilePlan.Layout(rawValue: known.layout))
            wish.scale = known.scale ?? 2
            let plan = try TilePlan(wish, size: size)
            let frames = plan.tiles.map { tile -> [Int] in
                // Of the tiles that are painted through a mask, the rectangle that it shows.
                guard case .softened(let inside, _) = tile.feather else {
                    return [tile.frame.x, tile.frame.y, tile.frame.width, tile.frame.height]
                }
                return [inside.x, inside.y, inside.width, inside.height]
            }
            #expect(frames == known.frames, "\(known.name)")

            let base = Picture(
                size: size, channels: .rgb, eight: (0..<size.area * 3).map { [40, 90, 140][$0 % 3] })
            let store = try PixelStore(size: size, channels: .rgb, depth: 8, in: NSTemporaryDirectory())
            try store.write(base, y: 0)
            let canvas = TileCanvas(plan: plan, enlarged: store, threads: Threads(2))
            var whole = base.converted(depth: 16)
            for tile in plan.tiles {
                let i = tile.index
                let colour = [37 * i % 256, (91 * i + 50) % 256, (151 * i + 100) % 256].map { UInt16($0 * 257) }
                let painted = Picture(
                    size: tile.frame.size, channels: .rgb,
                    sixteen: (0..<tile.frame.size.area * 3).map { colour[$0 % 3] })
                try canvas.lay(tile, painted, onto: &whole, at: Rectangle(size))
            }
            let theirs = try PictureFile.read(Golden.path("gobig/\(known.name).png"))
            let ours = whole.converted(depth: 8)
            guard case .eight(let a) = ours.samples, case .eight(let b) = theirs.samples else { return }
            let worst = zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 255
            // Each of their layers is rounded to 8 bits, ours once; four lie over one another at most.
            #expect(worst <= 3, "\(known.name): \(worst)")
        }
    }

    @Test("what progrock-stable enlarges to is filled by its tiles")
    func maximised() {
        var wish = TilePlan.Wish(tile: PixelSize(width: 512, height: 512), overlap: 64, cell: 8)
        wish.layout = .progrockGrid
        let filled = TilePlan.maximized(wish, PixelSize(width: 1024, height: 1024))
        // The middle tile ends at 768, the next at 1216; as far again past the other side.
        #expect(filled == PixelSize(width: 1408, height: 1408))
    }

    @Test("repairs lie over the boundaries, see what was painted and come in waves of their own")
    func repairs() throws {
        var wish = TilePlan.Wish(tile: PixelSize(width: 128, height: 128), overlap: 32, cell: 8)
        wish.repair = [.band, .halfTile, .intersections]
        let plan = try TilePlan(wish, size: PixelSize(width: 320, height: 224))
        let (rows, columns) = plan.seamLines
        #expect(rows.count == 3 && columns.count == 4)
        let waves = (1...3).map { wave in plan.tiles.filter { $0.wave == wave } }
        #expect(waves.map(\.count) == [7, 7, 2])
        for tile in waves.joined() {
            #expect(tile.seesPainted && tile.skip != nil && !plan.beneath(tile).isEmpty)
            #expect(plan.beneath(tile).allSatisfy { $0.index < tile.index })
        }
    }
}
