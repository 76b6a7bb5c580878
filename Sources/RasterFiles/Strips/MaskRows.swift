import Raster
import Threads

/// The rows of a mask's file, made to fit a picture, in windows that move down.
package final class MaskRows {
    private let reader: PictureReader
    private let size: PixelSize
    private let way: Way
    private let inverts: Bool
    private let threads: Threads
    private let folder: String
    /// Of a mask that is scaled: how far that is.
    private var scaling: (next: PictureReader.NextStrip, fitting: MaskFitting)?
    /// Of one that is turned: its pixels, upright.
    private var store: PixelStore?

    private enum Way {
        case plain(PictureRows)
        case scaled(MaskFit)
        case turned
    }

    /// - Parameters:
    ///   - fit: what is done where its size is another
    ///   - size: of the picture
    ///   - folder: where the pixels of a mask lie that is turned
    package init(
        _ reader: PictureReader, _ fit: MaskFit?, to size: PixelSize, inverts: Bool, in folder: String, threads: Threads
    ) {
        precondition(fit != nil || reader.size == size, "\(reader.size) is not \(size), and nothing was said of it")
        (self.reader, self.size, self.inverts) = (reader, size, inverts)
        (self.folder, self.threads) = (folder, threads)
        reader.folder = folder
        way =
            switch fit {
            case _ where reader.size == size: .plain(.init(reader))
            case .rotate: .turned
            case let fit: fit.map(Way.scaled) ?? .plain(.init(reader))
            }
    }

    /// Bytes of disk that reading takes meanwhile.
    package var diskBytes: Int {
        switch way {
        case .plain: PictureRows.diskBytes(reader)
        case .scaled: reader.diskBytes
        case .turned: reader.diskBytes + reader.size.area * reader.channels.count * reader.depth / 8
        }
    }

    /// Rows of the mask; those below are read when they are asked for.
    ///
    /// Throws: as ``PictureReader/strips(samples:)``; where the mask is turned, as ``PixelStore``.
    package func rows(_ wanted: Range<Int>) throws -> Mask {
        let mask: Mask
        switch way {
        case .plain(let rows): mask = Mask(try rows.rows(wanted))
        case .scaled(let fit): mask = try scaled(wanted, fit)
        case .turned:
            let store = try self.store ?? upright()
            self.store = store
            let orientation = Orientation.turnedLeft
            mask = Mask(try store.read(orientation.stored(wanted, of: size)).turned(from: orientation))
        }
        return inverts ? mask.inverted : mask
    }

    private func scaled(_ wanted: Range<Int>, _ fit: MaskFit) throws -> Mask {
        var known = scaling
        if known == nil || wanted.lowerBound < known?.fitting.start ?? 0 {
            known = (try reader.strips(), MaskFitting(reader.size, to: size, fit, threads: threads))
        }
        scaling = nil
        guard case (let next, var fitting)? = known else { preconditionFailure("a mask that is scaled is read") }
        let mask = try fitting.rows(wanted) {
            guard let strip = try next()?.strip else {
                preconditionFailure("all rows of a mask make all of its result")
            }
            return Mask(strip)
        }
        scaling = (next, fitting)
        return mask
    }

    private func upright() throws -> PixelStore {
        let store = try PixelStore(size: reader.size, channels: reader.channels, depth: reader.depth, in: folder)
        try reader.read { strip, y in try store.write(strip, y: y) }
        return store
    }
}
