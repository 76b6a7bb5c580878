import Checkpoints
import RasterFiles
import TestKit
import Testing

/// Archives that torch wrote, and legacy ones made by hand: `Tools/golden/torch_archives.py`.
@Suite struct TorchArchiveTests {
    private func open(_ name: String) throws -> TensorFile {
        try TensorFile(try FileBytes(path: Golden.path("torch/\(name)"), name: name))
    }

    /// Every tensor has the expected format, shape and bytes.
    private func expect(_ file: TensorFile, _ expected: String) throws {
        let reference = try open(expected)
        #expect(file.entries.keys.sorted() == reference.entries.keys.sorted())
        for (key, wanted) in reference.entries {
            let entry = try #require(file.entries[key], "\(key) is missing")
            #expect(entry.format == wanted.format && entry.shape == wanted.shape, "\(key)")
            let same = file.withBytes(of: entry) { ours in reference.withBytes(of: wanted) { ours.elementsEqual($0) } }
            #expect(same, "the bytes of \(key) differ")
        }
    }

    @Test(
        "every number format, stride and storage is read from each of torch's forms",
        arguments: ["zip.pt", "legacy.pt", "trained.ckpt", "trained-legacy.ckpt", "protocol4.pt"])
    func forms(name: String) throws {
        try expect(try open(name), "state.safetensors")
    }

    private static let releases = ["1.13.1", "2.0.1", "2.4.1"]

    @Test("what several releases of torch write is the same", arguments: releases)
    func versions(version: String) throws {
        for ending in [".ckpt", "-legacy.ckpt"] {
            let file = try open("versions/\(version)\(ending)")
            try expect(file, "versions/state.safetensors")
            #expect(file.metadata["global_step"] == "470000")
        }
        let module = try open("versions/\(version)-module.pt")
        #expect(
            module.entries.mapValues(\.shape) == ["0.weight": [3, 2], "0.bias": [3], "1.weight": [3], "1.bias": [3]])
        #expect(try module.weights("1.weight")?.floats() == [1, 1, 1])
    }

    @Test("sizes and places in the fields of zip64 are read, and lies in them refused")
    func wideArchive() throws {
        try expect(try open("versions/zip64.ckpt"), "versions/state.safetensors")
        let sound = try WholeFile.read(Golden.path("torch/versions/zip64.ckpt"))
        // The last record says nothing itself.
        #expect(sound.suffix(14).prefix(12).allSatisfy { $0 == 0xFF })
        // How many records there are, their size and their place; and the place of these numbers.
        for place in [-98 + 32, -98 + 40, -98 + 48, -42 + 8] {
            var bytes = sound
            bytes[sound.count + place + 5] = 0x7F
            let line = try withGuardedFile(bytes, name: "it.ckpt") { file in refusal { _ = try TensorFile(file) } }
            #expect(line?.isOneLine == true, "\(place): \(line ?? "not refused")")
        }
    }

    @Test("views of the legacy form look into their storage")
    func views() throws {
        try expect(try open("views.pt"), "views.safetensors")
    }

    @Test("what shares a storage lies in the file once, and what lies in rows is not copied")
    func sharing() throws {
        for name in ["zip.pt", "legacy.pt"] {
            let file = try open(name)
            let whole = try #require(file.entries["f32"]), turned = try #require(file.entries["transposed"])
            let rows = try #require(file.entries["rows"]), columns = try #require(file.entries["columns"])
            #expect(whole.range == turned.range && whole.strides == nil && turned.strides == [1, 6])
            #expect(rows.strides == nil && columns.strides == [6, 1])
            #expect(rows.range == whole.range.lowerBound + 24..<whole.range.lowerBound + 72)
            #expect(file.withBytes(of: rows, \.baseAddress) == file.bytes(rows).baseAddress)
        }
    }

    @Test("what stands beside the tensors of a training program is kept as text")
    func metadata() throws {
        let file = try open("trained.ckpt")
        #expect(file.metadata["global_step"] == "470000" && file.metadata["epoch"] == "3")
    }

    @Test("all 256 codes of both kinds of float8 have torch's values")
    func float8() throws {
        let reference = try open("float8.safetensors")
        let archive = try open("float8.pt")
        for kind in ["e4m3", "e5m2"] {
            let expected = try #require(try reference.weights("\(kind) as f32")).floats().map(\.bitPattern)
            for file in [reference, archive] {
                let values = try #require(try file.weights(kind)).floats()
                #expect(values.count == 256)
                for (code, value) in values.enumerated() {
                    let wanted = Float(bitPattern: expected[code])
                    #expect(value.bitPattern == expected[code] || value.isNaN && wanted.isNaN, "\(kind) \(code)")
                }
            }
        }
    }

    @Test("other readers find plain values: whole-number keys, tuples, parameters in attributes")
    func values() throws {
        let net = try TorchArchive(try FileBytes(path: Golden.path("torch/hypernetwork.pt"))).pickle
        let pair = net.items(try #require(net.pairs(net.root).first { $0.key == .integer(320) }?.value))
        #expect(pair.count == 2 && pair.allSatisfy { net.member($0, "linear.0.weight") != nil })
        #expect(net.member(net.root, "name") == .text("it") && net.member(net.root, "step") == .integer(7))
        #expect(net.member(net.root, "is_layer_norm") == .bool(false))
        #expect(
            net.items(try #require(net.member(net.root, "layer_structure"))) == [
                .integer(1), .number(2.5), .integer(1),
            ])
        let words = try open("embedding.pt")
        #expect(words.entries["string_to_param.*"]?.shape == [2, 4])
        #expect(words.entries["string_to_token.*"]?.format == "I64")
    }

    @Test(
        "archives of other kinds are refused by what they are",
        arguments: [
            ("script.pt", "TorchScript"), ("compressed.pt", "compressed"),
        ])
    func kinds(name: String, part: String) throws {
        let line = try #require(refusal { _ = try open(name) })
        #expect(line.isOneLine && line.contains(name) && line.contains(part), "\(line)")
    }

    @Test("files that are none are refused by what they are")
    func others() throws {
        var tar = [UInt8](repeating: 0, count: 1024)
        tar.replaceSubrange(257..<262, with: "ustar".utf8)
        for (bytes, part) in [
            (tar, "tar archive"), (Array("GGUF\u{3}\0\0\0".utf8), "GGUF"), ([], "neither"),
            (Array("hello".utf8), "neither"),
            ([0x80], "ends in the middle"), ([0x80, 2], "ends in the middle"),
            (Array("PK\u{3}\u{4}".utf8), "table of contents"),
        ] {
            let line = try withGuardedFile(bytes, name: "it.ckpt") { file in refusal { _ = try TensorFile(file) } }
            #expect(line?.isOneLine == true && line?.contains(part) == true, "\(line ?? "not refused")")
        }
    }

    @Test("every way of cutting an archive short is refused", arguments: ["zip.pt", "views.pt"])
    func truncation(name: String) throws {
        let bytes = try WholeFile.read(Golden.path("torch/\(name)"))
        for length in bytes.indices {
            let line = try withGuardedFile(bytes[..<length], name: "it.pt") { file in
                refusal { _ = try TensorFile(file) }
            }
            #expect(line?.isOneLine == true, "cut to \(length): \(line ?? "not refused")")
        }
    }

    @Test("changed bytes are a refusal or a file, never a crash", arguments: ["zip.pt", "legacy.pt", "embedding.pt"])
    func mutation(name: String) throws {
        let sound = try WholeFile.read(Golden.path("torch/\(name)"))
        var generator = SeededGenerator(21)
        for round in 0..<3000 {
            var bytes = sound
            for _ in 0...Int.random(in: 0..<3, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
            }
            let line = try withGuardedFile(bytes, name: "it.pt") { file in
                refusal {
                    let file = try TensorFile(file)
                    for entry in file.entries.values {
                        _ = file.withBytes(of: entry) { $0.reduce(0) { $0 &+ Int($1) } }
                    }
                }
            }
            if let line, !line.isOneLine { Issue.record("round \(round): \(line.debugDescription)") }
        }
    }
}
