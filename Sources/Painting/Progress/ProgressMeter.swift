/// How far a whole command is, over all its stages, and how long the rest will take.
///
/// Work is counted in operations beforehand, so that a step of a large picture weighs more than one of a small one; time to
/// go is the work left at the speed of the work done. Loading and the first step, which prepares the kernels, are left out
/// of the speed as soon as there is anything else to go by.
package final class ProgressMeter {
    package struct Reading: Sendable {
        /// Work done and in all, in thousandths of the whole.
        package let done: Int
        package let of: Int
        /// Nil until there is something to go by.
        package let secondsLeft: Double?
        package let stage: String
    }

    private var total: Double
    private var done = 0.0
    /// Where speed is measured from.
    private var mark: (done: Double, seconds: Double)?
    private let now: () -> Double

    /// - Parameters:
    ///   - total: all work, in any unit
    ///   - now: the clock, in seconds
    package init(total: Double, now: @escaping () -> Double) {
        (self.total, self.now) = (max(total, 1e-9), now)
    }

    /// Notes that there is so much more to do than was known before, or less.
    package func expect(_ work: Double) { total = max(total + work, 1e-9) }

    /// Notes that `work` more is done.
    package func add(_ work: Double, stage: String) -> Reading {
        done += work
        let time = now()
        var secondsLeft: Double?
        if let mark, done > mark.done {
            secondsLeft = max(0, (total - done) * (time - mark.seconds) / (done - mark.done))
        } else {
            mark = (done, time)
        }
        return Reading(
            done: min(1000, Int(done / total * 1000 + 0.5)), of: 1000, secondsLeft: secondsLeft, stage: stage)
    }
}
