import Checkpoints
import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Files that an option names, each with a weight, and folders whose files prompts may name: of LoRAs, or of hypernetworks.
struct NetworkFiles {
    /// What they hold, for messages: "LoRA".
    let kind: String
    /// Without dashes.
    let option: String
    private(set) var files: [(path: String, weight: Double)] = []
    private(set) var folders: [String] = []

    /// Endings of files that are looked for by name.
    static let endings = ["safetensors", "pt", "ckpt", "bin", "pth"]

    /// - Parameter arguments: "PATH" or "PATH:W"
    /// - Throws: ``PaintingError/missing(_:)`` when a path is not there, ``PaintingError/usage(_:)`` for a weight that is none
    init(_ arguments: [String], kind: String, option: String) throws(PaintingError) {
        (self.kind, self.option) = (kind, option)
        for argument in arguments {
            let (path, weight) = try read(argument)
            var status = stat()
            guard stat(path, &status) == 0 else {
                throw .missing("\(path), which --\(option) names, is not there. Check the name and the folder.")
            }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                files.append((path, weight ?? 1))
                continue
            }
            guard weight == nil else {
                throw .usage(
                    "--\(option) \(argument) gives a weight to a folder, but only files have one. Name the files, or write the weight into the prompt's tags."
                )
            }
            folders.append(path)
        }
    }

    /// "PATH:W": a path with a colon in it is a path where there is such a file.
    private func read(_ argument: String) throws(PaintingError) -> (path: String, weight: Double?) {
        guard access(argument, F_OK) != 0, let colon = argument.lastIndex(of: ":") else { return (argument, nil) }
        let (path, text) = (String(argument[..<colon]), String(argument[colon...].dropFirst()))
        guard let weight = decimal(text), weight.isFinite, abs(weight) <= 1000 else {
            // Whoever names a file that is there means a weight.
            guard access(path, F_OK) == 0 else { return (argument, nil) }
            throw .usage(
                "--\(option) \(argument) has the weight \"\(text)\", but a number from -1000 to 1000 is expected.")
        }
        return (path, weight)
    }

    /// The file that a tag of the prompt names: one that was named itself, by its own name or its title, then one in a folder.
    ///
    /// - Parameters:
    ///   - tag: as it begins, "<lora:name>"
    ///   - picture: that the prompt comes from; nil where an option gave it
    ///   - title: what a named file's trainer called it
    ///   - titled: the same of a file in a folder, which need not be of the right kind
    /// - Throws: ``PaintingError/missing(_:)`` when there is none
    func file(
        named name: String, tag: String, from picture: String?, title: (String) throws -> String?,
        titled: (String) -> String?
    ) throws -> String {
        let given = files.map(\.path)
        if let path = given.first(where: { Self.stem($0) == name }) { return path }
        if let path = try given.first(where: { try title($0) == name }) { return path }
        for folder in folders {
            let all = EmbeddingFiles.walk(folder, depth: 0) { path in
                Self.endings.contains { path.lowercased().hasSuffix("." + $0) }
            }
            if let path = all.first(where: { Self.stem($0) == name }) ?? all.first(where: { titled($0) == name }) {
                return path
            }
        }
        throw PaintingError.missing(
            "The prompt\(picture.map { " in \($0)" } ?? "") names the \(kind) \(tag), but no file of that name was given. Name it, or the folder that it is in, with --\(option), or give --prompt without the tag."
        )
    }

    /// The file's name without its ending.
    static func stem(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        guard let dot = name.lastIndex(of: "."), endings.contains(name[dot...].dropFirst().lowercased()) else {
            return name
        }
        return String(name[..<dot])
    }
}

/// Hypernetworks on disk: files that `--hypernetwork` names, each with a weight, and folders whose files prompts may name.
package struct HypernetworkFiles {
    private let files: NetworkFiles

    /// - Parameter arguments: "PATH" or "PATH:W"
    /// - Throws: ``PaintingError/missing(_:)`` when a path is not there, ``PaintingError/usage(_:)`` for a weight that is none
    package init(_ arguments: [String]) throws(PaintingError) {
        files = try NetworkFiles(arguments, kind: "hypernetwork", option: "hypernetwork")
    }

    /// A hypernetwork that is applied, and what a recipe says of it.
    package struct Chosen: Sendable {
        package let path: String
        /// The file's name without its ending.
        package let name: String
        /// SHA-256 of the file.
        package let hash: String
        package let weight: Double
        package let file: HypernetworkFile
        /// A tag of the prompt chose it, and its weight.
        package let byPrompt: Bool
    }

    /// What is applied, one after the other: all files that were named and that no tag names, then what the prompt's tags name.
    ///
    /// - Parameters:
    ///   - networks: of the prompt
    ///   - picture: that the prompt comes from; nil where an option gave it
    /// - Throws: ``PaintingError/missing(_:)`` when a tag names no file of these, ``CheckpointError`` when one cannot be read
    package func chosen(by networks: [NamedNetwork], from picture: String? = nil) throws -> [Chosen] {
        func chosen(_ path: String, _ weight: Double, byPrompt: Bool) throws -> Chosen {
            Chosen(
                path: path, name: NetworkFiles.stem(path), hash: try Self.hash(path), weight: weight,
                file: try HypernetworkFile(path: path), byPrompt: byPrompt)
        }
        var byPrompt: [Chosen] = []
        for case .hypernetwork(let name, let weight) in networks {
            let path = try files.file(
                named: name, tag: "<hypernet:\(name)>", from: picture, title: { _ in nil }, titled: { _ in nil })
            byPrompt.append(try chosen(path, weight, byPrompt: true))
        }
        let tagged = Set(byPrompt.map(\.path))
        return try files.files.filter { !tagged.contains($0.path) }.map {
            try chosen($0.path, $0.weight, byPrompt: false)
        } + byPrompt
    }

    /// SHA-256 of a file.
    static func hash(_ path: String) throws(CheckpointError) -> String {
        let file = try FileBytes(path: path)
        return withExtendedLifetime(file) {
            var sum = SHA256()
            sum.update(file.bytes)
            return sum.finish()
        }
    }
}
