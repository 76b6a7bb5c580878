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
    /// Of the picture, whatever its channels become.
    let space: ColourSpace
    private let mapPicture: InputPicture?
    private let reader: PictureReader

    /// - Parameter depth: bits to work in, from those of the picture
    /// - Throws: ``PictureFileError``; ``PaintingError`` where mask or map do not fit the picture
    init(_ path: String, mask: String?, _ options: GoBigOptions, depth working: (Int) -> Int) throws {
        name = path
        reader = try PictureReader(path)
        reader.deepen(to: working(reader.depth))
        (size, channels, depth, metadata) = (reader.size, reader.channels, reader.depth, reader.metadata)
        space = ColourSpace.read(metadata, channels).space
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
        for (what, picture) in [("mask", self.mask), ("map", mapPicture)] {
            guard let picture, picture.picture.size != size else { continue }
            throw PaintingError.unsuitable(
                "\(picture.path) is \(picture.picture.size) but \(path) is \(size). Resize the \(what) to the picture before it is enlarged."
            )
        }
    }

    /// Bytes of disk that the picture's inks take while a result of this size goes back to them.
    func plateBytes(_ target: PixelSize) -> Int { reader.plateBytes(target) }

    /// The picture at its new size.
    ///
    /// - Parameters:
    ///   - upscaler: what enlarges it; nil for Lanczos's filter
    ///   - folder: of the tiles, on whose disk the pixels lie, and which keeps what a network enlarged
    ///   - advance: told of work done, the upscaler's or ``PixelWork/enlarged``; may throw to stop
    func enlarged(
        to target: PixelSize, by upscaler: LearnedUpscaler?, keepsColour: Bool, in folder: TileFolder, threads: Threads,
        advance: (_ operations: Double) throws -> Void
    ) throws -> PixelStore {
        reader.folder = folder.path
        let coloured = keepsColour && channels.isGrey
        let kind = coloured ? Picture.Channels.rgb.with(alpha: channels.hasAlpha) : channels
        func store(_ size: PixelSize) throws -> PixelStore {
            try PixelStore(size: size, channels: kind, depth: depth, in: folder.path)
        }
        func filled(_ size: PixelSize, _ reader: PictureReader) throws -> PixelStore {
            let store = try store(size)
            try reader.read { strip, y in
                try Interruption.check()
                try store.write(coloured && strip.channels.isGrey ? strip.colour() : strip, y: y)
            }
            return store
        }
        let key = upscaler.map { "\(identity.hash) \($0.hash ?? "") \(target) \(kind)" }
        if let key, let known = try? PictureReader(folder.enlarged(key: key)), known.size == target,
            known.channels == kind,
            known.depth == depth
        {
            return try filled(target, known)
        }
        let original = try filled(size, reader)
        guard target != size || upscaler != nil else { return original }
        let result = try store(target)
        guard let upscaler, let key else {
            try original.resized(to: target, filter: .lanczos, threads: threads) { strip, y in
                try Interruption.check()
                try result.write(strip, y: y)
                try advance(PixelWork.enlarged.of(strip.size.area))
            }
            return result
        }
        let picture = try original.read(Rectangle(size)).floats(threads: threads)
        try upscaler.enlarged(picture, in: space, to: target, threads: threads) { operations in
            try Interruption.check()
            try advance(operations)
        } bands: { band, y in
            try result.write(band.picture(depth: depth, threads: threads), y: y)
        }
        // Enlarging by a network takes long; a run that was killed does not begin with it again.
        try PictureFile.write(
            target, channels: kind, depth: depth, metadata: .init(), to: folder.enlarged(key: key),
            options: .init(format: .tiff)
        ) { send in try result.forEachStrip { strip, _ in try send(strip) } }
        return result
    }

    /// Whether the mask or a map that was given leaves nothing to paint in a part of the enlarged picture, as far as it lies inside.
    func isBlack(_ frame: Rectangle, of target: PixelSize) -> Bool {
        func span(_ start: Int, _ length: Int, _ side: Int, _ whole: Int) -> Range<Int> {
            let (first, end) = (max(0, start), min(whole, start + length))
            return first * side / whole..<max(first * side / whole, (end * side + whole - 1) / whole)
        }
        let (across, down) = (
            span(frame.x, frame.width, size.width, target.width),
            span(frame.y, frame.height, size.height, target.height)
        )
        guard !across.isEmpty, !down.isEmpty else { return false }
        let part = Rectangle(x: across.lowerBound, y: down.lowerBound, width: across.count, height: down.count)
        return [mask, mapPicture].contains { $0.map { Mask($0.picture.cropped(to: part)).isBlack } ?? false }
    }

    /// Where the enlarged picture is painted, and how strongly.
    func strength(of enlarged: PixelStore, _ options: GoBigOptions, in folder: String, threads: Threads) throws
        -> TileStrength
    {
        let target = enlarged.size
        var strength = TileStrength()
        if map == .flat {
            let noise = try SensorNoise(target, isGrey: enlarged.channels.isGrey, threads: threads) { rows in
                try enlarged.read(Rectangle(x: 0, y: rows.lowerBound, width: target.width, height: rows.count))
            }
            strength.flatness = FlatnessGate(noise: noise)
        }
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
