import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The memory that a command may use, and the networks that share it.
///
/// Networks take turns: the one that runs next says how much it works in. Others let their packed weights go where both do
/// not fit, and where even one does not, it keeps as many as do. Nothing of this changes a byte of a result.
package final class Memory: Sendable {
    /// Most bytes that the process may use; nil: as many as it likes.
    package let limit: Int?

    private struct State {
        var shelves: [Weak] = []
        /// Whose turn it is.
        var turn: ObjectIdentifier?
        var working = 0
    }

    private struct Weak: Sendable {
        weak var shelf: Shelf?
    }

    private let state = Mutex(State())

    init(limit: Int?) { self.limit = limit }

    /// A shelf for one network.
    func shelf() -> Shelf {
        let shelf = Shelf()
        state.withLock { state in
            state.shelves.removeAll { $0.shelf == nil }
            state.shelves.append(Weak(shelf: shelf))
        }
        return shelf
    }

    /// Tells that the network of this shelf runs now, working in so many bytes beside its packed weights.
    package func enter(_ shelf: Shelf, working: Int) {
        let others: [Shelf]? = state.withLock { state in
            let turn = ObjectIdentifier(shelf)
            guard state.turn != turn || state.working < working else { return nil }
            (state.turn, state.working) = (turn, working)
            return state.shelves.compactMap(\.shelf).filter { $0 !== shelf }
        }
        guard let others else { return }
        let staging = shelf.staging
        guard let limit else {
            // Pieces of other stages' sizes could otherwise wait beside the ones in use.
            Storage.hold(atMost: Storage.bytesInUse + shelf.wanted - shelf.kept + (working + staging) * 9 / 8)
            return
        }
        let rest = Self.rest
        Storage.hold(atMost: limit - rest)
        var free = limit - rest - working - staging
        let taken = others.reduce(0) { $0 + $1.kept }
        if taken > 0, free - taken < shelf.wanted {
            for other in others { other.empty() }
        } else {
            free -= taken
        }
        // Layers that find no place are packed for each run beside those that do.
        shelf.limit(to: shelf.wanted <= free ? nil : max(0, free - shelf.largest))
    }

    /// Bytes that the network of this shelf can work in, with all of its packed weights kept and all others' let go; nil:
    /// as many as it likes. Less than none where these find no room themselves.
    package func room(beside shelf: Shelf) -> Int? {
        limit.map { $0 - Self.rest - shelf.staging - shelf.wanted }
    }

    /// Bytes that the process holds beside what goes through ``Storage``: the program and its libraries, and pictures.
    private static var rest: Int { max(Int(programBytes), residentBytes - Storage.bytesHeld) }

    /// What the program and its libraries take, as measured.
    package static let programBytes = 75e6

    private static var residentBytes: Int {
        #if os(Linux)
            guard let file = fopen("/proc/self/statm", "r") else { return 0 }
            defer { fclose(file) }
            var text = [CChar](repeating: 0, count: 128)
            guard fgets(&text, Int32(text.count), file) != nil else { return 0 }
            let words = Engine.text(text).split(separator: " ")
            return words.count > 1 ? (Int(words[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
        #else
            return 0
        #endif
    }
}
