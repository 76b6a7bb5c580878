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

    /// Memory for `count` floats, holding anything.
    package init(_ count: Int) {
        self.count = count
        (pointer, capacity) = Pool.shared.take(max(count, 1))
    }

    deinit {
        Pool.shared.give(pointer, capacity)
    }

    /// Pieces that the system was asked for since the program began: what stays the same has been reused.
    package static var piecesMade: Int { Pool.shared.piecesMade }

    /// Gives memory that waits for reuse back to the system: between stages whose sizes differ.
    package static func trim() {
        Pool.shared.trim()
    }
}

private final class Pool: Sendable {
    static let shared = Pool()

    private struct Free {
        /// Waiting pieces by capacity.
        var pieces: [Int: [UnsafeMutablePointer<Float>]] = [:]
        /// Pieces that were not there when they were wanted.
        var made = 0
    }
    private let free = Mutex(SendableBox(Free()))

    private struct SendableBox<Value>: @unchecked Sendable {
        var value: Value
        init(_ value: Value) { self.value = value }
    }

    var piecesMade: Int { free.withLock(\.value.made) }

    func take(_ count: Int) -> (UnsafeMutablePointer<Float>, Int) {
        // Rounded up, so that sizes that differ by a few rows share pieces.
        let grain = count < 1 << 16 ? 1 << 10 : 1 << 16
        let capacity = (count + grain - 1) / grain * grain
        let waiting = free.withLock { box in
            let piece = box.value.pieces[capacity]?.popLast()
            if piece == nil { box.value.made += 1 }
            return SendableBox(piece)
        }
        if let piece = waiting.value { return (piece, capacity) }
        var raw: UnsafeMutableRawPointer?
        if posix_memalign(&raw, 64, capacity * MemoryLayout<Float>.stride) != 0 || raw == nil {
            trim()
            posix_memalign(&raw, 64, capacity * MemoryLayout<Float>.stride)
        }
        guard let raw else { outOfMemory(capacity * MemoryLayout<Float>.stride) }
        return (raw.assumingMemoryBound(to: Float.self), capacity)
    }

    func give(_ pointer: UnsafeMutablePointer<Float>, _ capacity: Int) {
        free.withLock { $0.value.pieces[capacity, default: []].append(pointer) }
    }

    func trim() {
        let pieces = free.withLock { box in
            defer { box.value.pieces = [:] }
            return SendableBox(box.value.pieces)
        }
        for piece in pieces.value.values.joined() { releaseMemory(piece) }
    }

    /// The system has no memory left: nothing that needs memory can be done about it, not even throwing.
    private func outOfMemory(_ bytes: Int) -> Never {
        let line = "Error: out of memory: \(bytes >> 20) MB more were needed. Paint smaller, or close other programs.\n"
        _ = line.withCString { write(2, $0, strlen($0)) }
        _exit(70)
    }
}

/// The C library's `free`, which the pool's own `free` would hide.
private func releaseMemory(_ pointer: UnsafeMutablePointer<Float>) {
    free(pointer)
}
