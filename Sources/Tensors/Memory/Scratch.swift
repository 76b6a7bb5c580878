import Synchronization

/// Memory that oneDNN's operations work in while they run. One operation runs at a time, so one piece, as large as the
/// largest needs, serves them all.
final class Scratch: Sendable {
    private let waiting = Mutex<Storage?>(nil)

    /// Lends at least `count` floats. A second lending at the same time gets a piece of its own.
    func lend<Result>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) throws -> Result) rethrows -> Result {
        let storage = take(count)
        defer { waiting.withLock { $0 = storage } }
        return try withExtendedLifetime(storage) { try body(storage.pointer) }
    }

    private func take(_ count: Int) -> Storage {
        let held = waiting.withLock { held in
            defer { held = nil }
            return held
        }
        // What is too small goes back to the system first: the larger one takes its place.
        return held.flatMap { $0.count >= count ? $0 : nil } ?? Storage(count, returnsToPool: false)
    }
}
