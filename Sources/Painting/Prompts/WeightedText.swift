/// A text whose words count more or less.
///
///     (word)        1.1 times          [word]       1.1 times less
///     (word:1.3)    1.3 times          \( \) \[ \]  brackets as such
///     a BREAK b     two pieces that the text encoder reads apart
///
/// Weights multiply where brackets nest; a bracket left open holds to the end.
///
/// Source: AUTOMATIC1111's web UI, `modules/prompt_parser.py`.
package struct WeightedText: Hashable {
    package struct Run: Hashable {
        package var text: String
        package var weight: Double

        static let pause = Run(text: "BREAK", weight: -1)
    }

    package private(set) var runs: [Run] = []
    /// One piece is read, and what is too long for it is cut.
    let isCut: Bool

    /// All words count as one, whatever brackets stand there, and what is too long is cut: diffusers' way.
    package init(plain text: String) { (runs, isCut) = ([Run(text: text, weight: 1)], true) }

    package init(_ text: String) {
        isCut = false
        let scalars = Array(text.unicodeScalars)
        var (round, square): ([Int], [Int]) = ([], [])
        var i = 0
        while i < scalars.count {
            var end = i + 1
            switch scalars[i] {
            case "\\":
                // The backslash goes, and a bracket or backslash behind it stays.
                if end < scalars.count, "()[]\\".unicodeScalars.contains(scalars[end]) {
                    end += 1
                    runs.append(Run(text: String([scalars[end - 1]]), weight: 1))
                } else {
                    runs.append(Run(text: "", weight: 1))
                }
            case "(": round.append(runs.count)
            case "[": square.append(runs.count)
            case ")":
                if let open = round.popLast() { multiply(from: open, by: 1.1) } else { append(scalars[i..<end]) }
            case "]":
                if let open = square.popLast() { multiply(from: open, by: 1 / 1.1) } else { append(scalars[i..<end]) }
            case ":":
                if let (weight, after) = Self.weight(scalars, at: i) {
                    end = after
                    if let open = round.popLast() {
                        multiply(from: open, by: weight)
                    } else {
                        append(scalars[i..<end])
                    }
                } else {
                    append(scalars[i..<end])
                }
            default:
                end = scalars[i...].firstIndex { "\\()[]:".unicodeScalars.contains($0) } ?? scalars.count
                append(scalars[i..<end])
            }
            i = end
        }
        for open in round { multiply(from: open, by: 1.1) }
        for open in square { multiply(from: open, by: 1 / 1.1) }
        merge()
    }

    private mutating func append(_ text: ArraySlice<Unicode.Scalar>) {
        let parts = text.parts(betweenWord: "BREAK")
        for (index, part) in parts.enumerated() {
            if index > 0 { runs.append(.pause) }
            var part = part
            if index > 0 { part = part.droppingBlanksInFront() }
            if index < parts.count - 1 { part = part.droppingBlanksBehind() }
            runs.append(Run(text: String(part), weight: 1))
        }
    }

    /// A pause within brackets is multiplied like a word, and so becomes one: as in the web UI.
    private mutating func multiply(from open: Int, by weight: Double) {
        for index in open..<runs.count { runs[index].weight *= weight }
    }

    private mutating func merge() {
        var merged: [Run] = []
        for run in runs {
            if let last = merged.last, last.weight == run.weight {
                merged[merged.count - 1].text += run.text
            } else {
                merged.append(run)
            }
        }
        runs = merged.isEmpty ? [Run(text: "", weight: 1)] : merged
    }

    /// `:1.3)` at a place, and where it ends.
    private static func weight(_ scalars: Scalars, at colon: Int) -> (Double, end: Int)? {
        let number = scalars[(colon + 1)...].droppingBlanksInFront()
        let end = number.firstIndex { !($0.isDigit || $0 == "." || $0 == "+" || $0 == "-") } ?? scalars.count
        let rest = scalars[end...].droppingBlanksInFront()
        guard rest.first == ")", let weight = decimal(String(number[..<end])) else { return nil }
        return (weight, rest.startIndex + 1)
    }
}
