import Foundation
import Raster
import RasterFiles
import Testing

@Suite("Writing files")
struct WritingTests {
    private let picture = Picture(size: PixelSize(width: 2, height: 1), channels: .grey, eight: [3, 4])

    @Test("missing folders are made, and nothing but the picture is left")
    func folders() throws {
        let folder = try PassingFolder()
        try PictureFile.write(picture, to: folder.file("a/b/c.png"), options: .init(sync: true))
        #expect(try PictureFile.read(folder.file("a/b/c.png")) == picture)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("a/b")) == ["c.png"])
    }

    @Test("the ending decides the format, and an option over it")
    func endings() throws {
        let folder = try PassingFolder()
        for (name, format) in [("a.png", PictureFormat.png), ("a.jpeg", .jpeg), ("a.TIF", .tiff), ("a.xyz", .png)] {
            try PictureFile.write(picture, to: folder.file(name))
            #expect(try PictureFile.format(of: folder.file(name)) == format)
        }
    }

    @Test("a file that stands there is kept unless it may be replaced")
    func overwrite() throws {
        let folder = try PassingFolder()
        let path = folder.file("a.png")
        try PictureFile.write(picture, to: path, options: .init(overwrite: false))
        let other = Picture(size: picture.size, channels: .grey, eight: [9, 9])
        #expect(throws: PictureFileError.alreadyExists(path: path)) {
            try PictureFile.write(other, to: path, options: .init(overwrite: false))
        }
        #expect(try PictureFile.read(path) == picture)
        try PictureFile.write(other, to: path)
        #expect(try PictureFile.read(path) == other)
        #expect(folder.names == ["a.png"])
        #expect(PictureFileError.alreadyExists(path: path).exitCode == 73)
    }

    @Test("a folder's name, a file as folder: cannot be created, nothing is left")
    func refused() throws {
        let folder = try PassingFolder()
        try PictureFile.write(picture, to: folder.file("a.png"))
        try PictureFile.write(picture, to: folder.file("sub/b.png"))
        for path in [folder.file("sub"), folder.file("a.png/c.png"), folder.path + "/"] {
            let error = #expect(throws: PictureFileError.self) { try PictureFile.write(picture, to: path) }
            #expect(error?.exitCode == 73, "\(path)")
        }
        #expect(folder.names == ["a.png", "sub"])
    }

    @Test("what dead processes left half-written is swept away, and nothing else")
    func sweeping() throws {
        let folder = try PassingFolder()
        // No process has the largest number.
        let dead = Int32.max
        let long = String(repeating: "n", count: 240) + ".png"
        let gone = [".a.png.\(dead)-0.part", ".\(String(repeating: "n", count: 200)).\(dead)-3.part"]
        let kept = [
            ".a.png.\(getpid())-0.part", ".b.png.\(dead)-0.part", ".a.png.part", ".a.png.x-0.part",
            "a.png.\(dead)-0.part",
            ".a.png.-1-0.part",
        ]
        for name in gone + kept { try WholeFile.write([1], to: folder.file(name)) }
        WholeFile.sweep([folder.file("a.png"), folder.file(long), folder.file("nowhere/a.png")])
        #expect(folder.names.sorted() == kept.sorted())
    }

    @Test("a write that stops midway is told in one line")
    func midway() {
        let error = PictureFileError.writeFailed(path: "a.png", reason: "no space left on device")
        #expect(error.exitCode == 74)
        #expect(
            error.description
                == "a.png could not be written: no space left on device. Nothing was left under that name; make room and try again."
        )
    }

    @Test("a side beyond what JPEG holds is refused with the mend")
    func sides() {
        let long = Picture(
            size: PixelSize(width: 65_501, height: 1), channels: .grey, eight: .init(repeating: 0, count: 65_501))
        let error = #expect(throws: PictureFileError.self) { try PictureFile.encode(long, as: .jpeg, name: "a.jpg") }
        #expect(
            error?.description
                == "a.jpg would be 65501×1 and JPEG holds at most 65500 pixels a side. Write a PNG or TIFF.")
    }
}
