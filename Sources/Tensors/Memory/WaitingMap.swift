import Synchronization

/// Room in memory for maps that wait between layers. What finds none waits in a file.
package final class WaitingRoom: Sendable {
    private let left: Mutex<Int>

    /// - Parameter bytes: nil: as many as there are
    package init(bytes: Int?) { left = Mutex(bytes ?? Int.max) }

    fileprivate func take(_ bytes: Int) -> Bool {
        left.withLock { left in
            guard bytes <= left else { return false }
            left -= bytes
            return true
        }
    }

    fileprivate func giveBack(_ bytes: Int) { left.withLock { $0 += bytes } }
}

/// A feature map that is written and read a band of rows at a time, from the first row to the last, and waits between.
package final class WaitingMap {
    package let batch, channels, height, width, lanes: Int
    private let room: WaitingRoom
    private let engine: Engine
    private var home: Home
    private var gathered: LaneMoments?
    /// Bytes taken from the room.
    private var taken = 0

    private enum Home {
        case nothing
        case memory(FeatureMap)
        case file(SpillFile)
    }

    /// - Parameter map: of what batch, channels and lanes
    package init(like map: FeatureMap, height: Int, width: Int, in room: WaitingRoom, on engine: Engine) {
        (batch, channels, lanes) = (map.batch, map.channels, map.lanes)
        (self.height, self.width, self.room, self.engine) = (height, width, room, engine)
        home = .nothing
    }

    /// A whole map, which waits in memory.
    package convenience init(_ map: FeatureMap, measures: Bool = true, in room: WaitingRoom, on engine: Engine) throws {
        self.init(like: map, height: map.height, width: map.width, in: room, on: engine)
        try write(map, at: 0, measures: measures)
    }

    deinit { room.giveBack(taken) }

    private var bytes: Int { planes * height * width * lanes * 4 }
    private var planes: Int { batch * ((channels + lanes - 1) / lanes) }

    /// Whether it waits in a file.
    package var isSpilled: Bool { if case .file = home { true } else { false } }

    /// The moments of all rows.
    package var moments: LaneMoments {
        guard let gathered, gathered.pixels == height * width else {
            preconditionFailure("moments of a map that is not whole")
        }
        return gathered
    }

    /// Writes the rows from `first` on.
    ///
    /// - Parameter measures: whether ``moments`` will be asked for
    package func write(_ band: FeatureMap, at first: Int, measures: Bool = true) throws {
        precondition(band.batch == batch && band.channels == channels && band.width == width)
        if measures {
            if first == 0 { gathered = LaneMoments(like: band) }
            gathered?.add(band, on: engine)
        }
        if case .nothing = home {
            if band.height == height {
                if room.take(bytes) { taken = bytes }
                home = .memory(band)
                return
            }
            if room.take(bytes) {
                taken = bytes
                home = .memory(
                    FeatureMap(unfilledBatch: batch, channels: channels, height: height, width: width, lanes: lanes))
            } else {
                home = .file(try SpillFile())
            }
        }
        let (row, count) = (width * lanes, band.height * width * lanes)
        switch home {
        case .nothing: break
        case .memory(var map):
            // Its only owner meanwhile, or writing would copy it.
            home = .nothing
            band.withPointer { source in
                map.withMutablePointer { all in
                    engine.threads.forEach(planes) { plane in
                        (all + (plane * height + first) * row).update(from: source + plane * count, count: count)
                    }
                }
            }
            home = .memory(map)
        case .file(let file):
            try band.withPointer { source in
                for plane in 0..<planes {
                    try file.write(source + plane * count, count, at: (plane * height + first) * row)
                }
            }
        }
    }

    /// A copy of some rows; of all, the map itself.
    package func rows(_ rows: Range<Int>) throws -> FeatureMap {
        if case .memory(let map) = home, rows == 0..<height { return map }
        var band = FeatureMap(
            unfilledBatch: batch, channels: channels, height: rows.count, width: width, lanes: lanes)
        let (row, count) = (width * lanes, rows.count * width * lanes)
        switch home {
        case .nothing: preconditionFailure("rows of a map that was never written")
        case .memory(let map):
            map.withPointer { all in
                band.withMutablePointer { out in
                    engine.threads.forEach(planes) { plane in
                        (out + plane * count).update(from: all + (plane * height + rows.lowerBound) * row, count: count)
                    }
                }
            }
        case .file(let file):
            try band.withMutablePointer { out in
                for plane in 0..<planes {
                    try file.read(out + plane * count, count, at: (plane * height + rows.lowerBound) * row)
                }
            }
        }
        return band
    }

    /// Some rows, normalised with SiLU.
    package func rows(_ rows: Range<Int>, after norm: GroupNorm, _ scales: GroupNorm.Scales) throws -> FeatureMap {
        guard case .memory(let map) = home else {
            return norm.apply(scales, to: try self.rows(rows), activation: .silu)
        }
        return norm.apply(scales, to: map, rows: rows, activation: .silu)
    }

    /// Rows that will be written again: where these are all, they leave without being copied.
    package func taking(_ rows: Range<Int>) throws -> FeatureMap {
        let band = try self.rows(rows)
        if rows == 0..<height, case .memory = home {
            home = .nothing
            room.giveBack(taken)
            taken = 0
        }
        return band
    }
}
