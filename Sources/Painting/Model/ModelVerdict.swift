import Checkpoints
import Networks
import Tensors

/// Everything that is wrong with a model's files: numbers that are none, keys that are missing or left over.
package struct ModelVerdict: Sendable {
    /// What was looked at, a line each.
    package private(set) var parts: [String] = []
    /// What is wrong, a line each.
    package private(set) var faults: [String] = []

    /// - Parameter path: a model folder or file, or any file of tensors, of which only the numbers are checked
    /// - Throws: ``CheckpointError`` when a file cannot be read at all
    package init(_ path: String, on engine: Engine) throws {
        let folder: ModelFolder
        do throws(CheckpointError) {
            folder = try ModelFolder(named: path)
        } catch {
            // No whole model; but a file of tensors, perhaps, whose numbers can be checked.
            guard case .invalid(let line) = error else { throw error }
            let file = try TensorFile(path: path)
            check(file, file.name)
            parts.append("Only numbers were checked: \(line)")
            return
        }
        if let file = folder.checkpoint?.file { check(file, file.name) }
        let names = ["unet", "vae", "text_encoder", "text_encoder_2"].filter { folder.has("\($0)/config.json") }
        for name in names {
            do throws(CheckpointError) {
                if folder.checkpoint == nil {
                    let stem = name.hasPrefix("text") ? "model" : "diffusion_pytorch_model"
                    for file in try folder.weights(name, stem: stem) { check(file, name) }
                }
                faults += try Self.ledger(folder, name, on: engine)?.allFaults.map { "\(name): \($0)." } ?? []
            } catch {
                faults.append(error.line)
            }
        }
        guard faults.isEmpty else { return }
        // What remains is whether the parts fit each other.
        do {
            let model = try DiffusionModel(folder, on: engine)
            parts.append("\(model.kind.value.name): every key is there, and none is left over.")
        } catch {
            faults.append(reported(error).line)
        }
    }

    private static func ledger(_ folder: ModelFolder, _ part: String, on engine: Engine) throws(CheckpointError)
        -> WeightLedger?
    {
        switch part {
        case "unet": return try UNet.build(folder, part, on: engine).1
        case "vae":
            if try folder.settings("\(part)/config.json").json["_class_name"] == .text("AutoencoderTiny") {
                _ = try TinyAutoencoder.load(folder, part, on: engine)
                return nil
            }
            return try Autoencoder.build(folder, part, on: engine).1
        default: return try TextEncoder.build(folder, part, on: engine).1
        }
    }

    private mutating func check(_ file: TensorFile, _ name: String) {
        for key in file.entries.keys.sorted() {
            let unsound = file.unsoundValues(key)
            if unsound > 0, let entry = file.entries[key] {
                faults.append("\(name): \(key) has \(unsound) of \(entry.count) values that are no finite numbers.")
            }
        }
        parts.append(
            "\(name): \(file.entries.count) tensors, \(file.valueCount) values, \(file.formats.joined(separator: ", "))"
        )
    }
}
