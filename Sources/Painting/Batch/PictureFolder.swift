import RasterFiles

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The pictures in a folder and its subfolders.
package struct PictureFolder: Sendable {
    /// As it was named, ending in "/".
    package let path: String
    /// Paths below it, sorted: what the folder holds first, then its subfolders.
    package let files: [String]

    /// More than anyone has in one go: a link to the top of a disk ends here.
    package static let mostFiles = 200_000
    private static let mostDepth = 100

    /// Names that begin with a dot are passed over, and links to folders are not followed.
    ///
    /// - Parameters:
    ///   - without: folders inside it that are not walked, wherever they are named from
    /// - Throws: ``PaintingError`` where the folder is not there, cannot be read, or holds too much
    package init(_ path: String, without others: [String] = []) throws(PaintingError) {
        let top = path.hasSuffix("/") ? path : path + "/"
        self.path = top
        var files: [String] = []
        var seen = 0
        let hidden = Set(others.compactMap(Self.identity))
        func walk(_ folder: String, _ depth: Int) throws(PaintingError) {
            guard let stream = opendir(top + folder) else {
                // Where nothing may be read, half a batch would be taken for all of it.
                let reason = String(cString: strerror(errno))
                throw .missing(
                    "\(top + folder) cannot be read: \(reason.lowercased()). Check the name and who may read it.")
            }
            defer { closedir(stream) }
            var (found, inner): ([String], [String]) = ([], [])
            while let entry = readdir(stream) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                guard !name.hasPrefix(".") else { continue }
                seen += 1
                guard seen <= Self.mostFiles else {
                    throw .unsuitable("\(top) holds more than \(Self.mostFiles) files. Name a smaller folder.")
                }
                var status = stat()
                guard lstat(top + folder + name, &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR {
                    if !hidden.contains(.init(status)) { inner.append(folder + name + "/") }
                } else if PictureFormat(path: name) != nil {
                    // A link to a picture is a picture.
                    guard stat(top + folder + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
                    found.append(folder + name)
                }
            }
            files += found.sorted()
            guard depth < Self.mostDepth || inner.isEmpty else {
                throw .unsuitable(
                    "\(top + folder) lies more than \(Self.mostDepth) folders deep. Name a folder nearer.")
            }
            for folder in inner.sorted() { try walk(folder, depth + 1) }
        }
        try walk("", 0)
        self.files = files
    }

    /// Which file or folder it is, however it was reached.
    package struct Identity: Hashable, Sendable {
        private let device, number: UInt64

        init(_ status: stat) { (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino)) }
    }

    package static func identity(_ path: String) -> Identity? {
        var status = stat()
        return stat(path, &status) == 0 ? Identity(status) : nil
    }
}
