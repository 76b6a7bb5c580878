#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file that has no name and is gone with the process, however that ends.
final class UnnamedFile: Sendable {
    let descriptor: Int32

    /// - Parameters:
    ///   - bytes: that it has, all 0
    ///   - what: they are for, in words that follow on "bytes for"
    ///   - folder: on whose disk they lie; it must be there
    /// Throws: `cannotCreate`; `writeFailed` where the disk has no room.
    init(bytes: Int, for what: String, in folder: String) throws(PictureFileError) {
        var template = Array("\(folder)/.velatura-pixels-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw .cannotCreate(path: folder, reason: systemReason(errno)) }
        unlink(template)
        // Room is made now rather than missed midway.
        let code = posix_fallocate(descriptor, 0, off_t(bytes))
        guard code == 0 else {
            throw .writeFailed(
                path: folder, reason: "\(bytes) bytes for \(what) find no room: \(systemReason(code))")
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }
}
