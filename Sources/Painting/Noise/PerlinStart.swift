import Raster
import Tensors
import Threads

/// Disco Diffusion's Perlin picture out of a seed: the slope of each node of each grid belongs to its place.
package struct PerlinStart: Sendable, Equatable {
    package var picture: PerlinPicture
    package var seed: UInt64

    package init(_ picture: PerlinPicture, seed: UInt64) { (self.picture, self.seed) = (picture, seed) }

    private func slopes(_ field: Int, _ channel: Int) -> PerlinRows.Slopes {
        let noise = PositionNoise(seed: seed)
        return { octave, row, nodes, down, across in
            noise.fillPairs(
                down, across, count: nodes.count, .init(.perlin, step: octave, draw: field), channel: channel,
                at: (nodes.lowerBound, row))
        }
    }

    /// RGB, or grey where the mode is; 0…1.
    package func floats(_ size: PixelSize, threads: Threads) -> FloatPicture {
        picture.floats(size, threads: threads, slopes: slopes)
    }

    /// The same as a file holds it, in bands of rows from top to bottom.
    package func bands(
        _ size: PixelSize, depth: Int, threads: Threads, pause: () throws -> Void,
        _ take: (_ band: Picture) throws -> Void
    ) rethrows {
        try picture.bands(size, depth: depth, threads: threads, slopes: slopes, pause: pause, take)
    }
}
