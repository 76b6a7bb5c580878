import Checkpoints
import Networks
import TestKit
import Testing

@Suite struct HostileTokenizerTests {
    private static let special = #""<|startoftext|>":0,"<|endoftext|>":1"#

    /// What reading a folder of these files ends with.
    private func opening(_ files: [String: String]) throws -> String? {
        try withTemporaryFolder { folder in
            for (name, text) in files { try write(Array(text.utf8), to: "\(folder)/tokenizer/\(name)") }
            let model = try ModelFolder(path: folder)
            let line = refusal {
                let tokenizer = try Tokenizer(model, part: "tokenizer")
                _ = tokenizer.row("a cat, naïve — \u{0}\u{1F600}", length: 3)
                _ = tokenizer.text(of: [-1, 0, 1, .max])
            }
            return line?.replacing(model.name, with: "model")
        }
    }

    @Test(
        "a folder without the files is refused with what is wanted",
        arguments: [
            [:], ["vocab.json": "{}"], ["merges.txt": ""],
        ])
    func missing(files: [String: String]) throws {
        let line = try #require(try opening(files))
        #expect(line.isOneLine && line.contains("vocab.json") && line.contains("tokenizer.json"), "\(line)")
    }

    @Test(
        "a vocabulary or merges of another kind are refused by name",
        arguments: [
            ("{}", "", ["<|startoftext|>"]), ("[]", "", ["<|startoftext|>"]),
            ("", "", ["vocab.json is not valid JSON"]),
            (#"{"<|startoftext|>":0}"#, "", ["<|endoftext|>"]),
            ("{\(special)}", "#version: 0.2\na b\na b c\n", ["number 2"]), ("{\(special)}", "a\n", ["number 1"]),
            (#"{\#(special),"x":-5}"#, "", [#""x""#, "-5"]),
            (#"{\#(special),"x":9223372036854775807}"#, "", ["9223372036854775807"]),
            (#"{\#(special),"x":1.5}"#, "", ["1.5"]), (#"{\#(special),"x":"2"}"#, "", [#""2""#]),
        ])
    func kinds(vocabulary: String, merges: String, parts: [String]) throws {
        let line = try #require(try opening(["vocab.json": vocabulary, "merges.txt": merges]))
        #expect(line.isOneLine && line.contains("model/tokenizer"), "\(line)")
        for part in parts { #expect(line.contains(part), "\(line) lacks \(part)") }
    }

    @Test(
        "a tokenizer.json of another kind is refused by name",
        arguments: [
            (#"{"model":{"type":"Unigram","vocab":[["a",0]]}}"#, ["Unigram"]), (#"{"model":{"type":7}}"#, ["7"]),
            (#"{"model":{"vocab":{\#(special)}}}"#, ["merges"]),
            (#"{"model":{"vocab":{\#(special)},"merges":"a b"}}"#, ["merges"]),
            (#"{"model":{"vocab":{\#(special)},"merges":["a b","c"]}}"#, ["number 2"]),
            (#"{"model":{"vocab":{\#(special)},"merges":[["a","b","c"]]}}"#, ["number 1"]),
            (#"{"model":{"vocab":{\#(special)},"merges":[7]}}"#, ["number 1"]), ("[]", ["merges"]), ("7", ["merges"]),
            ("{", ["tokenizer.json is not valid JSON"]), (#"{"model":{"vocab":{},"merges":[]}}"#, ["<|startoftext|>"]),
            (String(repeating: "[", count: 10_000), ["not valid JSON"]),
            (String(repeating: #"{"model":"#, count: 10_000), ["not valid JSON"]),
        ])
    func whole(text: String, parts: [String]) throws {
        let line = try #require(try opening(["tokenizer.json": text]))
        #expect(line.isOneLine && line.contains("model/tokenizer"), "\(line)")
        for part in parts { #expect(line.contains(part), "\(line) lacks \(part)") }
    }

    @Test("merges written with carriage returns, and bytes that are no text, are read")
    func lines() throws {
        #expect(
            try opening(["vocab.json": "{\(Self.special)}", "merges.txt": "#version: 0.2\r\na b\r\nc d\r\n\r\n"]) == nil
        )
        #expect(try opening(["vocab.json": "{\(Self.special)}", "merges.txt": ""]) == nil)
    }

    @Test(
        "a padding token that does not exist, or is no text, is padded with the end",
        arguments: [
            #"{"pad_token":"none"}"#, #"{"pad_token":7}"#, #"{"pad_token":{"content":[]}}"#, "[]", "{}",
        ])
    func padding(text: String) throws {
        let files = ["vocab.json": "{\(Self.special)}", "merges.txt": "", "special_tokens_map.json": text]
        #expect(try opening(files) == nil)
    }
}
