import Foundation
import Testing

/// The resizes that Pillow made: `Tests/Golden/resampling`, written by `Tools/golden/resampling.py`.
struct GoldenResampling {
    struct Case: Decodable {
        let name: String
        let mode: String
        let filter: String
        let from: [Int]
        let to: [Int]
    }

    struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    let cases: [Case]
    private let entries: [String: Entry]
    private let data: [UInt8]

    init() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Golden/resampling")
        cases = try JSONDecoder().decode(
            [Case].self, from: Data(contentsOf: folder.appendingPathComponent("cases.json")))
        let file = [UInt8](try Data(contentsOf: folder.appendingPathComponent("resampling.safetensors")))
        let length = file[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try #require(
            JSONSerialization.jsonObject(with: Data(file[8..<8 + length])) as? [String: Any])
        var entries = [String: Entry]()
        for (key, value) in header where key != "__metadata__" {
            entries[key] = try JSONDecoder().decode(
                Entry.self, from: JSONSerialization.data(withJSONObject: value))
        }
        self.entries = entries
        data = Array(file[(8 + length)...])
    }

    func bytes(_ key: String) throws -> [UInt8] {
        let entry = try #require(entries[key])
        #expect(entry.dtype == "U8")
        return Array(data[entry.data_offsets[0]..<entry.data_offsets[1]])
    }

    func floats(_ key: String) throws -> [Float] {
        let entry = try #require(entries[key])
        #expect(entry.dtype == "F32")
        return stride(from: entry.data_offsets[0], to: entry.data_offsets[1], by: 4).map { place in
            Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[place + $1]) << UInt32(8 * $1) })
        }
    }
}
