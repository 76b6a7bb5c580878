import Checkpoints
import Raster
import RasterFiles

/// The recipe of a command that paints nothing: `fit`, `compose`.
package protocol UnpaintedRecipe: Sendable {
    var command: String { get }
    /// What was done, in the order of the file.
    var members: [(String, JSONText)] { get }
}

extension UnpaintedRecipe {
    private func json(after history: [String]) -> String {
        var all: [(String, JSONText)] = [("velatura", .text(Recipe.version)), ("command", .text(command))] + members
        if !history.isEmpty { all.append(("history", .list(history.map(JSONText.raw)))) }
        return JSONText.object(all).string
    }

    /// Hash of the whole recipe that a picture with this past gets.
    package func hash(over metadata: PictureMetadata) -> String {
        SHA256.hash(Array(json(after: Inheritance(metadata).history).utf8))
    }

    /// The recipe put before the picture's own past; the `parameters` of its painting still hold and stay.
    package func added(to metadata: PictureMetadata, as format: PictureFormat) -> PictureMetadata {
        let json = json(after: Inheritance(metadata).history)
        var metadata = Recipe.withoutOwn(metadata)
        if format == .png {
            metadata.texts.append(.init(keyword: Recipe.keyword, text: json))
        } else {
            metadata.xmp = XMP.packet(metadata.xmp, recipe: json)
            if let parameters = metadata["parameters"] { metadata.tell(parameters: parameters, as: format) }
        }
        return metadata
    }
}

extension Recipe.Form {
    /// The members of a recipe.
    var members: [(String, JSONText)] {
        [
            ("format", .text(format.rawValue)), ("depth", depth.map(JSONText.integer) ?? .null),
            ("quality", quality.map(JSONText.integer) ?? .null),
        ]
    }
}

extension JSON {
    /// Members of a recipe as the options of the same names; what is null or false was not given.
    func options(_ names: String...) -> [String] {
        names.flatMap { name -> [String] in
            switch self[name] {
            case .text(let text): ["--\(name)=\(text)"]
            case .integer(let number): ["--\(name)=\(number)"]
            case .number(let number): ["--\(name)=\(JSONText.number(number).string)"]
            case .bool(true): ["--\(name)"]
            default: []
            }
        }
    }
}
