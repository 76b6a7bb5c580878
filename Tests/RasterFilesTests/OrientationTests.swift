import Raster
import RasterFiles
import Testing

/// How 0 1 2 / 3 4 5 stands upright under each orientation, written out by hand from the standard's words.
private let upright: [(orientation: Int, width: Int, rows: [UInt8])] = [
    (1, 3, [0, 1, 2, 3, 4, 5]),
    (2, 3, [2, 1, 0, 5, 4, 3]),
    (3, 3, [5, 4, 3, 2, 1, 0]),
    (4, 3, [3, 4, 5, 0, 1, 2]),
    (5, 2, [0, 3, 1, 4, 2, 5]),
    (6, 2, [3, 0, 4, 1, 5, 2]),
    (7, 2, [5, 2, 4, 1, 3, 0]),
    (8, 2, [2, 5, 1, 4, 0, 3]),
]

@Suite("Orientation")
struct OrientationTests {
    private let stored = Picture(size: PixelSize(width: 3, height: 2), channels: .grey, eight: [0, 1, 2, 3, 4, 5])

    @Test("PNG by its EXIF data", arguments: 0..<8, [false, true])
    func png(index: Int, bigEndian: Bool) throws {
        var picture = stored
        picture.metadata.exif = exif(orientation: upright[index].orientation, bigEndian: bigEndian)
        let read = try PictureFile.decode(PictureFile.encode(picture, as: .png), name: "it")
        #expect(read.samples == .eight(upright[index].rows))
        #expect(read.width == upright[index].width)
        // Written out again, the picture must not be turned twice.
        #expect(read.metadata.exif == exif(orientation: 1, bigEndian: bigEndian))
    }

    @Test("JPEG by its EXIF data", arguments: 0..<8)
    func jpeg(index: Int) throws {
        // Blocks of 8×8 pixels in greys far apart, so that compression cannot confuse them.
        let eight = (0..<16 * 24).map { place -> UInt8 in
            let (x, y) = (place % 24 / 8, place / 24 / 8)
            return UInt8((y * 3 + x) * 40)
        }
        var picture = Picture(size: PixelSize(width: 24, height: 16), channels: .grey, eight: eight)
        picture.metadata.exif = exif(orientation: upright[index].orientation, bigEndian: true)
        let read = try PictureFile.decode(PictureFile.encode(picture, as: .jpeg), name: "it")
        try #require(read.width == upright[index].width * 8)
        for (place, value) in upright[index].rows.enumerated() {
            let (x, y) = (place % upright[index].width * 8 + 4, place / upright[index].width * 8 + 4)
            #expect(abs(read[x, y, 0] - Int(value) * 40) < 10)
        }
    }

    @Test("TIFF by its tag", arguments: 0..<8)
    func tiff(index: Int) throws {
        var bytes = try PictureFile.encode(stored, as: .tiff)
        let entry: [UInt8] = [0x12, 0x01, 3, 0, 1, 0, 0, 0, 1, 0]
        let place = try #require(bytes.indices.first { bytes[$0...].starts(with: entry) })
        bytes[place + 8] = UInt8(upright[index].orientation)
        let read = try PictureFile.decode(bytes, name: "it")
        #expect(read.samples == .eight(upright[index].rows))
        #expect(read.width == upright[index].width)
    }

    @Test("turning carries every channel and depth")
    func channels() throws {
        var noise = Noise(seed: 8)
        for channels in Picture.Channels.allCases {
            for depth in [8, 16] {
                let picture = noise.picture(5, 3, channels, depth: depth)
                // A quarter turn one way and the other is nothing.
                #expect(picture.turned(from: .turnedLeft).turned(from: .turnedRight) == picture)
                #expect(picture.turned(from: .transposed).turned(from: .transposed) == picture)
                #expect(picture.turned(from: .transversed).turned(from: .transversed) == picture)
            }
        }
    }

    @Test("nonsense in EXIF data is no orientation")
    func nonsense() throws {
        var picture = stored
        for exif in [exif(orientation: 9, bigEndian: true), Array("II*\0\u{8}".utf8), Array("MM nonsense".utf8)] {
            picture.metadata.exif = exif
            // libpng itself refuses EXIF data without a byte-order mark, so what is read may have none.
            let read = try PictureFile.decode(PictureFile.encode(picture, as: .png), name: "it")
            #expect(read.samples == stored.samples)
        }
    }
}
