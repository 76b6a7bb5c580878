import Raster

/// How a picture is enlarged and painted in tiles.
package struct Enlarging: Sendable {
    package enum Mode: String, Sendable, CaseIterable {
        /// Every tile is painted by itself.
        case tiles
        /// All tiles advance together, and what they predict is merged in every step.
        case joint
    }

    /// How much a place is changed by what is there.
    package enum Map: Sendable, Equatable {
        /// Flat places less, texture more.
        case flat
        /// As a picture says: white wholly, black not at all.
        case file(name: String, hash: String)
    }

    /// How many times larger, where no size was given.
    package var scale: Double?
    /// The enlarged size.
    package var size: PixelSize
    package var tile: PixelSize
    package var overlap = 64
    package var mode = Mode.tiles
    package var layout = TilePlan.Layout.grid
    package var jitter = 0
    package var wrap = TilePlan.Wrap()
    package var map: Map?
    /// How far what is broad in a tile is held to the source's in every step, 0…1.
    package var composition = 1.0
    /// How far what the enlarged source shows is kept, 0…1; see ``TileFidelity``.
    package var fidelity = 0.0
    /// How many times larger the picture becomes.
    package var times = 1.0
    package var repair: [TilePlan.Repair] = []
    /// Seams that show more than this are painted over.
    package var maxSeam: Double?
    /// What enlarges before anything is painted.
    package var upscaler: (name: String, hash: String)?

    package init(size: PixelSize, tile: PixelSize) { (self.size, self.tile) = (size, tile) }

    /// What is asked of the plan of tiles.
    package func wish(seed: UInt64, cell: Int) -> TilePlan.Wish {
        var wish = TilePlan.Wish(tile: tile, overlap: overlap, cell: cell)
        (wish.layout, wish.jitter, wish.seed, wish.wrap, wish.repair) = (layout, jitter, seed, wrap, repair)
        wish.scale = scale ?? 2
        return wish
    }

    /// The members of a recipe.
    var members: [(String, JSONText)] {
        func named(_ file: (name: String, hash: String)) -> JSONText {
            .object([("name", .text(file.name)), ("sha256", .text(file.hash))])
        }
        var members: [(String, JSONText)] = [
            ("enlarged", .text("\(size.width)x\(size.height)")), ("scale", scale.map(JSONText.number) ?? .null),
            ("tile", layout.hasOwnTiles ? .null : .text("\(tile.width)x\(tile.height)")),
            ("overlap", layout.hasOwnOverlap ? .null : .integer(overlap)), ("composition", .number(composition)),
            ("fidelity", .number(fidelity)),
            ("mode", .text(mode.rawValue)), ("layout", .text(layout.rawValue)), ("jitter", .integer(jitter)),
            ("wrap", wrap.text.map(JSONText.text) ?? .null),
            ("repair", repair.isEmpty ? .null : .text(repair.map(\.rawValue).joined(separator: ","))),
            ("max-seam", maxSeam.map(JSONText.number) ?? .null),
        ]
        switch map {
        case .flat: members.append(("map", .text("flat")))
        case .file(let name, let hash): members.append(("map", named((name, hash))))
        case nil: break
        }
        if let upscaler { members.append(("upscaler", named(upscaler))) }
        return members
    }
}
