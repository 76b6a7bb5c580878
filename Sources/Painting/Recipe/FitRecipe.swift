import Raster
import RasterFiles

/// How a picture was fitted: the recipe of `fit`, which paints nothing.
package struct FitRecipe: Sendable {
    package var plan: FitPlan
    package var multiple: Int
    package var source: (name: String, hash: String)

    package init(plan: FitPlan, multiple: Int, source: (name: String, hash: String)) {
        (self.plan, self.multiple, self.source) = (plan, multiple, source)
    }

    /// The recipe put before the picture's own past; the `parameters` of its painting still hold and stay.
    package func added(to metadata: PictureMetadata, as format: PictureFormat) -> PictureMetadata {
        let history = Inheritance(metadata).history
        var members: [(String, JSONText)] = [
            ("velatura", .text(Recipe.version)), ("command", .text("fit")), ("mode", .text(plan.mode.rawValue)),
            ("multiple", .integer(multiple)), ("plan", .text(plan.description)),
            ("source", .object([("name", .text(source.name)), ("sha256", .text(source.hash))])),
        ]
        if !history.isEmpty { members.append(("history", .list(history.map(JSONText.raw)))) }
        let json = JSONText.object(members).string
        var metadata = metadata
        metadata.texts.removeAll { $0.keyword == Recipe.keyword }
        metadata.xmp = metadata.xmp.map(XMP.without)
        if format == .png {
            metadata.texts.append(.init(keyword: Recipe.keyword, text: json))
        } else {
            metadata.xmp = XMP.packet(metadata.xmp, recipe: json)
        }
        return metadata
    }
}
