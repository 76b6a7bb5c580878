import CodecShims

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A file whose bytes are read where they are needed; of a pipe, which cannot be gone back in, they are kept.
///
/// Nothing is mapped: a file that is cut short while it is read is then missing its end, and no signal.
package final class ReadableFile {
    let path: String
    let count: Int
    private let file: Int32
    private let isOwned: Bool
    private let kept: UnsafeMutableBufferPointer<UInt8>?

    /// - Parameter limit: the most bytes that it may have
    /// Throws: as ``WholeFile/read(_:limit:)``
    package init(_ path: String, limit: Int = .max) throws(PictureFileError) {
        (self.path, isOwned) = (path, true)
        let opened = try WholeFile.opened(path, limit: limit)
        if opened.isPlain {
            (file, count, kept) = (opened.file, opened.count, nil)
        } else {
            defer { close(opened.file) }
            let bytes = try WholeFile.rest(of: opened.file, path, count: opened.count, limit: limit)
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
            _ = copy.initialize(from: bytes)
            (file, count, kept) = (-1, bytes.count, copy)
        }
    }

    /// A file that someone else has opened, and closes.
    ///
    /// Throws: `readFailed`
    init(_ path: String, reading file: Int32) throws(PictureFileError) {
        var status = stat()
        guard fstat(file, &status) == 0 else { throw .readFailed(path: path, reason: systemReason(errno)) }
        (self.path, self.file, count, kept, isOwned) = (path, file, Int(status.st_size), nil, false)
    }

    deinit {
        if file >= 0, isOwned { close(file) }
        kept?.deallocate()
    }

    /// The bytes as codecs take them, for as long as the file lives.
    var source: codec_source {
        codec_source(bytes: kept.flatMap { UnsafePointer($0.baseAddress) }, file: file, count: UInt64(count))
    }

    /// Hands over all bytes piece by piece.
    ///
    /// Throws: `readFailed`, and what `take` throws.
    package func forEachPiece(_ take: (UnsafeRawBufferPointer) throws -> Void) throws {
        if let kept { return try take(UnsafeRawBufferPointer(kept)) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(1 << 20, max(1, count)), alignment: 16)
        defer { buffer.deallocate() }
        var place = 0
        while place < count {
            let got = try piece(place, into: buffer)
            if got == 0 { throw PictureFileError.readFailed(path: path, reason: "it became shorter meanwhile") }
            try take(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
            place += got
        }
    }

    /// The first bytes, at most so many.
    func beginning(_ most: Int) throws(PictureFileError) -> [UInt8] {
        if let kept { return Array(kept.prefix(most)) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: most, alignment: 16)
        defer { buffer.deallocate() }
        return Array(buffer[..<(try piece(0, into: buffer))])
    }

    /// The last bytes, at most so many.
    func end(_ most: Int) throws(PictureFileError) -> [UInt8] {
        if let kept { return Array(kept.suffix(most)) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: most, alignment: 16)
        defer { buffer.deallocate() }
        return Array(buffer[..<(try piece(max(0, count - most), into: buffer))])
    }

    private func piece(_ place: Int, into buffer: UnsafeMutableRawBufferPointer) throws(PictureFileError) -> Int {
        guard let base = buffer.baseAddress else { return 0 }
        while true {
            let got = pread(file, base, min(buffer.count, count - place), off_t(place))
            if got >= 0 { return got }
            if errno != EINTR { throw .readFailed(path: path, reason: systemReason(errno)) }
        }
    }
}
