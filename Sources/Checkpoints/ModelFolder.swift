#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A model as a folder of files, on disk or inside the program. Layout: that of the diffusers library
/// (`model_index.json`, `unet/config.json`, `unet/diffusion_pytorch_model.safetensors`, …).
package struct ModelFolder: Sendable {
    /// Name for messages and recipes: the last part of the path.
    package let name: String
    private let source: Source

    private enum Source: Sendable {
        case disk(path: String)
        case memory([String: FileBytes])
    }

    /// - Throws: ``CheckpointError/missing(_:)`` when there is no such folder.
    package init(path: String) throws(CheckpointError) {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw .missing(
                "The model \(path) is not there. Give --model a model folder, or leave it out for the built-in one.")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw .invalid(
                "The model \(path) is a file, but only model folders in the diffusers layout are read so far.")
        }
        source = .disk(path: path)
        name = path.split(separator: "/").last.map(String.init) ?? path
    }

    /// A folder that is part of the program.
    package init(name: String, files: [String: FileBytes]) {
        (self.name, source) = (name, .memory(files))
    }

    package func has(_ file: String) -> Bool {
        switch source {
        case .disk(let path): access("\(path)/\(file)", F_OK) == 0
        case .memory(let files): files[file] != nil
        }
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
        }
    }

    private func lacks(_ file: String) -> CheckpointError {
        .missing("The model \(name) has no \(file). Check that the whole folder was copied.")
    }

    /// The weights of one part: one file, or shards with an index beside them.
    ///
    /// - Parameters:
    ///   - part: "unet", "vae", "text_encoder", …
    ///   - stem: the file's name without its ending, such as "diffusion_pytorch_model"
    package func weights(_ part: String, stem: String) throws(CheckpointError) -> [SafetensorsFile] {
        for variant in ["", ".fp16", ".bf16"] where has("\(part)/\(stem)\(variant).safetensors") {
            return [try SafetensorsFile(try file("\(part)/\(stem)\(variant).safetensors"))]
        }
        let index = "\(part)/\(stem).safetensors.index.json"
        guard has(index) else { throw lacks("\(part)/\(stem).safetensors") }
        let map = try JSON(try file(index))["weight_map"].object ?? [:]
        var files: [SafetensorsFile] = []
        for (key, shard) in map where shard.text == nil {
            throw .invalid("\(name)/\(index) has \(shard.description) for \(key), but the name of a file is expected.")
        }
        for shard in Set(map.values.compactMap(\.text)).sorted() {
            guard !shard.contains("/"), shard != ".." else {
                throw .invalid("\(name)/\(index) points outside its folder: \(shard).")
            }
            files.append(try SafetensorsFile(try file("\(part)/\(shard)")))
        }
        guard !files.isEmpty else { throw .invalid("\(name)/\(index) names no file of weights.") }
        return files
    }
}
