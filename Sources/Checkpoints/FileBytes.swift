import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The bytes of a file: mapped from disk, or part of the program.
///
/// Unchecked: the bytes are never written.
package final class FileBytes: PagedBytes, @unchecked Sendable {
    /// Name for messages.
    package let name: String
    package let pointer: UnsafeRawPointer
    package let count: Int
    private let mapped: Bool
    nonisolated(unsafe) private static let nothing = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)

    /// Bytes that live as long as the program.
    package init(name: String, constant pointer: UnsafeRawPointer, count: Int) {
        (self.name, self.pointer, self.count, mapped) = (name, pointer, count, false)
    }

    /// Maps a file. Pages are read when they are first used.
    ///
    /// - Throws: ``CheckpointError/missing(_:)`` when there is no such file, ``CheckpointError/unreadable(_:)`` otherwise.
    package init(path: String, name: String? = nil) throws(CheckpointError) {
        let name = name ?? path
        // Without blocking, so that a pipe is refused below instead of being waited for.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { throw .missing("\(name) is not there.") }
            throw .unreadable("\(name) cannot be opened (\(String(cString: strerror(errno)))).")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable("\(name) is not a file.")
        }
        count = Int(status.st_size)
        if count == 0 {
            // Nothing can be mapped; an address to no bytes is still needed.
            (self.name, pointer, mapped) = (name, UnsafeRawPointer(Self.nothing), false)
            return
        }
        guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw .unreadable("\(name) cannot be mapped (\(String(cString: strerror(errno)))).")
        }
        (self.name, pointer, mapped) = (name, UnsafeRawPointer(address), true)
    }

    deinit {
        if mapped { munmap(UnsafeMutableRawPointer(mutating: pointer), count) }
    }

    /// Whole pages within `bytes` leave this process's memory; the file brings them back.
    package func letGo(of bytes: UnsafeRawBufferPointer) {
        guard mapped, let start = bytes.baseAddress else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let (first, end) = (start - pointer, start - pointer + bytes.count)
        precondition(first >= 0 && end <= count)
        let (from, to) = ((first + page - 1) / page * page, end == count ? count : end / page * page)
        if from < to { madvise(UnsafeMutableRawPointer(mutating: pointer + from), to - from, MADV_DONTNEED) }
    }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: count) }
}
