import Synchronization

/// Where the layers of one network keep their weights once these are packed: all of them, or as many as there is room for.
///
/// A layer without a place packs its weights anew each time that it runs. What is kept never changes a byte of a result.
package final class Shelf: Sendable {
    private struct State {
        var layers: [Keeper] = []
        var kept = 0
        var wanted = 0
        var largest = 0
        var staging = 0
        var room: Int?
    }

    private struct Keeper: Sendable {
        weak var layer: (any ShelvedLayer)?
    }

    private let state = Mutex(State())

    init() {}

    /// Bytes of all packed weights, were all kept.
    package var wanted: Int { state.withLock(\.wanted) }
    /// Bytes of the largest layer's packed weights.
    package var largest: Int { state.withLock(\.largest) }
    /// Most bytes that packing one layer takes beside the packed weights: its pages of the file, and what is made of them on
    /// the way.
    package var staging: Int { state.withLock(\.staging) }
    /// Bytes of packed weights that are kept now.
    package var kept: Int { state.withLock(\.kept) }

    /// A layer says that it will want to keep `bytes`, and what packing them takes.
    func add(_ layer: any ShelvedLayer, bytes: Int, staging: Int) {
        state.withLock { state in
            state.layers.append(Keeper(layer: layer))
            state.wanted += bytes
            state.largest = max(state.largest, bytes)
            state.staging = max(state.staging, staging)
        }
    }

    /// A place for so many bytes; nil where there is no room.
    func place(for bytes: Int) -> ShelfPlace? {
        state.withLock { state in
            if let room = state.room, state.kept + bytes > room { return nil }
            state.kept += bytes
            return ShelfPlace(on: self, bytes: bytes)
        }
    }

    fileprivate func giveBack(_ bytes: Int) { state.withLock { $0.kept -= bytes } }

    /// Lets all packed weights go. Layers pack them again when they next run.
    package func empty() {
        let layers = state.withLock(\.layers)
        for keeper in layers { keeper.layer?.letGo() }
    }

    /// Keeps at most so many bytes from now on; nil: all.
    func limit(to room: Int?) {
        let isTooFull = state.withLock { state in
            state.room = room
            return room.map { state.kept > $0 } ?? false
        }
        if isTooFull { empty() }
    }
}

/// A layer that keeps packed weights on a ``Shelf``.
protocol ShelvedLayer: AnyObject, Sendable {
    func letGo()
}

/// Room on a shelf, given back when nobody holds it any more.
final class ShelfPlace: Sendable {
    private let shelf: Shelf
    private let bytes: Int

    fileprivate init(on shelf: Shelf, bytes: Int) { (self.shelf, self.bytes) = (shelf, bytes) }

    deinit { shelf.giveBack(bytes) }
}

/// One layer's packed weights: on the shelf, or made anew for each run while that has no room.
final class PackedWeights: Sendable {
    private let kept = Mutex<(storage: Storage, place: ShelfPlace)?>(nil)

    func letGo() { kept.withLock { $0 = nil } }

    /// - Parameter pack: fills memory with `floats` floats
    func storage(
        _ floats: Int, on engine: Engine, pack: (UnsafeMutablePointer<Float>) throws -> Void
    ) rethrows -> Storage {
        let known: Storage? = try kept.withLock { kept in
            if let kept { return kept.storage }
            guard let place = engine.shelf.place(for: floats * 4) else { return nil }
            let storage = Storage(floats, returnsToPool: false)
            try pack(storage.pointer)
            kept = (storage, place)
            return storage
        }
        if let known { return known }
        let passing = Storage(floats)
        try pack(passing.pointer)
        return passing
    }
}
