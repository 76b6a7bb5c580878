import Foundation
import Raster
import RasterFiles
import Testing

/// Small files that ask for more work or memory than any picture is worth. Where one is not refused, nothing is gained by
/// waiting: the limits are for that.
@Suite("Files that try patience")
struct PatienceTests {
    private func short(_ value: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
    }
    private func long(_ value: Int) -> [UInt8] { short(value) + short(value >> 16) }
    private func entry(_ number: Int, _ kind: Int, _ count: Int, _ value: Int) -> [UInt8] {
        short(number) + short(kind) + long(count) + long(value)
    }

    /// What libtiff must know of one grey pixel, which lies at place 8.
    private var onePixel: [[UInt8]] {
        // Width, height, bits, compression, grey, the strip's place, channels, rows, bytes.
        let values = [
            (0x100, 1), (0x101, 1), (0x102, 8), (0x103, 1), (0x106, 1), (0x111, 8), (0x115, 1), (0x116, 1), (0x117, 1),
        ]
        return values.map { entry($0.0, 4, 1, $0.1) }
    }

    /// Directories behind one another, the first of them the file's; each is told where the next begins.
    private func tiff(_ directories: [(_ next: Int) -> [[UInt8]]], behind: [UInt8] = []) -> [UInt8] {
        let lengths = directories.map { 6 + $0(0).count * 12 }
        var (body, place) = ([UInt8](), 12)
        for (directory, length) in zip(directories, lengths) {
            let entries = directory(place + length)
            body += short(entries.count)
            body += entries.joined()
            body += long(0)
            place += length
        }
        let head: [UInt8] = Array("II".utf8) + short(42) + long(12)
        return head + [7, 0, 0, 0] + body + behind
    }

    @Test("directories whose entries all lead to a directory of such entries", .timeLimit(.minutes(1)))
    func pointers() throws {
        let many = 2000
        func storm(_ next: Int) -> [[UInt8]] { (0..<many).map { _ in entry(0x8769, 4, 1, next) } }
        let bytes = tiff([{ self.onePixel + storm($0) }, storm, storm, { _ in [self.entry(0x9003, 2, 4, 0x41_4141)] }])
        let picture = try PictureFile.decode(bytes, name: "it")
        #expect(picture.samples == .eight([7]))
        let exif = try #require(picture.metadata.exif)
        #expect(exif.count < bytes.count * 2)
    }

    @Test("entries whose values are all the same megabytes", .timeLimit(.minutes(1)))
    func values() throws {
        let shared = 1 << 21
        let directory = { (next: Int) in (0..<6000).map { self.entry(0x9000 + $0, 7, shared - 100_000, 200_000) } }
        let bytes = tiff(
            [{ self.onePixel + [self.entry(0x8769, 4, 1, $0)] }, directory],
            behind: [UInt8](repeating: 65, count: shared + 200_000))
        let exif = try #require(try PictureFile.decode(bytes, name: "it").metadata.exif)
        #expect(exif.count < 1 << 25)
    }

    @Test("pages that lie over one another", .timeLimit(.minutes(1)))
    func pages() {
        let (pages, entries) = (10_000, 5000)
        var bytes = Array("II".utf8) + short(42) + long(8) + [UInt8](repeating: 0, count: 2 + entries * 12 + 4 * pages)
        for page in 0..<pages {
            let place = 8 + 4 * page
            bytes.replaceSubrange(place..<place + 2, with: short(entries))
            let link = place + 2 + entries * 12
            bytes.replaceSubrange(link..<link + 4, with: long(page + 1 < pages ? place + 4 : 0))
        }
        #expect(failure(bytes)?.exitCode == 65)
    }

    @Test("a JPEG of hundreds of thousands of markers", .timeLimit(.minutes(1)))
    func markers() throws {
        let whole = try Fixtures().bytes("baseline-444.jpg")
        func with(_ count: Int) -> [UInt8] {
            let marker: [UInt8] = [0xFF, 0xE1, 0, 3, 65]
            return Array(whole[..<2]) + Array(repeatElement(marker, count: count).joined()) + Array(whole[2...])
        }
        #expect(failure(with(3000)) == nil)
        #expect(
            failure(with(300_000))
                == .unsupported(path: "it", format: .jpeg, detail: "it has more than 4096 application markers"))
    }

    @Test("a PNG whose packed texts are larger than memory", .timeLimit(.minutes(1)))
    func texts() throws {
        var picture = Picture(size: .init(width: 1, height: 1), channels: .grey, eight: [1])
        picture.metadata["velatura"] = String(repeating: "a", count: 7_000_000)
        // Of any letters that Latin-1 has.
        let letters = String(
            String.UnicodeScalarView((Array(32...126) + Array(160...255)).compactMap(Unicode.Scalar.init)))
        picture.metadata["Comment"] = letters
        #expect(
            try PictureFile.decode(PictureFile.encode(picture, as: .png), name: "it").metadata["Comment"] == letters)
        picture.metadata["Comment"] = nil
        let one = try PictureFile.encode(picture, as: .png)
        let chunks = try #require(PNGChunks(one)).all
        let text = try #require(chunks.first { $0.name == "iTXt" })
        #expect(text.bytes.count < 20_000)
        func with(_ count: Int) -> [UInt8] {
            let texts = Array(repeatElement(text.bytes, count: count).joined())
            let rest = chunks[1...].filter { $0.name != "iTXt" }.flatMap(\.bytes)
            return Array(one[..<8]) + chunks[0].bytes + texts + rest
        }
        #expect(failure(with(9)) == nil)
        #expect(
            failure(with(900))
                == .unsupported(path: "it", format: .png, detail: "its texts have more than 67108864 bytes"))
    }
}
