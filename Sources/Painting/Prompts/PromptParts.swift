/// A prompt taken apart at the word AND: each part is guided towards by itself, as hard as its weight says.
///
///     sky AND sea :0.5 AND fog:-1
///
/// A weight after the last colon holds for a prompt without AND too. In negative prompts AND is a word like others.
///
/// Source: AUTOMATIC1111's web UI, `modules/prompt_parser.py`; Liu et al., "Compositional Visual Generation" (2022).
package struct PromptPart: Equatable {
    package let text: String
    package let weight: Double

    package static func parts(of prompt: String) -> [PromptPart] {
        Array(prompt.unicodeScalars).parts(betweenWord: "AND").map(PromptPart.init)
    }

    init(text: String, weight: Double) { (self.text, self.weight) = (text, weight) }

    private init(_ part: ArraySlice<Unicode.Scalar>) {
        let trimmed = part.droppingBlanksBehind()
        if let colon = trimmed.lastIndex(of: ":"),
            let weight = Self.weight(trimmed[(colon + 1)...].droppingBlanksInFront())
        {
            self.init(text: String(trimmed[..<colon].droppingBlanksBehind()), weight: weight)
        } else {
            self.init(text: String(trimmed), weight: 1)
        }
    }

    /// A decimal number without an exponent.
    private static func weight(_ text: ArraySlice<Unicode.Scalar>) -> Double? {
        text.contains("e") || text.contains("E") ? nil : decimal(String(text))
    }
}
