// How figures are written in tables for people.

extension Double {
    package func fixed(_ decimals: Int) -> String {
        guard isFinite else { return "—" }
        var scale = 1.0
        for _ in 0..<decimals { scale *= 10 }
        let whole = Int((self * scale).rounded())
        let digits = String(abs(whole))
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        let sign = whole < 0 ? "-" : ""
        return sign + (decimals == 0 ? padded : padded.dropLast(decimals) + "." + padded.suffix(decimals))
    }

    /// Seconds as "12.3 ms" or "4.56 s".
    package var duration: String { self < 1 ? (self * 1000).fixed(self < 0.01 ? 2 : 1) + " ms" : fixed(2) + " s" }
    /// Bytes as "123 MB".
    package var megabytes: String { (self / 1e6).fixed(0) + " MB" }
}

extension String {
    package func left(_ width: Int) -> String { self + String(repeating: " ", count: Swift.max(0, width - count)) }
    package func right(_ width: Int) -> String { String(repeating: " ", count: Swift.max(0, width - count)) + self }
}
