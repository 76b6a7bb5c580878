#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

extension PictureFile {
    /// What is known of a file before it is read as a picture.
    package struct Look: Sendable {
        /// Pages of the file, at least 1.
        package var pages = 1
        /// Whether the samples of the page that the path names, or the first, are floats.
        package var isFloat = false
        /// Whether they are amounts of ink.
        package var isOfInks = false
    }

    /// A look at a file that is a TIFF or a JPEG; nil for anything else. Pipes, which can be read only once, are left alone.
    package static func look(_ path: String) -> Look? {
        let named = PagedPath(path)
        var status = stat()
        guard stat(named.file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let file = try? ReadableFile(named.file, limit: .max), let beginning = try? file.beginning(16)
        else { return nil }
        switch PictureFormat(content: beginning) {
        case .jpeg: return Look(isOfInks: JPEGFrame.components(file.source) == 4)
        case .tiff:
            guard let pages = TIFFPages(file.source) else { return nil }
            return Look(
                pages: max(1, pages.places.count), isFloat: pages.isFloat(named.page),
                isOfInks: pages.isOfInks(named.page))
        default: return nil
        }
    }
}
