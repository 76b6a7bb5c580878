#if canImport(Darwin)
    import Foundation
#else
    // Composition has no public name in the standard library yet; the whole of Foundation, which has one, would add 40 MB
    // of Unicode tables to the program.
    @_spi(_Unicode) import Swift
#endif

/// A text normalised and cut as CLIP's tokenizer does before it merges: contractions, words, single numerals, and runs of
/// anything else; white space only separates.
struct TextPieces {
    let pieces: [String]

    init(_ text: Substring) {
        let scalars = Self.normalised(text)
        var pieces: [String] = []
        var i = 0
        while i < scalars.count {
            let scalar = scalars[i]
            if scalar.properties.isWhitespace {
                i += 1
                continue
            }
            var end = i + 1
            if let length = Self.contraction(scalars, at: i) {
                end = i + length
            } else if scalar.isLetter {
                while end < scalars.count, scalars[end].isLetter { end += 1 }
            } else if !scalar.isNumeral {
                while end < scalars.count, scalars[end].isOther { end += 1 }
            }
            var piece = String.UnicodeScalarView()
            piece.append(contentsOf: scalars[i..<end])
            pieces.append(String(piece))
            i = end
        }
        self.pieces = pieces
    }

    private static func normalised(_ text: Substring) -> [Unicode.Scalar] {
        text.composed.flatMap { scalar -> [Unicode.Scalar] in
            // Each code point for itself, so that a Greek final sigma stays what it is.
            Array(scalar.properties.lowercaseMapping.unicodeScalars)
        }
    }

    private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.unicodeScalars) }

    private static func contraction(_ scalars: [Unicode.Scalar], at i: Int) -> Int? {
        contractions.first { scalars[i...].starts(with: $0) }?.count
    }
}

extension Unicode.Scalar {
    fileprivate var isLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }

    fileprivate var isNumeral: Bool {
        switch properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: true
        default: false
        }
    }

    fileprivate var isOther: Bool { !properties.isWhitespace && !isLetter && !isNumeral }
}

extension Substring {
    /// Canonical composition (NFC).
    fileprivate var composed: String.UnicodeScalarView {
        #if canImport(Darwin)
            String(self).precomposedStringWithCanonicalMapping.unicodeScalars
        #else
            String.UnicodeScalarView(String(self)._nfc)
        #endif
    }
}
