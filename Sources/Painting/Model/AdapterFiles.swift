import Checkpoints

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Adapters on disk: files that `--lora` names, each with a weight, and folders whose files prompts may name.
package struct AdapterFiles {
    private var files: [(path: String, weight: Double)] = []
    private var folders: [String] = []

    /// Endings of files that are looked for by name.
    private static let endings = ["safetensors", "pt", "ckpt", "bin", "pth"]

    /// - Parameter arguments: "PATH" or "PATH:W"
    /// - Throws: ``PaintingError/missing(_:)`` when a path is not there, ``PaintingError/usage(_:)`` for a weight that is none
    package init(_ arguments: [String]) throws(PaintingError) {
        for argument in arguments {
            let (path, weight) = try Self.read(argument)
            var status = stat()
            guard stat(path, &status) == 0 else {
                throw .missing("\(path), which --lora names, is not there. Check the name and the folder.")
            }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                files.append((path, weight ?? 1))
                continue
            }
            guard weight == nil else {
                throw .usage(
                    "--lora \(argument) gives a weight to a folder, but only files have one. Name the files, or write the weight into the prompt's tags."
                )
            }
            folders.append(path)
        }
    }

    /// "PATH:W": a path with a colon in it is a path where there is such a file.
    private static func read(_ argument: String) throws(PaintingError) -> (path: String, weight: Double?) {
        guard access(argument, F_OK) != 0, let colon = argument.lastIndex(of: ":") else { return (argument, nil) }
        let (path, text) = (String(argument[..<colon]), String(argument[colon...].dropFirst()))
        guard let weight = decimal(text), weight.isFinite, abs(weight) <= 1000 else {
            // Whoever names a file that is there means a weight.
            guard access(path, F_OK) == 0 else { return (argument, nil) }
            throw .usage("--lora \(argument) has the weight \"\(text)\", but a number from -1000 to 1000 is expected.")
        }
        return (path, weight)
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
            let given = files.map(\.path)
            var path = given.first { Self.stem($0) == name }
            path = try path ?? given.first { try file($0).title == name }
            path = path ?? folders.lazy.compactMap { Self.find(name, in: $0) }.first
            guard let path else {
                throw PaintingError.missing(
                    "The prompt\(picture.map { " in \($0)" } ?? "") names the LoRA <lora:\(name)>, but no file of that name was given. Name it, or the folder that it is in, with --lora, or give --prompt without the tag."
                )
            }
            tagged.insert(path)
            byPrompt.append(
                try Self.chosen(
                    path, Adapter(try file(path), textEncoder: textEncoder, unet: unet, rank: rank), byPrompt: true))
        }
        let byOption = try files.filter { !tagged.contains($0.path) }.map {
            try Self.chosen(
                $0.path, Adapter(try file($0.path), textEncoder: $0.weight, unet: $0.weight), byPrompt: false)
        }
        return byOption + byPrompt
    }

    private static func chosen(_ path: String, _ adapter: Adapter, byPrompt: Bool) throws -> Chosen {
        let (hash, short) = try hashes(path)
        return Chosen(
            path: path, name: stem(path), hash: hash, shortHash: short, adapter: adapter, byPrompt: byPrompt)
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

    private static func stem(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        guard let dot = name.lastIndex(of: "."), endings.contains(name[dot...].dropFirst().lowercased()) else {
            return name
        }
        return String(name[..<dot])
    }

    /// The file of a name in a folder and those in it: by its own name first, then by what its trainer called it.
    private static func find(_ name: String, in folder: String) -> String? {
        let all = EmbeddingFiles.walk(folder, depth: 0) { path in
            endings.contains { path.lowercased().hasSuffix("." + $0) }
        }
        return all.first { stem($0) == name }
            ?? all.first {
                $0.hasSuffix(".safetensors") && (try? TensorFile(path: $0))?.metadata["ss_output_name"] == name
            }
    }
}
