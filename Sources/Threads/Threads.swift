import CThreads

/// How many threads a piece of work may use.
///
/// Work is always cut into pieces that do not depend on the count, so results are the same bytes whatever it is.
package struct Threads: Hashable, Sendable {
    /// Threads that run at once, at least 1.
    package let count: Int

    /// - Parameter count: threads to use; without it, every processor that the process may run on.
    package init(_ count: Int? = nil) {
        self.count = max(1, count ?? threads_available())
    }

    /// Name of the pool beneath: "libgomp", "libomp" or "threads".
    package static var poolName: String { String(cString: threads_pool_name()) }

    /// Calls `body` once for every index in `0..<pieces`, on several threads at once, and returns when all are done.
    package func forEach(_ pieces: Int, _ body: (_ piece: Int) -> Void) {
        forEachWithWorker(pieces) { piece, _ in body(piece) }
    }

    /// As ``forEach(_:_:)``, telling the body which worker (`0..<count`) runs it, so that it can use its own scratch.
    package func forEachWithWorker(_ pieces: Int, _ body: (_ piece: Int, _ worker: Int) -> Void) {
        guard pieces > 0 else { return }
        withoutActuallyEscaping(body) { body in
            var boxed = body
            withUnsafeMutablePointer(to: &boxed) { pointer in
                threads_for(
                    pieces, count,
                    { context, index, worker in
                        context?.assumingMemoryBound(to: ((Int, Int) -> Void).self).pointee(index, worker)
                    }, pointer)
            }
        }
    }

    /// Cuts `0..<total` into pieces of at least `grain` (the last may be shorter) and calls `body` for each.
    package func forRanges(_ total: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        let grain = max(1, grain)
        forEach((total + grain - 1) / grain) { piece in
            body(piece * grain..<min(total, (piece + 1) * grain))
        }
    }

    /// Sets the pool up, before another library loads the OpenMP runtime beneath it.
    package static func prepare() { threads_prepare() }

    /// Makes the OpenMP runtime beneath oneDNN use this count for work begun by the calling thread.
    package func apply() {
        threads_set_openmp_count(count)
    }
}
