import Painting
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Ctrl-C and the like: the work in hand stops at its next step and leaves nothing half-written; a second one stops at
/// once.
enum Interruption {
    private static let asked = Atomic<Bool>(false)

    static func install() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in
                if Interruption.asked.exchange(true, ordering: .relaxed) { _exit(130) }
            }
        }
    }

    /// - Throws: ``PaintingError/interrupted`` when the user asked to stop
    static func check() throws(PaintingError) {
        if asked.load(ordering: .relaxed) { throw .interrupted }
    }
}
