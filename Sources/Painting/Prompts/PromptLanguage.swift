import Sampling

extension Settings {
    /// The prompt's parts and their weights.
    var parts: [PromptPart] {
        conventions.prompts == .plain
            ? [PromptPart(text: prompt, weight: 1)] : PromptPart.parts(of: PromptTags(prompt).rest)
    }

    /// The weight of a prompt that is not made of several parts: often an accident, such as "16:9" at its end.
    package var loneWeight: Double? { parts.count == 1 ? parts[0].weight : nil }

    /// Whether each step asks the model what it sees under the negative prompt too. Without guidance that is so where parts do
    /// not make up one whole.
    var readsNegative: Bool { isGuided || parts.reduce(0) { $0 + $1.weight } != 1 }

    /// Predictions in each call of the model.
    var predictions: Int { parts.count + (readsNegative ? 1 : 0) }

    /// Calls of the model in a whole run, of which prompt schedules take their fractions: of the whole schedule, however much of
    /// it a skip leaves, or of exactly the steps that were asked for.
    var calls: Int { (runSteps ?? steps) * sampler.evaluationsInStep }

    /// Refuses what cannot be painted with, before a model is loaded.
    ///
    /// - Parameter picture: the picture that the words come from; nil where options gave them
    /// - Throws: ``PaintingError/usage(_:)``
    package func checkWords(from picture: String? = nil) throws(PaintingError) {
        let prompt = (name: picture.map { "The prompt in \($0)" } ?? "--prompt", text: self.prompt)
        let negative = (name: picture.map { "The negative prompt in \($0)" } ?? "--negative", text: self.negative)
        for (name, text) in [prompt, negative] {
            let count = text.unicodeScalars.count
            guard count <= Self.mostLetters else {
                throw .usage("\(name) has \(count) letters, but at most \(Self.mostLetters) are read. Write less.")
            }
        }
        // Tags with a value that is none.
        _ = try networks()
    }

    /// The networks that the prompt's tags name; none where every character is a word's.
    ///
    /// - Throws: ``PaintingError/usage(_:)`` for a tag with a value that is none
    package func networks() throws(PaintingError) -> [NamedNetwork] {
        guard conventions.prompts == .weighted else { return [] }
        var found: [NamedNetwork] = []
        for tag in PromptTags(prompt).tags {
            if let network = try NamedNetwork(tag) { found.append(network) }
        }
        return found
    }

    static let mostLetters = 1 << 15
}
