import CKernels
import Synchronization
import Threads

/// Where time goes: every operation that ran on an engine, gathered by kind and shape.
package final class Profile: Sendable {
    /// What is gathered on one line.
    package struct Work: Hashable, Sendable {
        /// "convolution, winograd", "product, bf16", "group normalisation", …
        package let kind: String
        /// "320→320 at 64×64, 2 at once"
        package let shape: String
    }

    package struct Line: Sendable {
        package let work: Work
        package fileprivate(set) var calls = 0
        package fileprivate(set) var seconds = 0.0
        /// Multiplications and additions, counted as the definition has them, whichever form ran.
        package fileprivate(set) var operations = 0.0
    }

    private let lines = Mutex<[Work: Line]>([:])

    package init() {}

    func add(_ work: Work, seconds: Double, operations: Double) {
        lines.withLock { lines in
            lines[work, default: Line(work: work)].calls += 1
            lines[work]?.seconds += seconds
            lines[work]?.operations += operations
        }
    }

    /// Forgets what was gathered.
    package func clear() { lines.withLock { $0 = [:] } }

    /// All that ran, what took longest first.
    package func longestFirst() -> [Line] {
        lines.withLock { lines in
            lines.values.sorted {
                ($1.seconds, $0.work.kind, $0.work.shape) < ($0.seconds, $1.work.kind, $1.work.shape)
            }
        }
    }

    /// What the processor could do at most, in operations a second, measured in some hundredths of a second.
    package static func peak(_ threads: Threads, bfloat16: Bool) -> Double {
        // The best of a few: something else may be running.
        (0..<5).reduce(0.0) { best, _ in
            let operations = Mutex(0.0)
            let time = ContinuousClock().measure {
                threads.forEach(threads.count) { _ in
                    let done = kernel_peak(1 << 19, bfloat16 ? 1 : 0)
                    operations.withLock { $0 += done }
                }
            }
            return max(best, operations.withLock { $0 } / (time / .seconds(1)))
        }
    }
}

extension Engine {
    /// Runs one operation, and tells the profile of it where one is kept.
    ///
    /// - Parameter operations: multiplications and additions of the definition; 0 where memory is what counts
    func timed<Result>(
        _ kind: @autoclosure () -> String, _ shape: @autoclosure () -> String,
        operations: @autoclosure () -> Double = 0, _ body: () throws -> Result
    ) rethrows -> Result {
        guard let profile else { return try body() }
        let clock = ContinuousClock()
        let start = clock.now
        let result = try body()
        let seconds = (clock.now - start) / .seconds(1)
        profile.add(.init(kind: kind(), shape: shape()), seconds: seconds, operations: operations())
        return result
    }
}
