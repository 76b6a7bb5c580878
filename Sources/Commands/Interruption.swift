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
        // A file that grows over the shell's limit is then told like a full disk.
        signal(SIGXFSZ, SIG_IGN)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            let before = signal(number) { _ in
                if Interruption.asked.exchange(true, ordering: .relaxed) { _exit(130) }
            }
            // Whoever started the program with `nohup` wants it to live on.
            if number == SIGHUP, unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self) {
                signal(number, SIG_IGN)
            }
        }
    }

    /// - Throws: ``PaintingError/interrupted`` when the user asked to stop
    static func check() throws(PaintingError) {
        if asked.load(ordering: .relaxed) { throw .interrupted }
    }
}
