import Painting

/// What became of the items of a batch, and what is told of it.
final class Tally {
    var made = 0
    /// Stood already.
    var finished = 0
    private(set) var failures: [(input: String, line: String, code: Int32)] = []
    private let count: Int
    private let console: Console
    private let goesOn: Bool
    private let began: Double

    struct Fault {
        var line: String
        var code: Int32
        /// It failed in an earlier run and was not tried again.
        var isEarlier = false
    }

    /// The first failure ends the run.
    struct Stop: Error {}

    /// It failed before, and nothing was changed since.
    struct Earlier: Error {
        var failure: Journal.Failure
    }

    init(_ count: Int, _ console: Console, goesOn: Bool, began: Double) {
        (self.count, self.console, self.goesOn, self.began) = (count, console, goesOn, began)
    }

    /// What is wrong with an item, if anything is.
    ///
    /// - Throws: ``PaintingError/interrupted``, which is no fault of the item's
    func fault(of item: Item, _ body: () throws -> Void) throws -> Fault? {
        do {
            try body()
            return nil
        } catch let error as Earlier {
            return Fault(
                line: "\(error.failure.reason) (It failed before; --retry-failed tries it again.)",
                code: error.failure.code, isEarlier: true)
        } catch {
            if case PaintingError.interrupted = error { throw error }
            let (line, code) = reported(error)
            return Fault(line: line, code: code)
        }
    }

    /// - Parameter quietly: it was told already
    /// - Throws: ``Stop`` where one failure ends the run
    func fail(_ item: Item, _ fault: Fault, quietly: Bool = false) throws(Stop) {
        let place = item.place.map { "\($0): " } ?? ""
        let subject = fault.line.contains(item.input) ? "" : "\(item.input): "
        let line = place + subject + fault.line
        failures.append((item.input, line, fault.code))
        if quietly { return }
        console.fail(item.input, (line, fault.code))
        if !goesOn { throw Stop() }
    }

    /// The last word on everything.
    func tell(plansOnly: Bool) {
        if plansOnly { return }
        console.clearBar()
        let left = count - made - finished - failures.count
        var parts = ["\(made) made"]
        if finished > 0 { parts.append("\(finished) finished before") }
        if !failures.isEmpty { parts.append("\(failures.count) failed") }
        if left > 0 { parts.append("\(left) left") }
        var lines = ["\(parts.joined(separator: ", ")), in \(Console.time(clock() - began))."]
        lines += failures.map { "  \($0.line)" }
        if left > 0, !failures.isEmpty {
            lines.append("Run it again to go on, or pass --keep-going to go on past failures.")
        }
        console.tell(
            lines.joined(separator: "\n"),
            [
                ("event", .text("summary")), ("made", .integer(made)), ("finished", .integer(finished)),
                (
                    "failed",
                    .list(
                        failures.map { input, line, code in
                            .object([
                                ("input", .text(input)), ("code", .integer(Int(code))),
                                ("text", .text(line)),
                            ])
                        })
                ), ("left", .integer(left)), ("seconds", .number(((clock() - began) * 1000).rounded() / 1000)),
            ])
    }
}
