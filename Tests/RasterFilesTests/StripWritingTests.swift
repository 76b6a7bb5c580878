import CodecShims
import Raster
import RasterFiles
import Testing
import Threads

@Suite("Writing by strips")
struct StripWritingTests {
    @Test(
        "strips of any height make the bytes of the whole", arguments: PictureFormat.allCases.filter(\.isWritten),
        [8, 16])
    func sameBytes(format: PictureFormat, depth: Int) throws {
        let folder = try PassingFolder()
        let path = folder.file("a." + format.fileExtension)
        for channels in Picture.Channels.allCases {
            var noise = Noise(seed: 31)
            // More than one block of a PNG, and more than one strip of a TIFF.
            var picture = noise.picture(311, 700, channels, depth: depth)
            picture.metadata["parameters"] = "a lake"
            picture.metadata.resolution = .init(horizontal: 3000, vertical: 4000)
            let whole = try PictureFile.encode(picture, as: format)
            for (heights, threads) in [([1], 1), ([700], 3), ([13, 200, 7], 2)] {
                try PictureFile.write(
                    picture.size, channels: channels, depth: depth, metadata: picture.metadata, to: path,
                    options: .init(threads: Threads(threads))
                ) { send in
                    var (y, turn) = (0, 0)
                    while y < picture.height {
                        let height = min(heights[turn % heights.count], picture.height - y)
                        try send(picture.cropped(to: Rectangle(x: 0, y: y, width: picture.width, height: height)))
                        (y, turn) = (y + height, turn + 1)
                    }
                }
                #expect(try WholeFile.read(path) == whole, "\(channels) by \(heights)")
            }
            let back = try PictureFile.read(path)
            if format != .jpeg { #expect(back.samples == picture.samples) }
            #expect(folder.names == ["a." + format.fileExtension])
        }
    }

    @Test("a TIFF that may pass 4 GiB is a BigTIFF, whatever makes it so, and one that cannot is none")
    func bigTIFF() {
        func isBig(
            _ width: UInt32, _ height: UInt32, _ channels: UInt32 = 3, depth: UInt32 = 8, lzw: Int32 = 0, extra: Int = 0
        )
            -> Bool
        {
            var (header, extras) = (codec_header(), codec_extras())
            (header.width, header.height, header.channels, header.depth) = (width, height, channels, depth)
            extras.xmp = codec_span(bytes: nil, count: extra)
            return codec_tiff_is_big(&header, &extras, lzw) != 0
        }
        #expect(!isBig(30_000, 30_000) && !isBig(1, 1) && !isBig(37_000, 37_000))
        #expect(isBig(38_000, 38_000) && isBig(30_000, 30_000, depth: 16) && isBig(33_000, 33_000, 4))
        // Noise that LZW makes half as large again; a profile that is too much.
        #expect(isBig(32_000, 32_000, lzw: 1) && !isBig(30_000, 30_000, lzw: 1))
        #expect(isBig(37_000, 37_000, extra: 200 << 20) && !isBig(30_000, 30_000, extra: 200 << 20))
        // More than the header's own numbers can count.
        #expect(isBig(.max, .max, 4, depth: 16))
    }

    @Test("every level of PNG compression is read back", arguments: 0...9)
    func levels(level: Int) throws {
        var noise = Noise(seed: 32)
        // Soft enough that filters matter, wide enough for several blocks.
        let small = noise.picture(20, 20, .rgb)
        let picture = small.resized(to: PixelSize(width: 700, height: 600), filter: .bicubic)
        let bytes = try PictureFile.encode(picture, as: .png, options: .init(compression: level))
        #expect(try PictureFile.decode(bytes, name: "it") == picture)
        let raw = picture.samples.count
        #expect(level == 0 ? bytes.count > raw : bytes.count < raw / 2, "\(bytes.count) of \(raw)")
        let chunks = try #require(PNGChunks(bytes))
        #expect(chunks.all.filter { $0.name == "IDAT" }.count > 3)
    }

    @Test(
        "when strips stop coming, nothing stands under the name", arguments: PictureFormat.allCases.filter(\.isWritten))
    func stopped(format: PictureFormat) throws {
        struct Stop: Error {}
        let folder = try PassingFolder()
        let path = folder.file("a." + format.fileExtension)
        try WholeFile.write([1, 2, 3], to: path)
        var noise = Noise(seed: 33)
        let strip = noise.picture(300, 400, .rgb)
        #expect(throws: Stop.self) {
            try PictureFile.write(
                PixelSize(width: 300, height: 800), channels: .rgb, depth: 8, metadata: .init(), to: path,
                options: .init()
            ) { send in
                try send(strip)
                throw Stop()
            }
        }
        #expect(try WholeFile.read(path) == [1, 2, 3])
        #expect(folder.names == ["a." + format.fileExtension])
    }

    @Test("what stands there is kept unless it may be replaced, before the first strip is asked for")
    func kept() throws {
        let folder = try PassingFolder()
        try WholeFile.write([1], to: folder.file("a.png"))
        #expect(throws: PictureFileError.alreadyExists(path: folder.file("a.png"))) {
            try PictureFile.write(
                PixelSize(width: 1, height: 1), channels: .grey, depth: 8, metadata: .init(), to: folder.file("a.png"),
                options: .init(overwrite: false)
            ) { _ in Issue.record("a strip was asked for") }
        }
    }
}
