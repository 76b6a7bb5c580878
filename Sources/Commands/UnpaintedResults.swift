import Painting
import Raster
import RasterFiles

extension PaintingSession {
    /// The form of a result, as its recipe says it.
    func form(at path: String) -> Recipe.Form {
        let format = output.format(at: path)
        return .init(format: format, depth: output.depth, quality: format == .jpeg ? output.quality : nil)
    }

    /// Writes a result that nothing was painted for, with its recipe before the past of what it was made from, and tells it.
    ///
    /// - Parameters:
    ///   - metadata: of the picture that it was made from
    ///   - began: when its making began
    ///   - compression: PNG's
    func write(
        _ made: Picture, _ recipe: some UnpaintedRecipe, over metadata: PictureMetadata, to path: String,
        input: String?, seed: UInt64? = nil, began: Double, compression: Int = 6
    ) throws {
        var made = output.depth.map { made.converted(depth: $0) } ?? made
        made.metadata =
            output.writesRecipe
            ? recipe.added(to: metadata, as: output.format(at: path)) : Recipe.removed(from: metadata)
        let hash = recipe.hash(over: metadata)
        try write(made, to: path, hash: hash, compression: compression)
        try console.report(
            .result(
                .init(
                    path: path, input: input, command: recipe.command, seed: seed, seconds: clock() - began, hash: hash)
            ))
    }
}
