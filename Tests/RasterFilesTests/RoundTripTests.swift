import Raster
import RasterFiles
import Testing

@Suite("Writing and reading back")
struct RoundTripTests {
    @Test(
        "PNG and TIFF give back every sample",
        arguments: [(PictureFormat.png, 8), (.png, 16), (.tiff, 8), (.tiff, 16), (.tiff, 32)])
    func identity(format: PictureFormat, depth: Int) throws {
        var noise = Noise(seed: 17)
        for channels in Picture.Channels.allCases {
            for (width, height) in [(1, 1), (1, 9), (7, 1), (33, 21), (301, 200)] {
                let picture = noise.picture(width, height, channels, depth: depth)
                for lzw in format == .tiff ? [false, true] : [false] {
                    let bytes = try PictureFile.encode(picture, as: format, options: .init(lzw: lzw))
                    #expect(PictureFormat(content: bytes) == format)
                    let same = try PictureFile.decode(bytes, name: "it") == picture
                    #expect(same, "\(channels) \(width)×\(height)")
                }
            }
        }
    }

    @Test("JPEG is close, keeps grey, drops what it cannot hold")
    func jpeg() throws {
        let values = (0..<3072).map { place -> UInt8 in
            let (x, y) = (place % 64, place / 64)
            return UInt8(x * 2 + y)
        }
        let grey = Picture(size: PixelSize(width: 64, height: 48), channels: .grey, eight: values)
        let read = try PictureFile.decode(try PictureFile.encode(grey, as: .jpeg), name: "it")
        #expect(read.channels == .grey)
        guard case .eight(let bytes) = read.samples else { return #expect(Bool(false)) }
        let worst = zip(bytes, values).map { abs(Int($0) - Int($1)) }.max()
        #expect((worst ?? 255) <= 4)

        // Transparent red over white is white.
        let clear = Picture(
            size: PixelSize(width: 8, height: 8), channels: .rgba, sixteen: (0..<64).flatMap { _ in [65_535, 0, 0, 0] })
        let flat = try PictureFile.decode(try PictureFile.encode(clear, as: .jpeg), name: "it")
        #expect(flat.channels == .rgb && flat.depth == 8 && flat[3, 3, 1] >= 254)
    }

    @Test("quality and compression change the file's length")
    func options() throws {
        var noise = Noise(seed: 2)
        let picture = noise.picture(64, 64, .rgb)
        let fine = try PictureFile.encode(picture, as: .jpeg, options: .init(quality: 95)).count
        let coarse = try PictureFile.encode(picture, as: .jpeg, options: .init(quality: 30)).count
        #expect(coarse < fine / 2)
        let flat = Picture(
            size: PixelSize(width: 64, height: 64), channels: .rgb, eight: .init(repeating: 9, count: 12_288))
        let stored = try PictureFile.encode(flat, as: .png, options: .init(compression: 0)).count
        let packed = try PictureFile.encode(flat, as: .png, options: .init(compression: 9)).count
        #expect(packed < stored / 10)
    }

    @Test("texts come back in order, whatever letters they hold")
    func texts() throws {
        var noise = Noise(seed: 3)
        var picture = noise.picture(3, 3, .rgb)
        picture.metadata.texts = [
            .init(keyword: "parameters", text: "a lake\nSteps: 20, café"),
            .init(keyword: "Comment", text: "漢字 and 🎨"),
            .init(keyword: "velatura", text: #"{"command": "refine", "prompt": "Käse"}"#),
            .init(keyword: "empty", text: ""),
        ]
        #expect(try PictureFile.decode(PictureFile.encode(picture, as: .png), name: "it") == picture)
        picture.metadata["velatura"] = String(repeating: "long recipe ", count: 5000)
        let bytes = try PictureFile.encode(picture, as: .png)
        #expect(bytes.count < 5000)
        #expect(try PictureFile.decode(bytes, name: "it") == picture)
        #expect(picture.metadata.texts[2].keyword == "velatura")
    }

    @Test("short texts can be found in the file as they are")
    func plainTexts() throws {
        var noise = Noise(seed: 3)
        var picture = noise.picture(3, 3, .rgb)
        picture.metadata["parameters"] = "a lake"
        picture.metadata["velatura"] = "{}"
        let bytes = try PictureFile.encode(picture, as: .png)
        #expect(contains(bytes, Array("tEXtparameters\0a lake".utf8)))
        #expect(contains(bytes, Array("iTXtvelatura\0\0\0\0\0{}".utf8)))
    }

    @Test("XMP, EXIF and resolution come back")
    func metadata() throws {
        var noise = Noise(seed: 4)
        var picture = noise.picture(4, 4, .rgb)
        picture.metadata.resolution = .init(horizontal: 11_811, vertical: 11_811)
        picture.metadata.xmp = Array("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>".utf8)
        picture.metadata.exif = exif(orientation: 1, bigEndian: false)
        #expect(try PictureFile.decode(PictureFile.encode(picture, as: .png), name: "it") == picture)
        let jpeg = try PictureFile.decode(PictureFile.encode(picture, as: .jpeg), name: "it")
        #expect(jpeg.metadata.exif == picture.metadata.exif && jpeg.metadata.xmp == picture.metadata.xmp)
        let tiff = try PictureFile.decode(PictureFile.encode(picture, as: .tiff), name: "it")
        #expect(tiff.metadata.xmp == picture.metadata.xmp)
        #expect(abs((tiff.metadata.resolution?.horizontal ?? 0) - 11_811) < 1)
    }

    @Test("a JPEG's colour profile of several pieces comes back")
    func profile() throws {
        var noise = Noise(seed: 5)
        var picture = noise.picture(4, 4, .rgb)
        picture.metadata.profile = (0..<150_000).map { _ in UInt8(truncatingIfNeeded: noise.next()) }
        let read = try PictureFile.decode(PictureFile.encode(picture, as: .jpeg), name: "it")
        #expect(read.metadata.profile == picture.metadata.profile)
    }
}

func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    bytes.indices.contains { bytes[$0...].starts(with: part) }
}

/// EXIF data of one directory that holds the orientation.
func exif(orientation: Int, bigEndian: Bool) -> [UInt8] {
    func number(_ value: Int, _ count: Int) -> [UInt8] {
        let little = (0..<count).map { UInt8(value >> (8 * $0) & 255) }
        return bigEndian ? little.reversed() : little
    }
    return Array((bigEndian ? "MM" : "II").utf8) + number(42, 2) + number(8, 4) + number(1, 2) + number(0x0112, 2)
        + number(3, 2) + number(1, 4) + number(orientation, 2) + [0, 0] + number(0, 4)
}
