import Networks
import Raster
import Sampling
import Tensors

/// A picture that is looked at in overlapping tiles while it is painted as one: in every step the guesses of all tiles are
/// merged with smooth weights.
///
/// Source: Bar-Tal et al., "MultiDiffusion" (2023), equation 3; Jiménez, "Mixture of Diffusers" (2023), with weights that
/// fall to nothing at a tile's sides instead of Gaussian ones. The guess of the clean picture and that of the noise are
/// linear in each other at one level, so merging the one is merging the other.
package struct LatentTiles {
    /// Of the latents, in cells.
    let whole: PixelSize
    /// Of each tile, in cells.
    let size: PixelSize
    let columns: [Int]
    let rows: [Int]
    private let across: [Float]
    private let down: [Float]
    /// Guesses of earlier calls and what keeps new ones, so that a painting that was broken off can go on.
    var memory: GuessMemory?

    /// - Parameters:
    ///   - whole: latents, in cells
    ///   - tile: in cells, no more than the latents
    ///   - overlap: in cells at least
    init(whole: PixelSize, tile: PixelSize, overlap: Int) {
        self.whole = whole
        size = PixelSize(width: min(tile.width, whole.width), height: min(tile.height, whole.height))
        func starts(_ whole: Int, _ tile: Int) -> [Int] {
            TileRow(whole: whole, tile: tile, overlap: overlap, jitter: 0, cell: 1, wraps: false) { _ in 0 }.starts
        }
        (columns, rows) = (starts(whole.width, size.width), starts(whole.height, size.height))
        // A sine over the tile: every cell has some weight, and sides have next to none.
        func side(_ count: Int) -> [Float] {
            (0..<count).map { place in
                let share = Float(min(place, count - 1 - place) + 1) / Float(count / 2 + 1)
                return share * share * (3 - 2 * share) + 1e-3
            }
        }
        (across, down) = (side(size.width), side(size.height))
    }

    var count: Int { columns.count * rows.count }

    func frame(_ x: Int, _ y: Int) -> Rectangle { Rectangle(x: x, y: y, width: size.width, height: size.height) }

    /// The denoiser of the whole.
    ///
    /// - Parameter tileDenoiser: makes the denoiser of one tile; each has its own, since it may keep what it saw
    func joined(_ tileDenoiser: (_ x: Int, _ y: Int) -> Denoiser) -> Denoiser {
        let tiles = rows.flatMap { y in columns.map { x in (x: x, y: y, denoise: tileDenoiser(x, y)) } }
        var weights = [Float](repeating: 0, count: whole.area)
        for tile in tiles { add(to: &weights, tile.x, tile.y) }
        let total = weights
        return { x, level in
            if let known = try memory?.next() { return known }
            let (planes, area) = (x.count / whole.area, whole.area)
            var sum = Tensor(x.shape, repeating: 0)
            for tile in tiles {
                let guess = try tile.denoise(x.part(frame(tile.x, tile.y)), level)
                sum.withMutablePointer { sum in
                    guess.withPointer { guess in
                        for plane in 0..<planes {
                            for row in 0..<size.height {
                                let to = sum + plane * area + (tile.y + row) * whole.width + tile.x
                                let from = guess + (plane * size.height + row) * size.width
                                for column in 0..<size.width {
                                    to[column] += down[row] * across[column] * from[column]
                                }
                            }
                        }
                    }
                }
            }
            sum.withMutablePointer { sum in
                for plane in 0..<planes {
                    for cell in 0..<area { sum[plane * area + cell] /= total[cell] }
                }
            }
            try memory?.keep(sum)
            return sum
        }
    }

    private func add(to weights: inout [Float], _ x: Int, _ y: Int) {
        for row in 0..<size.height {
            for column in 0..<size.width { weights[(y + row) * whole.width + x + column] += down[row] * across[column] }
        }
    }
}

extension Tensor {
    /// A rectangle of every plane of `[1, C, H, W]`.
    func part(_ rectangle: Rectangle) -> Tensor {
        let (planes, height, width) = (shape[0] * shape[1], shape[2], shape[3])
        var result = Tensor([shape[0], shape[1], rectangle.height, rectangle.width], repeating: 0)
        withPointer { from in
            result.withMutablePointer { to in
                for plane in 0..<planes {
                    for row in 0..<rectangle.height {
                        (to + (plane * rectangle.height + row) * rectangle.width).update(
                            from: from + (plane * height + rectangle.y + row) * width + rectangle.x,
                            count: rectangle.width)
                    }
                }
            }
        }
        return result
    }
}

extension LatentTiles {
    /// Of a working picture whose tiles have the given size in pixels.
    init(_ size: PixelSize, _ tile: PixelSize, overlap: Int, factor: Int) {
        self.init(
            whole: PixelSize(width: size.width / factor, height: size.height / factor),
            tile: PixelSize(width: tile.width / factor, height: tile.height / factor),
            overlap: overlap / factor)
    }

    /// How far tiles lie over one another where nothing else is asked for, in pixels; never more than half a tile.
    package static let overlap = 64
}

extension DiffusionModel {
    /// Side of a tile where none is asked for, in pixels: what the model was trained at, and more of one that was trained on
    /// cuts of 128 pixels but knows no size, since larger tiles have fewer seams.
    package var tileSide: Int { max(Int(Double(trainedArea).squareRoot()), 256) / multiple * multiple }

    /// Tiles as ``tileSide`` has them, for a working picture that is too large to be looked at whole.
    func latentTiles(_ size: PixelSize) -> LatentTiles {
        LatentTiles(
            size, PixelSize(width: tileSide, height: tileSide), overlap: min(LatentTiles.overlap, tileSide / 2),
            factor: codec.factor)
    }

    /// Work of one call of the model on the average of a run, of a picture that is looked at whole or in tiles.
    func stepWork(_ size: PixelSize, _ settings: Settings, _ run: RunPlan, in tiles: LatentTiles?) -> Work {
        guard let tiles else { return stepWork(size, settings, run) }
        var work = stepWork(tiles.size * codec.factor, settings, run)
        work.operations *= Double(tiles.count)
        return work
    }
}

extension PixelSize {
    static func * (size: PixelSize, factor: Int) -> PixelSize {
        PixelSize(width: size.width * factor, height: size.height * factor)
    }
}
