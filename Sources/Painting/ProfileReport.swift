import Tensors

extension Profile {
    /// A table for people: each kind with its share of the time, and the shapes within it that took longest.
    ///
    /// - Parameters:
    ///   - total: seconds of everything, operations or not; without it, of the operations alone
    ///   - shapes: most shapes told of one kind
    package func report(of total: Double? = nil, on engine: Engine, shapes: Int = 4) -> [String] {
        let lines = longestFirst()
        let known = lines.reduce(0) { $0 + $1.seconds }
        let whole = max(total ?? known, known)
        guard whole > 0 else { return ["No operation ran."] }
        let peaks = [
            false: Profile.peak(engine.threads, bfloat16: false),
            true: engine.hasBFloat16 ? Profile.peak(engine.threads, bfloat16: true) : 0,
        ]
        func row(_ name: String, _ calls: Int, _ seconds: Double, _ operations: Double, _ bfloat16: Bool) -> String {
            var text = name.left(58) + "\(calls)×".right(7)
            text += ((1000 * seconds).fixed(1) + " ms").right(13)
            text += ((100 * seconds / whole).fixed(1) + " %").right(8)
            if operations > 0 {
                text += (operations / seconds / 1e9).fixed(0).right(7) + " GFLOP/s"
                if let peak = peaks[bfloat16], peak > 0 {
                    text += (100 * operations / seconds / peak).fixed(0).right(5) + " % of the peak"
                }
            }
            return text
        }
        var result = [
            "The peak is \(((peaks[false] ?? 0) / 1e9).fixed(0)) GFLOP/s in 32 bits"
                + (engine.hasBFloat16 ? ", \(((peaks[true] ?? 0) / 1e9).fixed(0)) in bfloat16" : "")
                + ", \(engine.threads.count) threads. Winograd is counted as the direct work that it stands for."
        ]
        let kinds = Dictionary(grouping: lines, by: \.work.kind).values
            .map { (lines: $0, seconds: $0.reduce(0) { $0 + $1.seconds }) }
            .sorted { $1.seconds < $0.seconds }
        for (lines, seconds) in kinds {
            let kind = lines[0].work.kind
            let bfloat16 = kind.hasSuffix(KernelPlan.Product.bfloat16.rawValue)
            let (calls, operations) = lines.reduce((0, 0.0)) { ($0.0 + $1.calls, $0.1 + $1.operations) }
            result.append(row(kind, calls, seconds, operations, bfloat16))
            guard operations > 0, lines.count > 1 else { continue }
            for line in lines.prefix(shapes) {
                result.append(row("  " + line.work.shape, line.calls, line.seconds, line.operations, bfloat16))
            }
            if lines.count > shapes {
                let rest = lines.dropFirst(shapes)
                let (calls, time, operations) = rest.reduce((0, 0.0, 0.0)) {
                    ($0.0 + $1.calls, $0.1 + $1.seconds, $0.2 + $1.operations)
                }
                result.append(row("  \(rest.count) other shapes", calls, time, operations, bfloat16))
            }
        }
        if whole > known {
            result.append(row("everything else", 1, whole - known, 0, false))
        }
        return result
    }
}
