import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

@Suite("Comments in EXIF data")
struct ExifCommentTests {
    private let fixtures: Fixtures

    init() throws { fixtures = try Fixtures() }

    private static let text = "a lake, 水 and 🦊\nSteps: 6, Sampler: Euler, CFG scale: 1, Seed: 4"

    @Test("a comment is added without a byte moving, and everything else is said as before")
    func added() throws {
        var met = 0
        for (name, _) in fixtures.readable {
            var metadata = try PictureFile.glance(fixtures.path(name)).metadata
            guard let before = metadata.exif, !metadata.hasUnreadableExif else { continue }
            guard metadata.hasRoomForComment else { continue }
            metadata.setComment(Self.text)
            let after = try #require(metadata.exif)
            #expect(metadata.comment == Self.text && metadata.parameters == Self.text, "\(name)")
            // Of what was there only a link changes: that to the directory which is now longer.
            let changed = before.indices.filter { before[$0] != after[$0] }
            #expect(changed.count <= 4 && (changed.last ?? 0) - (changed.first ?? 0) < 4, "\(name): \(changed)")
            let (old, new) = (ExifFields(before), ExifFields(after))
            for key in old.fields.keys {
                #expect(old.value(key) == new.value(key), "\(name) \(key)")
            }
            #expect(new.fields.keys.count > old.fields.keys.count, "\(name)")
            // Through a file of each kind.
            let picture = try PictureFile.read(fixtures.path(name)).with(metadata: metadata)
            for format in [PictureFormat.jpeg, .tiff, .png] {
                let again = try PictureFile.decode(try PictureFile.encode(picture, as: format), name: "it")
                #expect(again.metadata.comment == Self.text, "\(name) as \(format.name)")
            }
            met += 1
        }
        #expect(met >= 10)
    }

    @Test("EXIF data are made where there are none, and a comment gives way to the next one")
    func replaced() throws {
        var metadata = PictureMetadata()
        #expect(metadata.hasRoomForComment && metadata.comment == nil)
        metadata.setComment(nil)
        #expect(metadata.exif == nil)
        metadata.setComment("first")
        #expect(metadata.comment == "first" && !metadata.hasRoomForComment)
        let count = try #require(metadata.exif).count
        // As the web UI's own reader wants it.
        let value = Array("UNICODE\0".utf8) + "first".utf16.flatMap { [0, UInt8($0)] }
        #expect(Array(try #require(metadata.exif).suffix(value.count)) == value)
        for text in [String(repeating: "longer ", count: 900), "short", "first"] {
            metadata.setComment(text)
            #expect(metadata.comment == text)
        }
        #expect(try #require(metadata.exif).count == count, "what is behind all gives its room back")
        metadata.setComment(nil)
        #expect(metadata.comment == nil && metadata.hasRoomForComment)
        metadata.setComment("again")
        #expect(metadata.comment == "again")

        // In the middle, with something behind it, it is written over where it has room.
        func four(_ n: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: n >> $0) } }
        let room = Array("ASCII\0\0\0".utf8) + [UInt8](repeating: 0x20, count: 40)
        var exif: [UInt8] = [0x4D, 0x4D, 0, 42] + four(8) + [0, 1, 0x87, 0x69, 0, 4] + four(1) + four(26)
        exif += four(0) + [0, 1, 0x92, 0x86, 0, 7] + four(room.count) + four(44) + four(0) + room + [1, 2, 3, 4]
        metadata = PictureMetadata(exif: exif)
        #expect(metadata.hasRoomForComment, "cameras leave room of spaces")
        metadata.setComment("short")
        #expect(
            metadata.comment == "short" && metadata.exif?.count == exif.count
                && metadata.exif?.suffix(4) == [1, 2, 3, 4])
        metadata.setComment(Self.text)
        #expect(metadata.comment == Self.text && metadata.exif.map { Array($0[92..<96]) } == [1, 2, 3, 4])
        // Someone's own words are no room.
        exif.replaceSubrange(52..<56, with: Array("mine".utf8))
        #expect(
            !PictureMetadata(exif: exif).hasRoomForComment
                && PictureMetadata(exif: exif).comment?.hasPrefix("mine") == true)
        #expect(!PictureMetadata(exif: [1, 2, 3]).hasRoomForComment)
    }

    @Test("data that lie stay as they are")
    func hostile() throws {
        var generator = SeededGenerator(4)
        let name = "maker-notes-ii.jpg"
        let exif = try #require(try PictureFile.glance(fixtures.path(name)).metadata.exif)
        for _ in 0..<3000 {
            var broken = exif
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                broken[Int.random(in: 0..<min(200, broken.count), using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            broken = Array(broken.prefix(Int.random(in: 1...broken.count, using: &generator)))
            var metadata = PictureMetadata(exif: broken)
            metadata.setComment(Self.text)
            metadata.setComment("x")
            #expect((metadata.exif?.count ?? 0) < exif.count + 10_000)
        }
    }
}
