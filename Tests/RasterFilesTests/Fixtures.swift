import Foundation
import Raster
import RasterFiles
import Testing

/// `Tests/Fixtures`: files of other programs, and what those say is in them (`Tools/fixtures`).
struct Fixtures {
    struct Entry: Decodable {
        /// The programs that wrote it.
        var by: String
        /// What the refusal says, of a file that is refused.
        var refused: String?
        var width: Int?
        var height: Int?
        var channels: Int?
        var depth: Int?
        /// How far a sample may lie from `samples`; 0 where they are those of `fingerprint`.
        var tolerance: Int?
        var samples: String?
        var fingerprint: String?
        /// The fingerprint of the colour profile.
        var profile: String?
        /// Pixels per metre.
        var resolution: [Double]?
        /// Where it is not grey or RGB.
        var space: String?
        var orientation: Int?
        var pages: Int?
        /// "IFD0:0x010f" and its value as exiftool prints it.
        var exif: [String: Value]?
        /// Words in the packet.
        var xmp: [String]?
        var iptc: [String]?
        /// The owner in the note of a camera's maker, which is found by its place.
        var maker: String?
    }

    enum Value: Decodable, Equatable {
        case number(Double)
        case text(String)

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            self = try (try? .number(value.decode(Double.self))) ?? .text(value.decode(String.self))
        }
    }

    let folder: String
    let all: [(name: String, entry: Entry)]

    init() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let fixtures = tests.appendingPathComponent("Fixtures")
        folder = fixtures.path
        let entries = try JSONDecoder().decode(
            [String: Entry].self, from: Data(contentsOf: fixtures.appendingPathComponent("manifest.json")))
        all = entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Those that are read as grey or RGB.
    var readable: [(name: String, entry: Entry)] { all.filter { $0.entry.refused == nil && $0.entry.space == nil } }

    func path(_ name: String) -> String { folder + "/" + name }
    func bytes(_ name: String) throws -> [UInt8] { try WholeFile.read(path(name)) }
}

/// FNV-1a of 64 bits, as `Tools/fixtures/common.py` has it.
func fingerprint(_ bytes: [UInt8]) -> String {
    let value = bytes.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

extension Picture {
    /// Samples as the fixtures' makers have them: little-endian.
    var bytes: [UInt8] {
        switch samples {
        case .eight(let values): values
        case .sixteen(let values): values.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        case .float(let values):
            values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
        }
    }
}

/// EXIF data read anew, without a line of the program's own reader: every field by the directory that it lies in.
struct ExifFields {
    struct Field: Equatable {
        var kind: Int
        var bytes: [UInt8]
    }

    private(set) var fields: [String: Field] = [:]
    /// Where the directory behind the first one begins: that of the small picture.
    private(set) var next = 0
    private let data: [UInt8]
    private let isBigEndian: Bool

    init(_ data: [UInt8]) {
        self.data = data
        isBigEndian = data.starts(with: Array("MM".utf8))
        next = collect("IFD0", at: number(4, 4))
    }

    /// The link to the next directory.
    private mutating func collect(_ name: String, at place: Int) -> Int {
        let sizes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4]
        let count = number(place, 2)
        for index in 0..<count {
            let entry = place + 2 + index * 12
            let (tag, kind) = (number(entry, 2), number(entry + 2, 2))
            let length = number(entry + 4, 4) * (sizes.indices.contains(kind) ? sizes[kind] : 0)
            let start = length <= 4 ? entry + 8 : number(entry + 8, 4)
            if let inner = [0x8769: "ExifIFD", 0x8825: "GPS", 0xA005: "InteropIFD"][tag] {
                _ = collect(inner, at: number(entry + 8, 4))
            } else if start + length <= data.count {
                let digits = String(tag, radix: 16)
                let key = "\(name):0x" + String(repeating: "0", count: 4 - digits.count) + digits
                fields[key] = Field(kind: kind, bytes: Array(data[start..<start + length]))
            }
        }
        return number(place + 2 + count * 12, 4)
    }

    func number(_ place: Int, _ count: Int) -> Int { number(data[place..<place + count]) }

    private func number(_ bytes: ArraySlice<UInt8>) -> Int {
        (isBigEndian ? Array(bytes) : bytes.reversed()).reduce(0) { $0 << 8 | Int($1) }
    }

    /// A field as exiftool prints it, where that is plain.
    func value(_ key: String) -> Fixtures.Value? {
        guard let field = fields[key] else { return nil }
        switch (field.kind, field.bytes.count) {
        case (1, 1), (3, 2), (4, 4): return .number(Double(number(field.bytes[...])))
        case (5, 8):
            let below = number(field.bytes[4..<8])
            return below == 0 ? nil : .number(Double(number(field.bytes[..<4])) / Double(below))
        case (2, _): return .text(String(decoding: field.bytes.prefix { $0 != 0 }, as: UTF8.self))
        default: return nil
        }
    }
}
