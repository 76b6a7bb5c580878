#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file without a name that holds what memory has no room for; gone when it is let go, or when the program ends.
///
/// Unchecked: the number never changes, and places are read and written without moving a common position.
package final class SpillFile: @unchecked Sendable {
    private let descriptor: Int32
    private let folder: String

    /// - Throws: ``EngineError/spill(_:)``
    package init() throws {
        // /tmp is often memory itself.
        let asked = getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        let folder = asked ?? (access("/var/tmp", W_OK) == 0 ? "/var/tmp" : "/tmp")
        var path = Array("\(folder)/velatura-XXXXXX".utf8CString)
        let made = mkstemp(&path)
        guard made >= 0 else { throw Self.fault("no file can be made in \(folder)", errno) }
        unlink(path)
        _ = fcntl(made, F_SETFD, FD_CLOEXEC)
        (descriptor, self.folder) = (made, folder)
    }

    deinit { close(descriptor) }

    /// - Throws: ``EngineError/spill(_:)``, most often since the disk is full
    package func write(_ floats: UnsafePointer<Float>, _ count: Int, at place: Int) throws {
        try move(count) { done, bytes in
            pwrite(descriptor, UnsafeRawPointer(floats) + done, bytes, off_t(place * 4 + done))
        }
    }

    /// - Throws: ``EngineError/spill(_:)``
    package func read(_ floats: UnsafeMutablePointer<Float>, _ count: Int, at place: Int) throws {
        try move(count) { done, bytes in
            pread(descriptor, UnsafeMutableRawPointer(floats) + done, bytes, off_t(place * 4 + done))
        }
    }

    private func move(_ count: Int, _ some: (_ done: Int, _ bytes: Int) -> Int) throws {
        var done = 0
        while done < count * 4 {
            let moved = some(done, count * 4 - done)
            if moved < 0, errno == EINTR { continue }
            guard moved > 0 else {
                throw Self.fault("a temporary file in \(folder) cannot be used", moved < 0 ? errno : EIO)
            }
            done += moved
        }
    }

    private static func fault(_ what: String, _ code: Int32) -> EngineError {
        .spill(
            "What --memory-limit has no room for cannot wait on disk: \(what) (\(String(cString: strerror(code)))). Make room, name another folder with TMPDIR, or raise the limit."
        )
    }
}
