import Checkpoints
import Raster

/// How noise was laid over a picture.
package struct NoiseRecipe: UnpaintedRecipe {
    package typealias File = (name: String, hash: String)

    package var roughness: Roughness
    package var seed: UInt64
    package var source: File
    /// What limits it, where anything does.
    package var mask: File?
    package var masking: Masking
    package var form: Recipe.Form

    package init(
        _ roughness: Roughness, seed: UInt64, source: File, mask: File?, masking: Masking, form: Recipe.Form
    ) {
        (self.roughness, self.seed, self.source, self.mask) = (roughness, seed, source, mask)
        (self.masking, self.form) = (masking, form)
    }

    package var command: String { "noise" }

    /// The seed, where anything was drawn.
    package var drawn: UInt64? { roughness.amount.isCalming ? nil : seed }

    /// "gaussian 8, flatness 0.5, seed 7"
    package var plan: String {
        let amount = roughness.amount.text
        var parts = [
            roughness.amount.isCalming ? "calmed by \(amount.dropFirst())" : "\(roughness.kind.rawValue) \(amount)"
        ]
        if roughness.isColoured { parts.append("coloured") }
        parts.append("flatness \(JSONText.number(roughness.flatness).string)")
        if roughness.outline > 0 { parts.append("outline \(roughness.outline)") }
        if let mask { parts.append("mask \(mask.name)") }
        if !roughness.amount.isCalming { parts.append("seed \(seed)") }
        return parts.joined(separator: ", ")
    }

    package var members: [(String, JSONText)] {
        func file(_ file: File) -> JSONText { .object([("name", .text(file.name)), ("sha256", .text(file.hash))]) }
        let calms = roughness.amount.isCalming
        var members: [(String, JSONText)] = [
            ("plan", .text(plan)), ("kind", calms ? .null : .text(roughness.kind.rawValue)),
            ("amount", .text(roughness.amount.text)), ("flatness", .number(roughness.flatness)),
            ("outline", .integer(roughness.outline)), ("coloured", .bool(roughness.isColoured)),
            ("seed", calms ? .null : .unsigned(seed)),
        ]
        members += form.members
        members.append(("source", file(source)))
        if let mask {
            members += [
                ("invert-mask", .bool(masking.inverts)), ("mask-fit", masking.fit.map { .text($0.rawValue) } ?? .null),
                ("mask", file(mask)),
            ]
        }
        return members
    }

    /// The options of a recipe, without input, mask and output.
    package static func options(_ recipe: JSON) -> [String] {
        recipe.options(
            "kind", "amount", "flatness", "outline", "coloured", "seed", "invert-mask", "mask-fit", "format", "depth",
            "quality")
    }
}
