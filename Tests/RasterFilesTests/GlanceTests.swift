import Foundation
import Raster
import RasterFiles
import Testing

/// Looking at a picture says what reading it says, without its samples.
@Suite struct GlanceTests {
    @Test("size and texts are those of the whole picture", arguments: ["png", "jpg", "tif"], 1...8)
    func agrees(ending: String, orientation: UInt8) throws {
        var picture = Picture(
            size: PixelSize(width: 7, height: 3), channels: .rgb, eight: (0..<63).map { UInt8($0 * 4) })
        picture.metadata.exif = [
            0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0,
        ]
        picture.metadata.xmp = Array("<x:xmpmeta/>".utf8)
        picture.metadata["velatura"] = "{}"
        let path = NSTemporaryDirectory() + "velatura-glance-\(UUID().uuidString).\(ending)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try PictureFile.write(picture, to: path)
        let (glance, whole) = (try PictureFile.glance(path), try PictureFile.read(path))
        #expect(glance.size == whole.size)
        // A TIFF says itself how it lies.
        #expect(glance.size == PixelSize(width: 7, height: 3) || ending != "tif" && orientation >= 5)
        #expect(glance.metadata.texts == whole.metadata.texts && glance.metadata.xmp == whole.metadata.xmp)
    }

    @Test("what cannot be read is told as reading tells it, and so is a file that is too short for its header")
    func faults() throws {
        let folder = NSTemporaryDirectory() + "velatura-glance-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(throws: PictureFileError.notFound(path: folder + "/a.png")) {
            try PictureFile.glance(folder + "/a.png")
        }
        try WholeFile.write([], to: folder + "/empty.png")
        #expect(throws: PictureFileError.empty(path: folder + "/empty.png")) {
            try PictureFile.glance(folder + "/empty.png")
        }
        #expect(throws: PictureFileError.isFolder(path: folder)) { try PictureFile.glance(folder) }
        try WholeFile.write(Array("junk".utf8), to: folder + "/junk.png")
        #expect(throws: PictureFileError.notAPicture(path: folder + "/junk.png")) {
            try PictureFile.glance(folder + "/junk.png")
        }
        let picture = Picture(
            size: PixelSize(width: 64, height: 64), channels: .rgb, eight: (0..<64 * 64 * 3).map { UInt8($0 % 251) })
        for format in PictureFormat.allCases.filter(\.isWritten) {
            let bytes = try PictureFile.encode(picture, as: format)
            var met = 0
            for count in stride(from: 1, to: bytes.count, by: max(1, bytes.count / 60)) {
                try WholeFile.write(Array(bytes.prefix(count)), to: folder + "/cut")
                // Either is right for a cut file; neither may crash or take another for it.
                if let glance = try? PictureFile.glance(folder + "/cut") { #expect(glance.size == picture.size) }
                met += 1
            }
            #expect(met > 20)
        }
    }
}
