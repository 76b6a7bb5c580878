import Tensors

/// Runs the layers of an upscaler a few at a time over bands of rows, with maps between them that wait, in a file where there
/// is no room for them. So memory is that of a band and of what may wait, whatever the size of the picture.
///
/// A band sees as far beyond its rows as its layers reach, and begins at a multiple of Winograd's tiles: the result is that of
/// whole maps to the bit. Where a network reaches hundreds of pixels in all, this costs a few rows at each joint; tiles of
/// the picture with so wide a margin would do most of the work many times over.
package struct UpscalingBands {
    let engine: Engine
    /// Most bytes of a band and what is made of it, where that is more than a few rows.
    let bytes: Int
    /// Most bytes of a network that lets nothing wait.
    let allBytes: Int
    private let room: WaitingRoom

    /// What a band takes where memory is not limited. Less costs more at the joints.
    package static let usualBytes = 1 << 29
    /// What it takes at least.
    package static let leastBytes = 1 << 24
    /// What may wait in memory where it is not limited.
    static let usualRoom = 1 << 31

    /// The turn of a network.
    ///
    /// - Parameters:
    ///   - picture: `[1, C, H, W]`
    ///   - bytes: of a band, for tests
    ///   - held: bytes that its user will hold meanwhile, beside what it holds now
    package init(_ network: any Upscaler, _ picture: Tensor, bytes: Int? = nil, held: Int = 0) {
        engine = network.engine
        let work = network.work(height: picture.shape[2], width: picture.shape[3])
        let waiting = Int(work.waitingBytes)
        let scratch = Int(work.scratchBytes) * engine.threads.count
        // A tenth is left for what comes and goes uncounted while pieces are handed on.
        let free = engine.memory.room(beside: engine.shelf).map { max(0, $0 * 9 / 10 - held - scratch) }
        let band = bytes ?? min(Self.usualBytes, free.map { max($0 / 2, Self.leastBytes) } ?? .max)
        self.bytes = band
        allBytes = bytes ?? free ?? Self.usualRoom
        let rest = min(waiting, free.map { max(0, $0 - band) } ?? Self.usualRoom)
        engine.memory.enter(engine.shelf, working: min(band, Int(work.activationBytes)) + scratch + rest)
        room = WaitingRoom(bytes: rest)
    }

    /// Rows that are made together, and those that they are made from.
    struct Band {
        let rows, seen: Range<Int>

        /// The rows that are made, counted from the first that is seen.
        var inner: Range<Int> { rows.lowerBound - seen.lowerBound..<rows.upperBound - seen.lowerBound }
    }

    /// - Parameters:
    ///   - reach: rows that count on each side
    ///   - bytesOfRow: of everything that is made of a row
    func cut(_ height: Int, reach: Int, bytesOfRow: Int) -> [Band] {
        let most = max(4, bytes / max(1, bytesOfRow))
        let step = most >= height ? height : max(4, (most - 2 * reach) / 4 * 4)
        return stride(from: 0, to: height, by: step).map { first in
            let end = min(height, first + step)
            return Band(rows: first..<end, seen: max(0, first - reach)..<min(height, end + reach))
        }
    }

    /// A map through some layers.
    ///
    /// - Parameter layers: make what stands in the band's `rows` from what stands in those `seen`
    func through(
        _ x: WaitingMap, reach: Int, bytesOfRow: Int, _ layers: (FeatureMap, Band) throws -> FeatureMap
    ) throws -> WaitingMap {
        try gathered(x.height, reach: reach, bytesOfRow: bytesOfRow) { try layers(x.rows($0.seen), $0) }
    }

    /// A picture `[1, C, H, W]` through some layers.
    func through(
        _ picture: Tensor, reach: Int, bytesOfRow: Int, _ layers: (FeatureMap, Band) throws -> FeatureMap
    ) throws -> WaitingMap {
        try gathered(picture.shape[2], reach: reach, bytesOfRow: bytesOfRow) {
            try layers(engine.featureMap(picture.rows($0.seen)), $0)
        }
    }

    private func gathered(
        _ height: Int, reach: Int, bytesOfRow: Int, _ made: (Band) throws -> FeatureMap
    ) throws -> WaitingMap {
        var result: WaitingMap?
        for band in cut(height, reach: reach, bytesOfRow: bytesOfRow) {
            let rows = try made(band)
            let whole = result ?? WaitingMap(like: rows, height: height, width: rows.width, in: room, on: engine)
            try whole.write(rows, at: band.rows.lowerBound, measures: false)
            result = whole
        }
        guard let result else { preconditionFailure("a map without rows") }
        return result
    }

    /// The rows of a band that are made, without those that it only sees.
    func inner(_ map: FeatureMap, _ band: Band) -> FeatureMap {
        engine.part(map, rows: band.inner, columns: 0..<map.width)
    }
}

/// A piece of a map that is worked on alone, with what it sees around it.
struct UpscalingTile {
    let rows, columns: Range<Int>
    let seenRows, seenColumns: Range<Int>

    /// Pieces of a map.
    ///
    /// - Parameters:
    ///   - side: of a piece
    ///   - reach: what it sees beyond on each side
    static func all(height: Int, width: Int, side: Int, reach: Int) -> [UpscalingTile] {
        func cut(_ count: Int) -> [(Range<Int>, Range<Int>)] {
            stride(from: 0, to: count, by: side).map { first in
                let end = min(count, first + side)
                return (first..<end, max(0, first - reach)..<min(count, end + reach))
            }
        }
        return cut(height).flatMap { rows in
            cut(width).map {
                UpscalingTile(rows: rows.0, columns: $0.0, seenRows: rows.1, seenColumns: $0.1)
            }
        }
    }

    var area: Int { rows.count * columns.count }
}

extension Range<Int> {
    /// The same places counted from `first`, each `scale` times as long.
    func from(_ first: Int, times scale: Int) -> Range<Int> {
        (lowerBound - first) * scale..<(upperBound - first) * scale
    }
}
