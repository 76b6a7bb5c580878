import ArgumentParser
import Painting
import Raster
import RasterFiles
import Threads

extension Enlarging.Mode: ExpressibleByArgument {}
extension TilePlan.Layout: ExpressibleByArgument {}
extension TilePlan.Wrap: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
    public static var allValueStrings: [String] { ["x", "y", "xy"] }
}

/// "512" or "640x512"
struct TileArgument: ExpressibleByArgument {
    let size: PixelSize

    init?(argument: String) {
        if let side = Int(argument), side > 0, side <= 1 << 16 {
            size = PixelSize(width: side, height: side)
        } else if let given = SizeArgument(argument: argument) {
            size = given.size
        } else {
            return nil
        }
    }
}

/// "band,half-tile"
struct RepairList: ExpressibleByArgument {
    let repairs: [TilePlan.Repair]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map {
            TilePlan.Repair(rawValue: String($0))
        }
        guard !parts.contains(nil), Set(parts).count == parts.count else { return nil }
        repairs = parts.compactMap { $0 }
    }
}

/// How much larger, and how the enlarged picture is cut into tiles and put together.
struct GoBigOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("How many times larger. (default: 2)", valueName: "x"))
    var scale: Double?

    @Option(name: .long, help: ArgumentHelp("The enlarged size, of the picture's own shape.", valueName: "wxh"))
    var size: SizeArgument?

    @Option(
        name: .long,
        help: ArgumentHelp("Side of a tile, in enlarged pixels. (default: the model's own)", valueName: "px|wxh"))
    var tile: TileArgument?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How far tiles lie over one another, in enlarged pixels; at most half a tile. (default: 64)",
            valueName: "px"))
    var overlap: Int?

    @Option(
        name: .long,
        help: "Paint every tile by itself, or all together step by step. (default: tiles)")
    var mode: Enlarging.Mode?

    @Option(name: .long, help: "Where tiles lie: our own grid, or another tool's layout. (default: grid)")
    var layout: TilePlan.Layout?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What enlarges before painting: the filter, the small upscaler inside the program, or an upscaler's file. (default: lanczos)",
            valueName: "lanczos|miniature|path"))
    var upscaler: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Move boundaries at random by up to this many pixels. (default: 0)", valueName: "px"))
    var jitter: Int?

    @Option(name: .long, help: "The picture is a texture that goes on at its other side.")
    var wrap: TilePlan.Wrap?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where to change more: flat changes flat places less; a picture changes what is white.",
            valueName: "flat|file"))
    var map: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Hold what is broad to the source's in every step, 0 to 1: keeps tiles from painting the subject anew. (default: 1)",
            valueName: "x"))
    var composition: Double?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Keep what the enlarged source shows, 0 to 1, so that only what is finer is painted. (default: 1, at scale 1 0)",
            valueName: "x"))
    var fidelity: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Put this much noise in where the enlarged picture is flat before it is painted, as velatura noise does; negative calms.",
            valueName: "a"))
    var noise: AmountArgument?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Passes over the boundaries afterwards: band, half-tile, intersections, or several of them.",
            valueName: "kind[,kind…]"))
    var repair: RepairList?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Paint seams again that show more than this, 1 to 100; 1 is as the picture's own lines.", valueName: "s"))
    var maxSeam: Double?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Paint only what is white in this picture; black stays to the bit.", valueName: "file|folder"))
    var mask: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Draw broad colours back to the source's, 0 to 1. (default: 1)", valueName: "x"))
    var colourAnchor: Double?

    @Flag(name: .long, help: "Let a grey picture become coloured.")
    var colour = false

    @Flag(name: .long, help: "Also write a page with both pictures, the tiles and the seams.")
    var report = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Keep painted tiles in this folder. (default: one beside the result, until it stands)", valueName: "folder")
    )
    var work: String?

    func validate() throws {
        if scale != nil, size != nil {
            throw ValidationError("--scale and --size say the same thing in two ways. Give only one of them.")
        }
        if let scale, !(scale >= 1 && scale <= 64) {
            throw ValidationError("--scale is \(scale), but a number from 1 to 64 is expected.")
        }
        if let overlap, !(0...4096).contains(overlap) {
            throw ValidationError("--overlap is \(overlap), but a whole number of pixels from 0 to 4096 is expected.")
        }
        if let jitter, !(0...4096).contains(jitter) {
            throw ValidationError("--jitter is \(jitter), but a whole number of pixels from 0 to 4096 is expected.")
        }
        if let maxSeam, !(maxSeam >= 1 && maxSeam <= 100) {
            throw ValidationError("--max-seam is \(maxSeam), but a number from 1 to 100 is expected.")
        }
        if let colourAnchor, !(0...1).contains(colourAnchor) {
            throw ValidationError("--colour-anchor is \(colourAnchor), but a number from 0 to 1 is expected.")
        }
        for (name, value) in [("composition", composition), ("fidelity", fidelity)] {
            guard let value, !(0...1).contains(value) else { continue }
            throw ValidationError("--\(name) is \(value), but a number from 0 to 1 is expected.")
        }
        if let layout {
            for (name, isGiven) in [
                ("--tile", tile != nil && layout.hasOwnTiles), ("--overlap", overlap != nil && layout.hasOwnOverlap),
            ] where isGiven {
                throw ValidationError(
                    "\(name) changes nothing with --layout \(layout.rawValue), which has its own. Leave one of them out."
                )
            }
        }
        for (name, path) in [("map", map), ("mask", mask), ("work", work), ("upscaler", upscaler)]
        where path?.isEmpty == true {
            throw ValidationError("--\(name) is \"\", but a file or a folder is expected.")
        }
        guard mode == .joint else { return }
        if let layout, layout != .grid {
            throw ValidationError(
                "--mode joint has tiles of its own, not those of --layout \(layout.rawValue). Leave one of them out.")
        }
        for (name, isGiven) in [
            ("--jitter", jitter != nil), ("--wrap", wrap != nil), ("--repair", repair != nil),
            ("--max-seam", maxSeam != nil),
        ] where isGiven {
            throw ValidationError(
                "\(name) is for tiles that are painted by themselves, not for --mode joint. Leave one of them out.")
        }
    }

    /// What is asked for, of a picture of some size.
    ///
    /// - Throws: ``PaintingError/usage(_:)``
    func enlarging(_ source: PixelSize, name: String, _ model: DiffusionModel, seed: UInt64) throws(PaintingError)
        -> Enlarging
    {
        let layout = layout ?? .grid
        var target = try target(source, name: name)
        if layout == .sdUpscale, size == nil {
            target = PixelSize(width: max(8, target.width / 8 * 8), height: max(8, target.height / 8 * 8))
        }
        if layout == .ultimate, size == nil {
            target = PixelSize(width: (target.width + 63) / 64 * 64, height: (target.height + 63) / 64 * 64)
        }
        let side = model.tileSide
        let tile = tile?.size ?? (layout == .progrockGrid ? source : PixelSize(width: side, height: side))
        var asked = Enlarging(size: target, tile: tile)
        asked.scale = size == nil ? scale ?? 2 : nil
        asked.overlap = overlap ?? min(LatentTiles.overlap, min(tile.width, tile.height) / 2)
        asked.composition = composition ?? 1
        (asked.mode, asked.layout, asked.jitter) = (mode ?? .tiles, layout, jitter ?? 0)
        (asked.wrap, asked.repair, asked.maxSeam) = (wrap ?? .init(), repair?.repairs ?? [], maxSeam)
        if layout == .progrockGrid, size == nil {
            asked.size = TilePlan.maximized(asked.wish(seed: seed, cell: model.codec.factor), target)
        }
        asked.times = (Double(asked.size.area) / Double(source.area)).squareRoot()
        asked.fidelity = fidelity ?? (asked.times > 1 ? 1 : 0)
        return asked
    }

    private func target(_ source: PixelSize, name: String) throws(PaintingError) -> PixelSize {
        guard let size = size?.size else {
            let scale = scale ?? 2
            func length(_ length: Int) -> Int { Int((Double(length) * scale).rounded()) }
            return PixelSize(width: length(source.width), height: length(source.height))
        }
        let shapes = (
            Double(size.width) / Double(size.height), Double(source.width) / Double(source.height)
        )
        // A pixel more or less on a side is rounding.
        let slack = 1.5 / Double(min(size.width, size.height))
        guard abs(shapes.0 / shapes.1 - 1) <= slack else {
            throw .usage(
                "--size is \(size) but \(name) is \(source), which has another shape. Give --scale, or fit the picture first."
            )
        }
        guard size.width >= source.width || size.height >= source.height else {
            throw .usage("--size is \(size) but \(name) is \(source) already. Give a larger size, or fit the picture.")
        }
        return size
    }
}
