import Checkpoints
import RasterFiles

/// Writes any checkpoint that is read as safetensors: every tensor in its number format, and what text the file carries.
///
/// Source of the format: github.com/huggingface/safetensors, README, "Format".
///
/// - Throws: ``CheckpointError``; ``PictureFileError`` when the output stands already or cannot be written
package func convertToSafetensors(_ input: String, _ output: String, overwrite: Bool) throws {
    let file = try TensorFile(path: input)
    // The widest numbers first, so that all lie at multiples of their size.
    let tensors = file.entries.map { (key: $0, entry: $1, bytes: file.byteCount($1), size: file.valueSize($1)) }
        .sorted { ($1.size, $0.key) < ($0.size, $1.key) }
    var members: [(String, JSONText)] = []
    if !file.metadata.isEmpty {
        members.append(
            ("__metadata__", .object(file.metadata.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) })))
    }
    var place = 0
    for (key, entry, bytes, _) in tensors {
        members.append(
            (
                key,
                .object([
                    ("dtype", .text(entry.format)), ("shape", .list(entry.shape.map { .integer($0) })),
                    ("data_offsets", .list([.integer(place), .integer(place + bytes)])),
                ])
            ))
        place += bytes
    }
    var header = Array(JSONText.object(members).string.utf8)
    header += Array(repeating: UInt8(ascii: " "), count: (8 - header.count % 8) % 8)
    let length = withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init)
    try WholeFile.write(to: output, overwrite: overwrite) { (send) throws(PictureFileError) in
        var failure: PictureFileError?
        (length + header).withUnsafeBytes { bytes in
            do throws(PictureFileError) { try send(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
        for tensor in tensors {
            try file.withBytes(of: tensor.entry, send)
        }
    }
}
