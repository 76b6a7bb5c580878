import CMiniature
import Checkpoints

extension ModelFolder {
    /// - Parameter name: "miniature" for the model inside the program, or the path of a model folder or file
    package init(named name: String) throws(CheckpointError) {
        self = name == "miniature" ? .miniature : try ModelFolder(path: name)
    }

    /// The model inside the program: Sources/CMiniature/MODEL_CARD.md says what it can and cannot do.
    package static let miniature: ModelFolder = {
        var files: [String: FileBytes] = [:]
        var next = miniature_files()
        while let entry = next, let name = entry.pointee.name, let bytes = entry.pointee.bytes {
            let name = String(cString: name)
            files[name] = FileBytes(
                name: "miniature/\(name)", constant: UnsafeRawPointer(bytes), count: entry.pointee.count)
            next = entry + 1
        }
        return ModelFolder(name: "miniature", files: files)
    }()
}
