import Foundation
import Raster
import RasterFiles
import Testing

/// Seeded numbers for tests. Source: SplitMix64.
struct Noise {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }

    mutating func picture(_ width: Int, _ height: Int, _ channels: Picture.Channels, depth: Int = 8) -> Picture {
        let size = PixelSize(width: width, height: height)
        let count = size.area * channels.count
        if depth == 16 {
            return Picture(
                size: size, channels: channels, sixteen: (0..<count).map { _ in UInt16(truncatingIfNeeded: next()) })
        }
        if depth == 32 {
            return Picture(
                size: size, channels: channels,
                samples: .float((0..<count).map { _ in Float(below(1 << 24)) / Float(1 << 23) - 0.5 }))
        }
        return Picture(
            size: size, channels: channels, eight: (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) })
    }
}

/// A folder that is gone after the test.
final class PassingFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "velatura-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

/// The error that reading these bytes ends in, or nil when they make a picture.
func failure(_ bytes: [UInt8], limits: PictureFile.Limits = .init()) -> PictureFileError? {
    do throws(PictureFileError) {
        _ = try PictureFile.decode(bytes, name: "it", limits: limits)
        return nil
    } catch {
        return error
    }
}

/// `Tests/Golden/pictures`, written by `Tools/golden/pictures.py`.
struct GoldenPictures {
    struct Expected: Decodable {
        var refused: Bool?
        var width: Int?
        var height: Int?
        var channels: Int?
        var depth: Int?
        var samples: String?

        func picture() throws -> Picture {
            let size = PixelSize(width: try #require(width), height: try #require(height))
            let count = try #require(self.channels)
            let channels = try #require(Picture.Channels.allCases.first { $0.count == count })
            let text = try #require(samples)
            let bytes = [UInt8](try #require(Data(base64Encoded: text)))
            if depth == 8 { return Picture(size: size, channels: channels, eight: bytes) }
            if depth == 32 {
                let floats = stride(from: 0, to: bytes.count, by: 4).map { place in
                    Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) })
                }
                return Picture(size: size, channels: channels, samples: .float(floats))
            }
            let words = stride(from: 0, to: bytes.count, by: 2).map { place -> UInt16 in
                UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8
            }
            return Picture(size: size, channels: channels, sixteen: words)
        }
    }

    let folder: String
    let expected: [String: Expected]

    init() throws {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let golden = tests.appendingPathComponent("Golden/pictures")
        folder = golden.path
        expected = try JSONDecoder().decode(
            [String: Expected].self, from: Data(contentsOf: golden.appendingPathComponent("expected.json")))
    }

    func bytes(_ name: String) throws -> [UInt8] { try WholeFile.read(folder + "/" + name) }
}
