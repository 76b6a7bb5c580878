/// What there is to tell about a text before it is painted with.
package struct TextCount: Sendable, Equatable {
    /// Tokens of the shortest and of the longest text of its schedule.
    package var tokens: ClosedRange<Int>
    /// Pieces of the longest.
    package var pieces: Int
    package var weight: Double
    /// Calls of the model after which the text changes; and those that a run is too short for.
    package var changes: [Int]
    package var missed: [Int] = []

    package init(tokens: ClosedRange<Int>, pieces: Int, weight: Double, changes: [Int]) {
        (self.tokens, self.pieces, self.weight, self.changes) = (tokens, pieces, weight, changes)
    }
}

/// What a plan tells of all texts.
package struct WordCount: Sendable, Equatable {
    package var prompt: [TextCount]
    /// Nil where it is not read.
    package var negative: TextCount?
}

extension Studio {
    /// Refuses prompts that no model can take in, and weights that no number can bear, before anything is painted.
    ///
    /// - Throws: ``PaintingError/usage(_:)``
    package func checkLength(_ settings: Settings) throws(PaintingError) {
        let words = count(settings, evaluations: 0)
        let pieces = (words.prompt + [words.negative].compactMap { $0 }).map(\.pieces).max() ?? 0
        guard pieces <= Self.mostPieces else {
            throw .usage(
                "A prompt has \(pieces) pieces of \(model.text.room) tokens, but at most \(Self.mostPieces) are read. Write less."
            )
        }
        let texts = settings.parts.map(\.text) + [settings.negative]
        let weights = texts.flatMap { schedule($0, settings).entries }.flatMap { weighted($0.text, settings).runs }.map(
            \.weight)
        for weight in weights + settings.parts.map(\.weight) where abs(weight) > Self.largestWeight {
            throw .usage("A prompt has the weight \(weight), but at most \(Self.largestWeight) can be reckoned with.")
        }
    }

    private static let mostPieces = 64
    private static let largestWeight = 10_000.0

    /// Tokens of the prompts, and when they change.
    ///
    /// - Parameter evaluations: calls of the model in the run
    package func count(_ settings: Settings, evaluations: Int) -> WordCount {
        func told(_ text: String, weight: Double) -> TextCount {
            var told = count(text, weight: weight, settings)
            told.missed = told.changes.filter { $0 >= evaluations }
            told.changes.removeAll(where: told.missed.contains)
            return told
        }
        return WordCount(
            prompt: settings.parts.map { told($0.text, weight: $0.weight) },
            negative: settings.readsNegative ? told(settings.negative, weight: 1) : nil)
    }

    private func count(_ text: String, weight: Double, _ settings: Settings) -> TextCount {
        let schedule = self.schedule(text, settings)
        let chunks = Set(schedule.entries.map(\.text)).map { chunked($0, settings) }
        let tokens = chunks.map(\.tokenCount)
        return TextCount(
            tokens: (tokens.min() ?? 0)...(tokens.max() ?? 0), pieces: chunks.map(\.chunks.count).max() ?? 1,
            weight: weight,
            changes: schedule.entries.dropLast().enumerated().filter { $1.text != schedule.entries[$0 + 1].text }
                .map { $1.end + 1 })
    }

    private func chunked(_ text: String, _ settings: Settings) -> TextChunks {
        model.text.chunks(weighted(text, settings), names: names)
    }

    /// What beside the model decides what is painted.
    func networks(in settings: Settings) -> [PaintingEvent.Plan.Network] {
        adapters.map { .init(kind: "lora", name: $0.name, weight: $0.adapter.unet) }
            + hypernetworks.map { .init(kind: "hypernetwork", name: $0.name, weight: $0.weight) }
            + embeddings(in: settings).map { .init(kind: "embedding", name: $0.name, weight: nil) }
    }

    /// The embeddings that the prompts name: name and SHA-256.
    package func embeddings(in settings: Settings) -> [(name: String, hash: String)] {
        guard !embeddings.isEmpty else { return [] }
        let texts = settings.parts.map(\.text) + (settings.readsNegative ? [settings.negative] : [])
        let used = texts.flatMap { schedule($0, settings).entries }.flatMap { entry in
            chunked(entry.text, settings).chunks.flatMap { $0.embeddings.map(\.embedding) }
        }
        return Set(used).sorted().map { (embeddings[$0].names[0], embeddings[$0].hash) }
    }
}
