/// A prompt as its parsers walk it: one code point after the other, so that an accent never hides a bracket before it.
typealias Scalars = [Unicode.Scalar]

extension String {
    init(_ scalars: some Sequence<Unicode.Scalar>) {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }
}

extension Unicode.Scalar {
    /// White space as other tools' patterns (`\s`) see it: the four separators of ASCII are in it too.
    var isBlank: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }

    var isDigit: Bool { ("0"..."9").contains(self) }

    /// A letter of a word as patterns (`\w`) see it: letters, numerals and the low line, but no accents by themselves.
    var isWordLetter: Bool {
        if self == "_" { return true }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            return true
        default: return false
        }
    }
}

extension Collection where Element == Unicode.Scalar {
    func droppingBlanksInFront() -> SubSequence { drop(while: \.isBlank) }
}

extension BidirectionalCollection where Element == Unicode.Scalar {
    func droppingBlanksBehind() -> SubSequence {
        var end = endIndex
        while end > startIndex, self[index(before: end)].isBlank { end = index(before: end) }
        return self[..<end]
    }
}

extension Collection where Element == Unicode.Scalar, Index == Int {
    /// The parts between whole words `word`: "AND" stands in "a AND b", but not in "SAND" or "AND_1".
    func parts(betweenWord word: String) -> [SubSequence] {
        let letters = Array(word.unicodeScalars)
        var parts: [SubSequence] = []
        var (begin, i) = (startIndex, startIndex)
        while i + letters.count <= endIndex {
            let after = i + letters.count
            if self[i..<after].elementsEqual(letters), i == startIndex || !self[i - 1].isWordLetter,
                after == endIndex || !self[after].isWordLetter
            {
                parts.append(self[begin..<i])
                (begin, i) = (after, after)
            } else {
                i += 1
            }
        }
        return parts + [self[begin..<endIndex]]
    }
}
