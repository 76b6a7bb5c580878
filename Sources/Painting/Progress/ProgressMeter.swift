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
    /// When work was last told of; nil before any was.
    private var last: Double?
    /// What speed is known from.
    private var measured = (work: 0.0, seconds: 0.0)
    /// Seconds that a unit of work takes.
    private var pace: Double?
    private let now: () -> Double

    /// - Parameters:
    ///   - total: all work, in any unit
    ///   - now: the clock, in seconds
    package init(total: Double, now: @escaping () -> Double) {
        (self.total, self.now) = (max(total, 1e-9), now)
    }

    /// Notes that there is so much more to do than was known before, or less.
    package func expect(_ work: Double) { total = max(total + work, 1e-9) }

    /// Notes that other work follows, whose speed is not that of the work so far: what was made ready for it counts for none.
    package func turn() { (measured, last) = ((0, 0), now()) }

    /// Notes that `work` more is done.
    package func add(_ work: Double, stage: String) -> Reading {
        done += work
        let time = now()
        if let last {
            measured = (measured.work + work, measured.seconds + time - last)
            if measured.work > 0 { pace = measured.seconds / measured.work }
        }
        last = time
        return Reading(
            done: min(1000, Int(done / total * 1000 + 0.5)), of: 1000,
            secondsLeft: pace.map { max(0, total - done) * $0 },
            stage: stage)
    }
}
