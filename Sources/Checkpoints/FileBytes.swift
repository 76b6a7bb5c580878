import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The bytes of a file: mapped from disk, part of the program, or gathered into memory.
///
/// Unchecked: the bytes are never written once this is made.
package final class FileBytes: PagedBytes, @unchecked Sendable {
    /// Name for messages.
    package let name: String
    package let pointer: UnsafeRawPointer
    package let count: Int
    private let home: Home

    private enum Home { case program, mapped, memory }
    nonisolated(unsafe) private static let nothing = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 64)

    /// Bytes that live as long as the program.
    package init(name: String, constant pointer: UnsafeRawPointer, count: Int) {
        (self.name, self.pointer, self.count, home) = (name, pointer, count, .program)
    }

    /// Bytes in memory of their own, which `fill` writes.
    init(name: String, count: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(count, 1), alignment: 64)
        fill(UnsafeMutableRawBufferPointer(rebasing: memory[..<count]))
        (self.name, pointer, self.count, home) = (
            name, UnsafeRawPointer(memory.baseAddress ?? Self.nothing), count, .memory
        )
    }

    /// Maps a file. Pages are read when they are first used.
    ///
    /// - Throws: ``CheckpointError/missing(_:)`` when there is no such file, ``CheckpointError/invalid(_:)`` when it is none
    ///   such as a folder, ``CheckpointError/unreadable(_:)`` otherwise.
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
        guard fstat(descriptor, &status) == 0 else {
            throw .unreadable("\(name) cannot be looked at (\(String(cString: strerror(errno)))).")
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw .invalid("\(name) is a folder, but a file is expected. Name one in it.")
        default: throw .invalid("\(name) is a device or a pipe, but an ordinary file is expected. Save it as one.")
        }
        count = Int(status.st_size)
        if count == 0 {
            // Nothing can be mapped; an address to no bytes is still needed.
            (self.name, pointer, home) = (name, UnsafeRawPointer(Self.nothing), .program)
            return
        }
        guard let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw .unreadable("\(name) cannot be mapped (\(String(cString: strerror(errno)))).")
        }
        (self.name, pointer, home) = (name, UnsafeRawPointer(address), .mapped)
    }

    deinit {
        switch home {
        case .program: break
        case .mapped: munmap(UnsafeMutableRawPointer(mutating: pointer), count)
        case .memory: pointer.deallocate()
        }
    }

    /// Whole pages within `bytes` leave this process's memory; the file brings them back.
    package func letGo(of bytes: UnsafeRawBufferPointer) {
        guard home == .mapped, let start = bytes.baseAddress else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let (first, end) = (start - pointer, start - pointer + bytes.count)
        precondition(first >= 0 && end <= count)
        let (from, to) = ((first + page - 1) / page * page, end == count ? count : end / page * page)
        if from < to { madvise(UnsafeMutableRawPointer(mutating: pointer + from), to - from, MADV_DONTNEED) }
    }

    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: count) }
}

/// Reads little-endian numbers one after the other, and never past the end.
struct ByteReader {
    let bytes: UnsafeRawBufferPointer
    /// Bytes read so far.
    private(set) var place: Int

    init(_ bytes: UnsafeRawBufferPointer, at place: Int = 0) { (self.bytes, self.place) = (bytes, place) }

    /// Nil where the file ends before.
    mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
        guard let found = take(MemoryLayout<Number>.size) else { return nil }
        return Number(littleEndian: found.loadUnaligned(as: Number.self))
    }

    /// The next `count` bytes; nil where there are not so many.
    mutating func take(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, place >= 0, count <= bytes.count - place else { return nil }
        defer { place += count }
        return UnsafeRawBufferPointer(rebasing: bytes[place..<place + count])
    }
}
