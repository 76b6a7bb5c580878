import ArgumentParser
import Painting
import Raster
import RasterFiles

/// How large pictures may be, where they are worked through in strips.
struct SizeLimitOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("The most pixels that a picture may have, before or after.", valueName: "n"))
    var limitPixels = 1 << 30

    /// The longest side and the largest file that are read or made.
    private static let (longest, largestFile) = (1 << 20, 1 << 42)

    func validate() throws {
        if limitPixels < 1 {
            throw ValidationError("--limit-pixels is \(limitPixels), but a number above 0 is expected.")
        }
    }

    /// A picture that is read in strips.
    ///
    /// - Throws: ``PictureFileError``; ``PaintingError/unsuitable(_:)`` where it is over the limit
    func reader(_ path: String, keepingInks keepsInks: Bool = false) throws -> PictureReader {
        let reader = try within(path) { limits throws(PictureFileError) in
            try PictureReader(path, limits: limits, keepingInks: keepsInks)
        }
        reader.pause = { try Interruption.check() }
        return reader
    }

    /// Its size, without reading any of it.
    func size(of path: String) throws -> PixelSize {
        try within(path) { limits throws(PictureFileError) in try PictureFile.glance(path, limits: limits).size }
    }

    private func within<Result>(
        _ path: String, _ body: (PictureFile.Limits) throws(PictureFileError) -> Result
    ) throws -> Result {
        do throws(PictureFileError) {
            return try body(
                .init(longestSide: Self.longest, pixels: limitPixels, fileBytes: Self.largestFile))
        } catch {
            guard case .tooManyPixels(_, let size, let limit) = error else { throw error }
            throw PaintingError.unsuitable(
                "\(path) is \(size), which is \(size.area) pixels, and the limit is \(limit). Reduce it first, or raise --limit-pixels."
            )
        }
    }

    /// Refuses a size that would be made, or come in between.
    ///
    /// - Parameters:
    ///   - whole: what it is cut out of, where that is never made
    ///   - name: what messages call it
    ///   - mend: what may be done instead of raising the limit
    func check(
        _ size: PixelSize, cutFrom whole: PixelSize? = nil, of name: String, mend: String
    ) throws(PaintingError) {
        let longest = max(size.width, size.height, whole?.width ?? 0, whole?.height ?? 0)
        guard longest <= Self.longest, size.area <= limitPixels else {
            throw .unsuitable(
                "\(name): the size \(size) is over the limit of \(limitPixels) pixels and \(Self.longest) on a side. \(mend), or raise --limit-pixels."
            )
        }
    }
}

/// A picture that is read in strips, with the hash of its file.
struct InputStrips {
    let path: String
    let reader: PictureReader
    /// The file's name without folders, and the SHA-256 of its bytes.
    let identity: (name: String, hash: String)

    /// - Parameter keepsInks: whether a picture of inks comes as it is, and not as colours
    init(_ path: String, _ limits: SizeLimitOptions, keepingInks keepsInks: Bool = false) throws {
        (self.path, reader) = (path, try limits.reader(path, keepingInks: keepsInks))
        identity = (path.split(separator: "/").last.map(String.init) ?? path, try SHA256.hash(reader.file))
    }
}
