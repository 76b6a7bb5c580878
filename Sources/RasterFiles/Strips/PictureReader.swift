import Raster

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A picture file that is read strip by strip, from top to bottom and upright.
///
/// Memory: some million samples, and what ``memoryBytes`` says. Most files are decoded as they are read. Where rows do not
/// lie in their order (files that lie on their side, interlaced PNGs, some TIFFs, large progressive JPEGs), the picture is
/// first unrolled on disk.
package final class PictureReader {
    package let size: PixelSize
    package let channels: Picture.Channels
    /// Bits of a sample as strips have it: 8, 16, or 32 of a float.
    package private(set) var depth: Int
    /// The same as the file has it.
    private let fileDepth: Int
    /// With the inks that the file holds, where it does and they become colours.
    package var metadata: PictureMetadata {
        var metadata = said
        metadata.plates = plates
        return metadata
    }
    /// Bytes that decoding takes beside the strips: the scans of a small progressive JPEG, a TIFF's strip or tile.
    package let memoryBytes: Int
    /// Bytes of disk that decoding takes: the scans of a large one.
    package let scanBytes: Int
    /// The file's own bytes.
    package let file: ReadableFile
    /// Where pixels are unrolled, if they must be.
    package var folder: String
    /// Called before each strip that is decoded; may throw to stop.
    package var pause: () throws -> Void = {}
    private let source: PictureSource
    private let said: PictureMetadata
    private let keepsInks: Bool
    private let inks: (Inks, profile: [UInt8]?)?
    private let orientation: Orientation
    private let passes: Int
    /// The file open at its first row, until it is read.
    private var fresh: CodecReader?
    private var unrolled: PixelStore?

    /// What the scans of a progressive JPEG take of memory at most, which are all of its pixels twice.
    package static let usualScans = 1 << 28

    /// - Parameters:
    ///   - folder: where pixels are unrolled, if they must be; without one, where the system has passing files
    ///   - scans: bytes of a progressive JPEG's scans that are held in memory
    ///   - keepsInks: whether a picture of inks comes as it is, and not as colours
    /// Throws: as ``PictureFile/glance(_:limits:)``
    package convenience init(
        _ path: String, limits: PictureFile.Limits = .init(), unrollingIn folder: String? = nil,
        holding scans: Int = usualScans, keepingInks keepsInks: Bool = false
    ) throws(PictureFileError) {
        let file = try ReadableFile(path, limit: limits.fileBytes)
        try self.init(
            file, PictureSource(file, limits: limits), unrollingIn: folder, holding: scans, keepingInks: keepsInks)
    }

    private init(
        _ file: ReadableFile, _ source: PictureSource, unrollingIn folder: String?, holding scans: Int,
        keepingInks keepsInks: Bool
    ) throws(PictureFileError) {
        (self.file, self.source, self.keepsInks) = (file, source, keepsInks)
        let reader = try CodecReader(source, keepingInks: keepsInks)
        (size, channels, depth, said) = (reader.uprightSize, reader.channels, reader.depth, reader.metadata)
        fileDepth = reader.depth
        inks = reader.inks.map { ($0, reader.inkProfile) }
        (orientation, passes) = (reader.orientation, reader.passes)
        let bytes = Int(clamping: reader.header.memory)
        scanBytes = source.format == .jpeg && bytes > scans ? bytes : 0
        memoryBytes = bytes - scanBytes
        self.folder = folder ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
        fresh = reader
    }

    /// The file's inks, decoded once more as they are asked for.
    private var plates: InkPlates? {
        inks.map { inks in
            InkPlates(inks.0, profile: inks.profile, size: size) { [self] wanted in
                let reader = try PictureReader(
                    file, source, unrollingIn: folder, holding: Self.usualScans, keepingInks: true)
                if wanted == size { return PictureRows(reader, holding: Self.heldPlates).rows }
                let store = try PixelStore(
                    size: wanted, channels: reader.channels, depth: reader.depth, in: folder)
                try reader.resized(to: wanted) { strip, y in try store.write(strip, y: y) }
                return { try store.read(Rectangle(x: 0, y: $0.lowerBound, width: wanted.width, height: $0.count)) }
            }
        }
    }

    /// Bytes of disk that its inks take while a result of this size goes back to them.
    package func plateBytes(_ target: PixelSize) -> Int {
        guard inks != nil else { return 0 }
        let samples = channels.count + 1
        let unrolled = scanBytes + (needsUnrolling ? size.area * samples * fileDepth / 8 : 0)
        return unrolled + (target == size ? 0 : target.area * samples * fileDepth / 8)
    }

    /// Bytes of plates that are held where they are not too many.
    private static let heldPlates = 1 << 26

    /// Makes strips of more bits than the file's samples have, so that what is made of them has values between those.
    package func deepen(to depth: Int) { self.depth = max(self.depth, depth) }

    /// Whether the picture is unrolled on disk before its first row comes.
    package var needsUnrolling: Bool { passes > 1 || !(orientation == .upright || orientation == .mirrored) }

    /// Bytes of disk that reading takes; 0 where nothing need be unrolled.
    package var diskBytes: Int { scanBytes + (needsUnrolling ? size.area * channels.count * fileDepth / 8 : 0) }

    /// Hands over the file's own bytes, piece by piece.
    ///
    /// Throws: `readFailed`, and what `take` throws.
    package func forEachPiece(_ take: (UnsafeRawBufferPointer) throws -> Void) throws { try file.forEachPiece(take) }

    /// Hands over the strips.
    ///
    /// - Parameters:
    ///   - samples: about how many a strip has; what the file keeps together may make them more
    ///   - take: takes each with the row that it begins at; its width is the picture's
    /// Throws: as ``strips(samples:)`` and the strips do; what `take` throws.
    package func read(
        samples: Int = PixelStore.stripSamples, _ take: (_ strip: Picture, _ y: Int) throws -> Void
    ) throws {
        let next = try strips(samples: samples)
        while let (strip, y) = try next() { try take(strip, y) }
    }

    /// Gives the next strip with the row that it begins at, and nil behind the last. Its width is the picture's.
    ///
    /// Throws: as ``PictureFile/read(_:limits:)``
    package typealias NextStrip = () throws -> (strip: Picture, y: Int)?

    /// The strips from the first row on, each decoded when it is asked for.
    ///
    /// - Parameter samples: about how many a strip has
    /// Throws: as ``PictureFile/read(_:limits:)``; where the picture is unrolled, as ``PixelStore``.
    package func strips(samples: Int = PixelStore.stripSamples) throws -> NextStrip {
        let next = try fileStrips(samples)
        return { [depth] in try next().map { ($0.strip.converted(depth: depth), $0.y) } }
    }

    private func fileStrips(_ samples: Int) throws -> NextStrip {
        guard needsUnrolling else {
            let next = try pass(0, of: opened(), samples, onto: { _ in nil })
            return { [orientation] in try next().map { ($0.strip.turned(from: orientation), $0.y) } }
        }
        let store = try unrolled ?? unroll(samples)
        unrolled = store
        // Of a picture on its side every strip touches all of the store's rows.
        let most = max(1, (orientation.swapsSides ? samples * 8 : samples) / (size.width * channels.count))
        var y = 0
        return { [orientation, size] in
            guard y < size.height else { return nil }
            let rows = y..<min(size.height, y + most)
            y = rows.upperBound
            return (try store.read(orientation.stored(rows, of: size)).turned(from: orientation), rows.lowerBound)
        }
    }

    /// The whole picture, in memory and nowhere else, without what the file says of it.
    ///
    /// Throws: as ``PictureFile/read(_:limits:)``
    package func picture() throws(PictureFileError) -> Picture { try opened().picture().converted(depth: depth) }

    /// The file open at its first row.
    private func opened() throws(PictureFileError) -> CodecReader {
        let reader: CodecReader
        if let known = fresh { reader = known } else { reader = try CodecReader(source, keepingInks: keepsInks) }
        fresh = nil
        if scanBytes > 0 { try reader.unroll(in: folder) }
        return reader
    }

    /// One pass over the file's rows, in strips, as they lie.
    ///
    /// - Parameter before: what the pass before left of these rows
    private func pass(
        _ number: Int, of reader: CodecReader, _ samples: Int,
        onto before: @escaping (_ rows: Rectangle) throws -> Picture?
    ) -> NextStrip {
        let (rows, size, isLast) = (reader.rowsAtOnce(samples), reader.size, number == passes - 1)
        var y = 0
        return { [self] in
            guard y < size.height else { return nil }
            try pause()
            let part = Rectangle(x: 0, y: y, width: size.width, height: min(rows, size.height - y))
            var samples = try before(part)?.samples ?? reader.room(rows: part.height)
            try reader.fill(&samples, rows: y..<y + part.height, pass: number)
            y += part.height
            if isLast, y == size.height { try reader.end() }
            return (Picture(size: part.size, channels: channels, samples: samples), part.y)
        }
    }

    /// The file's pixels on disk, as they lie in it.
    private func unroll(_ samples: Int) throws -> PixelStore {
        let reader = try opened()
        let store = try PixelStore(size: reader.size, channels: channels, depth: fileDepth, in: folder)
        for number in 0..<passes {
            let next = pass(number, of: reader, samples, onto: { number == 0 ? nil : try store.read($0) })
            while let (strip, y) = try next() { try store.write(strip, y: y) }
        }
        return store
    }
}

extension CodecReader {
    /// Rows to decode at once: whole groups of those that lie together, where that is not too much.
    fileprivate func rowsAtOnce(_ samples: Int) -> Int {
        let row = size.width * channels.count
        let wanted = max(1, samples / row)
        let band = max(1, Int(header.band_rows))
        if band <= wanted { return wanted / band * band }
        // Rows of very high tiles are cheaper to decode more than once than to hold.
        return band * row <= samples * 16 ? band : wanted
    }
}

extension Orientation {
    /// Where rows of an upright picture of `size` lie in the stored one.
    func stored(_ rows: Range<Int>, of size: PixelSize) -> Rectangle {
        // Counted from the other side where the first row is the last one, or the last column.
        let place =
            switch self {
            case .upright, .mirrored, .transposed, .turnedLeft: rows.lowerBound
            case .upsideDown, .flipped, .transversed, .turnedRight: size.height - rows.upperBound
            }
        return swapsSides
            ? Rectangle(x: place, y: 0, width: rows.count, height: size.width)
            : Rectangle(x: 0, y: place, width: size.width, height: rows.count)
    }
}
