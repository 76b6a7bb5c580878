import Painting
import Raster
import RasterFiles
import Threads

/// A picture that is to be enlarged, with what says where it is painted. Pixels are read when they are wanted.
final class GoBigSource {
    let name: String
    let size: PixelSize
    let channels: Picture.Channels
    let depth: Int
    let metadata: PictureMetadata
    /// The file's name without folders, and the SHA-256 of its bytes.
    let identity: (name: String, hash: String)
    let mask: InputPicture?
    let map: Enlarging.Map?
    let upscaler: (name: String, hash: String)?
    private let mapPicture: InputPicture?
    private let reader: PictureReader

    /// - Throws: ``PictureFileError``; ``PaintingError`` where mask or map do not fit the picture
    init(_ path: String, mask: String?, _ options: GoBigOptions) throws {
        name = path
        reader = try PictureReader(path)
        (size, channels, depth, metadata) = (reader.size, reader.channels, reader.depth, reader.metadata)
        var sum = SHA256()
        try reader.forEachPiece { sum.update($0) }
        identity = (path.split(separator: "/").last.map(String.init) ?? path, sum.finish())
        self.mask = try mask.map(InputPicture.init)
        switch options.map {
        case nil: (map, mapPicture) = (nil, nil)
        case "flat": (map, mapPicture) = (.flat, nil)
        case let path?:
            let picture = try InputPicture(path)
            (map, mapPicture) = (.file(name: picture.identity.name, hash: picture.identity.hash), picture)
        }
        upscaler = nil
        for (what, picture) in [("mask", self.mask), ("map", mapPicture)] {
            guard let picture, picture.picture.size != size else { continue }
            throw PaintingError.unsuitable(
                "\(picture.path) is \(picture.picture.size) but \(path) is \(size). Resize the \(what) to the picture before it is enlarged."
            )
        }
    }

    /// The picture at its new size.
    ///
    /// - Parameter folder: on whose disk the pixels lie
    func enlarged(to target: PixelSize, keepsColour: Bool, in folder: String, threads: Threads) throws -> PixelStore {
        let coloured = keepsColour && channels.isGrey
        let kind = coloured ? Picture.Channels.rgb.with(alpha: channels.hasAlpha) : channels
        let original = try PixelStore(size: size, channels: kind, depth: depth, in: folder)
        try reader.read { strip, y in
            try Interruption.check()
            try original.write(coloured ? strip.colour() : strip, y: y)
        }
        guard target != size else { return original }
        let store = try PixelStore(size: target, channels: kind, depth: depth, in: folder)
        try original.resized(to: target, filter: .lanczos, threads: threads) { strip, y in
            try Interruption.check()
            try store.write(strip, y: y)
        }
        return store
    }

    /// Where the enlarged picture is painted, and how strongly.
    func strength(of target: PixelSize, _ options: GoBigOptions, in folder: String, threads: Threads) throws
        -> TileStrength
    {
        var strength = TileStrength()
        strength.looksForTexture = map == .flat
        /// Pixels of the source stand for squares of enlarged ones, so that what is black stays so.
        func store(_ picture: Picture) throws -> PixelStore {
            let grey = Mask(picture).picture.picture(depth: 16, threads: threads)
            let original = try PixelStore(size: size, channels: .grey, depth: 16, in: folder)
            try original.write(grey, y: 0)
            let store = try PixelStore(size: target, channels: .grey, depth: 16, in: folder)
            try original.resized(to: target, filter: .box, threads: threads) { try store.write($0, y: $1) }
            return store
        }
        strength.mask = try mask.map { try store($0.picture) }
        strength.map = try mapPicture.map { try store($0.picture) }
        return strength
    }
}
