import Raster
import Sampling
import Tensors
import Threads

/// Keeps the composition while a tile is painted: in every step what is broad in the guess is drawn to what is broad in the
/// enlarged source, so that a tile finds no room to paint the whole subject anew.
///
/// Broad means: means over squares of ``side`` pixels of the enlarged picture, bilinear in between.
/// Source: Choi et al., "ILVR: Conditioning Method for Denoising Diffusion Probabilistic Models" (2021), equation 8, on the guess
/// of the clean picture instead of its noised form, so that any sampler may follow.
package struct CompositionGuide {
    /// Side of a square, in enlarged pixels.
    static let side = 64

    /// The enlarged source as latents, `[1, C, h, w]`.
    let source: Tensor
    /// How far guesses are drawn to it, 0…1.
    let amount: Double
    private let cells: BroadCells
    private let threads: Threads

    /// - Parameters:
    ///   - frame: of the tile, in cells of the enlarged picture's latents
    ///   - factor: pixels on a side of a cell
    init?(_ source: Tensor, amount: Double, frame: Rectangle, factor: Int, threads: Threads) {
        guard amount > 0 else { return nil }
        (self.source, self.amount, self.threads) = (source, amount, threads)
        cells = BroadCells(frame, side: max(1, Self.side / factor))
    }

    func holding(_ denoise: @escaping Denoiser) -> Denoiser {
        { x, level in try held(denoise(x, level)) }
    }

    /// A guess with its broad part drawn to the source's.
    func held(_ guess: Tensor) -> Tensor {
        precondition(guess.shape == source.shape, "the source is of the guess's shape")
        let (height, width) = (guess.shape[2], guess.shape[3])
        var result = guess
        source.withPointer { wanted in
            result.withMutablePointer { own in

                threads.forEach(guess.count / (height * width)) { plane in
                    let (wanted, own) = (wanted + plane * height * width, own + plane * height * width)
                    let field = cells.rows.ranges.flatMap { rows in
                        cells.columns.ranges.map { columns in
                            var sum: Float = 0
                            for y in rows {
                                for x in columns { sum += wanted[y * width + x] - own[y * width + x] }
                            }
                            return Float(amount) * sum / Float(rows.count * columns.count)
                        }
                    }
                    for y in 0..<height { cells.add(field, row: y, to: own + y * width, 1) }
                }
            }
        }
        return result
    }
}
