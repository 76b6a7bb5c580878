import Tensors

/// A place in a checkpoint, by the names that lead to it: layers take their weights from it, each saying the shape it
/// expects.
///
/// A key that is missing or misshapen does not stop the building of the network: the ledger notes it and gives
/// a placeholder, so that ``WeightLedger/close()`` can name every fault at once.
package struct WeightScope {
    package let ledger: WeightLedger
    package let engine: Engine
    private let path: String

    package init(_ ledger: WeightLedger, on engine: Engine, prefix: String = "") {
        (self.ledger, self.engine, path) = (ledger, engine, prefix)
    }

    /// The same place, with packed weights on a shelf of their own: those of one network.
    package func shelved() -> WeightScope { WeightScope(ledger, on: engine.forPart(), prefix: path) }

    /// The scope one name further in.
    package func callAsFunction(_ name: String) -> WeightScope {
        WeightScope(ledger, on: engine, prefix: path + name + ".")
    }

    package func callAsFunction(_ name: String, _ index: Int) -> WeightScope { self(name)("\(index)") }

    /// Whether the checkpoint holds `name` here, or anything under it.
    package func has(_ name: String) -> Bool { ledger.has(path + name) }

    /// Weights of exactly this shape. `or` names what other writers call the same weights; a shape that differs only by
    /// sides of one (a 1×1 convolution for a matrix) is taken too.
    package func weights(_ name: String, _ shape: [Int], or other: String? = nil) -> Weights {
        let key = other.map { !ledger.has(path + name) && ledger.has(path + $0) ? $0 : name } ?? name
        return ledger.take(path + key, shape, on: engine)
    }
}

/// Which of a checkpoint's tensors a network has taken, and what was wrong.
package final class WeightLedger {
    private let files: [TensorFile]
    private var home: [String: Int] = [:]
    private var taken: Set<String> = []
    private var faults: [String] = []
    private let none = Storage(0)
    private let adapters: (ledger: AdapterLedger, network: AdaptedNetwork)?

    /// - Parameters:
    ///   - files: one file, or the shards of one
    ///   - adapters: what is merged into the weights as they are taken
    ///   - part: of the model, by its name in the diffusers layout
    package init(_ files: [TensorFile], adapters: AdapterLedger? = nil, part: String = "") {
        self.files = files
        self.adapters = adapters.flatMap { ledger in AdaptedNetwork(rawValue: part).map { (ledger, $0) } }
        for (index, file) in files.enumerated() {
            for key in file.entries.keys {
                if let other = home.updateValue(index, forKey: key) {
                    faults.append("\(key) is in both \(files[other].name) and \(file.name)")
                }
            }
        }
        if let (ledger, network) = self.adapters { ledger.learn(network, home.keys) }
    }

    func has(_ key: String) -> Bool {
        home[key] != nil || home[key + ".weight"] != nil || home.keys.contains { $0.hasPrefix(key + ".") }
    }

    func take(_ key: String, _ shape: [Int], on engine: Engine) -> Weights {
        guard let index = home[key] else {
            faults.append("\(key) is missing (\(Self.text(shape)))")
            return placeholder(shape)
        }
        taken.insert(key)
        do throws(CheckpointError) {
            guard let found = try files[index].weights(key) else { return placeholder(shape) }
            if found.shape.filter({ $0 != 1 }) == shape.filter({ $0 != 1 }) {
                let weights = found.shape == shape ? found : found.reshaped(shape)
                return adapters.map { $0.ledger.merged(weights, $0.network, key: key, on: engine) } ?? weights
            }
            faults.append("\(key) is \(Self.text(found.shape)) but \(Self.text(shape)) is expected")
        } catch {
            // Part of a longer line here.
            faults.append(String(error.line.dropLast()))
        }
        return placeholder(shape)
    }

    func vector(_ key: String, _ shape: [Int], on engine: Engine) -> [Float] {
        let faultsBefore = faults.count
        let found = take(key, shape, on: engine)
        return faults.count == faultsBefore ? found.floats() : []
    }

    /// What stands for weights that are not there, in a network that ``close()`` is going to refuse. Vectors are empty,
    /// since layers copy them while they are built; matrices are never read. So a configuration that asks for absurd sizes
    /// gets no memory for them.
    private func placeholder(_ shape: [Int]) -> Weights {
        Weights(
            shape: shape.count == 1 ? [0] : shape, format: .float32, bytes: UnsafeRawPointer(none.pointer), owner: none)
    }

    /// Buffers that old writers saved although they hold nothing learnt.
    private static let harmless = ["position_ids", "num_batches_tracked"]

    /// Counts a tensor as taken that follows from others and is not read.
    package func passOver(_ key: String) { taken.insert(key) }

    /// Every key that is missing, misshapen or left over.
    package var allFaults: [String] {
        let surplus = home.keys.filter { key in
            !taken.contains(key) && !Self.harmless.contains { key == $0 || key.hasSuffix("." + $0) }
        }
        return faults.sorted() + surplus.sorted().map { "\($0) is not part of this network" }
    }

    /// Ends the taking.
    ///
    /// - Throws: ``CheckpointError/invalid(_:)`` naming every key that is missing, misshapen or left over; of very many the
    ///   first
    package func close() throws(CheckpointError) {
        let all = allFaults
        guard let name = files.first?.name, !all.isEmpty else { return }
        let told = all.prefix(50).joined(separator: "; ") + (all.count > 50 ? "; and \(all.count - 50) more" : "")
        throw .invalid(
            "\(name) does not fit its configuration: \(told). Check that it was downloaded whole, and that a config.json belongs to it."
        )
    }

    private static func text(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "×") }
}

extension WeightScope {
    /// Values that are read while a network is built, as floats: none where they are missing or misshapen.
    package func vector(_ name: String, _ shape: [Int]) -> [Float] {
        ledger.vector(path + name, shape, on: engine)
    }
}
