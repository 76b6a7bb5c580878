import Checkpoints
import Networks
import TestKit
import Testing

/// Against transformers' `CLIPTokenizer`: `Tools/golden/tokenizer.py`.
@Suite struct TokenizerParityTests {
    @Test(
        "two hundred texts become the same token numbers",
        arguments: [
            ("tokenizer", "clip", "clip"), ("tokenizer", "miniature-fast", "miniature"),
            ("tokenizer", "miniature-fast-lists", "miniature"),
            ("../../Sources/CMiniature/model", "tokenizer", "miniature"),
        ])
    func parity(folder: String, part: String, ids: String) throws {
        let tokenizer = try Tokenizer(try Golden.folder(folder), part: part)
        let texts = try #require(try Golden.json("tokenizer/strings.json").list).compactMap(\.text)
        let expected = try #require(try Golden.json("tokenizer/ids-\(ids).json").list)
            .map { ($0.list ?? []).compactMap(\.integer) }
        #expect(texts.count == 200 && expected.count == 200)
        for (text, expected) in zip(texts, expected) {
            let actual = [tokenizer.start] + tokenizer.encode(text) + [tokenizer.end]
            #expect(actual == expected, "\(text.debugDescription)")
        }
    }

    @Test("a long text is cut, and what was cut can be told")
    func cut() throws {
        let tokenizer = try Tokenizer(try Golden.folder("tokenizer"), part: "clip")
        let row = tokenizer.row((0..<80).map { _ in "cat" }.joined(separator: " "), length: 77)
        #expect(row.tokens.count == 77 && row.tokens.last == tokenizer.end)
        #expect(tokenizer.text(of: row.cut) == "cat cat cat cat cat")
    }
}
