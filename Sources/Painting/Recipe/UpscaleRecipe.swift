import Checkpoints
import Raster
import RasterFiles

/// How a picture was enlarged.
package struct UpscaleRecipe: UnpaintedRecipe {
    package var upscaling: Upscaling
    package var source: (name: String, hash: String)
    package var form: Recipe.Form
    /// Which code the numbers came from.
    package var kernels: [(String, String)]

    package init(
        _ upscaling: Upscaling, source: (name: String, hash: String), form: Recipe.Form, kernels: [(String, String)]
    ) {
        (self.upscaling, self.source, self.form, self.kernels) = (upscaling, source, form, kernels)
    }

    package var command: String { "upscale" }

    package var members: [(String, JSONText)] {
        let (upscaler, target) = (upscaling.upscaler, upscaling.target)
        var members: [(String, JSONText)] = [
            (
                "upscaler",
                .object([("name", .text(upscaler.name)), ("sha256", upscaler.hash.map(JSONText.text) ?? .null)])
            ),
            ("scale", .number(upscaling.scale)), ("size", .text("\(target.width)x\(target.height)")),
            ("passes", .integer(upscaling.estimate.passes)), ("format", .text(form.format.rawValue)),
            ("depth", form.depth.map(JSONText.integer) ?? .null),
            ("quality", form.quality.map(JSONText.integer) ?? .null),
            ("source", .object([("name", .text(source.name)), ("sha256", .text(source.hash))])),
        ]
        if !kernels.isEmpty { members.append(("kernels", .object(kernels.map { ($0.0, .text($0.1)) }))) }
        return members
    }

    /// A recipe as the command line that made the picture, without input and output.
    ///
    /// - Parameter find: the path of the upscaler by its name and hash
    /// - Throws: ``PaintingError/unsuitable(_:)`` where the recipe does not say enough, and what `find` throws
    package static func arguments(
        _ recipe: JSON, picture: String, find: (_ name: String, _ hash: String) throws -> String
    ) throws -> [String] {
        guard let name = recipe["upscaler"]["name"].text, let scale = recipe["scale"].double else {
            throw PaintingError.unsuitable("\(picture) does not say how it was enlarged. Nothing can be rerun.")
        }
        let upscaler = try recipe["upscaler"]["sha256"].text.map { try find(name, $0) } ?? name
        var options = ["--upscaler=\(upscaler)", "--scale=\(JSONText.number(scale).string)"]
        recipe["format"].text.map { options.append("--format=\($0)") }
        for key in ["depth", "quality"] { recipe[key].integer.map { options.append("--\(key)=\($0)") } }
        recipe["kernels"]["precision"].text.map { options.append("--precision=\($0)") }
        return options
    }
}
