import Tensors

/// Holds each cell of a picture to its source until its own part of the run begins, so that a mask's grey is a smooth change
/// of strength and no blend of two pictures.
///
/// Of the R steps of a run, a cell of strength v runs the last ⌈R·v⌉. Until then the best guess of the clean picture is the
/// source itself there, and every sampler then carries the cell along as the source at the level of the moment, with its own
/// noise. A cell of strength 0 never runs.
package final class MaskedDenoiser {
    /// `[1, C, h, w]`
    private let source: Tensor
    /// How many of the last steps each of the h·w cells runs.
    private let runs: [Int]
    private let count: Int
    /// Steps that are over.
    private var done = 0

    /// - Parameters:
    ///   - source: the clean picture, `[1, C, h, w]`
    ///   - strength: 0…1 for each cell, `[1, 1, h, w]`
    ///   - count: steps of the run
    package init(source: Tensor, strength: Tensor, steps count: Int) {
        precondition(source.shape[2...] == strength.shape[2...], "one strength for each cell")
        (self.source, self.count) = (source, count)
        runs = strength.values.map { Self.steps($0, of: count) }
    }

    /// ⌈count·strength⌉. What single precision adds to a strength such as 0.2 is no step of its own.
    package static func steps(_ strength: Float, of count: Int) -> Int {
        guard strength > 0 else { return 0 }
        let exact = Double(strength) * Double(count)
        return min(count, max(1, Int((exact - 1e-6 * Double(count)).rounded(.up))))
    }

    /// Where a run begins: `fill` in cells that run all of it, the source in those that wait.
    package func begun(with fill: Tensor) -> Tensor { laid(fill) { $0 == count } }

    /// What a run ended with, and the source itself in cells that never ran: some schedules end above a level of 0.
    package func ended(with painted: Tensor) -> Tensor { laid(painted) { $0 > 0 } }

    /// The denoiser with what is held put back into each estimate.
    package func holding(_ denoise: @escaping Denoiser) -> Denoiser {
        { x, level in
            let estimate = try denoise(x, level)
            return self.laid(estimate) { $0 > 0 && $0 >= self.count - self.done }
        }
    }

    /// Told after each step. Samplers that take their first step twice tell of one more than there are.
    package func advance(_ progress: Sampler.Progress) {
        done = max(0, progress.done - max(0, progress.of - count))
    }

    /// The source, with `other` in the cells whose number of steps is chosen.
    private func laid(_ other: Tensor, where isChosen: (Int) -> Bool) -> Tensor {
        var result = other
        let cells = runs.count
        let held = runs.indices.filter { !isChosen(runs[$0]) }
        source.withPointer { source in
            result.withMutablePointer { result in
                for plane in 0..<other.count / cells {
                    for cell in held { result[plane * cells + cell] = source[plane * cells + cell] }
                }
            }
        }
        return result
    }
}
