import Raster

/// How a picture was fitted.
package struct FitRecipe: UnpaintedRecipe {
    package var plan: FitPlan
    package var multiple: Int
    package var source: (name: String, hash: String)

    package init(plan: FitPlan, multiple: Int, source: (name: String, hash: String)) {
        (self.plan, self.multiple, self.source) = (plan, multiple, source)
    }

    package var command: String { "fit" }

    package var members: [(String, JSONText)] {
        [
            ("mode", .text(plan.mode.rawValue)), ("multiple", .integer(multiple)), ("plan", .text(plan.description)),
            ("source", .object([("name", .text(source.name)), ("sha256", .text(source.hash))])),
        ]
    }
}
