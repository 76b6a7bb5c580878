import Checkpoints
import TestKit
import Testing

@Suite struct ModelFolderTests {
    private let one = safetensors(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, buffer: [0, 0, 0, 0])
    private let two = safetensors(#"{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, buffer: [0, 0, 0, 0])

    /// The names of what `weights` opens in a folder with this index and both shards, or the refusal.
    private func opened(_ index: String, shards: [String] = ["one", "two"]) throws -> String {
        try withTemporaryFolder { folder in
            try write(Array(index.utf8), to: "\(folder)/net/weights.safetensors.index.json")
            for shard in shards { try write(shard == "one" ? one : two, to: "\(folder)/net/\(shard).safetensors") }
            try write(one, to: "\(folder)/outside.safetensors")
            let model = try ModelFolder(path: folder + "//")
            var keys: [String] = []
            let line = refusal { keys = try model.weights("net", stem: "weights").flatMap { $0.entries.keys } }
            return line?.replacing(model.name, with: "model") ?? keys.sorted().joined(separator: " ")
        }
    }

    private func index(_ map: String) -> String { #"{"metadata":{},"weight_map":\#(map)}"# }

    @Test("shards are found through their index")
    func shards() throws {
        #expect(try opened(index(#"{"a":"one.safetensors","b":"two.safetensors"}"#)) == "a b")
    }

    @Test(
        "a shard that is missing, outside the folder or no file is refused by name",
        arguments: [
            (#"{"a":"one.safetensors","b":"three.safetensors"}"#, "net/three.safetensors"),
            (#"{"a":"../outside.safetensors"}"#, "../outside.safetensors"),
            (#"{"a":"/etc/passwd"}"#, "/etc/passwd"), (#"{"a":".."}"#, ".."), (#"{"a":""}"#, "net/"),
            (#"{"a":"."}"#, "."),
            (#"{"a":"one\u0000.safetensors"}"#, #"one\u{0}"#), ("{}", "names no file"), ("[]", "names no file"),
            (#"{"a":7}"#, "7"), ("null", "names no file"),
        ])
    func lostShards(map: String, part: String) throws {
        let line = try opened(index(map))
        #expect(line.isOneLine && line.contains(part) && line.contains("model"), "\(line)")
    }

    @Test(
        "an index that is no JSON is refused by name",
        arguments: ["", "{", "\u{0}", String(repeating: "[", count: 10_000)])
    func indexText(text: String) throws {
        #expect(try opened(text) == "model/net/weights.safetensors.index.json is not valid JSON.")
    }

    @Test("what is not there, or is no folder, is told apart")
    func places() throws {
        try withTemporaryFolder { folder in
            #expect(throws: CheckpointError.self) { try ModelFolder(path: "\(folder)/none") }
            try write([], to: "\(folder)/file")
            let line = try #require(refusal { _ = try ModelFolder(path: "\(folder)/file") })
            #expect(line.contains("neither a safetensors file"), "\(line)")
            let model = try ModelFolder(path: folder)
            #expect(
                try #require(refusal { _ = try model.weights("net", stem: "weights") }).contains(
                    "net/weights.safetensors"))
            #expect(try model.file("file").count == 0)
            #expect(refusal { _ = try JSON(try model.file("file")) }?.contains("file is not valid JSON") == true)
        }
    }
}
