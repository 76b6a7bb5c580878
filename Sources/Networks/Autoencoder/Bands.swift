import Tensors

/// Runs the layers of an autoencoder one after the other, each over bands of rows, with only the maps between them waiting.
///
/// A band reads the rows that its convolution reaches beyond it, and normalisations take their scales from the sums over the
/// whole map, so the result is that of whole maps. How rows are cut follows from shapes alone; only where maps wait depends on
/// how much memory there is.
struct Bands {
    let engine: Engine
    let room: WaitingRoom
    private let bandBytes: Int

    /// The turn of the network on this engine, which does `work` on each of `batch` pictures.
    ///
    /// - Parameter bandBytes: most bytes of a band and what is made of it, where that is more than a few rows
    init(_ engine: Engine, _ work: Work, batch: Int, bandBytes: Int) {
        (self.engine, self.bandBytes) = (engine, bandBytes)
        let working = Int(work.working(threads: engine.threads.count)) * batch
        let waiting = Int(work.waitingBytes) * batch
        let free = engine.memory.room(beside: engine.shelf).map { min(waiting, max(0, $0 - working)) }
        engine.memory.enter(engine.shelf, working: working + (free ?? waiting))
        room = WaitingRoom(bytes: free)
    }

    /// What a convolution is added to.
    enum Sum {
        /// The map itself, which the result replaces.
        case onto(WaitingMap)
        /// Another convolution, of one pixel, over a map.
        case shortcut(Convolution, of: WaitingMap)
    }

    /// A map through a normalisation with SiLU, where one is given, and a convolution.
    ///
    /// - Parameters:
    ///   - doubled: whether the map is enlarged to twice its sides before
    ///   - relu: whether nothing below zero is left of the result
    ///   - measures: whether a normalisation follows
    func convolved(
        _ x: WaitingMap, by convolution: Convolution, after norm: GroupNorm? = nil, doubled: Bool = false,
        sum: Sum? = nil, relu: Bool = false, measures: Bool = true
    ) throws -> WaitingMap {
        var result: WaitingMap?
        if case .onto(let map) = sum { result = map }
        try forEachBand(of: x, by: convolution, after: norm, doubled: doubled) { band, padding, rows, height in
            var made: FeatureMap
            switch sum {
            case nil: made = try convolution(band, padding: padding)
            case .onto(let map):
                made = try map.taking(rows)
                try convolution.add(band, to: &made, padding: padding)
            case .shortcut(let shortcut, let map):
                made = try shortcut(map.rows(rows))
                try convolution.add(band, to: &made, padding: padding)
            }
            if relu { engine.relu(&made) }
            let whole = result ?? WaitingMap(like: made, height: height, width: made.width, in: room, on: engine)
            try whole.write(made, at: rows.lowerBound, measures: measures)
            result = whole
        }
        guard let result else { preconditionFailure("a map without rows") }
        return result
    }

    /// The last convolution: out of the network.
    func tensor(
        _ x: WaitingMap, by convolution: Convolution, after norm: GroupNorm? = nil, doubled: Bool = false
    ) throws -> Tensor {
        var result: Tensor?
        try forEachBand(of: x, by: convolution, after: norm, doubled: doubled) { band, padding, rows, height in
            let made = engine.tensor(try convolution(band, padding: padding))
            if made.shape[2] == height {
                result = made
                return
            }
            var whole = result ?? Tensor(unfilled: [made.shape[0], made.shape[1], height, made.shape[3]])
            result = nil
            whole.write(rows: made, at: rows.lowerBound)
            result = whole
        }
        guard let result else { preconditionFailure("a map without rows") }
        return result
    }

    /// The first convolution: a picture into the network.
    func convolved(_ picture: Tensor, by convolution: Convolution, relu: Bool = false, measures: Bool = true) throws
        -> WaitingMap
    {
        let (inHeight, width) = (picture.shape[2], picture.shape[3])
        var result: WaitingMap?
        for rows in cut(convolution, inHeight: inHeight, inWidth: width) {
            let reach = convolution.reach(of: rows, height: inHeight)
            let band = engine.featureMap(picture.rows(reach.rows))
            var made = try convolution(band, padding: reach.padding)
            if relu { engine.relu(&made) }
            let height = convolution.outputHeight(inHeight)
            let whole = result ?? WaitingMap(like: made, height: height, width: made.width, in: room, on: engine)
            try whole.write(made, at: rows.lowerBound, measures: measures)
            result = whole
        }
        guard let result else { preconditionFailure("a picture without rows") }
        return result
    }

    func residual(_ block: ResidualBlock, _ x: WaitingMap, measures: Bool = true) throws -> WaitingMap {
        let h = try convolved(x, by: block.conv1, after: block.norm1)
        let sum: Sum = block.shortcut.map { .shortcut($0, of: x) } ?? .onto(x)
        return try convolved(h, by: block.conv2, after: block.norm2, sum: sum, measures: measures)
    }

    /// Calls the body with the rows that each band of the result sees, normalised, and with which rows of how many it makes.
    private func forEachBand(
        of x: WaitingMap, by convolution: Convolution, after norm: GroupNorm?, doubled: Bool,
        _ body: (_ band: FeatureMap, _ padding: Convolution.Padding, _ rows: Range<Int>, _ height: Int) throws -> Void
    ) throws {
        let scales = norm.map { $0.scales(x.moments) }
        let factor = doubled ? 2 : 1
        let height = factor * x.height
        for rows in cut(convolution, inHeight: height, inWidth: factor * x.width) {
            let reach = convolution.reach(of: rows, height: height)
            let seen = reach.rows.lowerBound / factor..<(reach.rows.upperBound + factor - 1) / factor
            var band =
                if let norm, let scales { try x.rows(seen, after: norm, scales) } else { try x.rows(seen) }
            if doubled { band = engine.doubled(band, rows: reach.rows, first: seen.lowerBound) }
            try body(band, reach.padding, rows, convolution.outputHeight(height))
        }
    }

    /// What is fastest: larger bands do not stay in the caches.
    static let usualBytes = 1 << 26

    /// The rows of a convolution's result, in bands of whole pieces of ``LaneMoments`` and whole tiles of ``Winograd``.
    private func cut(_ convolution: Convolution, inHeight: Int, inWidth: Int) -> [Range<Int>] {
        let (height, width) = (convolution.outputHeight(inHeight), max(1, inWidth / convolution.stride))
        let rows = Self.rows(
            from: convolution.inChannels * convolution.stride, to: convolution.outChannels, width: width,
            bytes: bandBytes)
        return stride(from: 0, to: height, by: rows).map { $0..<min($0 + rows, height) }
    }

    /// Rows of one band.
    static func rows(from inputs: Int, to outputs: Int, width: Int, bytes: Int = usualBytes) -> Int {
        let unit = max(4, LaneMoments.rowsOfPiece(width: width))
        let bytesOfRow = (inputs + outputs) * width * 4
        return max(1, bytes / (bytesOfRow * unit)) * unit
    }
}

extension Engine {
    /// Nothing below zero.
    fileprivate func relu(_ map: inout FeatureMap) {
        let count = map.count
        map.withMutablePointer { values in
            threads.forRanges(count, grain: 1 << 16) { for i in $0 { values[i] = max(values[i], 0) } }
        }
    }
}
