import Foundation
import Raster
import RasterFiles
import Testing

@Suite("Reading pictures")
struct ReadingTests {
    @Test("files of other programs hold what those programs put in them")
    func golden() throws {
        let golden = try GoldenPictures()
        #expect(golden.expected.count == 38)
        for (name, expected) in golden.expected.sorted(by: { $0.key < $1.key }) {
            if expected.refused == true {
                let error = failure(try golden.bytes(name))
                guard case .unsupported = error else {
                    Issue.record("\(name) gave \(String(describing: error))")
                    continue
                }
                continue
            }
            let wanted = try expected.picture()
            let read = try PictureFile.read(golden.folder + "/" + name)
            #expect(
                read.size == wanted.size && read.channels == wanted.channels && read.depth == wanted.depth, "\(name)")
            // libjpeg's fast paths differ by processor, by a level at most.
            let same =
                name.hasSuffix(".jpg")
                ? difference(read, wanted) <= 1 : read.samples == wanted.samples
            #expect(same, "\(name)")
        }
    }

    private func difference(_ one: Picture, _ two: Picture) -> Int {
        guard case .eight(let a) = one.samples, case .eight(let b) = two.samples, a.count == b.count else {
            return .max
        }
        return zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0
    }

    @Test(
        "messages name the file, the fault and the mend",
        arguments: [
            (
                "signed.tif",
                "signed.tif is a TIFF of a kind that is not read: its samples are signed or complex numbers. "
                    + "Save it as grey or RGB with 8 or 16 bits a channel."
            )
        ])
    func refusals(name: String, line: String) throws {
        let bytes = try GoldenPictures().bytes(name)
        let error = #expect(throws: PictureFileError.self) { try PictureFile.decode(bytes, name: name) }
        #expect(error?.description == line)
        #expect(error?.exitCode == 65)
    }

    @Test("content decides the format, not the name")
    func content() throws {
        let folder = try PassingFolder()
        var noise = Noise(seed: 1)
        let picture = noise.picture(5, 4, .rgb)
        try PictureFile.write(picture, to: folder.file("a.png"), options: .init(format: .tiff))
        #expect(try PictureFile.format(of: folder.file("a.png")) == .tiff)
        #expect(try PictureFile.read(folder.file("a.png")).samples == picture.samples)
        #expect(PictureFormat(path: "a/b.JPG") == .jpeg)
        #expect(PictureFormat(path: "a.png/b") == nil)
        #expect(PictureFormat(path: ".png") == nil)
    }

    @Test("a text file named .png")
    func text() throws {
        let folder = try PassingFolder()
        try WholeFile.write(Array("milk, eggs, ultramarine\n".utf8), to: folder.file("notes.png"))
        let error = #expect(throws: PictureFileError.self) { try PictureFile.read(folder.file("notes.png")) }
        #expect(
            error?.description == folder.file("notes.png")
                + " is not a picture: its first bytes are those of no known format. Velatura reads PNG, JPEG, TIFF and WebP."
        )
        #expect(error?.exitCode == 65)
    }

    @Test("missing files, folders and empty files")
    func absent() throws {
        let folder = try PassingFolder()
        let path = folder.file("none.png")
        #expect(throws: PictureFileError.notFound(path: path)) { try PictureFile.read(path) }
        #expect(PictureFileError.notFound(path: path).exitCode == 66)
        #expect(throws: PictureFileError.notFound(path: path + "/x.png")) { try PictureFile.read(path + "/x.png") }
        #expect(throws: PictureFileError.isFolder(path: folder.path)) { try PictureFile.read(folder.path) }
        try WholeFile.write([], to: path)
        #expect(throws: PictureFileError.empty(path: path)) { try PictureFile.read(path) }
    }
}
