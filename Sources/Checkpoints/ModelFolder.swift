#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A model as a folder of files, on disk or inside the program. Layout: that of the diffusers library
/// (`model_index.json`, `unet/config.json`, `unet/diffusion_pytorch_model.safetensors`, …). A model in one file is seen as
/// the folder that it would be: ``OriginalCheckpoint``.
package struct ModelFolder: Sendable {
    /// Name for messages and recipes: the last part of the path.
    package let name: String
    private let source: Source
    /// A scheduler's description beside a model in one file: its path, and its name for messages.
    private let beside: (path: String, name: String)?

    private enum Source: Sendable {
        case disk(path: String)
        case memory([String: FileBytes])
        case checkpoint(OriginalCheckpoint)
        case part(String, [TensorFile], JSON)
    }

    /// A model folder, or one file in the original layout.
    ///
    /// - Throws: ``CheckpointError/missing(_:)`` when there is nothing of the name, ``CheckpointError/invalid(_:)`` when it
    ///   is a file that holds no model
    package init(path: String) throws(CheckpointError) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        if let folder = try Self.folderOnly(path: path, option: "--model") {
            self = folder
            return
        }
        let last = path.lastName
        let file = try TensorFile(try FileBytes(path: path, name: last))
        let stem = last.withoutEnding
        let folder = String(path.dropLast(last.count))
        var description: OriginalDescription?
        for ending in ["yaml", "yml"] where description == nil && access("\(folder)\(stem).\(ending)", F_OK) == 0 {
            description = try OriginalDescription(
                try FileBytes(path: "\(folder)\(stem).\(ending)", name: "\(stem).\(ending)"))
        }
        let schedulers = ["scheduler_config.json", "scheduler/scheduler_config.json"]
        beside = schedulers.first { access(folder + $0, F_OK) == 0 }.map { (folder + $0, $0) }
        (name, source) = (stem, .checkpoint(try OriginalCheckpoint(file, description: description)))
    }

    /// A folder; nil where the path is a file.
    ///
    /// - Throws: ``CheckpointError/missing(_:)`` when there is nothing of the name
    static func folderOnly(path: String, option: String?) throws(CheckpointError) -> ModelFolder? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            let named = path.isEmpty ? "\"\"" : path
            switch option {
            case "--model":
                throw .missing(
                    "The model \(named) is not there. Give --model a model's folder or file, or leave it out for the built-in one."
                )
            case let option?: throw .missing("\(named) is not there. Give \(option) a name that is.")
            case nil: throw .missing("\(named) is not there. Check the name and the folder.")
            }
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { return nil }
        return ModelFolder(path.lastName, .disk(path: path))
    }

    private init(_ name: String, _ source: Source) { (self.name, self.source, beside) = (name, source, nil) }

    /// One part of a model by itself.
    init(name: String, part: String, _ weights: [TensorFile], _ configuration: JSON) {
        self.init(name, .part(part, weights, configuration))
    }

    /// A folder that is part of the program.
    package init(name: String, files: [String: FileBytes]) {
        (self.name, source, beside) = (name, .memory(files), nil)
    }

    /// The one file that the model is; nil of a folder.
    package var checkpoint: OriginalCheckpoint? {
        if case .checkpoint(let checkpoint) = source { checkpoint } else { nil }
    }

    package func has(_ file: String) -> Bool {
        switch source {
        case .disk(let path): access("\(path)/\(file)", F_OK) == 0
        case .memory(let files): files[file] != nil
        case .checkpoint(let checkpoint):
            file == Self.scheduler
                ? beside != nil : file.hasSuffix("/config.json") && checkpoint.configurations[Self.part(file)] != nil
        case .part(let part, _, _): file == "\(part)/config.json"
        }
    }

    /// Where a folder describes its scheduler.
    package static let scheduler = "scheduler/scheduler_config.json"

    private static func part(_ file: String) -> String { file.split(separator: "/").first.map(String.init) ?? file }

    /// A file of settings: of a model in one file, what its shapes say.
    ///
    /// - Throws: ``CheckpointError/missing(_:)`` when the folder lacks the file, ``CheckpointError/invalid(_:)`` when it is
    ///   not JSON
    package func settings(_ file: String) throws(CheckpointError) -> (json: JSON, name: String) {
        if case .checkpoint(let checkpoint) = source, file.hasSuffix("/config.json") {
            guard let json = checkpoint.configurations[Self.part(file)] else { throw lacks(file) }
            return (json, checkpoint.file.name)
        }
        if case .part(_, _, let json) = source, has(file) { return (json, name) }
        let bytes = try self.file(file)
        return (try JSON(bytes), bytes.name)
    }

    /// - Throws: ``CheckpointError/missing(_:)`` when the folder lacks the file.
    package func file(_ file: String) throws(CheckpointError) -> FileBytes {
        switch source {
        case .disk(let path):
            guard has(file) else { throw lacks(file) }
            return try FileBytes(path: "\(path)/\(file)", name: "\(name)/\(file)")
        case .memory(let files):
            guard let bytes = files[file] else { throw lacks(file) }
            return bytes
        case .checkpoint:
            guard file == Self.scheduler, let beside else { throw lacks(file) }
            return try FileBytes(path: beside.path, name: beside.name)
        case .part: throw lacks(file)
        }
    }

    private func lacks(_ file: String) -> CheckpointError {
        if case .checkpoint(let checkpoint) = source {
            let part = Self.part(file)
            return .missing(
                part == "vae"
                    ? "\(checkpoint.file.name) has no autoencoder. Give one with --vae."
                    : "\(checkpoint.file.name) has no \(part). Take the whole model.")
        }
        return .missing("The model \(name) has no \(file). Check that the whole folder was copied.")
    }

    /// The weights of one part: one file, or shards with an index beside them.
    ///
    /// - Parameters:
    ///   - part: "unet", "vae", "text_encoder", …
    ///   - stem: the file's name without its ending, such as "diffusion_pytorch_model"
    package func weights(_ part: String, stem: String) throws(CheckpointError) -> [TensorFile] {
        if case .checkpoint(let checkpoint) = source {
            guard let part = checkpoint.parts[part] else { throw lacks("\(part)/\(stem)") }
            return [part]
        }
        if case .part(_, let files, _) = source { return files }
        for variant in ["", ".fp16", ".bf16"] where has("\(part)/\(stem)\(variant).safetensors") {
            return [try TensorFile(safetensors: try file("\(part)/\(stem)\(variant).safetensors"))]
        }
        let index = "\(part)/\(stem).safetensors.index.json"
        guard has(index) else {
            // Older folders hold torch archives, under another stem for the text encoder.
            for name in [stem, stem == "model" ? "pytorch_model" : stem] {
                for variant in ["", ".fp16"] where has("\(part)/\(name)\(variant).bin") {
                    return [try TensorFile(try file("\(part)/\(name)\(variant).bin"))]
                }
            }
            throw lacks("\(part)/\(stem).safetensors")
        }
        let map = try JSON(try file(index))["weight_map"].object ?? [:]
        var files: [TensorFile] = []
        for (key, shard) in map where shard.text == nil {
            throw .invalid("\(name)/\(index) has \(shard.description) for \(key), but the name of a file is expected.")
        }
        for shard in Set(map.values.compactMap(\.text)).sorted() {
            guard !shard.contains("/"), shard != ".." else {
                throw .invalid("\(name)/\(index) points outside its folder: \(shard).")
            }
            files.append(try TensorFile(safetensors: try file("\(part)/\(shard)")))
        }
        guard !files.isEmpty else { throw .invalid("\(name)/\(index) names no file of weights.") }
        return files
    }
}

extension String {
    /// Without the ending of a file's name.
    fileprivate var withoutEnding: String {
        guard let dot = lastIndex(of: "."), dot != startIndex else { return self }
        return String(self[..<dot])
    }
}
