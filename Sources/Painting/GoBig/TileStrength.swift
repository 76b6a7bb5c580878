import Raster
import RasterFiles
import Threads

/// How strongly each place of an enlarged picture is painted: through a mask, by a map, or by what is there.
package struct TileStrength {
    /// Of the enlarged size, grey; nil where everything is painted.
    package var mask: PixelStore?
    /// The same of a map that was given.
    package var map: PixelStore?
    /// Flat places are changed less.
    package var looksForTexture = false

    package init() {}

    /// The strength of each pixel of a frame; nil where all are painted wholly.
    ///
    /// - Throws: ``PictureFileError``
    package func strength(_ frame: Rectangle, _ plan: TilePlan, source: PixelStore, threads: Threads) throws -> Mask? {
        var result: Mask?
        for store in [mask, map].compactMap({ $0 }) {
            let part = Mask(try plan.read(store, under: frame))
            result = Mask(size: frame.size, values: result.map { zip($0.values, part.values).map(*) } ?? part.values)
        }
        guard looksForTexture else { return result }
        let reach = Self.radius + 1
        let wide = Rectangle(
            x: frame.x - reach, y: frame.y - reach, width: frame.width + 2 * reach, height: frame.height + 2 * reach)
        let seen = try plan.read(source, under: wide).floats(threads: threads).bleedingColours(threads: threads)
        let texture = seen.colour().grey().deviation(within: Self.radius, threads: threads)
            .cropped(to: Rectangle(x: reach, y: reach, width: frame.width, height: frame.height))
        let values = texture.values.map { deviation -> Float in
            let share = min(1, max(0, (deviation * 255 - Self.least) / (Self.most - Self.least)))
            return share * share * (3 - 2 * share)
        }
        return Mask(size: frame.size, values: result.map { zip($0.values, values).map(*) } ?? values)
    }

    /// Side of the window that texture is looked for in, in enlarged pixels, as pixels on each side of the middle.
    private static let radius = 12
    /// Deviation in levels of 255 at which nothing is painted, and from which on all is.
    private static let (least, most): (Float, Float) = (0.75, 5)
}
