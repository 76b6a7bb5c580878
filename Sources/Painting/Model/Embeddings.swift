import Checkpoints
import Networks
import Tensors

/// Words that were learnt: each stands for vectors that no vocabulary has.
///
/// Source: Gal et al., "An Image is Worth One Word" (2022); file forms of AUTOMATIC1111's web UI
/// (`modules/textual_inversion`) and of diffusers.
package struct Embedding: Sendable {
    /// What stands for it in prompts: the file's name without its ending, and the token that the file itself names.
    package let names: [String]
    /// SHA-256 of the file.
    package let hash: String
    /// For each text encoder of the model, rows of its width.
    let vectors: [[Float]]
    let vectorCount: Int

    /// - Parameters:
    ///   - tensors: everything that the file holds, by name
    ///   - file: the file's name, for messages
    ///   - widths: of the model's text encoders
    ///   - room: vectors that fit one piece of text
    /// - Throws: ``CheckpointError/invalid(_:)``
    init(
        _ tensors: [String: Tensor], file: String, stem: String, hash: String, widths: [Int], room: Int, model: String
    ) throws(CheckpointError) {
        func named(_ names: String...) -> Tensor? { names.lazy.compactMap { tensors[$0] }.first }
        var names = [stem]
        let parts: [Tensor]
        if let l = named("clip_l", "text_encoders_0"), let g = named("clip_g", "text_encoders_1"), tensors.count == 2 {
            parts = [l, g]
        } else if tensors.count == 1, let only = tensors.first {
            parts = [only.value]
            if only.key.hasPrefix("<"), only.key.hasSuffix(">"), only.key != stem { names.append(only.key) }
        } else {
            let keys = tensors.keys.sorted().prefix(5).joined(separator: ", ")
            throw .invalid(
                "\(file) is no embedding: it holds \(tensors.count) tensors (\(keys)), but one, or clip_l and clip_g, are expected."
            )
        }
        let rows = try parts.map { part throws(CheckpointError) -> Tensor in
            guard (1...2).contains(part.shape.count), part.count > 0 else {
                throw .invalid("\(file) is no embedding: its shape is \(part.shape), but rows of vectors are expected.")
            }
            return part.shape.count == 1 ? part.reshaped([1, part.count]) : part
        }
        let found = rows.map { $0.shape[1] }
        guard found == widths else {
            func told(_ widths: [Int]) -> String { widths.map(String.init).joined(separator: " and ") }
            throw .invalid(
                "The embedding \(file) is \(told(found)) wide, but the text encoder\(widths.count > 1 ? "s" : "") of \(model) \(widths.count > 1 ? "are" : "is") \(told(widths)) wide. Take one that was made for this kind of model."
            )
        }
        let count = rows[0].shape[0]
        guard rows.allSatisfy({ $0.shape[0] == count }) else {
            throw .invalid(
                "The embedding \(file) has \(rows.map { "\($0.shape[0])" }.joined(separator: " and ")) vectors for the two text encoders, but as many for both are expected."
            )
        }
        guard count <= room else {
            throw .invalid("The embedding \(file) has \(count) vectors, but \(model) reads \(room) tokens at once.")
        }
        vectors = rows.map(\.values)
        guard vectors.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
            throw .invalid("The embedding \(file) holds values that are not numbers.")
        }
        (self.names, self.hash, vectorCount) = (names, hash, count)
    }
}

/// The names of embeddings in the tokens of one tokenizer: letters count neither large nor small, as in prompts.
package struct EmbeddingNames {
    struct Match {
        let embedding: Int
        let length: Int
        let vectorCount: Int
    }

    /// By their first token, the longest first.
    private var names: [Int: [(tokens: [Int], embedding: Int, vectorCount: Int)]] = [:]

    package init(_ embeddings: [Embedding], _ tokenizer: Tokenizer) {
        for (index, embedding) in embeddings.enumerated() {
            for name in embedding.names {
                let tokens = tokenizer.encode(name)
                guard let first = tokens.first else { continue }
                names[first, default: []].append((tokens, index, embedding.vectorCount))
            }
        }
        // Stable, so that of two with one name the first holds.
        for (first, list) in names {
            names[first] = list.enumerated().sorted {
                ($1.element.tokens.count, $0.offset) < ($0.element.tokens.count, $1.offset)
            }.map(\.element)
        }
    }

    func longest(in tokens: [Int], at place: Int) -> Match? {
        guard let found = names[tokens[place]]?.first(where: { tokens[place...].starts(with: $0.tokens) }) else {
            return nil
        }
        return Match(embedding: found.embedding, length: found.tokens.count, vectorCount: found.vectorCount)
    }
}
