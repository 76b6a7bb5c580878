import Checkpoints
import Raster

/// What a person tells single tiles of a plan: in a plan's file, where every tile has its line, and in the recipe of what was
/// painted from it, where only those do that were told something.
package enum TileEdits {
    /// Puts into a tile what an entry says of it; what it does not say is as where nothing is told.
    ///
    /// - Parameters:
    ///   - name: of the file that says it
    ///   - label: "tile 3"
    /// - Throws: ``PaintingError/unsuitable(_:)``
    static func take(_ entry: JSON, into tile: inout TilePlan.Tile, _ name: String, _ label: String)
        throws(PaintingError)
    {
        let known: Set = ["tile", "wave", "frame", "paint", "prompt", "skip", "seed-offset"]
        if let odd = entry.object?.keys.sorted().first(where: { !known.contains($0) }) {
            throw .unsuitable(
                "\(name) says \"\(odd)\" of \(label), but only paint, prompt, skip and seed-offset are known. Leave it out."
            )
        }
        func wrong(_ key: String, _ expected: String) -> PaintingError {
            .unsuitable(
                "\(name) has \(key) = \(entry[key].description) for \(label), but \(expected) is expected. Mend it.")
        }
        switch entry["paint"] {
        case .bool(let paints): tile.isLeftOut = !paints
        case .null: break
        default: throw wrong("paint", "true or false")
        }
        switch entry["prompt"] {
        case .text(let prompt): tile.prompt = prompt
        case .null: tile.prompt = nil
        default: throw wrong("prompt", "a text")
        }
        switch entry["skip"] {
        case .null: tile.skip = nil
        case let value:
            guard let skip = Skip(percent: value.description) else { throw wrong("skip", "a number from 0 to 100") }
            tile.skip = skip
        }
        switch entry["seed-offset"] {
        case .null: break
        case .integer(let offset) where offset >= 0: tile.seedOffset = UInt64(offset)
        default: throw wrong("seed-offset", "a whole number from 0 on")
        }
    }

    /// The entries of a recipe: tiles that differ from what the options give, each with what it was told.
    package static func entries(_ plan: TilePlan, from planned: TilePlan) -> [JSONText] {
        zip(plan.tiles, planned.tiles).filter { $0 != $1 }.map { tile, _ in
            let told: [(String, JSONText)?] = [
                ("tile", .integer(tile.index + 1)), ("frame", frame(tile)),
                tile.isLeftOut ? ("paint", .bool(false)) : nil, tile.prompt.map { ("prompt", .text($0)) },
                tile.skip.map { ("skip", .raw($0.percent(of: 100))) },
                tile.seedOffset > 0 ? ("seed-offset", .unsigned(tile.seedOffset)) : nil,
            ]
            return .object(told.compactMap { $0 })
        }
    }

    /// The plan with what a recipe's entries say of its tiles.
    ///
    /// - Throws: ``PaintingError/unsuitable(_:)`` where they are of another plan's tiles
    package static func plan(_ planned: TilePlan, with entries: [JSON]) throws(PaintingError) -> TilePlan {
        var plan = planned
        for entry in entries {
            guard let number = entry["tile"].integer, plan.tiles.indices.contains(number - 1) else {
                throw .unsuitable(
                    "The recipe tells something to tile \(entry["tile"].description), but its settings give \(plan.tiles.count) tiles. Give the picture that it was painted from."
                )
            }
            let tile = plan.tiles[number - 1]
            let frame = numbers(tile)
            guard entry["frame"].list?.map(\.integer) == frame else {
                throw .unsuitable(
                    "The recipe has tile \(number) at \(entry["frame"].description), but its settings put it at \(frame). Give the picture that it was painted from."
                )
            }
            try take(entry, into: &plan.tiles[number - 1], "The recipe", "tile \(number)")
        }
        return plan
    }

    /// As files have it: x, y, width, height.
    static func frame(_ tile: TilePlan.Tile) -> JSONText {
        .list(numbers(tile).map(JSONText.integer))
    }

    private static func numbers(_ tile: TilePlan.Tile) -> [Int] {
        [tile.frame.x, tile.frame.y, tile.frame.width, tile.frame.height]
    }
}
