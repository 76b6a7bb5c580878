import Raster
import RasterFiles
import Threads

/// How strongly each place of an enlarged picture is painted: through a mask, by a map, or by what is there.
package struct TileStrength {
    /// Of the enlarged size, grey; nil where everything is painted.
    package var mask: PixelStore?
    /// The same of a map that was given.
    package var map: PixelStore?
    /// What knows flat places, where they are changed less.
    package var flatness: FlatnessGate?

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
        guard let flatness else { return result }
        var seen = try plan.read(source, under: frame.grown(by: FlatnessGate.reach))
        if seen.channels.hasAlpha {
            // What transparent pixels hide is nothing to be seen.
            seen = seen.floats(threads: threads).bleedingColours(threads: threads).picture(depth: 16, threads: threads)
        }
        let values = flatness.structure(seen).values
        return Mask(size: frame.size, values: result.map { zip($0.values, values).map(*) } ?? values)
    }
}
