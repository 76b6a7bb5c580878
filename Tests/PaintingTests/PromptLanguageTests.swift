import Checkpoints
import Networks
import Painting
import TestKit
import Testing

/// Against the language stated once more in Python, with schedules by a grammar: `Tools/golden/prompts.py`. The table holds
/// the web UI's worked examples and more than two hundred odd prompts.
@Suite struct PromptLanguageTests {
    static func rows() throws -> [JSON] { try #require(try Golden.json("prompts/table.json").list) }

    /// Compared by code points: Swift holds "é" and "e" with an accent for one.
    static func same(_ a: String, _ b: String) -> Bool { a.unicodeScalars.elementsEqual(b.unicodeScalars) }

    static func close(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-12 * max(1, abs(b)) }

    @Test("tags, parts, schedules and weights of every prompt in the table")
    func table() throws {
        let rows = try Self.rows()
        #expect(rows.count > 200)
        for row in rows {
            let text = try #require(row["text"].text)
            let name = Comment(rawValue: String(text.debugDescription.prefix(120)))
            let tags = PromptTags(text)
            #expect(tags.tags.map(\.text) == (row["tags"].list ?? []).compactMap(\.text), name)

            let parts = PromptPart.parts(of: tags.rest)
            let expected = try #require(row["parts"].list).map { $0.list ?? [] }
            #expect(parts.count == expected.count, name)
            for (part, expected) in zip(parts, expected) {
                #expect(Self.same(part.text, try #require(expected[0].text)), name)
                #expect(Self.close(part.weight, try #require(expected[1].double)), name)
            }

            for (part, expected) in zip(parts, try #require(row["schedules"].list)) {
                let entries = PromptSchedule(part.text, calls: 10).entries
                let expected = try #require(expected.list).map { $0.list ?? [] }
                #expect(entries.map(\.end) == expected.map { $0[0].integer ?? -1 }, name)
                for (entry, expected) in zip(entries, expected) {
                    #expect(Self.same(entry.text, try #require(expected[1].text)), name)
                }
            }

            for pair in try #require(row["weights"].list).map({ $0.list ?? [] }) {
                let runs = WeightedText(try #require(pair[0].text)).runs
                let expected = try #require(pair[1].list).map { $0.list ?? [] }
                #expect(runs.count == expected.count, name)
                for (run, expected) in zip(runs, expected) {
                    #expect(Self.same(run.text, try #require(expected[0].text)), name)
                    #expect(Self.close(run.weight, try #require(expected[1].double)), name)
                }
            }
        }
    }

    @Test("every prompt in the table is cut into the same rows of tokens with the same weights")
    func pieces() throws {
        let tokenizer = try Tokenizer(try Golden.folder("tokenizer"), part: "clip")
        let names = EmbeddingNames([], tokenizer)
        for row in try Self.rows() {
            let text = try #require(row["text"].text)
            let name = Comment(rawValue: String(text.debugDescription.prefix(120)))
            let part = try #require(PromptPart.parts(of: PromptTags(text).rest).first).text
            let first = try #require(PromptSchedule(part, calls: 10).entries.first).text
            let chunks = TextChunks(WeightedText(first), tokenizer, room: 75, names: names)
            let expected = try #require(row["tokens"].list).map { ($0.list ?? []).compactMap(\.integer) }
            let rows = expected.map {
                [tokenizer.start] + $0 + Array(repeating: tokenizer.end, count: 76 - $0.count)
            }
            #expect(chunks.chunks.map(\.tokens) == rows, name)
            #expect(chunks.tokenCount == expected.joined().count, name)
            let scales = try #require(row["scales"].list).map { ($0.list ?? []).compactMap(\.double) }
            for ((chunk, own), expected) in zip(zip(chunks.chunks, expected), scales) {
                let found = Set(chunk.weights[1..<own.count + 1]).sorted()
                #expect(found.count == expected.count && zip(found, expected).allSatisfy(Self.close), name)
                #expect(chunk.weights.count == 77 && chunk.weights[0] == 1, name)
                #expect(chunk.weights[(own.count + 1)...].allSatisfy { $0 == 1 }, name)
            }
        }
    }

    @Test("a text holds up to and with the call that its schedule names, as in the web UI")
    func clock() {
        let schedule = PromptSchedule("[a:b:3]", calls: 10)
        #expect((0..<12).map(schedule.index) == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1])
        let turns = PromptSchedule("[a|b]", calls: 4)
        #expect((0..<5).map { turns.entries[turns.index(at: $0)].text } == ["a", "a", "b", "a", "b"])
    }

    @Test("hostile prompts end quickly and are words")
    func hostile() {
        for text in [
            String(repeating: "[", count: 20_000), String(repeating: "(a", count: 5000),
            String(repeating: "[a:", count: 5000) + String(repeating: ":3]", count: 5000),
            String(repeating: "[a|", count: 5000) + String(repeating: "]", count: 5000),
            String(repeating: "<a:", count: 20_000), "[a:b:1e999]", "[a:b:1.0e999]", "[a:b:-1e999]",
            "[a:b:9999999999999999999.5]",
            "(a:99999999999999999999999999)", String(repeating: "a:1)", count: 5000), "\\", "[\\", "(a:", "[a:b:",
        ] {
            #expect(PromptSchedule(text, calls: 0).entries.count == 1)
            let entries = PromptSchedule(PromptTags(text).rest, calls: 4).entries
            #expect(entries.last?.end == 4 && entries.count <= 4)
            #expect(!WeightedText(text).runs.isEmpty)
            #expect(!PromptPart.parts(of: text).isEmpty)
        }
    }

    @Test("tags of networks are read by place and by name")
    func networks() throws {
        func network(_ text: String) throws -> NamedNetwork? {
            try NamedNetwork(try #require(PromptTags(text).tags.first))
        }
        #expect(try network("<lora:x>") == .lora(name: "x", textEncoder: 1, unet: 1, rank: nil))
        #expect(try network("<lora:x:0.5>") == .lora(name: "x", textEncoder: 0.5, unet: 0.5, rank: nil))
        #expect(try network("<lora:x:0.5:-.25:8>") == .lora(name: "x", textEncoder: 0.5, unet: -0.25, rank: 8))
        #expect(try network("<lora:x:te=0.2>") == .lora(name: "x", textEncoder: 0.2, unet: 0.2, rank: nil))
        #expect(try network("<lora:x:0.5:unet=2:dyn=4>") == .lora(name: "x", textEncoder: 0.5, unet: 2, rank: 4))
        #expect(try network("<lyco:x:te=1:unet=0>") == .lora(name: "x", textEncoder: 1, unet: 0, rank: nil))
        #expect(try network("<hypernet:y>") == .hypernetwork(name: "y", weight: 1))
        #expect(try network("<hypernet:y:.3>") == .hypernetwork(name: "y", weight: 0.3))
        #expect(try network("<style:y:.3>") == nil)
        for text in [
            "<lora:x:much>", "<lora::1>", "<lora:x:1:nan>", "<lora:x:dyn=1.5>", "<lora:x:dyn=-1>", "<hypernet:y:1e999>",
        ] {
            #expect(throws: PaintingError.self, "\(text)") { try network(text) }
        }
        #expect(PromptTags("a <lora:x:1>, b").rest == "a , b")
    }
}
