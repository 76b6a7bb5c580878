#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Files read whole, and files written beside their place and renamed, so that no half-written one ever stands under
/// a final name.
package enum WholeFile {
    /// All bytes of a file.
    ///
    /// - Parameter limit: the most bytes that may be read; checked before room for them is made.
    /// Throws: `notFound`, `isFolder`, `notReadable`; `fileTooLarge`; `readFailed` when reading stops midway.
    package static func read(_ path: String, limit: Int = .max) throws(PictureFileError) -> [UInt8] {
        let opened = try opened(path, limit: limit)
        defer { close(opened.file) }
        return try rest(of: opened.file, path, count: opened.count, limit: limit)
    }

    /// A file to be read, and its bytes as far as they are known.
    struct Opened {
        /// To be closed by whoever asked.
        var file: Int32
        var count: Int
        /// Whether any part of it can be read at any time.
        var isPlain: Bool
    }

    /// Throws: as ``read(_:limit:)``
    static func opened(_ path: String, limit: Int) throws(PictureFileError) -> Opened {
        let file = open(PagedPath(path).file, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            let code = errno
            if code == ENOENT || code == ENOTDIR { throw .notFound(path: path) }
            throw .notReadable(path: path, reason: reason(code))
        }
        var status = stat()
        do throws(PictureFileError) {
            guard fstat(file, &status) == 0 else { throw .readFailed(path: path, reason: reason(errno)) }
            if status.st_mode & S_IFMT == S_IFDIR { throw .isFolder(path: path) }
            let count = Int(status.st_size)
            if count > limit { throw .fileTooLarge(path: path, bytes: count, limit: limit) }
            // Files that the system makes up as they are read say that they are empty.
            return Opened(file: file, count: count, isPlain: status.st_mode & S_IFMT == S_IFREG && count > 0)
        } catch {
            close(file)
            throw error
        }
    }

    /// What an opened file still has to give.
    static func rest(of file: Int32, _ path: String, count: Int, limit: Int) throws(PictureFileError) -> [UInt8] {
        // A pipe has no size beforehand, and a file may grow, so reading goes on until there is nothing left.
        var bytes = [UInt8](repeating: 0, count: count + 1)
        var filled = 0
        while true {
            if filled == bytes.count { bytes.append(contentsOf: repeatElement(0, count: max(filled / 2, 1 << 16))) }
            let got = bytes.withUnsafeMutableBytes { readOnce(file, $0, from: filled) }
            if got < 0 && errno == EINTR { continue }
            if got < 0 { throw .readFailed(path: path, reason: reason(errno)) }
            if got == 0 { break }
            filled += got
            if filled > limit { throw .fileTooLarge(path: path, bytes: filled, limit: limit) }
        }
        bytes.removeLast(bytes.count - filled)
        return bytes
    }

    /// Writes `bytes` under a passing name in the same folder and renames them to `path`; missing folders are made.
    ///
    /// - Parameters:
    ///   - overwrite: whether a file that stands there may be replaced.
    ///   - sync: whether to wait until the disk has it.
    /// Throws: `cannotCreate`, `alreadyExists`; `writeFailed` when writing stops midway. The passing file is removed.
    package static func write(
        _ bytes: [UInt8], to path: String, overwrite: Bool = true, sync: Bool = false
    ) throws(PictureFileError) {
        try write(to: path, overwrite: overwrite, sync: sync) { (send) throws(PictureFileError) in
            var failure: PictureFileError?
            bytes.withUnsafeBytes { bytes in
                do throws(PictureFileError) { try send(bytes) } catch { failure = error }
            }
            if let failure { throw failure }
        }
    }

    /// The same with bytes that `body` sends piece by piece, so that a large file need never be in memory whole.
    package static func write(
        to path: String, overwrite: Bool = true, sync: Bool = false,
        _ body: ((UnsafeRawBufferPointer) throws(PictureFileError) -> Void) throws(PictureFileError) -> Void
    ) throws(PictureFileError) {
        try fill(path, overwrite: overwrite, sync: sync, as: { $0 }) { (file) throws(PictureFileError) in
            try body { (bytes) throws(PictureFileError) in
                var written = 0
                while written < bytes.count {
                    let count = writeOnce(file, bytes, from: written)
                    if count >= 0 {
                        written += count
                    } else if errno != EINTR {
                        throw .writeFailed(path: path, reason: reason(errno))
                    }
                }
            }
        }
    }

    /// The same with a file that `body` fills; what it wrote can be read in it too.
    ///
    /// - Parameter failure: an error of ours as one of the body's kind
    static func fill<Failure: Error>(
        _ path: String, overwrite: Bool, sync: Bool, as failure: (PictureFileError) -> Failure,
        _ body: (_ file: Int32) throws(Failure) -> Void
    ) throws(Failure) {
        func ours<Value>(_ step: () throws(PictureFileError) -> Value) throws(Failure) -> Value {
            do throws(PictureFileError) { return try step() } catch { throw failure(error) }
        }
        let (file, passing) = try ours { () throws(PictureFileError) in try begin(path, overwrite: overwrite) }
        do throws(Failure) {
            do throws(Failure) { try body(file) } catch {
                close(file)
                throw error
            }
            try ours { () throws(PictureFileError) in
                try end(file, path, sync: sync)
                try move(passing, to: path, overwrite: overwrite)
            }
        } catch {
            unlink(passing)
            throw error
        }
    }

    private static func begin(_ path: String, overwrite: Bool) throws(PictureFileError) -> (file: Int32, path: String) {
        let (folder, name) = split(path)
        if name.isEmpty { throw .cannotCreate(path: path, reason: "it names a folder") }
        try makeFolder(folder, for: path)
        if try isTaken(path), !overwrite { throw .alreadyExists(path: path) }
        return try createPassing(folder: folder, name: name, for: path)
    }

    /// Whether a file stands under a name, which a result could replace.
    ///
    /// Throws: `cannotCreate` where something else does, such as a folder, a link or a device: renaming would put a file
    /// in its place.
    package static func isTaken(_ path: String) throws(PictureFileError) -> Bool {
        var status = stat()
        guard lstat(path, &status) == 0 else { return false }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return true
        case S_IFDIR: throw .cannotCreate(path: path, reason: "a folder has that name")
        case S_IFLNK: throw .cannotCreate(path: path, reason: "it is a link. Name the file itself, or remove the link")
        default: throw .cannotCreate(path: path, reason: "it is no ordinary file")
        }
    }

    private static func end(_ file: Int32, _ path: String, sync: Bool) throws(PictureFileError) {
        let failure = sync && fsync(file) != 0 ? errno : 0
        // Some file systems tell of a full disk only here.
        if close(file) != 0, failure == 0 { throw .writeFailed(path: path, reason: reason(errno)) }
        if failure != 0 { throw .writeFailed(path: path, reason: reason(failure)) }
    }

    /// Makes a folder and those above it, where they are missing.
    package static func makeFolder(_ folder: String, for path: String) throws(PictureFileError) {
        if mkdir(folder, 0o777) == 0 || errno == EEXIST || errno == EISDIR { return }
        guard errno == ENOENT else { throw .cannotCreate(path: path, reason: reason(errno)) }
        let above = split(folder).folder
        if above == folder { throw .cannotCreate(path: path, reason: reason(ENOENT)) }
        try makeFolder(above, for: path)
        if mkdir(folder, 0o777) != 0 && errno != EEXIST { throw .cannotCreate(path: path, reason: reason(errno)) }
    }

    private static func createPassing(
        folder: String, name: String, for path: String
    ) throws(PictureFileError) -> (file: Int32, path: String) {
        for attempt in 0..<100 {
            let passing = "\(folder)/.\(stem(name)).\(getpid())-\(attempt).part"
            let file = open(passing, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            if file >= 0 { return (file, passing) }
            if errno != EEXIST { throw .cannotCreate(path: path, reason: reason(errno)) }
        }
        throw .cannotCreate(path: path, reason: "a hundred unfinished files stand beside it")
    }

    /// Removes what processes that are no more have left of files under these names, half-written.
    package static func sweep(_ paths: [String]) {
        let names = Dictionary(grouping: paths.map(split), by: \.folder).mapValues { Set($0.map(\.name).map(stem)) }
        for (folder, names) in names {
            guard let stream = opendir(folder) else { continue }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                // ".NAME.PROCESS-ATTEMPT.part"
                guard name.hasPrefix("."), name.hasSuffix(".part") else { continue }
                let parts = name.dropFirst().dropLast(5)
                guard let dot = parts.lastIndex(of: "."), names.contains(String(parts[..<dot])),
                    let process = pid_t(parts[parts.index(after: dot)...].prefix { $0 != "-" }), process > 0,
                    kill(process, 0) != 0, errno == ESRCH
                else { continue }
                unlink("\(folder)/\(name)")
            }
        }
    }

    /// The part of a name that a passing one keeps: long names must leave room for what is added to them.
    private static func stem(_ name: String) -> String { String(decoding: name.utf8.prefix(200), as: UTF8.self) }

    private static func move(_ passing: String, to path: String, overwrite: Bool) throws(PictureFileError) {
        if !overwrite {
            // A second name is refused where one stands, at one stroke; file systems without links fall through.
            if link(passing, path) == 0 {
                unlink(passing)
                return
            }
            if errno == EEXIST { throw .alreadyExists(path: path) }
        }
        if rename(passing, path) != 0 { throw .cannotCreate(path: path, reason: reason(errno)) }
    }

    /// The folder of a path, "." where none is named, and the name inside it.
    static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        let folder = path[..<slash]
        return (folder.isEmpty ? "/" : String(folder), String(path[path.index(after: slash)...]))
    }

    private static func reason(_ code: Int32) -> String { systemReason(code) }
}

/// What the system calls an error, in words that continue a sentence.
func systemReason(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    let line = String(cString: text)
    return line.prefix(1).lowercased() + line.dropFirst()
}

/// One call of read(2); the name is free again outside the enum, whose own `read` hides it.
private func readOnce(_ file: Int32, _ bytes: UnsafeMutableRawBufferPointer, from place: Int) -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    return read(file, base + place, bytes.count - place)
}

/// One call of write(2), as above.
private func writeOnce(_ file: Int32, _ bytes: UnsafeRawBufferPointer, from place: Int) -> Int {
    guard let base = bytes.baseAddress else { return 0 }
    return write(file, base + place, bytes.count - place)
}

extension WholeFile {
    /// Removes a file, where it is there.
    package static func remove(_ path: String) { unlink(path) }

    /// Whether it is a file that can be read more than once.
    package static func isPlain(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0
    }
}

extension WholeFile {
    /// Removes the files of a folder that are chosen by their names, and the folder itself where it is empty then.
    package static func removeFolder(_ path: String, where isChosen: (String) -> Bool) {
        guard let stream = opendir(path) else { return }
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if isChosen(name) { unlink("\(path)/\(name)") }
        }
        closedir(stream)
        rmdir(path)
    }
}
