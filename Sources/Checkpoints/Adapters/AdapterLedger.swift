import Tensors

/// The adapters of a model while its networks are built: merges them into weights as these are taken, and notes what fitted.
///
/// A fault does not stop the building; ``close(model:contextWidth:)`` throws it.
package final class AdapterLedger {
    private let adapters: [Adapter]
    /// Keys of each adapter that met their modules.
    private var used: [Set<String>]
    private var faults: [(any Error)?]
    private var names: [AdaptedNetwork: OriginalNames] = [:]

    package init(_ adapters: [Adapter]) {
        self.adapters = adapters
        used = adapters.map { _ in [] }
        faults = adapters.map { _ in nil }
    }

    /// Tells the keys of a UNet, whose modules have other names in the original layout.
    func learn(_ network: AdaptedNetwork, _ keys: some Sequence<String>) {
        if network == .unet { names[.unet] = OriginalNames(keys) }
    }

    /// A weight or bias with every adapter in it, one after the other.
    func merged(_ weights: Weights, _ network: AdaptedNetwork, key: String, on engine: Engine) -> Weights {
        var names = key.split(separator: ".").map(String.init)
        guard let kind = names.popLast(), kind == "weight" || kind == "bias", weights.count > 0 else { return weights }
        let path = names.joined(separator: ".")
        let flat = path.replacing(".", with: "_")
        let modules =
            network == .unet
            ? [flat, self.names[network]?.name(path)?.replacing(".", with: "_")].compactMap { $0 }
            : [AdapterKey.textModule(flat)]
        var thirds: [String: Int] = [:]
        if network != .unet, let whole = AdapterKey.wholeOfThird(modules[0]) { thirds[whole.module] = whole.third }
        var result = weights
        for (index, adapter) in adapters.enumerated() where faults[index] == nil {
            for module in Set(modules + thirds.keys).sorted() {
                let place = AdapterPlace(network: network, module: module)
                guard let parts = adapter.file.modules[place] else { continue }
                used[index].formUnion(parts.filter { $0.key.changesBias == (kind == "bias") }.values)
                let multiplier = adapter.weight(network)
                guard multiplier != 0 else { continue }
                let change = AdapterModule(
                    file: adapter.file, parts: parts, place: place, rankLimit: adapter.rank, third: thirds[module],
                    engine: engine)
                do {
                    result =
                        kind == "bias"
                        ? try change.mergedBias(result, times: multiplier)
                        : try change.merged(result, times: multiplier)
                } catch {
                    faults[index] = error
                }
            }
        }
        return result
    }

    /// Ends the taking.
    ///
    /// - Parameter contextWidth: how wide the texts are that the UNet attends to
    /// - Returns: for each adapter what is left out of it, in words; nil where all fitted
    /// - Throws: ``CheckpointError/invalid(_:)`` for the first adapter that does not fit
    package func close(model: String, contextWidth: Int) throws -> [String?] {
        try adapters.indices.map { index in
            let file = adapters[index].file
            if let width = file.contextWidth, width != contextWidth {
                throw CheckpointError.invalid(
                    "\(file.name) was made for \(Self.family(width)), but \(model) is \(Self.family(contextWidth)). Take one that was made for this kind of model."
                )
            }
            if let fault = faults[index] { throw fault }
            let all = Set(file.modules.values.flatMap(\.values))
            let left = (all.subtracting(used[index]) + file.strangers).sorted()
            guard left.count < all.count + file.strangers.count else {
                throw CheckpointError.invalid(
                    "Nothing of \(file.name) fits \(model), which is \(Self.family(contextWidth)): its first key is \(left.first ?? ""). Take one that was made for this kind of model."
                )
            }
            guard let first = left.first else { return nil }
            return
                "\(left.count) of the \(all.count + file.strangers.count) tensors in \(file.name) fit nothing in \(model) and are left out: \(first)\(left.count > 1 ? ", …" : "")"
        }
    }

    private static func family(_ width: Int) -> String {
        let names = [768: "Stable Diffusion 1", 1024: "Stable Diffusion 2", 2048: "SDXL"]
        return "\(names[width] ?? "a model") with texts \(width) wide"
    }
}
