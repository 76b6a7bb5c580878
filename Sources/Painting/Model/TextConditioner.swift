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
    init(_ folder: ModelFolder, on engine: Engine) throws(CheckpointError) {
        var readers: [(Tokenizer, TextEncoder)] = []
        for suffix in ["", "_2"] where folder.has("text_encoder\(suffix)/config.json") {
            let encoder = try TextEncoder.load(folder, "text_encoder\(suffix)", on: engine)
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

    /// The part of a prompt that does not fit, in words; empty when all fits.
    package func cut(_ prompt: String) -> String {
        guard let reader = readers.first else { return "" }
        let row = reader.tokenizer.row(prompt, length: reader.encoder.configuration.positions)
        return reader.tokenizer.text(of: row.cut)
    }

    /// Number of tokens that a prompt may have.
    package var room: Int { (readers.first?.encoder.configuration.positions ?? 2) - 2 }

    /// Layers of the first encoder: what a clip skip can count.
    package var layers: Int { readers.first?.encoder.configuration.layers ?? 0 }

    /// - Parameter skip: how far from the last layer the text is taken ("clip skip"); nil for the model's own way
    package func callAsFunction(_ prompt: String, skip: Int?) throws -> Conditioning {
        var contexts: [Tensor] = []
        var pooled: Tensor?
        for (tokenizer, encoder) in readers {
            let encoding = try encoder([tokenizer.row(prompt, length: encoder.configuration.positions).tokens])
            if readers.count == 1 {
                contexts.append(skip.map { encoder.normalised(encoding, skip: $0) } ?? encoding.last)
            } else {
                // SDXL takes the penultimate states as they are; a clip skip of 1 means that one.
                contexts.append(encoding.states[max(encoding.states.count - 1 - (skip ?? 1), 0)])
                pooled = encoding.projected ?? pooled
            }
        }
        return Conditioning(context: Self.joined(contexts), pooled: pooled)
    }

    /// Side by side along the last dimension.
    private static func joined(_ parts: [Tensor]) -> Tensor {
        guard parts.count > 1 else { return parts[0] }
        let tokens = parts[0].shape[1]
        let width = parts.reduce(0) { $0 + $1.shape[2] }
        var values: [Float] = []
        values.reserveCapacity(tokens * width)
        for token in 0..<tokens {
            for part in parts {
                let own = part.shape[2]
                values += part.items(0..<1).values[token * own..<(token + 1) * own]
            }
        }
        return Tensor([1, tokens, width], values)
    }
}
