import Checkpoints

/// CLIP's byte-pair tokenizer: text to token numbers.
///
/// Text is composed (NFC), runs of white space become one space, and letters are lowered; it is cut into words, numerals
/// and runs of punctuation; each piece is spelt in bytes, and pairs are merged in the order learnt. The special tokens are
/// found in the raw text first.
///
/// Source: openai/CLIP, `clip/simple_tokenizer.py`; transformers, `CLIPTokenizer`, whose normalisation is followed.
package struct Tokenizer: Sendable {
    private let numbers: [String: Int]
    private let ranks: [Pair: Int]
    package let start: Int
    package let end: Int
    /// What fills a short text up to the encoder's length.
    package let padding: Int
    /// The comma that ends a word, behind which a long text is best cut.
    package var comma: Int? { numbers[",</w>"] }

    private struct Pair: Hashable {
        let first, second: String
    }

    /// More than any vocabulary has.
    private static let mostNumbers = 1 << 20
    private static let startText = "<|startoftext|>"
    private static let endText = "<|endoftext|>"

    /// Whether a folder has a tokenizer under this name.
    package static func isIn(_ folder: ModelFolder, part: String) -> Bool {
        folder.has("\(part)/tokenizer.json") || folder.has("\(part)/vocab.json") && folder.has("\(part)/merges.txt")
    }

    /// Reads `vocab.json` and `merges.txt`, or `tokenizer.json` where it stands alone.
    ///
    /// - Parameter part: the folder's name in the model, such as "tokenizer"
    /// - Throws: ``CheckpointError``
    package init(_ folder: ModelFolder, part: String) throws(CheckpointError) {
        if folder.has("\(part)/vocab.json"), folder.has("\(part)/merges.txt") {
            let vocabulary = try folder.file("\(part)/vocab.json")
            let merges = try folder.file("\(part)/merges.txt")
            try self.init(
                JSON(vocabulary), merges: Self.merges(merges), name: "\(folder.name)/\(part)",
                padding: try Self.padding(folder, part))
        } else if folder.has("\(part)/tokenizer.json") {
            let all = try JSON(try folder.file("\(part)/tokenizer.json"))
            guard all["model"]["type"].isNull || all["model"]["type"].text == "BPE" else {
                throw .invalid(
                    "\(folder.name)/\(part)/tokenizer.json is of the kind \(all["model"]["type"].description), but only \"BPE\" is supported."
                )
            }
            // Merges stand as "a b" in older files and as ["a", "b"] in newer ones.
            guard let list = all["model"]["merges"].list else {
                throw .invalid("\(folder.name)/\(part)/tokenizer.json has no list of merges, so it is not CLIP's kind.")
            }
            let merges = list.map { merge in
                merge.list.map { $0.compactMap(\.text) } ?? (merge.text ?? "").split(separator: " ").map(String.init)
            }
            try self.init(
                all["model"]["vocab"], merges: merges, name: "\(folder.name)/\(part)",
                padding: try Self.padding(folder, part))
        } else {
            throw .missing(
                "The model \(folder.name) has no tokenizer: neither \(part)/vocab.json with merges.txt nor \(part)/tokenizer.json. Copy it from the model's original folder."
            )
        }
    }

    /// CLIP's own vocabulary follows from its merges: every byte alone and at a word's end, every merge, start and end.
    /// Source: openai/CLIP, `clip/simple_tokenizer.py`.
    ///
    /// - Parameter padding: text of the padding token; nil for the end token
    /// - Throws: ``CheckpointError/invalid(_:)``
    package init(merges file: FileBytes, padding: String?) throws(CheckpointError) {
        let merges = Self.merges(file)
        let bytes = (Self.printable + (0..<256).filter { !Self.printable.contains($0) }).map {
            String(Character(Self.byteLetters[$0]))
        }
        let texts = bytes + bytes.map { $0 + "</w>" } + merges.map { $0.joined() } + [Self.startText, Self.endText]
        try self.init(
            .object(Dictionary(zip(texts, texts.indices.map(JSON.integer)), uniquingKeysWith: { $1 })), merges: merges,
            name: file.name, padding: padding)
    }

    private static func merges(_ file: FileBytes) -> [[String]] {
        String(decoding: file.bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .filter { !$0.hasPrefix("#version") }
            .map { $0.split(separator: " ", omittingEmptySubsequences: true).map(String.init) }
    }

    private init(_ vocabulary: JSON, merges: [[String]], name: String, padding: String?) throws(CheckpointError) {
        numbers = (vocabulary.object ?? [:]).compactMapValues(\.integer)
        for (text, value) in vocabulary.object ?? [:] where !(0..<Self.mostNumbers).contains(numbers[text] ?? -1) {
            throw .invalid(
                "The tokenizer \(name) gives \(JSON.text(text).description) the number \(value.description), but whole numbers from 0 to \(Self.mostNumbers - 1) are expected."
            )
        }
        guard let start = numbers[Self.startText], let end = numbers[Self.endText] else {
            throw .invalid(
                "The tokenizer \(name) lacks \(Self.startText) or \(Self.endText), so it is not CLIP's kind.")
        }
        var ranks: [Pair: Int] = [:]
        for (rank, merge) in merges.enumerated() {
            guard merge.count == 2 else {
                throw .invalid("The tokenizer \(name) has a merge that is not of two parts, number \(rank + 1).")
            }
            ranks[Pair(first: merge[0], second: merge[1])] = rank
        }
        (self.ranks, self.start, self.end) = (ranks, start, end)
        self.padding = padding.flatMap { [numbers] in numbers[$0] } ?? end
    }

    /// The padding token's text, where the folder says it: SDXL's second encoder and SD 2 pad with "!".
    private static func padding(_ folder: ModelFolder, _ part: String) throws(CheckpointError) -> String? {
        for name in ["special_tokens_map.json", "tokenizer_config.json"] where folder.has("\(part)/\(name)") {
            let token = try JSON(try folder.file("\(part)/\(name)"))["pad_token"]
            if let text = token.text ?? token["content"].text { return text }
        }
        return nil
    }

    /// Largest number that the tokenizer can give.
    package var largestNumber: Int { numbers.values.max() ?? 0 }

    /// Token numbers of a text, without the start and end tokens.
    package func encode(_ text: String) -> [Int] {
        var result: [Int] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            let special = [(Self.startText, start), (Self.endText, end)]
                .compactMap { text, number in rest.firstRange(ofText: text).map { ($0, number) } }
                .min { $0.0.lowerBound < $1.0.lowerBound }
            result += ordinary(rest[..<(special?.0.lowerBound ?? rest.endIndex)])
            guard let special else { break }
            result.append(special.1)
            rest = rest[special.0.upperBound...]
        }
        return result
    }

    /// What an encoder is given.
    package struct Row: Sendable {
        /// Exactly as many numbers as asked for: start, text, end, padding.
        package let tokens: [Int]
        /// Tokens of the text that did not fit.
        package let cut: [Int]
    }

    /// A text between start and end, padded or cut to `length`.
    package func row(_ text: String, length: Int) -> Row {
        let all = encode(text)
        let kept = all.prefix(length - 2)
        let tokens = [start] + kept + [end]
        return Row(
            tokens: tokens + Array(repeating: padding, count: length - tokens.count),
            cut: Array(all.dropFirst(length - 2)))
    }

    /// The text of token numbers, for messages: what a prompt lost.
    package func text(of tokens: [Int]) -> String {
        let names = Dictionary(numbers.map { ($1, $0) }, uniquingKeysWith: { a, _ in a })
        let bytes = Dictionary(uniqueKeysWithValues: zip(Self.byteLetters, UInt8.min...UInt8.max))
        var result: [UInt8] = []
        for token in tokens {
            let name = names[token] ?? ""
            let ends = name.hasSuffix("</w>")
            result += (ends ? name.dropLast(4) : name[...]).unicodeScalars.compactMap { bytes[$0] }
            if ends { result.append(UInt8(ascii: " ")) }
        }
        return String(decoding: result.last == 32 ? result.dropLast() : result[...], as: UTF8.self)
    }

    private func ordinary(_ text: Substring) -> [Int] {
        TextPieces(text).pieces.flatMap { piece -> [Int] in
            merged(piece.utf8.map { String(Character(Self.byteLetters[Int($0)])) }).map { numbers[$0] ?? end }
        }
    }

    /// Merges the earliest-learnt pair until none is left.
    private func merged(_ letters: [String]) -> [String] {
        var parts = letters
        guard let last = parts.popLast() else { return [] }
        parts.append(last + "</w>")
        while parts.count > 1 {
            var best: (rank: Int, pair: Pair)?
            for i in 0..<parts.count - 1 {
                let pair = Pair(first: parts[i], second: parts[i + 1])
                if let rank = ranks[pair], rank < best?.rank ?? .max { best = (rank, pair) }
            }
            guard let best else { break }
            var next: [String] = []
            var i = 0
            while i < parts.count {
                if i + 1 < parts.count, parts[i] == best.pair.first, parts[i + 1] == best.pair.second {
                    next.append(parts[i] + parts[i + 1])
                    i += 2
                } else {
                    next.append(parts[i])
                    i += 1
                }
            }
            parts = next
        }
        return parts
    }

    /// Bytes that stand for themselves.
    private static let printable = Array(33...126) + Array(161...172) + Array(174...255)

    /// A printable letter for every byte: itself where it is one, else the next from 256 on.
    private static let byteLetters: [Unicode.Scalar] = {
        let printable = Set(Tokenizer.printable)
        var next: UInt32 = 256
        return (0..<256).map { byte in
            if printable.contains(byte) { return Unicode.Scalar(UInt8(byte)) }
            defer { next += 1 }
            return Unicode.Scalar(next) ?? " "
        }
    }()
}

extension Substring {
    /// The first place of `text`, by code points: "e" followed by an accent still contains "e".
    fileprivate func firstRange(ofText text: String) -> Range<Index>? {
        let wanted = Array(text.unicodeScalars)
        let view = unicodeScalars
        var start = view.startIndex
        while start != view.endIndex {
            if view[start] == wanted[0], view[start...].starts(with: wanted) {
                return start..<view.index(start, offsetBy: wanted.count)
            }
            start = view.index(after: start)
        }
        return nil
    }
}
