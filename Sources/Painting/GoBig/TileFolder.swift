import Raster
import RasterFiles
import Threads

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The folder of a picture's painted tiles: each in a file whose name tells what it was painted from, so that a run that was
/// killed goes on, and a changed setting paints anew only what it touches.
package struct TileFolder: Sendable {
    /// Ends in "/".
    package let path: String

    package init(_ path: String) { self.path = path.hasSuffix("/") ? path : path + "/" }

    /// The folder held by one run; the kernel lets it go with the process, however that ends.
    package final class Hold: Sendable {
        private let folder: Int32

        fileprivate init(_ folder: Int32) { self.folder = folder }

        deinit { close(folder) }
    }

    /// Holds the folder, which must be there.
    ///
    /// - Parameter alone: not together with others that paint parts of the same plan
    /// - Throws: ``PaintingError/cannotCreate(_:)`` where another run holds it
    package func held(alone: Bool) throws(PaintingError) -> Hold {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder of a file system without locks is held by whoever comes.
        if flock(folder, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0, errno == EWOULDBLOCK {
            close(folder)
            throw .cannotCreate("\(path) is being painted into by another run. Wait for its end, or give another -o.")
        }
        return Hold(folder)
    }

    /// - Parameter key: hash of everything that a tile is painted from
    package func file(_ tile: TilePlan.Tile, key: String) -> String {
        let number = String(tile.index + 1)
        return path + "tile-" + String(repeating: "0", count: max(0, 5 - number.count)) + number + "-"
            + key.prefix(16) + ".png"
    }

    /// What says in a tile's file what it was painted from, so that one that was given another's name is not taken for it.
    private static let keyword = "velatura-tile"

    /// A tile that was painted; nil where it was not, or not whole.
    package func tile(_ tile: TilePlan.Tile, key: String) -> Picture? {
        guard var picture = try? PictureFile.read(file(tile, key: key)), picture.size == tile.frame.size,
            picture.depth == 16, !picture.channels.hasAlpha, picture.metadata[Self.keyword] == key
        else { return nil }
        picture.metadata[Self.keyword] = nil
        return picture
    }

    /// Whether a tile is there, as far as its name tells.
    package func has(_ tile: TilePlan.Tile, key: String) -> Bool { WholeFile.exists(file(tile, key: key)) }

    /// - Throws: ``PictureFileError``
    package func keep(_ picture: Picture, _ tile: TilePlan.Tile, key: String, threads: Threads) throws {
        var picture = picture
        picture.metadata[Self.keyword] = key
        try PictureFile.write(
            picture, to: file(tile, key: key), options: .init(format: .png, compression: 1, threads: threads))
    }

    /// The source as a network enlarged it.
    ///
    /// - Parameter key: everything that it was made from
    package func enlarged(key: String) -> String {
        path + "enlarged-" + SHA256.hash(Array(key.utf8)).prefix(16) + ".tif"
    }

    /// How the files of a painting that is painted as one begin.
    package func stem(key: String) -> String { path + "joint-" + key.prefix(16) }

    /// Removes what tiles left behind, half-written files of killed runs too, and the folder where nothing else is in it.
    package func remove() {
        WholeFile.removeFolder(path) { name in
            ["tile-", "joint-", "enlarged-", "velatura-pixels-"].contains {
                name.hasPrefix($0) || name.hasPrefix("." + $0)
            }
        }
    }
}
