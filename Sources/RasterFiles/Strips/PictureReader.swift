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
/// lie in their order (files that lie on their side, interlaced PNGs, some TIFFs), the picture is first unrolled on disk.
package final class PictureReader {
    package let size: PixelSize
    package let channels: Picture.Channels
    /// Bits of a sample, 8 or 16.
    package let depth: Int
    package let metadata: PictureMetadata
    /// Bytes that decoding takes beside the strips: coefficients of a progressive JPEG, a TIFF's strip or tile.
    package let memoryBytes: Int
    /// The file's own bytes.
    package let file: ReadableFile
    /// Where pixels are unrolled, if they must be.
    package var folder: String
    private let source: PictureSource
    private let orientation: Orientation
    private let passes: Int
    /// The file open at its first row, until it is read.
    private var fresh: CodecReader?
    private var unrolled: PixelStore?

    /// - Parameter folder: where pixels are unrolled, if they must be; without one, where the system has passing files
    /// Throws: as ``PictureFile/glance(_:limits:)``
    package init(_ path: String, limits: PictureFile.Limits = .init(), unrollingIn folder: String? = nil)
        throws(PictureFileError)
    {
        file = try ReadableFile(path, limit: limits.fileBytes)
        source = try PictureSource(file, limits: limits)
        let reader = try CodecReader(source)
        (size, channels, depth, metadata) = (reader.uprightSize, reader.channels, reader.depth, reader.metadata)
        (orientation, passes) = (reader.orientation, reader.passes)
        memoryBytes = Int(clamping: reader.header.memory)
        self.folder = folder ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
        fresh = reader
    }

    /// Whether the picture is unrolled on disk before its first row comes.
    package var needsUnrolling: Bool { passes > 1 || !(orientation == .upright || orientation == .mirrored) }

    /// Bytes of disk that unrolling takes; 0 where the picture need not be unrolled.
    package var diskBytes: Int { needsUnrolling ? size.area * channels.count * depth / 8 : 0 }

    /// Hands over the file's own bytes, piece by piece.
    ///
    /// Throws: `readFailed`, and what `take` throws.
    package func forEachPiece(_ take: (UnsafeRawBufferPointer) throws -> Void) throws { try file.forEachPiece(take) }

    /// Hands over the strips.
    ///
    /// - Parameters:
    ///   - samples: about how many a strip has; what the file keeps together may make them more
    ///   - take: takes each with the row that it begins at; its width is the picture's
    /// Throws: as ``PictureFile/read(_:limits:)``; where the picture is unrolled, as ``PixelStore``; what `take` throws.
    package func read(
        samples: Int = PixelStore.stripSamples, _ take: (_ strip: Picture, _ y: Int) throws -> Void
    ) throws {
        guard needsUnrolling else {
            return try decoded(samples) { strip, y in try take(strip.turned(from: orientation), y) }
        }
        let store = try unrolled ?? unroll(samples)
        unrolled = store
        // Of a picture on its side every strip touches all of the store's rows.
        let most = max(1, (orientation.swapsSides ? samples * 8 : samples) / (size.width * channels.count))
        for y in stride(from: 0, to: size.height, by: most) {
            let rows = y..<min(size.height, y + most)
            try take(try store.read(orientation.stored(rows, of: size)).turned(from: orientation), y)
        }
    }

    /// The file's rows in strips, as they lie.
    private func decoded(_ samples: Int, _ take: (_ strip: Picture, _ y: Int) throws -> Void) throws {
        let reader = try fresh ?? CodecReader(source)
        fresh = nil
        try pass(0, of: reader, samples, onto: { _ in nil }, take)
        try reader.end()
    }

    /// One pass over the file's rows.
    ///
    /// - Parameter before: what the pass before left of these rows
    private func pass(
        _ number: Int, of reader: CodecReader, _ samples: Int, onto before: (_ rows: Rectangle) throws -> Picture?,
        _ take: (_ strip: Picture, _ y: Int) throws -> Void
    ) throws {
        let rows = reader.rowsAtOnce(samples)
        for y in stride(from: 0, to: reader.size.height, by: rows) {
            let part = Rectangle(x: 0, y: y, width: reader.size.width, height: min(rows, reader.size.height - y))
            var samples = try before(part)?.samples ?? reader.room(rows: part.height)
            try reader.fill(&samples, rows: y..<y + part.height, pass: number)
            try take(Picture(size: part.size, channels: channels, samples: samples), y)
        }
    }

    /// The file's pixels on disk, as they lie in it.
    private func unroll(_ samples: Int) throws -> PixelStore {
        let reader = try fresh ?? CodecReader(source)
        fresh = nil
        let store = try PixelStore(size: reader.size, channels: channels, depth: depth, in: folder)
        for number in 0..<passes {
            try pass(number, of: reader, samples, onto: { number == 0 ? nil : try store.read($0) }) { strip, y in
                try store.write(strip, y: y)
            }
        }
        try reader.end()
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
    fileprivate func stored(_ rows: Range<Int>, of size: PixelSize) -> Rectangle {
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
