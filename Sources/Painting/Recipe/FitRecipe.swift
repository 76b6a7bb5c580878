import Raster

/// How a picture was fitted.
package struct FitRecipe: UnpaintedRecipe {
    package var plan: FitPlan
    package var multiple: Int
    package var source: (name: String, hash: String)
    package var form: Recipe.Form

    package init(plan: FitPlan, multiple: Int, source: (name: String, hash: String), form: Recipe.Form) {
        (self.plan, self.multiple, self.source, self.form) = (plan, multiple, source, form)
    }

    package var command: String { "fit" }

    package var members: [(String, JSONText)] {
        [
            ("mode", .text(plan.mode.rawValue)), ("multiple", .integer(multiple)), ("plan", .text(plan.description)),
            ("format", .text(form.format.rawValue)), ("depth", form.depth.map(JSONText.integer) ?? .null),
            ("quality", form.quality.map(JSONText.integer) ?? .null),
            ("source", .object([("name", .text(source.name)), ("sha256", .text(source.hash))])),
        ]
    }
}
