import Tensors

/// A file of the LoRA family: small tensors that change the weights of a model's modules.
package struct AdapterFile: Sendable {
    /// Name for messages.
    package let name: String
    let file: TensorFile
    /// The keys of each module, by what they are to it.
    let modules: [AdapterPlace: [AdapterPart: String]]
    /// Keys that say nothing to us.
    let strangers: [String]
    /// What PEFT was told, as diffusers keeps it.
    let settings: JSON

    /// Widest side, and most values, of a tensor that is looked at.
    private static let (widest, most) = (1 << 24, 1 << 40)

    /// - Throws: ``CheckpointError/invalid(_:)`` when the file holds no adapter, one of a kind that is not built, or shapes
    ///   that cannot be
    package init(_ file: TensorFile) throws(CheckpointError) {
        (name, self.file) = (file.name, file)
        var modules: [AdapterPlace: [AdapterPart: String]] = [:]
        var strangers: [String] = []
        for key in file.entries.keys.sorted() {
            switch AdapterKey(key) {
            case .known(let place, let part):
                if let other = modules[place, default: [:]].updateValue(key, forKey: part) {
                    throw .invalid("\(file.name) says the same twice: \(other) and \(key). Leave one of them out.")
                }
            case .refused(let kind):
                throw .invalid(
                    "\(file.name) is an adapter of a kind that is not built: \(kind) (\(key)). LoRA, LoCon, LoHa, LoKr, DoRA, IA³ and full differences are."
                )
            case .stranger: strangers.append(key)
            }
        }
        guard !modules.isEmpty else {
            throw .invalid(
                "\(file.name) is no LoRA: its first key is \(strangers.first ?? "nothing"). Give --lora a file of the LoRA family."
            )
        }
        for (part, key) in modules.values.joined() {
            guard let entry = file.entries[key] else { continue }
            var count = 1
            for side in entry.shape {
                let (product, overflow) = count.multipliedReportingOverflow(by: side)
                guard (1...Self.widest).contains(side), !overflow, product <= Self.most else {
                    throw .invalid("\(file.name) has \(key) of the impossible shape \(entry.shape).")
                }
                count = product
            }
            guard [.alpha, .scale, .onInput].contains(part) ? count == 1 : (1...5).contains(entry.shape.count) else {
                throw .invalid("\(file.name) has \(key) of the shape \(entry.shape), which it cannot have.")
            }
        }
        (self.modules, self.strangers) = (modules, strangers)
        let text = file.metadata["lora_adapter_metadata"] ?? "{}"
        let bytes = FileBytes(name: "\(file.name)'s lora_adapter_metadata", count: text.utf8.count) {
            $0.copyBytes(from: Array(text.utf8))
        }
        settings = try JSON(bytes)
    }

    /// What its trainer called it (`ss_output_name`), which prompts may use as well as the file's name.
    package var title: String? { file.metadata["ss_output_name"] }

    /// How wide the texts are that its UNet attends to; nil where it does not say.
    var contextWidth: Int? {
        for (place, parts) in modules where place.network == .unet && place.module.hasSuffix("attn2_to_k") {
            for part in [AdapterPart.down, .hadaW1B] {
                if let shape = parts[part].flatMap({ file.entries[$0]?.shape }), shape.count > 1 { return shape[1] }
            }
        }
        return nil
    }

    func shape(_ key: String) -> [Int] { file.entries[key]?.shape ?? [] }

    /// All values of a tensor, which must be finite.
    func values(_ key: String) throws(CheckpointError) -> [Float] {
        let values = try file.weights(key)?.floats() ?? []
        guard values.allSatisfy(\.isFinite) else {
            throw .invalid("\(name) has values in \(key) that are not numbers. Download it again.")
        }
        return values
    }

    /// A tensor of one value, of any number format.
    func scalar(_ key: String) throws(CheckpointError) -> Double {
        guard let entry = file.entries[key] else { return 0 }
        func integer<Number: FixedWidthInteger>(_ type: Number.Type) -> Double {
            file.withBytes(of: entry) { Double(Number(littleEndian: $0.loadUnaligned(as: Number.self))) }
        }
        let value: Double =
            switch entry.format {
            case "BOOL", "U8": integer(UInt8.self)
            case "I16": integer(Int16.self)
            case "I32": integer(Int32.self)
            case "I64": integer(Int64.self)
            case "F64":
                file.withBytes(of: entry) {
                    Double(bitPattern: UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)))
                }
            default: Double(try file.weights(key)?.floats().first ?? 0)
            }
        guard value.isFinite else { throw .invalid("\(name) has \(value) as \(key), but a number is expected.") }
        return value
    }
}

/// An adapter with how strongly it acts.
package struct Adapter: Sendable {
    package var file: AdapterFile
    /// Multiplies what is added to text encoders.
    package var textEncoder: Double
    /// Multiplies what is added to the UNet.
    package var unet: Double
    /// Cuts a LoRA's rank; nil for all of it.
    package var rank: Int?

    package init(_ file: AdapterFile, textEncoder: Double = 1, unet: Double = 1, rank: Int? = nil) {
        (self.file, self.textEncoder, self.unet, self.rank) = (file, textEncoder, unet, rank)
    }

    func weight(_ network: AdaptedNetwork) -> Double { network == .unet ? unet : textEncoder }
}
