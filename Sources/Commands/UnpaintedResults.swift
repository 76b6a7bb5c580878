import Painting
import Raster
import RasterFiles

extension PaintingSession {
    /// The form of a result, as its recipe says it.
    func form(at path: String) -> Recipe.Form {
        let format = output.format(at: path)
        return .init(format: format, depth: output.depth, quality: format == .jpeg ? output.quality : nil)
    }

    /// Makes the folder of a result, and says it: pixels that have to wait lie where the result will.
    func folder(of path: String) throws(PictureFileError) -> String {
        let folder = String(path.reversed().drop { $0 != "/" }.reversed()) + "."
        try WholeFile.makeFolder(folder, for: path)
        return folder
    }

    /// Writes a result that nothing was painted for and that comes in strips, with its recipe before the past of what it
    /// was made from, and tells it.
    ///
    /// - Parameters:
    ///   - depth: of the strips' samples; the result's is what was asked for
    ///   - metadata: of the picture that it was made from
    ///   - began: when its making began
    ///   - compression: PNG's
    ///   - body: calls what it is given with one strip after the other
    func write(
        _ size: PixelSize, channels: Picture.Channels, depth: Int, _ recipe: some UnpaintedRecipe,
        over metadata: PictureMetadata, to path: String, input: String?, seed: UInt64? = nil, began: Double,
        compression: Int = 4, _ body: (_ send: (Picture) throws -> Void) throws -> Void
    ) throws {
        let (format, hash) = (output.format(at: path), recipe.hash(over: metadata))
        let made = min(format.mostDepth, output.depth ?? depth)
        var hasTransparency = false
        try write(
            size, channels: channels, depth: made,
            metadata: output.writesRecipe ? recipe.added(to: metadata, as: format) : Recipe.removed(from: metadata),
            to: path, hash: hash, compression: compression
        ) { send in
            try withoutActuallyEscaping(send) { send in
                try body { strip in
                    try Interruption.check()
                    if format == .jpeg, !hasTransparency { hasTransparency = strip.hasTransparency }
                    try send(strip.converted(depth: made))
                }
            }
        }
        try warnOfForm(depth: depth, hasTransparency: hasTransparency, metadata: metadata, at: path)
        try console.report(
            .result(
                .init(
                    path: path, input: input, command: recipe.command, seed: seed, seconds: clock() - began, hash: hash)
            ))
    }

    /// The same with a picture that is whole already.
    func write(
        _ made: Picture, _ recipe: some UnpaintedRecipe, over metadata: PictureMetadata, to path: String,
        input: String?, seed: UInt64? = nil, began: Double, compression: Int = 6
    ) throws {
        try write(
            made.size, channels: made.channels, depth: made.depth, recipe, over: metadata, to: path, input: input,
            seed: seed, began: began, compression: compression
        ) { send in try send(made) }
    }
}
