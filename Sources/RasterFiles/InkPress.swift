import Raster
import Threads

/// Makes inks again of the rows of a result whose source was of inks: the source's own where the colour is the source's.
final class InkPress {
    /// As rows leave it.
    let channels: Picture.Channels
    private let size: PixelSize
    private let depth: Int
    private let plates: InkPlates
    private let separation: Separation
    private let threads: Threads
    /// The source's rows, where the result has its size.
    private let rows: InkPlates.Rows?
    private var next = 0

    /// Pixels that are worked on at once.
    private static let pixelsAtOnce = 1 << 18

    /// Nil where the picture was of none, or its profile does not lead back.
    ///
    /// - Parameter depth: bits of the rows' samples, 8 or 16
    init?(
        _ plates: InkPlates?, _ size: PixelSize, _ channels: Picture.Channels, depth: Int, threads: Threads
    ) throws(PictureFileError) {
        guard let plates, plates.leadBack, !channels.isGrey, !channels.isInks,
            let separation = try? Separation(plates.inks)
        else { return nil }
        (self.size, self.depth, self.plates, self.separation) = (size, depth, plates, separation)
        (self.threads, self.channels) = (threads, .inks.with(alpha: channels.hasAlpha))
        rows = plates.pictureSize == size ? try Self.mapped { try plates.rows() } : nil
    }

    private static func mapped<Result>(_ body: () throws -> Result) throws(PictureFileError) -> Result {
        do {
            return try body()
        } catch {
            throw error as? PictureFileError ?? .readFailed(path: "the source", reason: "\(error)")
        }
    }

    /// Rows that are best worked on at once.
    var rowsAtOnce: Int { max(1, Self.pixelsAtOnce / size.width) }

    /// The next rows.
    ///
    /// - Parameter strip: RGB, of the press's depth
    /// Throws: as reading the source does
    func pressed(_ strip: Picture) throws(PictureFileError) -> Picture {
        Picture(size: strip.size, channels: channels, sixteen: try inks(strip)).converted(depth: depth)
    }

    private func inks(_ strip: Picture) throws(PictureFileError) -> [UInt16] {
        let (first, frame) = (next, plates.frame)
        next += strip.height
        let shared = (first..<next).clamped(to: frame.y..<frame.y + frame.height)
        guard let rows, !shared.isEmpty else { return made(strip, over: nil, frame, firstRow: 0) }
        let wanted = shared.lowerBound - frame.y..<shared.upperBound - frame.y
        let own = try Self.mapped { try rows(wanted) }
        return made(strip, over: own, frame, firstRow: shared.lowerBound - first)
    }

    /// - Parameters:
    ///   - own: the source's rows
    ///   - frame: where they lie across the strip
    ///   - firstRow: of the strip, that the first of them belongs to
    private func made(_ strip: Picture, over own: Picture?, _ frame: Rectangle, firstRow: Int) -> [UInt16] {
        let colours = strip.droppingAlpha().sixteen
        let own = own?.droppingAlpha()
        let ownInks = own?.sixteen ?? []
        let alpha = strip.alpha?.sixteen
        let (width, count) = (strip.width, channels.count)
        return [UInt16](unsafeUninitializedCapacity: strip.size.area * count) { out, initialised in
            out.initialize(repeating: 0)
            threads.forEach(strip.height) { y in
                let row = Array(colours[y * width * 3..<(y + 1) * width * 3])
                let inks: [UInt16]
                if let own, (firstRow..<firstRow + own.height).contains(y) {
                    let place = (y - firstRow) * frame.width
                    let across = frame.x..<frame.x + frame.width
                    let line = Rectangle(x: 0, y: y - firstRow, width: frame.width, height: 1)
                    // As the result would hold it.
                    let seen = plates.inks.seen(own.cropped(to: line)).converted(depth: depth).sixteen
                    inks =
                        separation.made(Array(row[..<(across.lowerBound * 3)]))
                        + separation.made(
                            Array(row[across.lowerBound * 3..<across.upperBound * 3]),
                            over: Array(ownInks[place * 4..<(place + frame.width) * 4]),
                            seen: seen)
                        + separation.made(Array(row[(across.upperBound * 3)...]))
                } else {
                    inks = separation.made(row)
                }
                for x in 0..<width {
                    let place = (y * width + x) * count
                    for ink in 0..<4 { out[place + ink] = inks[x * 4 + ink] }
                    if let alpha { out[place + 4] = alpha[y * width + x] }
                }
            }
            initialised = strip.size.area * count
        }
    }
}

extension Picture {
    fileprivate var sixteen: [UInt16] {
        guard case .sixteen(let values) = converted(depth: 16).samples else { return [] }
        return values
    }
}
