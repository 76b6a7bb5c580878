import ArgumentParser
import Painting
import Raster
import Threads

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension Mask.Fit: ExpressibleByArgument {}

/// A mask out of a file, with what recipes need to know of it.
struct MaskFile {
    let path: String
    let mask: Mask
    let identity: (name: String, hash: String)

    init(_ path: String, threads: Threads = Threads(1)) throws {
        let file = try InputPicture(path)
        (self.path, identity, mask) = (path, file.identity, Mask(file.picture, threads: threads))
    }

    /// The mask at the size of the picture that it belongs to.
    ///
    /// - Throws: ``PaintingError/unsuitable(_:)`` where it has another size that `fit` does not mend
    func fitted(to size: PixelSize, of picture: String, _ fit: Mask.Fit?, threads: Threads = Threads(1)) throws -> Mask
    {
        if let fitted = mask.fitted(to: size, fit, threads: threads) { return fitted }
        let mend =
            fit == nil
            ? "Resize the mask, or pass --mask-fit stretch."
            : "A quarter turn does not bring it there; pass --mask-fit stretch or crop."
        throw PaintingError.unsuitable("\(path) is \(mask.size) but \(picture) is \(size). \(mend)")
    }

    /// A picture and its mask, apart at the colon; where names have colons themselves, at the one that leaves two files that are there.
    static func split(_ text: String) -> (picture: String, mask: String) {
        let colons = text.indices.filter { text[$0] == ":" && $0 != text.startIndex }
        let ways = colons.reversed().map { colon in
            (picture: String(text[..<colon]), mask: String(text[text.index(after: colon)...]))
        }
        return ways.first { access($0.picture, F_OK) == 0 && access($0.mask, F_OK) == 0 } ?? ways[0]
    }
}
