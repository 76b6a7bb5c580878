import Checkpoints
import Raster
import RasterFiles

/// How a picture was put together from others.
package struct ComposeRecipe: UnpaintedRecipe {
    package typealias File = (name: String, hash: String)

    package var base: File
    package var layers: [Layer]
    /// Pixels over which the masks' edges are softened.
    package var feather: Double
    package var fit: MaskFit?
    package var form: Recipe.Form

    package struct Layer: Sendable {
        package var picture: File
        package var mask: File
        package var opacity: Double
        /// The layer's own recipe, as JSON, where it has one.
        package var made: String?

        package init(picture: File, mask: File, opacity: Double, made: String?) {
            (self.picture, self.mask, self.opacity, self.made) = (picture, mask, opacity, made)
        }
    }

    package init(base: File, layers: [Layer], feather: Double, fit: MaskFit?, form: Recipe.Form) {
        (self.base, self.layers, self.feather, self.fit, self.form) = (base, layers, feather, fit, form)
    }

    package var command: String { "compose" }

    package var members: [(String, JSONText)] {
        func file(_ file: File) -> JSONText { .object([("name", .text(file.name)), ("sha256", .text(file.hash))]) }
        let feathering: [(String, JSONText)] = [
            ("feather", .number(feather)), ("mask-fit", fit.map { .text($0.rawValue) } ?? .null),
        ]
        return feathering + form.members + [
            ("source", file(base)),
            (
                "layers",
                .list(
                    layers.map { layer in
                        .object([
                            ("picture", file(layer.picture)), ("mask", file(layer.mask)),
                            ("opacity", .number(layer.opacity)), ("made", layer.made.map(JSONText.raw) ?? .null),
                        ])
                    })
            ),
        ]
    }

    /// A recipe as the command line that made the picture, without output.
    ///
    /// - Parameter find: the path of a file by its name and hash
    /// - Throws: ``PaintingError/unsuitable(_:)`` where the recipe says no layers, and what `find` throws
    package static func arguments(
        _ recipe: JSON, picture: String, find: (File) throws -> String
    ) throws -> (options: [String], base: String) {
        func file(_ json: JSON) throws(PaintingError) -> File {
            guard let name = json["name"].text, let hash = json["sha256"].text else {
                throw .unsuitable("\(picture) does not say what it was put together from. Nothing can be rerun.")
            }
            return (name, hash)
        }
        guard let layers = recipe["layers"].list, (1...mostLayers).contains(layers.count) else {
            throw PaintingError.unsuitable("\(picture) names no layers. Nothing can be rerun.")
        }
        var options: [String] = []
        for layer in layers {
            options.append("--layer=\(try find(file(layer["picture"]))):\(try find(file(layer["mask"])))")
            options.append("--opacity=\(JSONText.number(layer["opacity"].double ?? 1).string)")
        }
        options.append("--feather=\(JSONText.number(recipe["feather"].double ?? 0).string)")
        for key in ["mask-fit", "format"] { recipe[key].text.map { options.append("--\(key)=\($0)") } }
        for key in ["depth", "quality"] { recipe[key].integer.map { options.append("--\(key)=\($0)") } }
        return (options, try find(file(recipe["source"])))
    }

    /// Each is a picture in memory.
    package static let mostLayers = 64
}
