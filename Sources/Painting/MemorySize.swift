/// An amount of memory as people write it: "2.5GB", "2500MB", "4GiB".
package enum MemorySize {
    private static let units: [(name: String, bytes: Double)] = [
        ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("tib", 1_099_511_627_776), ("kb", 1e3), ("mb", 1e6),
        ("gb", 1e9), ("tb", 1e12), ("k", 1e3), ("m", 1e6), ("g", 1e9), ("t", 1e12), ("b", 1),
    ]

    /// - Returns: bytes; nil where the text is no size of at least one byte, or too large for any machine
    package static func bytes(_ text: String) -> Int? {
        let lower = text.lowercased().filter { $0 != " " }
        guard let unit = units.first(where: { lower.hasSuffix($0.name) }) else { return nil }
        let digits = lower.dropLast(unit.name.count)
        guard digits.first?.isNumber == true, digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
            let number = Double(digits)
        else { return nil }
        let bytes = number * unit.bytes
        return bytes >= 1 && bytes <= 1e15 ? Int(bytes) : nil
    }

    /// "412 MB", rounded up so that it is enough.
    package static func text(_ bytes: Double) -> String {
        bytes >= 1e10 ? "\((bytes / 1e8).rounded(.up) / 10) GB" : "\(Int((bytes / 1e6).rounded(.up))) MB"
    }
}
