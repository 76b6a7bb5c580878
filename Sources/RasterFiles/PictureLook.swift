#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension PictureFile {
    /// What is known of a TIFF before it is read as a picture.
    package struct Look: Sendable {
        /// Pages of the file, at least 1.
        package var pages: Int
        /// Whether the page that the path names, or the first, has floats for samples.
        package var isFloat: Bool
    }

    /// A look at a file that is a TIFF; nil for anything else. Pipes, which can be read only once, are left alone.
    package static func look(_ path: String) -> Look? {
        let named = PagedPath(path)
        var status = stat()
        guard stat(named.file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let file = try? ReadableFile(named.file, limit: .max), let beginning = try? file.beginning(16),
            PictureFormat(content: beginning) == .tiff, let pages = TIFFPages(file.source)
        else { return nil }
        return Look(pages: max(1, pages.places.count), isFloat: pages.isFloat(named.page))
    }
}
