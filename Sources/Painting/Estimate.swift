import Networks
import Raster
import Tensors

/// What painting will take, told before it starts.
package struct Estimate: Sendable {
    package var seconds: Double
    /// Most memory at once.
    package var bytes: Double
    /// Most room on disk at once, for what memory has no room for.
    package var disk: Double

    static let nothing = Estimate(seconds: 0, bytes: 0, disk: 0)
}

extension DiffusionModel {
    /// Operations a second that this model reaches here: layers of few channels leave some of the processor idle.
    var nominalSpeed: Double { engine.nominalSpeed * (unet.configuration.blockOutChannels[0] < 128 ? 0.95 : 1) }

    /// Work of one step at a working size.
    ///
    /// - Parameter predictions: texts that the network is told in each
    func stepWork(_ size: PixelSize, predictions: Int) -> Work {
        let batch = min(predictions, predictionsAtOnce(size))
        var work = unet.configuration.work(
            height: size.height / codec.factor, width: size.width / codec.factor, batch: batch)
        work.operations *= Double(predictions) / Double(max(batch, 1))
        return work
    }

    /// How many texts the network is told at once, which changes no byte: one, since twice the pixels leave the processor's
    /// caches sooner than weights are read twice; two where not all weights find room, which are then packed for every run, but
    /// the pixels of both do.
    package func predictionsAtOnce(_ size: PixelSize) -> Int {
        func working(_ texts: Int) -> Int {
            let work = unet.configuration.work(
                height: size.height / codec.factor, width: size.width / codec.factor, batch: texts)
            return Int(work.working(threads: engine.threads.count))
        }
        guard let room = engine.memory.room(beside: unet.shelf), working(1) > room else { return 1 }
        return working(2) <= room + unet.shelf.wanted - unet.shelf.largest ? 2 : 1
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
    /// - Throws: ``PaintingError/unsuitable(_:)`` where even one layer after the other needs more memory than there may be
    package func estimate(
        _ size: PixelSize, predictions: Int, encodes: Bool, runs: [Int], step: Work? = nil
    ) throws(PaintingError) -> Estimate {
        let step = step ?? stepWork(size, predictions: predictions)
        let (encode, decode) = (codecWork(size, decoding: false), codecWork(size, decoding: true))
        let painted = runs.filter { $0 > 0 }
        let operations =
            step.operations * Double(painted.reduce(0, +)) + decode.operations * Double(painted.count)
            + (encodes && !painted.isEmpty ? encode.operations : 0)
        let memory = memory(
            size, reading: .init(text.shelves, text.working), stepping: .init([unet.shelf], step, engine),
            encoding: encodes ? .init(codec.encoderShelf, encode, engine) : nil,
            decoding: .init(codec.decoderShelf, decode, engine))
        if let limit = engine.memory.limit, memory.least > Double(limit) {
            throw .unsuitable(
                "--memory-limit is \(MemorySize.text(Double(limit))), but painting \(size) with \(name) takes at least \(MemorySize.text(memory.least)). Raise the limit, or paint smaller."
            )
        }
        return Estimate(
            seconds: operations / nominalSpeed + 0.5, bytes: memory.bytes, disk: memory.disk)
    }

    /// What one network needs while it runs.
    private struct Turn {
        /// All of its packed weights, and those of its largest layer with what packing that takes.
        var weights, layer: Double
        var working: Double
        /// What may wait in a file.
        var waiting = 0.0

        init(_ shelves: [Shelf], _ working: Double) {
            weights = Double(shelves.reduce(0) { $0 + $1.wanted })
            layer = Double(shelves.map { $0.largest + $0.staging }.max() ?? 0)
            self.working = working + Double(shelves.map(\.staging).max() ?? 0)
        }

        init(_ shelves: [Shelf], _ work: Work, _ engine: Engine) {
            self.init(shelves, work.working(threads: engine.threads.count))
            waiting = work.waitingBytes
        }

        var least: Double { working + layer }
    }

    private func memory(
        _ size: PixelSize, reading: Turn, stepping: Turn, encoding: Turn?, decoding: Turn
    ) -> (bytes: Double, disk: Double, least: Double) {
        // The working picture, what it was made of and what is made of it, as floats.
        let rest = Memory.programBytes + Double(size.area) * 3 * 4 * 6
        let turns = [reading, stepping, encoding, decoding].compactMap { $0 }
        let least = rest + (turns.map(\.least).max() ?? 0)
        func whole(_ turn: Turn) -> Double { rest + turn.weights + turn.working + turn.waiting }
        // The UNet stays while the picture is decoded: another rung may follow.
        let all = max(turns.map(whole).max() ?? 0, whole(decoding) + stepping.weights)
        guard let limit = engine.memory.limit.map(Double.init) else { return (all, 0, least) }
        let spilled = [encoding, decoding].compactMap { $0 }.map { turn in
            turn.waiting - min(turn.waiting, max(0, limit - rest - turn.weights - turn.working))
        }
        return (min(all, max(limit, least)), spilled.max() ?? 0, least)
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
