import Foundation
import Raster
import RasterFiles
import Testing

/// What a reader's strips put together make, with how many there were.
func strips(_ reader: PictureReader, samples: Int) throws -> (picture: Picture, count: Int) {
    var (eight, sixteen, floats): ([UInt8], [UInt16], [Float]) = ([], [], [])
    var (rows, count) = (0, 0)
    try reader.read(samples: samples) { strip, y in
        #expect(y == rows && strip.width == reader.size.width)
        (rows, count) = (rows + strip.height, count + 1)
        switch strip.samples {
        case .eight(let values): eight += values
        case .sixteen(let values): sixteen += values
        case .float(let values): floats += values
        }
    }
    #expect(rows == reader.size.height)
    return (
        Picture(
            size: reader.size, channels: reader.channels,
            samples: reader.depth == 8 ? .eight(eight) : reader.depth == 16 ? .sixteen(sixteen) : .float(floats),
            metadata: reader.metadata), count
    )
}

@Suite("Reading by strips")
struct StripReadingTests {
    @Test("strips of any height are the picture, metadata and all", arguments: [1, 100, 1 << 22])
    func whole(samples: Int) throws {
        let golden = try GoldenPictures()
        let folder = try PassingFolder()
        var (met, cut, unrolled) = (0, 0, [String]())
        for (name, expected) in golden.expected.sorted(by: { $0.key < $1.key }) where expected.refused != true {
            let path = golden.folder + "/" + name
            let reader = try PictureReader(path, unrollingIn: folder.path)
            let picture = try PictureFile.read(path)
            let read = try strips(reader, samples: samples)
            #expect(read.picture == picture, "\(name)")
            // The file can be gone through again.
            #expect(try strips(reader, samples: samples).picture == picture, "\(name)")
            met += 1
            if read.count > 1 { cut += 1 }
            if reader.needsUnrolling { unrolled.append(name) }
            let bytes = picture.size.area * picture.channels.count * picture.depth / 8
            #expect(reader.diskBytes == (reader.needsUnrolling ? bytes : 0))
        }
        #expect(met == 36)
        #expect(cut == (samples == 1 ? 36 : samples == 100 ? 17 : 0))
        #expect(unrolled == ["interlaced-19x13.png", "interlaced-3x2.png"])
        #expect(folder.names.isEmpty)
    }

    @Test("a picture that lies on its side stands upright", arguments: ["png", "jpg"], 1...8)
    func orientations(ending: String, orientation: UInt8) throws {
        var noise = Noise(seed: 21)
        var picture = noise.picture(31, 22, .rgb)
        picture.metadata.exif = exif(orientation)
        picture.metadata.resolution = .init(horizontal: 1000, vertical: 2000)
        let folder = try PassingFolder()
        try PictureFile.write(picture, to: folder.file("a." + ending))
        let expected = try PictureFile.read(folder.file("a." + ending))
        let reader = try PictureReader(folder.file("a." + ending), unrollingIn: folder.path)
        #expect(reader.needsUnrolling == (orientation > 2))
        for samples in [1, 400, 1 << 22] { #expect(try strips(reader, samples: samples).picture == expected) }
    }

    @Test("an interlaced picture on its side")
    func both() throws {
        let golden = try GoldenPictures()
        let bytes = try golden.bytes("interlaced-19x13.png")
        // Behind the header come EXIF data that ask for a quarter turn.
        let turned = Array(bytes[..<33]) + chunk("eXIf", exif(6)) + bytes[33...]
        let folder = try PassingFolder()
        try WholeFile.write(turned, to: folder.file("a.png"))
        let reader = try PictureReader(folder.file("a.png"), unrollingIn: folder.path)
        #expect(reader.size == PixelSize(width: 13, height: 19))
        let straight = try PictureFile.decode(bytes, name: "it")
        #expect(try strips(reader, samples: 60).picture.samples == straight.turned(from: .turnedLeft).samples)
    }

    @Test("texts behind a PNG's samples are known before they are read")
    func lateTexts() throws {
        var noise = Noise(seed: 22)
        var picture = noise.picture(40, 30, .rgb)
        picture.metadata["parameters"] = "first"
        picture.metadata["velatura"] = "{}"
        let bytes = try PictureFile.encode(picture, as: .png)
        let chunks = try #require(PNGChunks(bytes))
        let late = chunks.all.filter { $0.name == "tEXt" || $0.name == "iTXt" }
        #expect(late.count == 2)
        let moved =
            bytes[..<8] + chunks.all.filter { $0.name == "IHDR" || $0.name == "IDAT" }.flatMap(\.bytes)
            + late.flatMap(\.bytes) + chunk("tIME", [7, 230, 1, 1, 1, 1, 1]) + late[1].bytes
            + chunks.all.filter { $0.name == "IEND" }.flatMap(\.bytes)
        let folder = try PassingFolder()
        try WholeFile.write(Array(moved), to: folder.file("a.png"))
        let reader = try PictureReader(folder.file("a.png"))
        #expect(reader.metadata.texts.map(\.keyword) == ["parameters", "velatura", "velatura"])
        #expect(try PictureFile.glance(folder.file("a.png")).metadata.texts == reader.metadata.texts)
        #expect(try strips(reader, samples: 500).picture.samples == picture.samples)
        #expect(try PictureFile.decode(Array(moved), name: "it").metadata.texts == reader.metadata.texts)
    }

    @Test("a TIFF whose strips are too long to be decoded whole", arguments: LongStrips.allCases)
    func longStrips(kind: LongStrips) throws {
        var noise = Noise(seed: 23)
        // Every strip has more than 2^24 bytes.
        let picture = noise.picture(3000, kind.isApart ? 5700 : kind.depth == 16 ? 2000 : 4000, .rgb, depth: kind.depth)
        let folder = try PassingFolder()
        try WholeFile.write(kind.file(picture), to: folder.file("a.tif"))
        let reader = try PictureReader(folder.file("a.tif"), unrollingIn: folder.path)
        #expect(reader.needsUnrolling == (kind == .packedApart))
        #expect((reader.memoryBytes > 0) == kind.isPacked)
        #expect(try strips(reader, samples: 1 << 20).picture.samples == picture.samples)
        #expect(try PictureFile.read(folder.file("a.tif")).samples == picture.samples)
    }

    @Test("what a progressive JPEG takes beside its strips is known")
    func progressive() throws {
        let golden = try GoldenPictures()
        let reader = try PictureReader(golden.folder + "/progressive.jpg")
        #expect(reader.memoryBytes >= reader.size.area * 2)
        #expect(try PictureReader(golden.folder + "/rgb444.jpg").memoryBytes == 0)
    }

    @Test("pieces are the file")
    func pieces() throws {
        var noise = Noise(seed: 24)
        let folder = try PassingFolder()
        try PictureFile.write(noise.picture(900, 800, .rgb), to: folder.file("a.tif"))
        var bytes = [UInt8]()
        var count = 0
        try PictureReader(folder.file("a.tif")).file.forEachPiece { piece in
            bytes += piece
            count += 1
        }
        #expect(try bytes == WholeFile.read(folder.file("a.tif")) && count > 1)
    }

    @Test("a pipe")
    func pipe() throws {
        var noise = Noise(seed: 25)
        let picture = noise.picture(300, 200, .rgb)
        let bytes = try PictureFile.encode(picture, as: .png)
        let folder = try PassingFolder()
        let path = folder.file("pipe.png")
        #expect(mkfifo(path, 0o600) == 0)
        let writer = Thread {
            guard let file = FileHandle(forWritingAtPath: path) else { return }
            try? file.write(contentsOf: Data(bytes))
            try? file.close()
        }
        writer.start()
        let reader = try PictureReader(path)
        #expect(try strips(reader, samples: 1000).picture == picture)
        var count = 0
        try reader.file.forEachPiece { count += $0.count }
        #expect(count == bytes.count)
    }

    @Test("a file that is cut short while it is read is an error", arguments: ["png", "jpg", "tif"])
    func cutMeanwhile(ending: String) throws {
        var noise = Noise(seed: 26)
        let folder = try PassingFolder()
        let path = folder.file("a." + ending)
        try PictureFile.write(noise.picture(1000, 900, .rgb), to: path)
        let reader = try PictureReader(path)
        var met = 0
        let error = #expect(throws: PictureFileError.self) {
            try reader.read(samples: 30_000) { _, _ in
                if met == 3 { #expect(truncate(path, 200_000) == 0) }
                met += 1
            }
        }
        #expect(met > 3 && error?.exitCode == 65)
        #expect(throws: PictureFileError.self) { try reader.file.forEachPiece { _ in } }
    }

    private func exif(_ orientation: UInt8) -> [UInt8] {
        [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
    }
}
