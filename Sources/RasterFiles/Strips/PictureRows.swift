import Raster

/// The rows of a picture file in windows that move down: what an operator that looks around a place asks for.
///
/// Of a large picture the window is in memory, and asking for rows above it decodes the file again from its first row. A
/// picture of not too many bytes is held as it comes, so that it is decoded once and nothing of it goes to the disk.
package final class PictureRows {
    package let size: PixelSize
    private let channels: Picture.Channels
    private let reader: PictureReader
    private let holdsAll: Bool
    private var next: PictureReader.NextStrip?
    private var samples: Samples

    private enum Samples {
        case eight(RowQueue<UInt8>)
        case sixteen(RowQueue<UInt16>)
        case float(RowQueue<Float>)
    }

    /// What is held at most of a picture that is held whole: more than a photograph of 40 megapixels.
    package static let usualHold = 1 << 27

    /// - Parameter bytes: of samples that are held
    package init(_ reader: PictureReader, holding bytes: Int = usualHold) {
        (self.reader, size, channels) = (reader, reader.size, reader.channels)
        holdsAll = Self.holds(reader, bytes)
        samples = Self.none(reader)
    }

    private static func holds(_ reader: PictureReader, _ bytes: Int) -> Bool {
        reader.size.area * reader.channels.count * reader.depth / 8 <= bytes
    }

    /// Bytes of disk that reading takes meanwhile.
    package static func diskBytes(_ reader: PictureReader, holding bytes: Int = usualHold) -> Int {
        holds(reader, bytes) ? reader.scanBytes : reader.diskBytes
    }

    private static func none(_ reader: PictureReader) -> Samples {
        let stride = reader.size.width * reader.channels.count
        return switch reader.depth {
        case 8: .eight(.init(stride: stride))
        case 16: .sixteen(.init(stride: stride))
        default: .float(.init(stride: stride))
        }
    }

    /// Rows of the upright picture; those below are decoded when they are asked for.
    ///
    /// Throws: as ``PictureReader/strips(samples:)``
    package func rows(_ wanted: Range<Int>) throws -> Picture {
        precondition(!wanted.isEmpty && wanted.lowerBound >= 0 && wanted.upperBound <= size.height)
        if wanted.lowerBound < start || next == nil {
            samples = Self.none(reader)
            next = try holdsAll && reader.needsUnrolling ? once(try reader.picture()) : reader.strips()
        }
        if !holdsAll { drop(above: wanted.lowerBound) }
        while end < wanted.upperBound, let strip = try next?().map(\.strip) {
            add(strip)
            if !holdsAll { drop(above: wanted.lowerBound) }
        }
        let size = PixelSize(width: size.width, height: wanted.count)
        return switch samples {
        case .eight(let queue): Picture(size: size, channels: channels, eight: queue.rows(wanted))
        case .sixteen(let queue): Picture(size: size, channels: channels, sixteen: queue.rows(wanted))
        case .float(let queue): Picture(size: size, channels: channels, samples: .float(queue.rows(wanted)))
        }
    }

    private func once(_ picture: Picture) -> PictureReader.NextStrip {
        var left: Picture? = picture
        return {
            defer { left = nil }
            return left.map { ($0, 0) }
        }
    }

    private var start: Int {
        switch samples {
        case .eight(let queue): queue.start
        case .sixteen(let queue): queue.start
        case .float(let queue): queue.start
        }
    }

    private var end: Int {
        switch samples {
        case .eight(let queue): queue.end
        case .sixteen(let queue): queue.end
        case .float(let queue): queue.end
        }
    }

    private func add(_ strip: Picture) {
        switch (samples, strip.samples) {
        case (.eight(var queue), .eight(let values)):
            queue.add(values)
            samples = .eight(queue)
        case (.sixteen(var queue), .sixteen(let values)):
            queue.add(values)
            samples = .sixteen(queue)
        case (.float(var queue), .float(let values)):
            queue.add(values)
            samples = .float(queue)
        default: preconditionFailure("strips are of one depth")
        }
    }

    private func drop(above row: Int) {
        switch samples {
        case .eight(var queue):
            queue.drop(above: row)
            samples = .eight(queue)
        case .sixteen(var queue):
            queue.drop(above: row)
            samples = .sixteen(queue)
        case .float(var queue):
            queue.drop(above: row)
            samples = .float(queue)
        }
    }
}
