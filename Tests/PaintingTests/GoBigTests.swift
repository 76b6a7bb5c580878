import Foundation
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import TestKit
import Testing
import Threads

/// Tiles painted and put together, and figures that see where they were.
@Suite struct GoBigTests {
    private static func store(_ picture: Picture) throws -> PixelStore {
        let store = try PixelStore(
            size: picture.size, channels: picture.channels, depth: picture.depth, in: NSTemporaryDirectory())
        try store.write(picture, y: 0)
        return store
    }

    private static func painting(
        _ studio: Studio, _ source: PixelStore, tile: Int, overlap: Int, folder: String,
        change: (inout Settings, inout Enlarging, inout TilePlan.Wish) -> Void = { _, _, _ in }
    ) throws -> TilePainting {
        var settings = Settings()
        (settings.steps, settings.colourAnchor, settings.sampler) = (4, 1, .ddim)
        var asked = Enlarging(size: source.size, tile: PixelSize(width: tile, height: tile))
        asked.overlap = overlap
        var wish = asked.wish(seed: 1, cell: 8)
        change(&settings, &asked, &wish)
        settings.enlarging = asked
        let plan =
            asked.mode == .joint
            ? TilePlan(whole: source.size, overlap: overlap) : try TilePlan(wish, size: source.size)
        let skip = try #require(Skip(percent: "50"))
        let recipe = Recipe(
            "gobig", settings, settings.plan(skip, studio.model.scheduler), working: source.size,
            model: .init(name: "test", parts: []), kernels: [])
        return TilePainting(
            GoBig(TileCost(studio, settings, asked, skip: skip), plan: plan, recipe: recipe), enlarged: source,
            strength: TileStrength(), folder: TileFolder(folder))
    }

    private static func paint(_ painting: TilePainting) throws -> PixelStore {
        for tile in painting.plan.tiles { try painting.paint(tile, clock: { 0 }) { _ in } }
        return try #require(try painting.assembled(in: NSTemporaryDirectory()))
    }

    private static func folder() -> String { NSTemporaryDirectory() + "velatura-tiles-" + UUID().uuidString + "/" }

    private static func all(_ store: PixelStore) throws -> Picture { try store.read(Rectangle(store.size)) }

    @Test("a painter that gives back what it gets leaves the enlarged source as it is, to the bit")
    func identity() throws {
        let studio = try Studio.identity()
        for (number, channels) in Picture.Channels.allCases.enumerated() {
            for depth in [8, 16] {
                var generator = SeededGenerator(UInt64(number * 16 + depth))
                let size = PixelSize(width: 141 + number, height: 103)
                let count = size.area * channels.count
                let source =
                    depth == 8
                    ? Picture(
                        size: size, channels: channels,
                        eight: (0..<count).map { _ in .random(in: 0 ... .max, using: &generator) })
                    : Picture(
                        size: size, channels: channels,
                        sixteen: (0..<count).map { _ in .random(in: 0 ... .max, using: &generator) })
                let folder = Self.folder()
                defer { TileFolder(folder).remove() }
                let painting = try Self.painting(studio, try Self.store(source), tile: 64, overlap: 24, folder: folder)
                {
                    settings, asked, wish in
                    (settings.initialNoiseMultiplier, settings.prediction) = (0, .epsilon)
                    // Correcting what needs no correction may still round.
                    settings.colourAnchor = number % 2 == 0 ? 1 : 0
                    wish.repair = number == 0 ? [.halfTile] : []
                    asked.mode = number == 3 ? .joint : .tiles
                }
                let result = try Self.all(Self.paint(painting)).converted(depth: depth)
                let exact = source.channels.hasAlpha && depth == 16
                let worst =
                    zip(0..<count, 0..<count).map { i, _ in
                        let (x, y, c) = (
                            i / channels.count % size.width, i / channels.count / size.width, i % channels.count
                        )
                        // What transparent pixels hide is not painted on; the painter sees colours bled into them.
                        let hidden = channels.hasAlpha && source[x, y, channels.count - 1] == 0
                        return hidden ? 0 : abs(result[x, y, c] - source[x, y, c])
                    }.max() ?? 0
                // Through light and back, single precision is a 65535th off at most.
                #expect(worst <= (depth == 16 ? 2 : 0), "\(channels) \(depth) \(exact): \(worst)")
            }
        }
    }

    @Test(
        "flat grey and a gradient through the built-in model show no boundary",
        arguments: [Enlarging.Mode.tiles, .joint])
    func smooth(mode: Enlarging.Mode) throws {
        let studio = try Studio(model: "miniature", on: try Engine())
        let size = PixelSize(width: 640, height: 448)
        for isFlat in [true, false] {
            let values = (0..<size.area).flatMap { pixel -> [UInt8] in
                let (x, y) = (pixel % size.width, pixel / size.width)
                return isFlat
                    ? [128, 128, 128] : [UInt8(60 + x * 120 / size.width), UInt8(80 + y * 90 / size.height), 120]
            }
            let folder = Self.folder()
            defer { TileFolder(folder).remove() }
            let source = try Self.store(Picture(size: size, channels: .rgb, eight: values))
            let painting = try Self.painting(studio, source, tile: 256, overlap: 64, folder: folder) {
                settings, asked, _ in
                (asked.mode, settings.steps) = (mode, 10)
            }
            // Where all is painted as one, the figures are taken where its tiles meet.
            let grid = try TilePlan(
                TilePlan.Wish(tile: PixelSize(width: 256, height: 256), overlap: 64, cell: 8), size: size)
            let score = try SeamScore(grid, result: try Self.paint(painting), source: source)
            #expect(score.edges.count == 7)
            let (edges, others) = (score.fine.edges, score.fine.others)
            #expect(edges <= 1.1, "\(isFlat ? "flat" : "gradient") \(mode): \(edges), elsewhere \(others)")
            #expect(score.edges.allSatisfy { $0.fine <= 1.1 })
        }
    }

    /// A picture of noise, and another with each column of tiles some levels apart.
    private static func textured(_ size: PixelSize, step: (_ x: Int) -> Double, seed: UInt64 = 4) -> Picture {
        var generator = SeededGenerator(seed)
        let grain = (0..<size.area).map { _ in Double.random(in: -3...3, using: &generator) }
        return Picture(
            size: size, channels: .grey,
            sixteen: (0..<size.area).map { pixel in
                UInt16(((120 + grain[pixel] + step(pixel % size.width)) * 257).rounded())
            })
    }

    @Test("the figures see what they are for: hard tiles four levels apart, and a feathered jump of four levels")
    func controls() throws {
        let size = PixelSize(width: 640, height: 384)
        let source = try Self.store(Self.textured(size) { _ in 0 })
        func score(overlap: Int, tile: Int = 128, _ step: @escaping (Int) -> Double) throws -> SeamScore {
            let plan = try TilePlan(
                TilePlan.Wish(tile: PixelSize(width: tile, height: 384), overlap: overlap, cell: 8), size: size)
            return try SeamScore(plan, result: try Self.store(Self.textured(size, step: step)), source: source)
        }
        let still = try score(overlap: 0) { _ in 0 }
        #expect(still.edges.count == 4 && still.others.count == 4)
        #expect(still.fine.edges <= 1.1 * still.fine.others && still.fine.edges > 0.8)
        // The grain is 2 levels a step on average; four levels more double it.
        let hard = try score(overlap: 0) { $0 / 128 % 2 == 0 ? 0 : 4 }
        #expect(hard.fine.edges >= 1.5 * hard.fine.others, "\(hard.fine)")

        let soft = try score(overlap: 64, tile: 256) { x in
            // Up over the first seam's 64 pixels, down again over the second's.
            4 * (min(1, max(0, Double(x - 192) / 64)) - min(1, max(0, Double(x - 384) / 64)))
        }
        #expect(soft.edges.map(\.at).sorted() == [227, 419])
        #expect(soft.broad.edges >= 1.5 * soft.broad.others, "\(soft.broad)")
        #expect(soft.fine.edges < 1.2, "a feathered jump is no step")
        #expect(
            try hard.showing(above: 1.2, try Self.store(Self.textured(size) { $0 / 128 % 2 == 0 ? 0 : 4 })).count == 4)
        #expect(try still.showing(above: 1.2, source).isEmpty)
    }

    @Test("tiles have the same bytes in any order, and a tile that is left out shows the source")
    func order() throws {
        let studio = try Studio(model: "miniature", on: try Engine())
        let source = try Self.store(Self.textured(PixelSize(width: 160, height: 120)) { Double($0) / 4 })
        let (one, other) = (Self.folder(), Self.folder())
        defer { [one, other].forEach { TileFolder($0).remove() } }
        let first = try Self.painting(studio, source, tile: 64, overlap: 16, folder: one)
        let whole = try Self.all(Self.paint(first))
        let second = try Self.painting(studio, source, tile: 64, overlap: 16, folder: other)
        for tile in second.plan.tiles.reversed() { try second.paint(tile, clock: { 0 }) { _ in } }
        #expect(try Self.all(#require(try second.assembled(in: NSTemporaryDirectory()))) == whole)
        #expect(second.goBig.keys == first.goBig.keys && Set(first.goBig.keys).count == first.plan.tiles.count)
    }

    /// How much every tile was changed alike: the standard deviation, in levels of 255, of what is left when the changes of all
    /// tiles are averaged over one another.
    private static func repetition(_ result: PixelStore, _ source: PixelStore, _ plan: TilePlan) throws -> Double {
        let (new, old) = (try all(result), try all(source).converted(depth: 16))
        let frame = plan.tiles[0].frame
        var mean = [Double](repeating: 0, count: frame.size.area)
        for tile in plan.tiles {
            for y in 0..<frame.height {
                for x in 0..<frame.width {
                    let (px, py) = (tile.frame.x + x, tile.frame.y + y)
                    for c in 0..<3 {
                        mean[y * frame.width + x] +=
                            Double(new[px, py, c] - old[px, py, c]) / 257 / 3 / Double(plan.tiles.count)
                    }
                }
            }
        }
        let middle = mean.reduce(0, +) / Double(mean.count)
        return (mean.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / Double(mean.count)).squareRoot()
    }

    @Test("a subject that a model paints into the middle of every tile is kept out by the guide")
    func repeats() throws {
        let studio = try Studio.stamping(0.3)
        let size = PixelSize(width: 640, height: 448)
        let source = try Self.store(
            Picture(size: size, channels: .rgb, eight: (0..<size.area * 3).map { [110, 120, 130][$0 % 3] }))
        func measured(guide composition: Double, anchor: Double, _ mode: Enlarging.Mode = .tiles) throws -> Double {
            let folder = Self.folder()
            defer { TileFolder(folder).remove() }
            let painting = try Self.painting(studio, source, tile: 256, overlap: 64, folder: folder) {
                settings, asked, _ in
                (settings.initialNoiseMultiplier, settings.prediction) = (0, .epsilon)
                (settings.colourAnchor, asked.composition, asked.mode) = (anchor, composition, mode)
            }
            let grid = try TilePlan(TilePlan.Wish(tile: asked, overlap: 64, cell: 8), size: size)
            return try Self.repetition(Self.paint(painting), source, grid)
        }
        let asked = PixelSize(width: 256, height: 256)
        let free = try measured(guide: 0, anchor: 0)
        #expect(free > 10, "\(free) levels")
        for mode in Enlarging.Mode.allCases {
            let held = try measured(guide: 1, anchor: 0, mode)
            #expect(held < free / 4, "\(mode): \(held) of \(free)")
        }
        // What is left of it is finer than the guide's squares; the anchor's are half as large.
        let anchored = (try measured(guide: 0, anchor: 1), try measured(guide: 1, anchor: 1))
        #expect(anchored.1 < 0.9 * anchored.0 && anchored.1 < free / 5, "\(anchored) of \(free)")
    }

    @Test("broad colours are drawn back to the source's: means of 32 pixels differ by less than half a ΔE")
    func anchored() throws {
        let studio = try Studio(model: "miniature", on: try Engine())
        let picture = try PictureFile.read(Golden.repository + "/samples/coffee.png").cropped(
            to: Rectangle(x: 150, y: 60, width: 256, height: 192))
        let source = try Self.store(picture)
        func farthest(_ anchor: Double) throws -> Double {
            let folder = Self.folder()
            defer { TileFolder(folder).remove() }
            let painting = try Self.painting(studio, source, tile: 128, overlap: 32, folder: folder) { settings, _, _ in
                (settings.colourAnchor, settings.steps) = (anchor, 10)
            }
            let result = try Self.all(Self.paint(painting)).floats()
            let small = PixelSize(width: 8, height: 6)
            return Similarity.meanColourDifference(
                result.resized(to: small, filter: .box), picture.floats().resized(to: small, filter: .box))
        }
        let (with, without) = (try farthest(1), try farthest(0))
        #expect(with < 0.25 && without > 2 * with, "\(with) \(without)")
    }
}
