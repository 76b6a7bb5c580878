import Painting
import TestKit
import Testing

/// Lists of pictures out of files that anyone may have written.
@Suite struct ManifestTests {
    private func read(_ text: String, _ name: String) throws -> [Manifest.Entry] {
        try Manifest(Array(text.utf8), named: name).entries
    }

    /// The line and the text of what is wrong.
    private func refused(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation)
        -> Manifest.Fault?
    {
        do {
            _ = try Manifest(Array(text.utf8), named: name)
            Issue.record("\(text.debugDescription) is read", sourceLocation: sourceLocation)
            return nil
        } catch {
            #expect(
                error.text.hasSuffix(".") && !error.text.contains("\n"), "\(error.text)", sourceLocation: sourceLocation
            )
            return error
        }
    }

    @Test("the same list is read from all three forms")
    func forms() throws {
        let csv = "input,prompt,skip,colour\na.png,\"a lake, \"\"wide\"\"\",40,\nb.png,,60,true\n"
        let json = """
            [{"input": "a.png", "prompt": "a lake, \\"wide\\"", "skip": 40, "colour": null},
             {"input": "b.png", "prompt": null, "skip": 60, "colour": true}]
            """
        let yaml = """
            - input: a.png
              prompt: 'a lake, "wide"'
              skip: 40
              colour:
            - {input: b.png, prompt: ~, skip: 60, colour: true}
            """
        let names = ["input", "prompt", "skip", "colour"]
        for (text, name) in [(csv, "x.csv"), (json, "x.JSON"), (yaml, "x.yaml"), (yaml, "x.yml")] {
            let entries = try read(text, name)
            #expect(entries.count == 2)
            #expect(entries.allSatisfy { $0.members.map(\.name) == names })
            #expect(entries[0]["prompt"] == .text("a lake, \"wide\""))
            #expect(entries[0]["skip"] == .text("40") && entries[0]["colour"] == .nothing)
            #expect(entries[1]["prompt"] == .nothing && entries[1]["skip"] == .text("60"))
            // Only JSON has a truth of its own: elsewhere it is a word like any other.
            #expect(entries[1]["colour"] == (name == "x.JSON" ? .flag(true) : .text("true")))
        }
        #expect(try read(csv, "x.csv").map(\.line) == [2, 3])
        #expect(try read(json, "x.json").map(\.line) == [1, 2])
        #expect(try read(yaml, "x.yaml").map(\.line) == [1, 5])
    }

    @Test("CSV: byte-order mark, CRLF, empty lines, lines and quotes inside values, spaces kept")
    func csv() throws {
        let text = "\u{FEFF}input, prompt\r\n\r\na.png,\"two\r\nlines\"\r\nb.png, x \r\n\r\n\"c,d.png\",\"\"\"\""
        let entries = try read(text, "x.csv")
        #expect(entries.map { $0["input"] } == [.text("a.png"), .text("b.png"), .text("c,d.png")])
        #expect(entries.map { $0["prompt"] } == [.text("two\r\nlines"), .text(" x "), .text("\"")])
        #expect(entries.map(\.line) == [3, 5, 7])
    }

    static let badCSV: [(String, Int, String)] = [
        ("a,b\n1,2\n3\n", 3, "1 cells"), ("a,b\n1,2,3", 2, "3 cells"), ("a,b\n1,\"2\n3,4", 2, "none ends it"),
        ("a,b\n1,2\"3\"\n", 2, "quote"), ("a,b\n\"1\"2,3\n", 2, "closing quote"), ("a,\n1,2", 1, "Column 2"),
        ("a;b\n1;2", 1, "commas"), ("a\tb\n1\t2", 1, "commas"),
    ]

    @Test("CSV that is none is told with its line", arguments: badCSV)
    func noCSV(text: String, line: Int, part: String) throws {
        let fault = try #require(refused(text, "x.csv"))
        #expect(fault.line == line && fault.text.contains(part), "\(fault)")
    }

    @Test("JSON: escapes, halves of characters, numbers as they are written, lists")
    func json() throws {
        let text = """
            [ {"a\\u0062": "x\\n\\t\\/\\u00e9\\ud83d\\ude00", "seed": 18446744073709551615, "eta": 0.30,
               "lora": ["x:1", 2.5], "none": [] } ]
            """
        let entry = try #require(try read(text, "x.json").first)
        #expect(entry["ab"] == .text("x\n\t/é😀"))
        #expect(entry["seed"] == .text("18446744073709551615") && entry["eta"] == .text("0.30"))
        #expect(entry["lora"] == .list(["x:1", "2.5"]) && entry["none"] == .list([]))
        #expect(entry.members.map(\.line) == [1, 1, 1, 2, 2])
    }

    static let badJSON: [(String, Int, String)] = [
        ("", 1, "end of the file"), ("{}", 1, "beginning of a list"), ("[{}\n,]", 2, "beginning of an object"),
        ("[{\"a\":1\n\"b\":2}]", 2, "comma"), ("[{\"a\":1,\n\"a\":2}]", 2, "twice"), ("[{\"a\":\n{}}]", 2, "inside"),
        ("[{\"a\":[[1]]}]", 1, "expected"), ("[{\"a\":tru}]", 1, "a value"), ("[{\"a\":01x}]", 1, "comma"),
        ("[{\"a\":\"x\ny\"}]", 1, "ends a text"), ("[{\"a\":\"\\x\"}]", 1, "escape"),
        ("[{\"a\":\"\\ud800\"}]", 1, "half"), ("[{\"a\":\"\\ud83d\\u0041\"}]", 1, "half"),
        ("[{\"a\":\"\\u12\"}]", 1, "hexadecimal"), ("[{\"a\":\"x", 1, "none ends it"), ("[]\n[]", 2, "end of the file"),
        ("[{\"a\":\"\\\n\"}]", 1, "escape"), ("[{\"a\\n\":1,\"a\\n\":2}]", 1, "twice"),
        ("[{'a':1}]", 1, "in quotes"), (String(repeating: "[", count: 100_000), 1, "beginning of an object"),
    ]

    @Test("JSON that is none is told with its line", arguments: badJSON)
    func noJSON(text: String, line: Int, part: String) throws {
        let fault = try #require(refused(text, "x.json"))
        #expect(fault.line == line && fault.text.contains(part), "\(fault)")
        #expect(fault.text.split(whereSeparator: \.isNewline).count == 1, "\(fault)")
    }

    @Test("YAML: words stay words, blocks are read, comments are not")
    func yaml() throws {
        let text = """
            # a comment
            - prompt: no
              seed: 007
              on: "~"
              negative: |
                two
                lines
              lora: [x:1, 2]
            """
        let entry = try #require(try read(text, "x.yaml").first)
        #expect(entry.line == 2)
        #expect(entry["prompt"] == .text("no") && entry["seed"] == .text("007") && entry["on"] == .text("~"))
        #expect(entry["negative"] == .text("two\nlines\n") && entry["lora"] == .list(["x:1", "2"]))
        #expect(try read("", "x.yaml").isEmpty && read("[]", "x.yaml").isEmpty)
    }

    static let badYAML: [(String, Int, String)] = [
        ("a: 1", 1, "list"), ("- x", 1, "entry"), ("- a: 1\n  a: 2", 2, "twice"), ("- a:\n    b: 1", 2, "inside"),
        ("- a: [[1]]", 1, "texts"), ("- a: &x 1", 1, "nchor"), ("- a: 1\n- *x", 2, "lias"),
        ("- a: !!python/object:os.system x", 1, "tag"), ("- {a: 1", 2, "no YAML"), ("- a: 1\n\t- b", 2, "no YAML"),
        ("- a: 1\n---\n- b: 2", 2, "second"), ("- [a, b]: 1", 1, "name"),
        (String(repeating: "[", count: 100_000), 1, "entry"),
        ("- a: &a [1]\n- b: [*a, *a]", 1, "nchor"),
    ]

    @Test("YAML that is none, or that could grow, is told with its line", arguments: badYAML)
    func noYAML(text: String, line: Int, part: String) throws {
        let fault = try #require(refused(text, "x.yaml"))
        #expect(fault.line == line && fault.text.contains(part), "\(fault)")
    }

    @Test("what is no text is refused with its line, and so is a name that says no form")
    func noText() throws {
        for bytes in [Array("a,b\n1,".utf8) + [0xFF, 0xFE], Array("a,b\n1,\0".utf8)] {
            let thrown = #expect(throws: Manifest.Fault.self) { try Manifest(bytes, named: "x.csv") }
            #expect(try #require(thrown).line == 2 && thrown?.text.contains("UTF-8") == true)
        }
        #expect(try #require(refused("a", "x.txt")).text.contains(".csv"))
    }

    @Test("more than the limits is refused")
    func limits() throws {
        let many = "input\n" + String(repeating: "a\n", count: Manifest.mostEntries + 1)
        #expect(try #require(refused(many, "x.csv")).line == Manifest.mostEntries + 2)
        let wide = (0...Manifest.mostMembers).map { "c\($0)" }.joined(separator: ",")
        #expect(try #require(refused(wide + "\n" + wide, "x.csv")).line == 2)
    }

    @Test("every cut of a manifest is read or told, and nothing hangs")
    func truncations() {
        let texts = [
            ("x.csv", "input,prompt\n\"a\"\"\r\n.png\",b\n"),
            ("x.json", "[{\"a\": \"\\ud83d\\ude00\\n\", \"b\": [1, \"x\"], \"c\": true}, {}]"),
            ("x.yaml", "- a: \"\\x41\"\n  b: [1, 'it''s']\n  c: |\n    x\n- {d: ~}\n"),
        ]
        var (readable, refused) = (0, 0)
        for (name, text) in texts {
            let bytes = Array(text.utf8)
            for count in 0...bytes.count {
                do {
                    _ = try Manifest(Array(bytes.prefix(count)), named: name)
                    readable += 1
                } catch {
                    refused += 1
                }
            }
        }
        #expect(readable > 20 && refused > 60)
    }
}
