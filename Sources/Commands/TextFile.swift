import Checkpoints
import Painting

/// A small text file.
///
/// - Parameter role: what it is here for, as a part of a sentence: "which --prompt names"
func readText(_ path: String, _ role: String) throws -> String {
    let file: FileBytes
    do throws(CheckpointError) {
        file = try FileBytes(path: path)
    } catch {
        if case .missing = error {
            throw PaintingError.missing("\(path), \(role), is not there. Check the name and the folder.")
        }
        throw error
    }
    guard file.count <= 1 << 20, let text = String(validating: file.bytes, as: UTF8.self) else {
        throw PaintingError.unsuitable("\(path), \(role), is not a text of at most 1 MB in UTF-8.")
    }
    return text
}
