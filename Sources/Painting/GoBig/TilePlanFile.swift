import Checkpoints
import Raster

/// A plan of tiles as a file that people read and change: for each tile what it may be told alone.
package struct TilePlanFile {
    /// The command line that the plan was made with, without its input.
    package var options: [String]
    package var input: String
    /// SHA-256 of the input's file.
    package var source: String
    package var plan: TilePlan

    package init(options: [String], input: String, source: String, plan: TilePlan) {
        (self.options, self.input, self.source, self.plan) = (options, input, source, plan)
    }

    /// One tile a line.
    package var text: String {
        let tiles = plan.tiles.map { "    " + Self.json($0).string }.joined(separator: ",\n")
        return """
            {
              "velatura-plan": \(Self.version),
              "input": \(JSONText.quoted(input)),
              "sha256": \(JSONText.quoted(source)),
              "options": \(JSONText.list(options.map(JSONText.text)).string),
              "size": [\(plan.size.width),\(plan.size.height)],
              "note": "Each tile may be told a prompt, a skip and a seed-offset of its own; paint: false leaves it as it is.",
              "tiles": [
            \(tiles)
              ]
            }

            """
    }

    private static let version = 1

    private static func json(_ tile: TilePlan.Tile) -> JSONText {
        .object([
            ("tile", .integer(tile.index + 1)), ("wave", .integer(tile.wave)),
            ("frame", TileEdits.frame(tile)),
            ("paint", .bool(!tile.isLeftOut)), ("prompt", tile.prompt.map(JSONText.text) ?? .null),
            ("skip", tile.skip.map { .raw($0.percent(of: 100)) } ?? .null),
            ("seed-offset", .unsigned(tile.seedOffset)),
        ])
    }

    /// - Parameter planned: the plan that the options give; what the file says of its tiles is put into it
    /// - Throws: ``PaintingError/unsuitable(_:)``
    package static func read(
        _ json: JSON, name: String, planned: (_ options: [String], _ input: String, _ source: String) throws -> TilePlan
    ) throws -> TilePlanFile {
        func fault(_ what: String) -> PaintingError {
            .unsuitable("\(name) \(what). Make it anew with gobig plan.")
        }
        guard json["velatura-plan"].integer == version else { throw fault("is no plan of tiles that is known here") }
        guard let input = json["input"].text, let source = json["sha256"].text, let list = json["tiles"].list,
            let options = json["options"].list?.compactMap(\.text), options.count == json["options"].list?.count
        else { throw fault("names no input, options or tiles") }
        var plan = try planned(options, input, source)
        guard list.count == plan.tiles.count else {
            throw fault("has \(list.count) tiles but its options give \(plan.tiles.count)")
        }
        for (index, entry) in list.enumerated() {
            let label = "tile \(index + 1)"
            let frame = plan.tiles[index].frame
            guard entry["frame"].list?.map(\.integer) == [frame.x, frame.y, frame.width, frame.height] else {
                throw fault("has another frame for \(label) than its options give, \(frame)")
            }
            try TileEdits.take(entry, into: &plan.tiles[index], name, label)
        }
        return TilePlanFile(options: options, input: input, source: source, plan: plan)
    }
}
