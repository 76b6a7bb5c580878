import Checkpoints
import Raster

/// How a picture was fitted.
package struct FitRecipe: UnpaintedRecipe {
    package var plan: FitPlan
    package var goal: FitOptions.Goal
    package var multiple: Int
    package var source: (name: String, hash: String)
    package var form: Recipe.Form

    package init(
        plan: FitPlan, goal: FitOptions.Goal, multiple: Int, source: (name: String, hash: String), form: Recipe.Form
    ) {
        (self.plan, self.goal, self.multiple, self.source, self.form) = (plan, goal, multiple, source, form)
    }

    package var command: String { "fit" }

    package var members: [(String, JSONText)] {
        [
            ("mode", .text(plan.mode.rawValue)), ("multiple", .integer(multiple)),
            goal.member, ("plan", .text(plan.description)),
        ].compactMap { $0 } + form.members
            + [("source", .object([("name", .text(source.name)), ("sha256", .text(source.hash))]))]
    }

    /// The options of a recipe, without input and output.
    package static func options(_ recipe: JSON) -> [String] {
        // An exact size has no use for the multiple that stands there all the same.
        let multiple = recipe["size"].isNull ? recipe.options("multiple") : []
        return multiple + recipe.options("mode", "size", "max-pixels", "aspect", "format", "depth", "quality")
    }
}

extension FitOptions.Goal {
    /// The option that says it; nil where none was given.
    fileprivate var member: (String, JSONText)? {
        switch self {
        case .nearest: nil
        case .size(let size): ("size", .text("\(size.width)x\(size.height)"))
        case .maxPixels(let count): ("max-pixels", .integer(count))
        case .aspect(let width, let height): ("aspect", .text("\(width):\(height)"))
        }
    }
}
