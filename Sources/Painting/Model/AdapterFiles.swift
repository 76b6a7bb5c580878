import Checkpoints

/// Adapters on disk: files that `--lora` names, each with a weight, and folders whose files prompts may name.
package struct AdapterFiles {
    private let files: NetworkFiles

    /// - Parameter arguments: "PATH" or "PATH:W"
    /// - Throws: ``PaintingError/missing(_:)`` when a path is not there, ``PaintingError/usage(_:)`` for a weight that is none
    package init(_ arguments: [String]) throws(PaintingError) {
        files = try NetworkFiles(arguments, kind: "LoRA", option: "lora")
    }

    /// An adapter that is applied, and what a recipe says of it.
    package struct Chosen: Sendable {
        package let path: String
        /// The file's name without its ending.
        package let name: String
        /// SHA-256 of the file.
        package let hash: String
        /// What the web UI calls its hash: of the tensors alone, or what its trainer wrote down.
        package let shortHash: String
        package let adapter: Adapter
        /// A tag of the prompt chose it, and its weights.
        package let byPrompt: Bool
    }

    /// What is applied: what the prompt's tags name, as strongly as they say, and all other files that were named.
    ///
    /// - Parameters:
    ///   - networks: of the prompt
    ///   - picture: that the prompt comes from; nil where an option gave it
    /// - Throws: ``PaintingError/missing(_:)`` when a tag names no file of these, ``CheckpointError`` when one cannot be read
    package func chosen(by networks: [NamedNetwork], from picture: String? = nil) throws -> [Chosen] {
        var opened: [String: AdapterFile] = [:]
        func file(_ path: String) throws -> AdapterFile {
            if let known = opened[path] { return known }
            let new = try AdapterFile(try TensorFile(path: path))
            opened[path] = new
            return new
        }
        var tagged: Set<String> = []
        var byPrompt: [Chosen] = []
        for case .lora(let name, let textEncoder, let unet, let rank) in networks {
            let path = try files.file(
                named: name, tag: "<lora:\(name)>", from: picture, title: { try file($0).title },
                titled: {
                    guard $0.hasSuffix(".safetensors") else { return nil }
                    return (try? TensorFile(path: $0))?.metadata["ss_output_name"]
                })
            tagged.insert(path)
            byPrompt.append(
                try Self.chosen(
                    path, Adapter(try file(path), textEncoder: textEncoder, unet: unet, rank: rank), byPrompt: true))
        }
        let byOption = try files.files.filter { !tagged.contains($0.path) }.map {
            try Self.chosen(
                $0.path, Adapter(try file($0.path), textEncoder: $0.weight, unet: $0.weight), byPrompt: false)
        }
        return byOption + byPrompt
    }

    private static func chosen(_ path: String, _ adapter: Adapter, byPrompt: Bool) throws -> Chosen {
        let (hash, short) = try hashes(path)
        return Chosen(
            path: path, name: NetworkFiles.stem(path), hash: hash, shortHash: short, adapter: adapter,
            byPrompt: byPrompt)
    }

    /// SHA-256 of a file, and the web UI's hash of it. Source of the latter: `modules/hashes.py`,
    /// `addnet_hash_safetensors`; `extensions-builtin/Lora/network.py`.
    static func hashes(_ path: String) throws -> (whole: String, webUI: String) {
        let file = try TensorFile(path: path)
        var (whole, tensors) = (SHA256(), SHA256())
        var isSafetensors = false
        file.withBytes { bytes in
            whole.update(bytes)
            guard bytes.count > 8, bytes[8] == UInt8(ascii: "{") else { return }
            let header = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
            guard header <= UInt64(bytes.count - 8) else { return }
            isSafetensors = true
            tensors.update(UnsafeRawBufferPointer(rebasing: bytes[(8 + Int(header))...]))
        }
        let hash = whole.finish()
        let webUI = file.metadata["sshs_model_hash"] ?? (isSafetensors ? tensors.finish() : hash)
        return (hash, String(webUI.prefix(12)))
    }
}
