import Checkpoints
import Foundation

/// Lends bytes as a file whose end is the end of readable memory, so that reading one byte too many is a crash and not luck.
package func withGuardedFile<Result>(
    _ bytes: some Collection<UInt8>, name: String = "it", _ body: (FileBytes) throws -> Result
) throws -> Result {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let room = (bytes.count + page - 1) / page * page
    guard let start = mmap(nil, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        start != MAP_FAILED, mprotect(start + room, page, PROT_NONE) == 0
    else { throw CocoaError(.fileReadUnknown) }
    defer { munmap(start, room + page) }
    let first = start + room - bytes.count
    UnsafeMutableRawBufferPointer(start: first, count: bytes.count).copyBytes(from: bytes)
    return try body(FileBytes(name: name, constant: UnsafeRawPointer(first), count: bytes.count))
}

/// The file of a safetensors header and the buffer behind it.
package func safetensors(_ header: String, buffer: [UInt8] = []) -> [UInt8] {
    let header = Array(header.utf8)
    return withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header + buffer
}

/// A folder for the time of one test.
package func withTemporaryFolder<Result>(_ body: (_ path: String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
}

/// Writes a file, making the folders that lead to it.
package func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
    let url = URL(fileURLWithPath: path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
}

/// The line of the refusal that `body` ends with; nil where it ends well.
package func refusal(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as CheckpointError {
        return error.line
    } catch {
        return "not a CheckpointError: \(error)"
    }
}

extension String {
    /// Whether a person can read it: one line that begins with a name and ends with a full stop.
    package var isOneLine: Bool {
        !isEmpty && hasSuffix(".") && unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }
    }
}
