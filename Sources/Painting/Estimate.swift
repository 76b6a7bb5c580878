import Networks
import Raster
import Tensors

/// What painting will take, told before it starts.
package struct Estimate: Sendable {
    package var seconds: Double
    package var bytes: Double
}

extension DiffusionModel {
    /// Work of one step at a working size.
    ///
    /// - Parameter predictions: texts that the network is told in each
    func stepWork(_ size: PixelSize, predictions: Int) -> Work {
        // No more than two at once, which is what takes memory.
        var work = unet.configuration.work(
            height: size.height / codec.factor, width: size.width / codec.factor, batch: min(predictions, 2))
        work.operations *= Double(max(predictions, 2)) / 2
        return work
    }

    /// Work of encoding or decoding a picture.
    func codecWork(_ size: PixelSize, decoding: Bool) -> Work {
        switch codec {
        case .autoencoder(let autoencoder):
            autoencoder.configuration.work(pictureHeight: size.height, width: size.width, decoding: decoding)
        case .tiny(let tiny): tiny.work(pictureHeight: size.height, width: size.width)
        case .unshuffle: Work()
        }
    }

    /// - Parameters:
    ///   - runs: calls of the model in each rung
    ///   - step: work of each call, where it is not all that the predictions are
    func estimate(_ size: PixelSize, predictions: Int, encodes: Bool, runs: [Int], step: Work? = nil) -> Estimate {
        let step = step ?? stepWork(size, predictions: predictions)
        let (encode, decode) = (codecWork(size, decoding: false), codecWork(size, decoding: true))
        let painted = runs.filter { $0 > 0 }
        let operations =
            step.operations * Double(painted.reduce(0, +)) + decode.operations * Double(painted.count)
            + (encodes && !painted.isEmpty ? encode.operations : 0)
        let weights = step.weightBytes + encode.weightBytes + decode.weightBytes
        // Pieces of memory that wait for reuse fit a little loosely.
        let threads = Double(engine.threads.count)
        let working = [step, encode, decode].map { 1.2 * $0.activationBytes + threads * $0.scratchBytes }.max() ?? 0
        let picture = Double(size.area) * 3 * 4 * 8
        let program = 75e6
        return Estimate(seconds: operations / engine.nominalSpeed + 0.5, bytes: weights + working + picture + program)
    }
}

extension Engine {
    /// Operations a second that networks reach here, all overheads included: measured once on recent server cores
    /// (`make bench`), and a guide only.
    var nominalSpeed: Double {
        let perThread: Double =
            switch lanes {
            case 16: 150e9
            case 8: 75e9
            default: 4e9
            }
        return perThread * Double(threads.count)
    }
}
