import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

@Suite("Colours in files")
struct ColourFileTests {
    private struct Expected: Decodable {
        struct Inks: Decodable {
            var width: Int
            var height: Int
            var srgb: [UInt8]
            var ideal: [UInt8]
        }
        var cmyk: [String: Inks]
    }

    private static func bytes(_ name: String) throws -> [UInt8] { try WholeFile.read(Golden.path("colour/" + name)) }

    @Test(
        "inks become what Little CMS makes of them by the file's profile",
        arguments: [
            ("adobe.jpg", true), ("plain.jpg", true), ("ycck.jpg", true), ("nameless.jpg", false), ("cmyk8.tif", true),
            ("cmyk16.tif", true),
        ])
    func inks(name: String, hasProfile: Bool) throws {
        let expected = try JSONDecoder().decode(
            Expected.self, from: Data(try Self.bytes("expected.json")))
        let wanted = try #require(expected.cmyk[name])
        let picture = try PictureFile.decode(try Self.bytes(name), name: name)
        #expect(picture.channels == .rgb && picture.size == PixelSize(width: wanted.width, height: wanted.height))
        #expect(picture.depth == (name == "cmyk16.tif" ? 16 : 8))
        #expect(picture.metadata.profile == nil, "a profile of inks means nothing for RGB")
        #expect(picture.metadata.inks == (hasProfile ? .profile("Nobody's press") : .ideal))
        guard case .eight(let read) = picture.converted(depth: 8).samples else { return }
        func worst(_ other: [UInt8]) -> Int { zip(read, other).map { abs(Int($0) - Int($1)) }.max() ?? .max }
        // libjpeg's paths differ by processor, by a level at most, which a steep table doubles.
        #expect(worst(hasProfile ? wanted.srgb : wanted.ideal) <= 2)
        #expect(worst(hasProfile ? wanted.ideal : wanted.srgb) > 20)

        // Strip by strip it is the same.
        let reader = try PictureReader(Golden.path("colour/" + name))
        var rows = 0
        try reader.read(samples: 32 * 3 * 5) { strip, y in
            #expect(
                strip.samples == picture.cropped(to: Rectangle(x: 0, y: y, width: 32, height: strip.height)).samples)
            rows += strip.height
        }
        #expect(rows == wanted.height)
    }

    @Test("a profile of the wrong kind makes inks ideal ones, and is told")
    func wrongInks() throws {
        var bytes = try Self.bytes("cmyk8.tif")
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: Array("prtrCMYK".utf8)) })
        bytes.replaceSubrange(place + 4..<place + 8, with: Array("RGB ".utf8))
        let picture = try PictureFile.decode(bytes, name: "it")
        guard case .fault = picture.metadata.inks else {
            Issue.record("\(String(describing: picture.metadata.inks))")
            return
        }
    }

    /// A PNG with chunks behind its header.
    private func png(_ channels: Picture.Channels, with chunks: [(String, [UInt8])]) throws -> [UInt8] {
        var noise = Noise(seed: 6)
        let bytes = try PictureFile.encode(noise.picture(7, 5, channels), as: .png)
        let parts = try #require(PNGChunks(bytes)).all
        return Array(bytes[..<8]) + parts[0].bytes + chunks.flatMap { chunk($0.0, $0.1) }
            + parts.dropFirst().flatMap(\.bytes)
    }

    @Test("chunks of numbers come back as they are, from PNG to PNG", arguments: [Picture.Channels.rgb, .greyAlpha])
    func chunks(channels: Picture.Channels) throws {
        let numbers: [(String, [UInt8])] = [
            ("cICP", [9, 16, 0, 1]), ("mDCV", (0..<24).map { UInt8($0) }), ("cLLI", (0..<8).map { UInt8($0 * 3) }),
            ("sRGB", [2]), ("gAMA", [0, 0, 0xD6, 0xD8]),
            ("cHRM", (0..<8).flatMap { [0, 0, 0x7A, UInt8($0)] }),
        ]
        let picture = try PictureFile.decode(try png(channels, with: numbers), name: "it")
        #expect(picture.metadata.colourChunks.map(\.name) == ColourChunk.names)
        let written = try #require(PNGChunks(try PictureFile.encode(picture, as: .png))).all
        for (name, body) in numbers {
            let found = try #require(written.firstIndex { $0.name == name })
            #expect(written[found].bytes == chunk(name, body))
            #expect(found < (written.firstIndex { $0.name == "IDAT" } ?? 0))
        }
        #expect(written.count { $0.name == "gAMA" } == 1)
    }

    @Test("in other files the same is said by a profile, which is none of another kind")
    func otherFiles() throws {
        let picture = try PictureFile.decode(try png(.rgb, with: [("cICP", [12, 13, 0, 1])]), name: "it")
        for format in [PictureFormat.tiff, .jpeg] {
            let read = try PictureFile.decode(try PictureFile.encode(picture, as: format), name: "it")
            #expect(read.metadata.profile.flatMap(ColourProfile.kind) == .colour)
            #expect(read.metadata.colourChunks.isEmpty)
        }
        for format in PictureFormat.allCases.filter(\.isWritten) {
            var wrong = picture
            (wrong.metadata.colourChunks, wrong.metadata.profile) = ([], try Self.bytes("cmyk.icc"))
            #expect(try PictureFile.decode(PictureFile.encode(wrong, as: format), name: "it").metadata.profile == nil)
            wrong.metadata.profile = try Self.bytes("adobe.icc")
            #expect(
                try PictureFile.decode(PictureFile.encode(wrong, as: format), name: "it").metadata.profile
                    == wrong.metadata.profile)
        }
    }

    @Test("the bytes of a profile that libpng would refuse are kept")
    func oddProfile() throws {
        var noise = Noise(seed: 8)
        var picture = noise.picture(4, 4, .rgb)
        picture.metadata.profile = (0..<1001).map { _ in UInt8(truncatingIfNeeded: noise.next()) }
        #expect(try PictureFile.decode(PictureFile.encode(picture, as: .png), name: "it") == picture)
    }

    @Test("a profile that cannot be unpacked, or unpacks to too much, is one that cannot be read")
    func badPacking() throws {
        let name = Array("ICC profile\0\0".utf8)
        for body in [name + [1, 2, 3, 4], Array("no end".utf8), name] {
            let bytes = try png(.rgb, with: [("iCCP", body)])
            #expect(try PictureFile.decode(bytes, name: "it").metadata.profile == [])
        }
        var noise = Noise(seed: 8)
        var picture = noise.picture(2, 2, .rgb)
        picture.metadata.profile = [UInt8](repeating: 0, count: ColourProfile.mostBytes + 1)
        let bytes = try PictureFile.encode(picture, as: .png)
        #expect(bytes.count < 1 << 17)
        #expect(try PictureFile.decode(bytes, name: "it").metadata.profile == [])
    }

    @Test("a JPEG's profile of which a piece is missing is one that cannot be read")
    func missingPiece() throws {
        var noise = Noise(seed: 5)
        var picture = noise.picture(4, 4, .rgb)
        picture.metadata.profile = (0..<150_000).map { _ in UInt8(truncatingIfNeeded: noise.next()) }
        var bytes = try PictureFile.encode(picture, as: .jpeg)
        let heading = Array("ICC_PROFILE\0".utf8) + [2]
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: heading) })
        bytes[place + 12] = 9
        #expect(try PictureFile.decode(bytes, name: "it").metadata.profile == [])
    }
}
