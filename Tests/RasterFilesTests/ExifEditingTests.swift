import Raster
import RasterFiles
import Testing

@Suite("EXIF data edited in their place")
struct ExifEditingTests {
    private let fixtures: Fixtures

    init() throws { fixtures = try Fixtures() }

    /// The EXIF data of a JPEG as the file has them.
    private func raw(_ bytes: [UInt8]) throws -> [UInt8] {
        let heading = Array("Exif\0\0".utf8)
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: heading) })
        let count = Int(bytes[place - 2]) << 8 | Int(bytes[place - 1])
        return Array(bytes[(place + 6)..<(place - 2 + count)])
    }

    @Test(
        "only sizes, orientation and the link to the small picture change; makers' notes stay in their places",
        arguments: [
            "maker-notes-ii.jpg", "maker-notes-mm.jpg",
        ])
    func bytes(name: String) throws {
        let before = try raw(fixtures.bytes(name))
        var picture = try PictureFile.read(fixtures.path(name))
        #expect(picture.size == PixelSize(width: 24, height: 32))
        picture = picture.resized(to: PixelSize(width: 300, height: 70_000 / 100))
        for format in [PictureFormat.jpeg, .png] {
            let after = try #require(
                try PictureFile.decode(PictureFile.encode(picture, as: format), name: "it").metadata.exif)
            #expect(after.count == before.count)
            let (old, new) = (ExifFields(before), ExifFields(after))
            #expect(new.value("IFD0:0x0100") == .number(300) && new.value("IFD0:0x0101") == .number(700))
            #expect(new.value("ExifIFD:0xa002") == .number(300) && new.value("ExifIFD:0xa003") == .number(700))
            #expect(old.value("IFD0:0x0112") == .number(6) && new.value("IFD0:0x0112") == .number(1))
            #expect(old.next > 0 && new.next == 0)
            // Two sides in two directories, one orientation, one link: at most these bytes.
            let changed = zip(before, after).filter { $0 != $1 }.count
            #expect((6...15).contains(changed), "\(changed)")
            #expect(new.fields["ExifIFD:0x927c"] == old.fields["ExifIFD:0x927c"])
        }
        // In a TIFF the data stand at the file's start, so that places are the same.
        let tiff = try PictureFile.encode(picture, as: .tiff)
        let owner = Array("Ann Example\0".utf8)
        let place = try #require(before.indices.first { before[$0...].starts(with: owner) })
        #expect(tiff[place...].starts(with: owner))
        let exif = try #require(try PictureFile.decode(tiff, name: "it").metadata.exif)
        #expect(exif[place...].starts(with: owner))
        #expect(ExifFields(exif).fields["ExifIFD:0x927c"]?.bytes == ExifFields(before).fields["ExifIFD:0x927c"]?.bytes)
    }

    @Test("a side too long for a short number becomes a long one in the same place")
    func longSides() throws {
        var picture = Picture(
            size: PixelSize(width: 70_000, height: 1), channels: .grey, eight: .init(repeating: 7, count: 70_000))
        picture.metadata.exif = try PictureFile.read(fixtures.path("maker-notes-ii.jpg")).metadata.exif
        let limits = PictureFile.Limits(longestSide: 100_000)
        let again = try PictureFile.decode(PictureFile.encode(picture, as: .png), name: "it", limits: limits)
        let fields = ExifFields(try #require(again.metadata.exif))
        #expect(fields.value("ExifIFD:0xa002") == .number(70_000) && fields.fields["ExifIFD:0xa002"]?.kind == 4)
        #expect(fields.value("ExifIFD:0xa003") == .number(1))
    }

    @Test("an orientation that cannot be written over is none: a picture does not turn with every file")
    func orientations() throws {
        // One entry, orientation 6; behind it the same once more, for values that lie elsewhere.
        func exif(kind: UInt8, count: UInt8) -> [UInt8] {
            let value: [UInt8] = count * (kind == 1 ? 1 : 2) > 4 ? [26, 0, 0, 0] : [6, 0, 0, 0]
            return Array("II*\0".utf8) + [8, 0, 0, 0, 1, 0, 0x12, 1, kind, 0, count, 0, 0, 0] + value + [0, 0, 0, 0]
                + [6, 0, 6, 0, 6, 0, 6, 0]
        }
        for (kind, count, turns) in [(3, 1, true), (4, 1, true), (1, 1, false), (3, 2, false), (3, 4, false)] {
            var picture = Picture(size: PixelSize(width: 3, height: 2), channels: .grey, eight: Array(0..<6))
            picture.metadata.exif = exif(kind: UInt8(kind), count: UInt8(count))
            for format in [PictureFormat.png, .jpeg] {
                let once = try PictureFile.decode(PictureFile.encode(picture, as: format), name: "it")
                #expect(once.size == PixelSize(width: turns ? 2 : 3, height: turns ? 3 : 2), "\(kind) \(count)")
                let twice = try PictureFile.decode(PictureFile.encode(once, as: format), name: "it")
                #expect(twice.size == once.size, "\(kind) \(count)")
            }
        }
    }

    @Test("directories that lead in circles, entries without end, places behind it: copied or left out, never a crash")
    func hostile() throws {
        let sound = try #require(try PictureFile.read(fixtures.path("maker-notes-ii.jpg")).metadata.exif)
        func number(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 255) } }
        var variants: [[UInt8]] = [Array("MM".utf8), Array("II*\0".utf8), [], Array("junk that is no EXIF".utf8)]
        // The EXIF directory is the first one; the first lies in the header, behind the end, at it.
        for (place, value) in [
            (8 + 2 + 5 * 12 + 8, 8), (4, 0), (4, 4), (4, 1 << 30), (4, sound.count), (4, sound.count - 1),
        ] {
            var data = sound
            data.replaceSubrange(place..<place + 4, with: number(value, 4))
            variants.append(data)
        }
        // Entries without end; a value of four thousand million numbers; one that lies nowhere.
        for (place, bytes) in [
            (8, number(65_535, 2)), (8 + 2 + 2 * 12 + 4, number(0xFFFF_FFFF, 4)),
            (8 + 2 + 2 * 12 + 8, number(0xFFFF_FFF0, 4)),
        ] {
            var data = sound
            data.replaceSubrange(place..<place + bytes.count, with: bytes)
            variants.append(data)
        }
        var picture = Picture(
            size: PixelSize(width: 3, height: 2), channels: .rgb, eight: .init(repeating: 9, count: 18))
        for exif in variants {
            picture.metadata.exif = exif
            for format in [PictureFormat.png, .jpeg, .tiff] {
                let again = try PictureFile.decode(PictureFile.encode(picture, as: format), name: "it")
                #expect(again.channels == .rgb && again.size.area == 6)
                if format != .jpeg { #expect(again.samples == picture.samples) }
            }
        }
        #expect(variants.count == 13)
    }

    @Test(
        "a TIFF's EXIF data go on in another, classic or for more than 4 GB, field by field",
        arguments: ["camera.tif", "camera-big-endian.tif", "camera.webp", "maker-notes-mm.jpg", "orientation4.jpg"],
        [false, true])
    func anotherTIFF(name: String, isBig: Bool) throws {
        let source = try PictureFile.read(fixtures.path(name))
        let before = ExifFields(try #require(source.metadata.exif))
        var noise = Noise(seed: 32)
        let picture = noise.picture(200, 150, .rgb).with(metadata: source.metadata)
        let tiff = try PictureFile.encode(picture, as: .tiff, options: .init(isBigTIFF: isBig))
        #expect(tiff.starts(with: Array("MM".utf8)) == (try #require(source.metadata.exif).first == 0x4D))
        #expect(tiff[2] + tiff[3] == (isBig ? 43 : 42))
        // exiftool's data in camera.webp are signed, and a TIFF so signed would be none to it.
        #expect(tiff[..<24].firstRange(of: Array("ExifMeta".utf8)) == nil)
        let read = try PictureFile.decode(tiff, name: "it")
        #expect(read.samples == picture.samples && read.metadata.iptc == source.metadata.iptc)
        let after = ExifFields(try #require(read.metadata.exif))
        var compared = 0
        // TIFF's own tags say the size, and how the picture lies.
        let own = [
            "IFD0:0x0100", "IFD0:0x0101", "IFD0:0x0112", "IFD0:0x011a", "IFD0:0x011b", "IFD0:0x0128", "IFD0:0x0213",
        ]
        for (key, field) in before.fields where !own.contains(key) {
            if ["ExifIFD:0xa002", "ExifIFD:0xa003"].contains(key) {
                #expect(after.value(key) == .number(key.hasSuffix("2") ? 200 : 150))
            } else {
                #expect(after.fields[key]?.bytes == field.bytes, "\(key)")
            }
            compared += 1
        }
        #expect(compared == before.fields.count - before.fields.keys.filter(own.contains).count && compared >= 5)
        // And once more out of that.
        let again = try PictureFile.decode(PictureFile.encode(read, as: .tiff), name: "it")
        #expect(ExifFields(try #require(again.metadata.exif)).fields == after.fields)
    }

    @Test("an orientation inside XMP is turned with the pixels")
    func xmp() throws {
        for orientation in 2...8 {
            let name = "orientation\(orientation).jpg"
            let packet = try #require(try PictureFile.read(fixtures.path(name)).metadata.xmp)
            let text = String(decoding: packet, as: UTF8.self)
            #expect(
                text.contains("<tiff:Orientation>1</tiff:Orientation>") || text.contains("tiff:Orientation='1'"),
                "\(text)")
        }
    }
}
