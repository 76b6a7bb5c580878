import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

@Suite("Inks in files")
struct InkFileTests {
    private static let names = ["photo8.tif", "photo16.tif", "photo.jpg", "nameless.tif", "alpha.tif"]

    private static func path(_ name: String) -> String { Golden.path("separation/" + name) }
    private static func inks(_ name: String) throws -> Picture {
        try PictureFile.read(path(name), keepingInks: true)
    }

    @Test("inks are what other programs wrote, and are written again as they were")
    func fixtures() throws {
        let fixtures = try Fixtures()
        var met = 0
        for (name, entry) in fixtures.all where entry.space == "cmyk" {
            let picture = try PictureFile.read(fixtures.path(name), keepingInks: true)
            #expect(picture.channels == .inks && picture.depth == entry.depth, "\(name)")
            if let wanted = entry.fingerprint {
                #expect(fingerprint(picture.bytes) == wanted, "\(name)")
            } else {
                let wanted = [UInt8](try #require(Data(base64Encoded: entry.samples ?? "")))
                // What JPEG made of them; four inks of hard edges more than usual.
                let off = zip(wanted, picture.bytes).map { abs(Int($0) - Int($1)) }
                #expect((off.max() ?? .max) <= 32 && off.reduce(0, +) < 7 * off.count, "\(name): \(off.max() ?? 0)")
            }
            #expect(picture.metadata.profile.map(fingerprint) == entry.profile, "\(name)")
            for lzw in [false, true] {
                let bytes = try PictureFile.encode(picture, as: .tiff, options: .init(lzw: lzw))
                // The result's own words for its form.
                let again = try CodecLook(bytes)
                #expect(again.isOfInks && again.samples == picture.samples, "\(name)")
                #expect(again.profile == picture.metadata.profile, "\(name)")
            }
            #expect(PictureFile.look(fixtures.path(name))?.isOfInks == true, "\(name)")
            met += 1
        }
        #expect(met >= 6)
        for name in ["rgb8.png", "grey.jpg", "baseline-444.jpg", "lzw.tif", "jpeg-ycbcr.tif", "progressive.jpg"] {
            #expect(PictureFile.look(fixtures.path(name))?.isOfInks != true, "\(name)")
        }
    }

    /// A TIFF's inks, read back from a file.
    private struct CodecLook {
        var isOfInks: Bool
        var samples: Picture.Samples
        var profile: [UInt8]?

        init(_ bytes: [UInt8]) throws {
            let folder = try PassingFolder()
            let path = folder.path + "/it.tif"
            try WholeFile.write(bytes, to: path)
            isOfInks = PictureFile.look(path)?.isOfInks == true
            let picture = try PictureFile.read(path, keepingInks: true)
            (samples, profile) = (picture.samples, picture.metadata.profile)
        }
    }

    @Test("a picture of colours that were inks is written as those inks, whole and in strips", arguments: names)
    func unchanged(name: String) throws {
        let (inks, colours) = (try Self.inks(name), try PictureFile.read(Self.path(name)))
        #expect(!colours.channels.isInks && colours.metadata.profile == nil)
        let folder = try PassingFolder()
        try PictureFile.write(colours, to: folder.path + "/whole.tif")
        let reader = try PictureReader(Self.path(name), unrollingIn: folder.path)
        try PictureFile.write(
            reader.size, channels: reader.channels, depth: reader.depth, metadata: reader.metadata,
            to: folder.path + "/strips.tif", options: .init()
        ) { send in try reader.read(samples: 700) { strip, _ in try send(strip) } }
        for result in ["whole.tif", "strips.tif"] {
            let again = try PictureFile.read(folder.path + "/" + result, keepingInks: true)
            #expect(again.channels == inks.channels && again.samples == inks.samples, "\(result)")
            #expect(
                again.metadata.profile == inks.metadata.profile && again.metadata.resolution == inks.metadata.resolution
            )
        }
        #expect(try WholeFile.read(folder.path + "/whole.tif") == WholeFile.read(folder.path + "/strips.tif"))
        // Strips of inks themselves.
        let native = try PictureReader(Self.path(name), unrollingIn: folder.path, keepingInks: true)
        #expect(try strips(native, samples: 700).picture.samples == inks.samples)
    }

    @Test("more bits and fewer keep inks as they are rounded, and other formats have colours")
    func forms() throws {
        let deep = try PictureFile.read(Self.path("photo16.tif"))
        let folder = try PassingFolder()
        func written(_ picture: Picture, _ name: String) throws -> Picture {
            try PictureFile.write(picture, to: folder.path + "/" + name)
            return try PictureFile.read(folder.path + "/" + name, keepingInks: true)
        }
        #expect(
            try written(deep.converted(depth: 8), "8.tif").samples
                == Self.inks("photo16.tif").converted(depth: 8).samples)
        let plain = try PictureFile.read(Self.path("photo8.tif"))
        #expect(
            try written(plain.converted(depth: 16), "16.tif").samples
                == Self.inks("photo8.tif").converted(depth: 16).samples)
        for name in ["it.png", "it.jpg"] {
            let other = try written(plain, name)
            #expect(other.channels == .rgb && other.metadata.profile == nil)
        }
        // A result of inks is only a TIFF.
        #expect(throws: PictureFileError.self) { try PictureFile.encode(Self.inks("photo8.tif"), as: .png) }
    }

    @Test("what is changed is seen as it was meant, and the rest stays, wherever the plates lie")
    func changed() throws {
        let source = try PictureFile.read(Self.path("photo8.tif"))
        let inks = try Self.inks("photo8.tif")
        guard case .eight(var values) = source.samples else { return }
        for y in 20..<40 { for x in 30..<60 { for c in 0..<3 { values[(y * 96 + x) * 3 + c] = [120, 90, 70][c] } } }
        let changed = Picture(size: source.size, channels: .rgb, eight: values, metadata: source.metadata)
        let margins = Margins(left: 7, right: 5, top: 3, bottom: 2)
        var wide = changed.padded(by: margins)
        wide.metadata.plates = source.metadata.plates?.surrounded(by: margins)
        for (picture, dx, dy) in [(changed, 0, 0), (wide, 7, 3)] {
            let again = try PictureFile.decode(PictureFile.encode(picture, as: .tiff), name: "it.tif")
            let folder = try PassingFolder()
            try PictureFile.write(picture, to: folder.path + "/it.tif")
            let made = try PictureFile.read(folder.path + "/it.tif", keepingInks: true)
            var (moved, off) = (0, 0)
            for y in 0..<64 {
                for x in 0..<96 {
                    let isChanged = (20..<40).contains(y) && (30..<60).contains(x)
                    for c in 0..<4 where !isChanged && made[x + dx, y + dy, c] != inks[x, y, c] { moved += 1 }
                    for c in 0..<3 where isChanged { off = max(off, abs(again[x + dx, y + dy, c] - [120, 90, 70][c])) }
                }
            }
            // The press's own way there and back is not quite one.
            #expect(moved == 0 && off < 12, "\(moved), \(off)")
        }
    }

    @Test("a profile that leads only from inks gives colours")
    func oneWay() throws {
        let picture = try PictureFile.read(Golden.path("colour/cmyk8.tif"))
        #expect(picture.metadata.plates?.leadBack == false)
        let again = try PictureFile.decode(PictureFile.encode(picture, as: .tiff), name: "it")
        #expect(again.channels == .rgb && again.samples == picture.samples && again.metadata.inks == nil)
    }
}
