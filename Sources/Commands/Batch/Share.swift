import Painting

/// One item's part of a run's progress: told of its work, in operations, as it is done.
final class Share {
    private var expected: Double
    private var done = 0.0
    private let meter: ProgressMeter
    private let label: String?
    private let console: Console

    /// - Parameters:
    ///   - expected: its work, which the meter knows of
    ///   - label: what its stages are told with, where there are other items
    init(_ expected: Double, of meter: ProgressMeter, _ label: String?, _ console: Console) {
        (self.expected, self.meter, self.label, self.console) = (expected, meter, label, console)
    }

    /// Tells of work that is done.
    ///
    /// - Throws: what stops the run
    func callAsFunction(_ work: Double, _ stage: String) throws {
        done += work
        try console.report(.progress(meter.add(work, stage: label.map { "\($0), \(stage)" } ?? stage)))
    }

    /// Replaces what was expected of the item by what is known now.
    func settle(_ work: Double) { expect(work - expected) }

    /// Notes that there is so much more to do than was known before, or less.
    func expect(_ work: Double) {
        meter.expect(work)
        expected += work
    }

    /// Notes that other work follows, of another speed.
    func turn() { meter.turn() }

    /// Nothing more is to come, whether it was made or not.
    func end() { settle(done) }
}
