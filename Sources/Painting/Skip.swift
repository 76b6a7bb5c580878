/// How much of the schedule the init image stands in for. Counted exactly, in millionths of a percent.
package struct Skip: Sendable, Hashable {
    /// Percent · 10⁶, 0…10⁸; nil where it was given in steps.
    private let millionths: Int?
    /// Steps that are left out, where it was given so.
    private let steps: Int?

    private static let whole = 100_000_000

    /// - Parameter text: a decimal number of percent, 0…100
    package init?(percent text: String) {
        guard let value = exactDecimal(text, places: 6), (0...Self.whole).contains(value) else { return nil }
        (millionths, steps) = (value, nil)
    }

    /// - Parameter text: a decimal number, 0…1: skip = 100·(1 − strength)
    package init?(strength text: String) {
        guard let value = exactDecimal(text, places: 8), (0...Self.whole).contains(value) else { return nil }
        (millionths, steps) = (Self.whole - value, nil)
    }

    /// - Parameter share: of the noise that is left to run, 0…1, to eight decimals
    package init(share: Double) {
        (millionths, steps) = (Self.whole - Int((min(1, max(0, share)) * Double(Self.whole)).rounded()), nil)
    }

    /// - Parameter steps: steps that are left out, at least 0
    package init(steps: Int) { (millionths, self.steps) = (nil, steps) }

    /// Steps that run of a schedule of `count`: at least 1 unless everything is skipped.
    package func run(of count: Int) -> Int {
        if let steps { return max(0, count - steps) }
        let left = Self.whole - (millionths ?? 0)
        return left == 0 ? 0 : max(1, count * left / Self.whole)
    }

    /// Given in steps of the whole schedule, which are no noise level of their own.
    package var isInSteps: Bool { steps != nil }

    /// How many of the training timesteps are below the level that is left: where a run of exactly so many steps starts.
    package func time(of trained: Int) -> Int {
        trained * (Self.whole - (millionths ?? 0)) / Self.whole
    }

    /// The percentage as written in names and labels: "50", "37.5".
    package func percent(of count: Int) -> String {
        let value = millionths ?? (count == 0 ? 0 : min(steps ?? 0, count) * Self.whole / count)
        let (digits, fraction) = value.quotientAndRemainder(dividingBy: 1_000_000)
        guard fraction != 0 else { return "\(digits)" }
        var tail = String(fraction)
        tail = String(repeating: "0", count: 6 - tail.count) + tail
        while tail.hasSuffix("0") { tail.removeLast() }
        return "\(digits).\(tail)"
    }

    /// Share of the noise that is left to run, 0…1, as other tools' "denoising strength".
    package func strength(of count: Int) -> Double {
        let value = millionths ?? (count == 0 ? 0 : min(steps ?? 0, count) * Self.whole / count)
        return Double(Self.whole - value) / Double(Self.whole)
    }
}

/// A plain decimal number as a whole count of 10^−places; nil where it is none, or has more places.
func exactDecimal(_ text: String, places: Int) -> Int? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard !text.isEmpty, parts.allSatisfy({ $0.allSatisfy { ("0"..."9").contains($0) } }) else { return nil }
    let whole = parts[0]
    var fraction = parts.count > 1 ? String(parts[1]) : ""
    while fraction.hasSuffix("0") { fraction.removeLast() }
    guard !(whole.isEmpty && (parts.count < 2 || parts[1].isEmpty)), whole.count <= 9, fraction.count <= places else {
        return nil
    }
    fraction += String(repeating: "0", count: places - fraction.count)
    return Int((whole.isEmpty ? "0" : whole) + fraction)
}
