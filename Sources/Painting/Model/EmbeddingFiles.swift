import Checkpoints
import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Embeddings on disk: files that were named, and files of folders that were named.
package struct EmbeddingFiles {
    /// Each with whether it was named itself.
    private var files: [(path: String, isNamed: Bool)] = []

    /// How their names end. What they hold is told by their bytes.
    static let endings = [".safetensors", ".pt", ".bin"]

    /// - Throws: ``PaintingError/missing(_:)`` when a path is not there, ``PaintingError/unsuitable(_:)`` when a named file is
    ///   of a kind that is not read
    package init(_ paths: [String]) throws(PaintingError) {
        for path in paths {
            var status = stat()
            guard stat(path, &status) == 0 else {
                throw .missing("\(path), which --embedding names, is not there. Check the name and the folder.")
            }
            if status.st_mode & S_IFMT == S_IFDIR {
                files += Self.walk(path, depth: 0) { Self.has($0, Self.endings) }.map { ($0, false) }
            } else {
                guard Self.has(path, Self.endings) else {
                    throw .unsuitable(
                        "\(path), which --embedding names, is no file of an embedding: those end in .safetensors, .pt or .bin."
                    )
                }
                files.append((path, true))
            }
        }
    }

    /// Reads them all. What does not fit the model is an error where it was named itself, else left out and told.
    func load(
        widths: [Int], room: Int, model: String, warn: (_ text: String, _ path: String) throws -> Void
    ) throws -> [Embedding] {
        var embeddings: [Embedding] = []
        var homes: [String: String] = [:]
        for (path, isNamed) in files {
            do {
                let embedding = try Self.read(path, widths: widths, room: room, model: model)
                if let twin = homes[embedding.names[0].lowercased()] {
                    try warn("\(path) is left out: \(twin) has the same name.", path)
                    continue
                }
                homes[embedding.names[0].lowercased()] = path
                embeddings.append(embedding)
            } catch let error as CheckpointError where !isNamed {
                try warn("\(path) is left out: \(error.line)", path)
            }
        }
        return embeddings
    }

    private static func read(_ path: String, widths: [Int], room: Int, model: String) throws -> Embedding {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let file = try TensorFile(path: path)
        guard file.valueCount <= 1 << 24 else {
            throw CheckpointError.invalid(
                "\(path) holds \(file.valueCount) values, which is too many for an embedding.")
        }
        var hash = SHA256()
        file.forEachPiece { hash.update($0) }
        var tensors: [String: Tensor] = [:]
        // The web UI's own form has the number of the token that it trained on beside the vectors.
        let learnt = file.entries.keys.filter { $0.hasPrefix("string_to_param") }
        for key in learnt.isEmpty ? Array(file.entries.keys) : learnt {
            guard let weights = try file.weights(key) else { continue }
            tensors[key] = Tensor(weights.shape, weights.floats())
        }
        let stem = name.lastIndex(of: ".").map { String(name[..<$0]) } ?? name
        return try Embedding(
            tensors, file: path, stem: stem, hash: hash.finish(), widths: widths, room: room, model: model)
    }

    private static func has(_ path: String, _ endings: [String]) -> Bool {
        endings.contains { path.lowercased().hasSuffix($0) }
    }

    /// Files of a folder and of those in it, in the order of their names.
    static func walk(_ folder: String, depth: Int, _ isWanted: (String) -> Bool) -> [String] {
        guard depth < 16, let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted().flatMap { name -> [String] in
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            var status = stat()
            guard stat(path, &status) == 0 else { return [] }
            if status.st_mode & S_IFMT == S_IFDIR { return walk(path, depth: depth + 1, isWanted) }
            return isWanted(path) ? [path] : []
        }
    }
}
