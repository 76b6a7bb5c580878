#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A picture's path, which may name a page of its file: `scan.tif#page=2`. Pages count from 1.
package struct PagedPath {
    /// The file's own path.
    package let file: String
    /// Nil where none is named.
    package let page: Int?

    /// A file whose own name ends like that is itself.
    package init(_ path: String) {
        let mark = Array("#page=".utf8)
        let bytes = Array(path.utf8)
        guard let at = bytes.lastIndex(of: mark[0]), bytes[at...].starts(with: mark),
            let page = Int(String(decoding: bytes[(at + mark.count)...], as: UTF8.self)), access(path, F_OK) != 0
        else {
            (file, self.page) = (path, nil)
            return
        }
        (file, self.page) = (String(decoding: bytes[..<at], as: UTF8.self), page)
    }

    /// What is put behind another file's path to name the same page of it.
    package var suffix: String { page.map { "#page=\($0)" } ?? "" }
}
