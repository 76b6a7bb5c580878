import Checkpoints
import TestKit
import Testing

@Suite struct SafetensorsTests {
    /// Three tensors, one of them empty, and metadata.
    private static let sound = safetensors(
        #"{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"#
            + #""b":{"dtype":"F16","shape":[0,7],"data_offsets":[24,24]},"c":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}}"#,
        buffer: Array(0..<26))

    private func refused(_ bytes: [UInt8]) throws -> String? {
        try withGuardedFile(bytes, name: "weights.safetensors") { file in refusal { try Self.read(file) } }
    }

    /// Opens a file and reads everything in it.
    private static func read(_ bytes: FileBytes) throws {
        let file = try TensorFile(safetensors: bytes)
        for (key, entry) in file.entries {
            _ = file.bytes(entry).reduce(0) { $0 &+ Int($1) }
            _ = (try? file.weights(key))??.floats()
        }
    }

    @Test("a sound file is read, empty tensors and scalars too")
    func sound() throws {
        try withGuardedFile(Self.sound) { bytes in
            let file = try TensorFile(safetensors: bytes)
            #expect(file.metadata == ["format": "pt"])
            #expect(file.entries["a"]?.shape == [2, 3] && file.entries["b"]?.shape == [0, 7])
            #expect(Array(file.bytes(try #require(file.entries["c"]))) == [24, 25])
            #expect(try file.weights("b")?.floats() == [])
            #expect(try file.weights("a")?.floats().count == 6)
            #expect(try file.weights("d") == nil)
        }
    }

    @Test("every way of cutting a file short is refused")
    func truncation() throws {
        var met = 0
        for length in 0..<Self.sound.count {
            met += 1
            let line = try #require(try refused(Array(Self.sound[..<length])), "cut to \(length)")
            #expect(line.isOneLine && line.hasPrefix("weights.safetensors "), "\(line)")
        }
        #expect(met == Self.sound.count && met > 200)
        #expect(try refused(Self.sound) == nil)
        #expect(try refused(Self.sound + [0]) != nil)
    }

    @Test("changed bytes are a refusal or a file, never a crash")
    func mutation() throws {
        var generator = SeededGenerator(20)
        var refusals = 0
        for round in 0..<5000 {
            var bytes = Self.sound
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
            }
            if let line = try refused(bytes) {
                refusals += 1
                if !line.isOneLine { Issue.record("round \(round): \(line.debugDescription)") }
            }
        }
        #expect(refusals > 2500)
    }

    @Test(
        "a header length that lies is refused with both numbers",
        arguments: [UInt64.max, 1 << 63, 1 << 62, 1 << 40, 100_000_001, 300])
    func headerLength(length: UInt64) throws {
        var bytes = Self.sound
        bytes.replaceSubrange(0..<8, with: withUnsafeBytes(of: length.littleEndian, Array.init))
        let line = try #require(try refused(bytes))
        #expect(line.contains("\(length)") && line.contains("\(bytes.count)"), "\(line)")
    }

    @Test(
        "a header that is not the expected JSON is refused",
        arguments: [
            "", " ", "[]", "7", "null", "{", "{}}", #"{"a":7}"#, #"{"a":{"dtype":"F32"}}"#, #"{"a":null}"#,
            #"{"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[1e30],"data_offsets":[0,4]}}"#,
            #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#,
            String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000),
            String(repeating: #"{"a":"#, count: 10_000) + "1" + String(repeating: "}", count: 10_000),
            String(repeating: #"{"a":"#, count: 400) + "1" + String(repeating: "}", count: 400),
        ])
    func headerText(header: String) throws {
        let line = try #require(try refused(safetensors(header, buffer: [0, 0, 0, 0])))
        #expect(line.isOneLine && line.contains("weights.safetensors") && line.count < 300, "\(line)")
    }

    @Test(
        "what a header claims is held against the file, and the refusal names the tensor and the numbers",
        arguments: [
            // Offsets.
            (#""a":{"dtype":"F32","shape":[2],"data_offsets":[0,12]}"#, ["a", "12", "8"]),
            (#""a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}"#, ["a", "[0, 12]", "8 bytes"]),
            (#""a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}"#, ["a", "[8, 0]"]),
            (#""a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}"#, ["a", "[-8, 0]"]),
            (#""a":{"dtype":"F32","shape":[2],"data_offsets":[0]}"#, ["a", "[0]"]),
            (#""a":{"dtype":"F32","shape":[2],"data_offsets":[0,4,8]}"#, ["a", "[0, 4, 8]"]),
            (
                #""a":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775800,9223372036854775807]}"#,
                ["a", "8 bytes"]
            ),
            // Shapes.
            (#""a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}"#, ["a", "[3]", "12", "8"]),
            (#""a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}"#, ["a", "[-2]"]),
            (#""a":{"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]}"#, ["a", "[-1, -2]"]),
            (#""a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}"#, ["a", "4294967296"]),
            (
                #""a":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,8]}"#,
                ["a", "9223372036854775807"]
            ),
            // Formats.
            (#""a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}"#, ["a", "F31"]),
            (#""a":{"dtype":"","shape":[2],"data_offsets":[0,8]}"#, ["a", "number format"]),
            // Holes, overlaps, leftovers.
            (
                #""a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}"#,
                ["b", "3", "4"]
            ),
            (
                #""a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}"#,
                ["0", "4"]
            ),
            (
                #""a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}"#,
                ["b", "4", "3"]
            ),
            (#""a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}"#, ["4 of 8"]),
            (#""a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}"#, ["a", "4", "0"]),
            (
                #""a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}"#,
                ["4"]
            ),
            ("", ["0 of 8"]),
            // Names that would break the line or steer the terminal.
            (#""a\nb\u001b[2J":{"dtype":"U9","shape":[8],"data_offsets":[0,8]}"#, [#"a\u{a}b\u{1b}"#, "U9"]),
        ])
    func claims(entries: String, parts: [String]) throws {
        let line = try #require(try refused(safetensors("{\(entries)}", buffer: Array(repeating: 0, count: 8))))
        #expect(line.isOneLine && line.hasPrefix("weights.safetensors is not a valid safetensors file: "), "\(line)")
        for part in parts { #expect(line.contains(part), "\(line) lacks \(part)") }
    }

    @Test(
        "metadata of any kind does no harm",
        arguments: [
            "7", "null", "[]", #"{"a":7}"#, #"{"a":{"b":"c"}}"#, #""text""#, "{}",
        ])
    func metadata(value: String) throws {
        try withGuardedFile(safetensors(#"{"__metadata__":\#(value)}"#)) { bytes in
            let file = try TensorFile(safetensors: bytes)
            #expect(file.metadata.isEmpty && file.entries.isEmpty)
        }
    }

    @Test("numbers that no network is made of are refused by name when asked for")
    func formats() throws {
        let bytes = safetensors(
            #"{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#, buffer: [0, 0, 0, 0, 0, 0, 0, 0])
        try withGuardedFile(bytes, name: "weights.safetensors") { bytes in
            let file = try TensorFile(safetensors: bytes)
            let line = try #require(refusal { _ = try file.weights("a") })
            #expect(
                line == "weights.safetensors holds a as F64, but weights must be F32, F16, BF16, F8_E4M3 or F8_E5M2.")
        }
    }
}
