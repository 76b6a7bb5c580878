import Checkpoints
import Networks
import Tensors

/// What a network is told about the picture: the text, read.
package struct Conditioning: Sendable {
    /// `[1, T, contextWidth]`
    package let context: Tensor
    /// SDXL's summary of the text, `[1, P]`.
    package let pooled: Tensor?

    /// Zeros of the same shapes.
    var zeros: Conditioning {
        Conditioning(
            context: Tensor(context.shape, repeating: 0), pooled: pooled.map { Tensor($0.shape, repeating: 0) })
    }
}

/// Turns prompts into what a UNet attends to: one encoder, or SDXL's two side by side.
package struct TextConditioner: Sendable {
    private let readers: [(tokenizer: Tokenizer, encoder: TextEncoder)]

    /// - Throws: ``CheckpointError`` naming what is wrong with the folder
    init(_ folder: ModelFolder, on engine: Engine, adapters: AdapterLedger? = nil) throws(CheckpointError) {
        var readers: [(Tokenizer, TextEncoder)] = []
        for suffix in ["", "_2"] where folder.has("text_encoder\(suffix)/config.json") {
            let encoder = try TextEncoder.load(folder, "text_encoder\(suffix)", on: engine, adapters: adapters)
            // OpenCLIP's encoders were trained with texts filled up with token 0.
            let hasOwn = Tokenizer.isIn(folder, part: "tokenizer\(suffix)")
            let tokenizer =
                hasOwn
                ? try Tokenizer(folder, part: "tokenizer\(suffix)")
                : try Tokenizer(merges: .clipMerges, padding: encoder.configuration.activation == .gelu ? "!" : nil)
            guard tokenizer.largestNumber < encoder.configuration.vocabulary else {
                if !hasOwn {
                    throw .missing(
                        "The model \(folder.name) has no tokenizer\(suffix), and CLIP's does not fit its text encoder of \(encoder.configuration.vocabulary) entries. Copy the tokenizer from the model's original folder."
                    )
                }
                throw .invalid(
                    "The tokenizer of \(folder.name) has \(tokenizer.largestNumber + 1) entries but its text encoder \(encoder.configuration.vocabulary). Check that both belong to the model."
                )
            }
            readers.append((tokenizer, encoder))
        }
        guard !readers.isEmpty else { throw .missing("The model \(folder.name) has no text_encoder/config.json.") }
        let rooms = readers.map { $0.1.configuration.positions }
        guard Set(rooms).count == 1 else {
            throw .invalid(
                "The text encoders of \(folder.name) read \(rooms.map(String.init).joined(separator: " and ")) positions, but both must read as many."
            )
        }
        self.readers = readers
    }

    /// Width of what the UNet gets for each token.
    var contextWidth: Int { readers.reduce(0) { $0 + $1.encoder.configuration.width } }
    var pooledWidth: Int? { readers.last?.encoder.configuration.projectionWidth }

    /// The part of a text that does not fit where texts are read in one piece, in words; empty when all fits.
    package func cut(_ prompt: String) -> String {
        guard let reader = readers.first else { return "" }
        let row = reader.tokenizer.row(prompt, length: reader.encoder.configuration.positions)
        return reader.tokenizer.text(of: row.cut)
    }

    /// Number of tokens that are read in one piece.
    package var room: Int { (readers.first?.encoder.configuration.positions ?? 2) - 2 }

    /// Layers of the first encoder: what a clip skip can count.
    package var layers: Int { readers.first?.encoder.configuration.layers ?? 0 }

    /// Where the weights of the encoders are kept.
    var shelves: [Shelf] { readers.map(\.encoder.shelf) }

    /// Bytes that reading one piece of text works in.
    var working: Double { readers.map { $0.encoder.configuration.workingBytes(tokens: room + 2) }.max() ?? 0 }

    /// Widths of the text encoders.
    var widths: [Int] { readers.map(\.encoder.configuration.width) }

    /// The names of embeddings, for each encoder in its tokens.
    func names(_ embeddings: [Embedding]) -> [EmbeddingNames] {
        readers.map { EmbeddingNames(embeddings, $0.tokenizer) }
    }

    /// How the first encoder reads a text.
    func chunks(_ text: WeightedText, names: [EmbeddingNames]) -> TextChunks {
        TextChunks(text, readers[0].tokenizer, room: room, names: names[0])
    }

    /// A text without weights, cut where it is too long.
    ///
    /// - Parameter skip: how far from the last layer the text is taken ("clip skip"); nil for the model's own way
    package func callAsFunction(_ prompt: String, skip: Int?) throws -> Conditioning {
        try self([(WeightedText(plain: prompt), 1)], embeddings: [], names: names([]), skip: skip)[0]
    }

    /// The texts that a prompt goes through, read together as other tools do: shorter ones are filled up with empty pieces
    /// to the longest, and where words have weights, the mean of all values of all texts' pieces at one place is kept.
    ///
    /// - Parameter texts: each with how many calls of its schedule name it, which is how much it counts in the mean
    func callAsFunction(
        _ texts: [(text: WeightedText, count: Int)], embeddings: [Embedding], names: [EmbeddingNames], skip: Int?
    ) throws -> [Conditioning] {
        let chunked = zip(readers, names).map { reader, names in
            texts.map { TextChunks($0.text, reader.tokenizer, room: room, names: names).chunks }
        }
        let length = chunked.joined().map(\.count).max() ?? 1
        // For each text: its pieces, each as every encoder reads it.
        var contexts = texts.map { _ in (0..<length).map { _ in [Tensor]() } }
        var pooled: [Tensor?] = texts.map { _ in nil }
        for (place, (tokenizer, encoder)) in readers.enumerated() {
            var known: [TextChunks.Chunk: (state: Tensor, summary: Tensor?)] = [:]
            for piece in 0..<length {
                let rows = chunked[place].map { $0.count > piece ? $0[piece] : TextChunks.empty(tokenizer, room: room) }
                var states: [Tensor] = []
                for (index, row) in rows.enumerated() {
                    // A word's weight does not change how it is read.
                    var key = row
                    key.weights = []
                    let insertions = row.embeddings.map {
                        TextEncoder.Insertion(at: $0.position, embeddings[$0.embedding].vectors[place])
                    }
                    let read = try known[key] ?? self.read([row.tokens], insertions, encoder, skip: skip)
                    known[key] = read
                    states.append(read.state)
                    if piece == 0, let summary = read.summary { pooled[index] = summary }
                }
                let weighted = Self.weighted(states, rows.map(\.weights), counts: texts.map(\.count))
                for (index, state) in weighted.enumerated() { contexts[index][piece].append(state) }
            }
        }
        return zip(contexts, pooled).map { Conditioning(context: Self.joined($0), pooled: $1) }
    }

    private func read(
        _ tokens: [[Int]], _ insertions: [TextEncoder.Insertion], _ encoder: TextEncoder, skip: Int?
    ) throws -> (state: Tensor, summary: Tensor?) {
        let encoding = try encoder(tokens, inserting: insertions.isEmpty ? [] : [insertions])
        // SDXL takes the penultimate states as they are, whatever the skip.
        guard readers.count == 1 else {
            return (encoding.states[max(encoding.states.count - 2, 0)], encoding.projected)
        }
        return (skip.map { encoder.normalised(encoding, skip: $0) } ?? encoding.last, nil)
    }

    /// Each place's values times its word's weight; then all times one factor that gives them their old mean.
    private static func weighted(_ states: [Tensor], _ weights: [[Double]], counts: [Int]) -> [Tensor] {
        guard weights.contains(where: { $0.contains { $0 != 1 } }) else { return states }
        func mean(_ states: [Tensor]) -> Double {
            zip(states, counts).reduce(0) { sum, state in
                sum + Double(state.1) * state.0.values.reduce(0) { $0 + Double($1) }
            }
        }
        let scaled = zip(states, weights).map { state, weights in
            var scaled = state
            let width = state.shape[2]
            scaled.withMutablePointer { values in
                for (row, weight) in weights.enumerated() where weight != 1 {
                    for i in row * width..<(row + 1) * width { values[i] *= Float(weight) }
                }
            }
            return scaled
        }
        let (before, after) = (mean(states), mean(scaled))
        return after == 0 ? scaled : scaled.map { (before / after) * $0 }
    }

    /// Pieces one after the other; in each, what the encoders made of it side by side.
    private static func joined(_ pieces: [[Tensor]]) -> Tensor {
        if pieces.count == 1, pieces[0].count == 1 { return pieces[0][0] }
        let width = pieces[0].reduce(0) { $0 + $1.shape[2] }
        var values: [Float] = []
        for parts in pieces {
            let all = parts.map { (values: $0.values, width: $0.shape[2]) }
            for token in 0..<parts[0].shape[1] {
                for part in all { values += part.values[token * part.width..<(token + 1) * part.width] }
            }
        }
        return Tensor([1, values.count / width, width], values)
    }
}
