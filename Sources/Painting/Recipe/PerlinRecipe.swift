import Checkpoints
import Raster

/// How a picture of Perlin noise was made.
package struct PerlinRecipe: UnpaintedRecipe {
    package var start: PerlinStart
    /// As it was said: "x", "y" or "xy".
    package var wrap: String?
    package var size: PixelSize
    package var form: Recipe.Form

    package init(_ start: PerlinStart, wrap: String?, size: PixelSize, form: Recipe.Form) {
        (self.start, self.wrap, self.size, self.form) = (start, wrap, size, form)
    }

    package var command: String { "perlin" }

    private var octaves: String { start.picture.octaves.map(String.init).joined(separator: ",") }

    /// "640×448, mixed, 12 and 8 octaves, seed 3"
    package var plan: String {
        let counts = start.picture.octaves.map(String.init).joined(separator: " and ")
        let wrapped = wrap.map { ", wrapped along \($0.map(String.init).joined(separator: " and "))" } ?? ""
        return "\(size), \(start.picture.mode.rawValue), \(counts) octaves\(wrapped), seed \(start.seed)"
    }

    package var members: [(String, JSONText)] {
        [
            ("plan", .text(plan)), ("size", .text("\(size.width)x\(size.height)")),
            ("mode", .text(start.picture.mode.rawValue)), ("octaves", .text(octaves)),
            ("wrap", wrap.map(JSONText.text) ?? .null), ("seed", .unsigned(start.seed)),
        ] + form.members
    }

    /// The options of a recipe, without output.
    package static func options(_ recipe: JSON) -> [String] {
        recipe.options("size", "mode", "octaves", "wrap", "seed", "format", "depth", "quality")
    }
}
