import Checkpoints
import TestKit
import Testing

@Suite struct JSONTests {
    private func read(_ text: String) throws -> JSON { try withGuardedFile(Array(text.utf8)) { try JSON($0) } }

    @Test("every kind of value is read, and Python's infinities")
    func values() throws {
        let json = try read(#"{"a":[null,true,-7,0.5,"t\u0000\u00e9"],"b":{}}"#)
        #expect(json["a"] == .list([.null, .bool(true), .integer(-7), .number(0.5), .text("t\u{0}é")]))
        #expect(json["b"] == .object([:]) && json["c"].isNull && json["a"]["b"].isNull)
        #expect(try read("[Infinity, -Infinity]") == .list([.number(.infinity), .number(-.infinity)]))
        #expect(try #require(read("[NaN]").list?.first?.double).isNaN)
        #expect(
            try read(#"{"NaN \" Infinity":-Infinity,"\\":"NaN"}"#)
                == .object([#"NaN " Infinity"#: .number(-.infinity), #"\"#: .text("NaN")]))
        #expect(try read("[99999999999999999999, 1e300]").list?.compactMap(\.integer) == [])
    }

    @Test(
        "what is not JSON is refused by name, whatever its depth",
        arguments: [
            "", " ", "{", "[1,", #"{"a"}"#, #"{"a":}"#, "\u{FEFF}", "nul", #""abc"#,
            // Fuzzing found that Foundation's JSON5 ended the process on the like of these.
            "+" + String(repeating: "1", count: 60), #"{"a":+111111111111111111111111111111}"#, "[NaNaN]", "[-NaN]",
            String(repeating: "[", count: 100_000),
            String(repeating: "[", count: 5000) + String(repeating: "]", count: 5000),
            String(repeating: #"{"a":"#, count: 5000) + "1" + String(repeating: "}", count: 5000),
        ])
    func refusals(text: String) throws {
        #expect(refusal { _ = try read(text) } == "it is not valid JSON.")
    }

    @Test(
        "bytes that are no text are refused",
        arguments: [
            [0xff], Array(#"["\ud800"]"#.utf8), [0xff, 0xfe, 0x5b], [0x22, 0x80, 0x22], [0, 0, 0, 0],
            [0x7B, 0xFD, 0x75, 0xF5, 0x93, 0x03, 0x63, 0xFF, 0x40, 0, 0, 0, 0, 0x93, 0x23, 0xA8, 0x50, 0xBD],
        ]
            as [[UInt8]])
    func bytes(bytes: [UInt8]) throws {
        let line = try withGuardedFile(bytes) { file in refusal { _ = try JSON(file) } }
        #expect(line?.isOneLine == true && line?.hasPrefix("it ") == true, "\(line ?? "taken")")
    }

    @Test("a value in a message is short, whatever it is")
    func descriptions() throws {
        #expect(try read(#"[1, 0.5, "a", null, {"b": 1}]"#).description == #"[1, 0.5, "a", null, {…}]"#)
        #expect(JSON.list(Array(repeating: .integer(1), count: 100_000)).description.count < 100)
        #expect(JSON.text(String(repeating: "x", count: 100_000)).description.count < 110)
    }
}
