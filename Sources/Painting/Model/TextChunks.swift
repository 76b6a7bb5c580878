import Networks

/// A text as one encoder reads it: rows of as many tokens as the encoder has places, each between a start and an end.
///
/// BREAK ends a row early. Where a row is full, what follows its last comma moves to the next row with the word that did
/// not fit, if that comma is near. An embedding's vectors stay together.
///
/// Source: AUTOMATIC1111's web UI, `modules/sd_hijack_clip.py`.
package struct TextChunks {
    package struct Chunk: Hashable {
        /// Start, text, end, padding.
        package var tokens: [Int]
        package var weights: [Double]
        package var embeddings: [Place] = []

        /// Where an embedding's vectors stand.
        package struct Place: Hashable {
            package var position: Int
            package let embedding: Int
        }
    }

    package private(set) var chunks: [Chunk] = []
    /// Tokens of the text, without starts, ends and padding.
    package private(set) var tokenCount = 0

    /// Tokens behind a comma that may move.
    private static let backtrack = 20

    /// - Parameters:
    ///   - room: tokens that the encoder reads between start and end
    ///   - names: the embeddings that are known, spelt in the tokenizer's tokens
    package init(_ text: WeightedText, _ tokenizer: Tokenizer, room: Int, names: EmbeddingNames) {
        var (tokens, weights, places): ([Int], [Double], [Chunk.Place]) = ([], [], [])
        var lastComma: Int?
        func close() {
            tokenCount += tokens.count
            chunks.append(Self.row(tokens, weights, places, tokenizer, room: room, isCut: text.isCut))
            (tokens, weights, places, lastComma) = ([], [], [], nil)
        }
        for run in text.runs {
            if run == .pause {
                close()
                continue
            }
            let all = tokenizer.encode(run.text)
            var i = 0
            while i < all.count {
                let found = names.longest(in: all, at: i)
                let count = found?.vectorCount ?? 1
                if text.isCut, tokens.count + count > room { break }
                if all[i] == tokenizer.comma {
                    lastComma = tokens.count
                } else if tokens.count == room, let comma = lastComma, tokens.count - comma <= Self.backtrack {
                    let cut = comma + 1
                    let moved = (
                        Array(tokens[cut...]), Array(weights[cut...]),
                        places.filter { $0.position >= cut }.map {
                            Chunk.Place(position: $0.position - cut, embedding: $0.embedding)
                        }
                    )
                    (tokens, weights) = (Array(tokens[..<cut]), Array(weights[..<cut]))
                    places.removeAll { $0.position >= cut }
                    close()
                    (tokens, weights, places) = moved
                }
                if tokens.count == room { close() }
                guard let found else {
                    tokens.append(all[i])
                    weights.append(run.weight)
                    i += 1
                    continue
                }
                if tokens.count + count > room { close() }
                places.append(.init(position: tokens.count, embedding: found.embedding))
                tokens += Array(repeating: 0, count: count)
                weights += Array(repeating: run.weight, count: count)
                i += found.length
            }
        }
        if !tokens.isEmpty || chunks.isEmpty { close() }
    }

    static func empty(_ tokenizer: Tokenizer, room: Int) -> Chunk { row([], [], [], tokenizer, room: room) }

    private static func row(
        _ tokens: [Int], _ weights: [Double], _ places: [Chunk.Place], _ tokenizer: Tokenizer, room: Int,
        isCut: Bool = false
    ) -> Chunk {
        let rest = room - tokens.count
        let row = [tokenizer.start] + tokens + [tokenizer.end]
        // An end token that was written into the prompt ends the text for encoders whose padding is another token.
        let end = (row.firstIndex(of: tokenizer.end) ?? row.count - 1) + 1
        let padded = isCut || tokenizer.padding == tokenizer.end ? row : Array(row[..<end])
        return Chunk(
            tokens: padded + Array(repeating: tokenizer.padding, count: room + 2 - padded.count),
            weights: [1] + weights + Array(repeating: 1, count: rest + 1),
            embeddings: places.map { .init(position: $0.position + 1, embedding: $0.embedding) })
    }
}
