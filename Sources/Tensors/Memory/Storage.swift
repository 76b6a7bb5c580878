import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A piece of memory for 32-bit floats, 64-byte aligned, that goes back to a pool when the last user lets go.
///
/// A denoising step asks for the same sizes again and again, so after the first step nothing is allocated.
///
/// Unchecked: the memory is written only by the one that asked for it, before it is shared; ``Tensor`` and
/// ``FeatureMap`` copy before writing when another holds the same storage.
package final class Storage: @unchecked Sendable {
    package let pointer: UnsafeMutablePointer<Float>
    package let count: Int
    private let capacity: Int
    private let returnsToPool: Bool

    /// Memory for `count` floats, holding anything.
    ///
    /// - Parameter returnsToPool: whether it waits for reuse when the last user lets go, or goes back to the system
    package init(_ count: Int, returnsToPool: Bool = true) {
        (self.count, self.returnsToPool) = (count, returnsToPool)
        // What stays, and what is large, should not sit in a piece for something larger.
        let isTight = !returnsToPool || count > 1 << 22
        (pointer, capacity) = Pool.shared.take(max(count, 1), fitting: isTight ? 1.05 : 2)
    }

    deinit {
        Pool.shared.give(pointer, capacity, returns: returnsToPool)
    }

    /// Pieces that the system was asked for since the program began: what stays the same has been reused.
    package static var piecesMade: Int { Pool.shared.piecesMade }

    /// Gives memory that waits for reuse back to the system: between stages whose sizes differ.
    package static func trim() {
        Pool.shared.trim()
    }

    /// Bytes of all pieces, in use or waiting.
    package static var bytesHeld: Int { Pool.shared.bytesHeld }

    /// Bytes of the pieces in use.
    static var bytesInUse: Int { Pool.shared.bytesInUse }

    /// From now on pieces wait for reuse only while all pieces together are at most so many bytes.
    static func hold(atMost bytes: Int) { Pool.shared.hold(atMost: bytes) }
}

private final class Pool: Sendable {
    static let shared = Pool()

    private struct Piece: @unchecked Sendable {
        // Unchecked: a piece is either waiting here or owned by one storage.
        let capacity: Int
        let pointer: UnsafeMutablePointer<Float>
    }

    private struct State {
        /// Waiting pieces, smallest first.
        var waiting: [Piece] = []
        /// Pieces that were not there when they were wanted.
        var made = 0
        /// Floats of all pieces, in use or waiting, and how many there should be at most.
        var held = 0
        var most = Int.max
    }
    private let state = Mutex(State())

    var piecesMade: Int { state.withLock(\.made) }
    var bytesHeld: Int { state.withLock(\.held) * MemoryLayout<Float>.stride }
    var bytesInUse: Int {
        state.withLock { $0.held - $0.waiting.reduce(0) { $0 + $1.capacity } } * MemoryLayout<Float>.stride
    }

    func hold(atMost bytes: Int) { state.withLock { $0.most = max(0, bytes) / MemoryLayout<Float>.stride } }

    /// The smallest waiting piece that is large enough and at most `fitting` times as large, or a new one.
    func take(_ count: Int, fitting: Double) -> (UnsafeMutablePointer<Float>, Int) {
        // Rounded up, so that sizes that differ by a few rows share pieces.
        let grain = count < 1 << 16 ? 1 << 10 : 1 << 16
        let capacity = (count + grain - 1) / grain * grain
        var tooMuch: [Piece] = []
        let waiting: Piece? = state.withLock { state in
            let place = Self.place(of: capacity, in: state.waiting)
            if place < state.waiting.count, Double(state.waiting[place].capacity) <= fitting * Double(capacity) {
                return state.waiting.remove(at: place)
            }
            state.made += 1
            state.held += capacity
            while state.held > state.most, let largest = state.waiting.popLast() {
                state.held -= largest.capacity
                tooMuch.append(largest)
            }
            return nil
        }
        if let waiting { return (waiting.pointer, waiting.capacity) }
        for piece in tooMuch { releaseMemory(piece.pointer, piece.capacity) }
        let bytes = capacity * MemoryLayout<Float>.stride
        if let pointer = systemMemory(bytes) { return (pointer, capacity) }
        trim()
        guard let pointer = systemMemory(bytes) else { outOfMemory(bytes) }
        return (pointer, capacity)
    }

    func give(_ pointer: UnsafeMutablePointer<Float>, _ capacity: Int, returns: Bool) {
        let piece = Piece(capacity: capacity, pointer: pointer)
        let stays = state.withLock { state in
            guard returns, state.held <= state.most else {
                state.held -= capacity
                return false
            }
            state.waiting.insert(piece, at: Self.place(of: capacity, in: state.waiting))
            return true
        }
        if !stays { releaseMemory(pointer, capacity) }
    }

    func trim() {
        let pieces = state.withLock { state in
            defer { state.waiting = [] }
            state.held -= state.waiting.reduce(0) { $0 + $1.capacity }
            return state.waiting
        }
        for piece in pieces { releaseMemory(piece.pointer, piece.capacity) }
    }

    /// Index of the first piece that is at least so large.
    private static func place(of capacity: Int, in pieces: [Piece]) -> Int {
        var (low, high) = (0, pieces.count)
        while low < high {
            let middle = (low + high) / 2
            if pieces[middle].capacity < capacity { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The system has no memory left: nothing that needs memory can be done about it, not even throwing.
    private func outOfMemory(_ bytes: Int) -> Never {
        let line = "Error: out of memory: \(bytes >> 20) MB more were needed. Paint smaller, or close other programs.\n"
        _ = line.withCString { write(2, $0, strlen($0)) }
        _exit(70)
    }
}

// Large pieces are mapped one by one: what the C library's allocator is given back it may keep for itself.

private let largePage = 2 << 20
private let mappedBytes = 1 << 17

/// Memory from the system, aligned to 64 bytes; nil where there is none.
private func systemMemory(_ bytes: Int) -> UnsafeMutablePointer<Float>? {
    guard bytes >= mappedBytes else {
        var raw: UnsafeMutableRawPointer?
        return posix_memalign(&raw, 64, bytes) == 0 ? raw?.assumingMemoryBound(to: Float.self) : nil
    }
    // Large pieces on large pages, where the system has them: fewer faults, and fewer misses of addresses later.
    let isLarge = bytes >= 2 * largePage
    let room = isLarge ? bytes + largePage : bytes
    #if os(Linux)
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
    #else
        let flags = MAP_PRIVATE | MAP_ANON
    #endif
    guard let start = mmap(nil, room, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED else { return nil }
    guard isLarge else { return start.assumingMemoryBound(to: Float.self) }
    // What lies before and behind the aligned piece goes back.
    let before = (largePage - Int(bitPattern: start) % largePage) % largePage
    if before > 0 { munmap(start, before) }
    if before < largePage { munmap(start + before + bytes, largePage - before) }
    #if os(Linux)
        madvise(start + before, bytes / largePage * largePage, MADV_HUGEPAGE)
    #endif
    return (start + before).assumingMemoryBound(to: Float.self)
}

private func releaseMemory(_ pointer: UnsafeMutablePointer<Float>, _ capacity: Int) {
    let bytes = capacity * MemoryLayout<Float>.stride
    if bytes >= mappedBytes { munmap(pointer, bytes) } else { free(pointer) }
}
