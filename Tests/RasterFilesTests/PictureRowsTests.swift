import Foundation
import Raster
import RasterFiles
import Testing
import Threads

@Suite("Rows of files, in windows that move down")
struct PictureRowsTests {
    /// Windows as an operator asks for them that looks so far around its band; then again from the top.
    private func windows(_ height: Int) -> [Range<Int>] {
        let bands = stride(from: 0, to: height, by: 5).map { max(0, $0 - 3)..<min(height, $0 + 8) }
        return bands + [height / 2..<height, 0..<height] + bands
    }

    @Test(
        "windows are the picture's rows, whatever the file, held whole or not", arguments: [0, PictureRows.usualHold])
    func pictures(held: Int) throws {
        let golden = try GoldenPictures()
        let folder = try PassingFolder()
        var met = 0
        for (name, expected) in golden.expected where expected.refused != true {
            let path = golden.folder + "/" + name
            let whole = try PictureFile.read(path).with(metadata: .init())
            let reader = try PictureReader(path, unrollingIn: folder.path)
            let rows = PictureRows(reader, holding: held)
            for window in windows(whole.height) {
                let part = Rectangle(x: 0, y: window.lowerBound, width: whole.width, height: window.count)
                #expect(try rows.rows(window) == whole.cropped(to: part), "\(name), \(window)")
            }
            #expect(PictureRows.diskBytes(reader, holding: held) == (held == 0 ? reader.diskBytes : 0))
            met += 1
        }
        #expect(met == 36 && folder.names.isEmpty)
    }

    @Test(
        "a mask's rows are those of the whole mask, made to fit",
        arguments: [nil, .stretch, .crop, .rotate] as [MaskFit?])
    func masks(fit: MaskFit?) throws {
        let folder = try PassingFolder()
        var noise = Noise(seed: 31)
        for (kind, orientation) in [(Picture.Channels.grey, 1), (.rgba, 1), (.rgb, 6)] {
            var file = noise.picture(41, 29, kind, depth: kind == .grey ? 16 : 8)
            file.metadata.exif = exif(orientation: orientation, bigEndian: false)
            try PictureFile.write(file, to: folder.file("mask.png"))
            let whole = Mask(try PictureFile.read(folder.file("mask.png")))
            let size =
                switch fit {
                case nil: whole.size
                case .rotate: whole.size.transposed
                default: PixelSize(width: 70, height: 23)
                }
            let fitted = try #require(fit?(whole, to: size) ?? whole)
            for inverts in [false, true] {
                let expected = inverts ? fitted.inverted : fitted
                let rows = MaskRows(
                    try PictureReader(folder.file("mask.png")), fit, to: size, inverts: inverts, in: folder.path,
                    threads: Threads(2))
                for window in windows(size.height) {
                    let part = Rectangle(x: 0, y: window.lowerBound, width: size.width, height: window.count)
                    #expect(try rows.rows(window) == expected.cropped(to: part), "\(window)")
                }
                #expect((rows.diskBytes > 0) == (fit == .rotate || orientation == 6 && fit != nil && fit != .rotate))
            }
        }
        #expect(folder.names == ["mask.png"])
    }

    @Test("the scans of a progressive JPEG wait on disk where they are many, and the pixels are the same")
    func scans() throws {
        let golden = try GoldenPictures()
        let folder = try PassingFolder()
        let path = golden.folder + "/progressive.jpg"
        let held = try PictureReader(path)
        #expect(held.scanBytes == 0 && held.diskBytes == 0 && held.memoryBytes > 0)
        let unrolled = try PictureReader(path, unrollingIn: folder.path, holding: 0)
        #expect(unrolled.scanBytes == held.memoryBytes && unrolled.diskBytes == unrolled.scanBytes)
        #expect(unrolled.memoryBytes == 0)
        let expected = try strips(held, samples: 1 << 20).picture
        for samples in [1, 300, 1 << 20] { #expect(try strips(unrolled, samples: samples).picture == expected) }
        #expect(folder.names.isEmpty)
        let nowhere = try PictureReader(path, unrollingIn: folder.file("missing"), holding: 0)
        #expect(
            throws: PictureFileError.cannotCreate(path: folder.file("missing"), reason: "no such file or directory")
        ) {
            try strips(nowhere, samples: 300)
        }
    }
}
