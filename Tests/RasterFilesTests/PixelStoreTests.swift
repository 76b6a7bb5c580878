import Raster
import RasterFiles
import Testing
import Threads

@Suite("Pixels on disk")
struct PixelStoreTests {
    private func picture(_ size: PixelSize, _ channels: Picture.Channels, depth: Int) -> Picture {
        let count = size.area * channels.count
        return depth == 8
            ? Picture(
                size: size, channels: channels,
                eight: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435 >> 7) })
            : Picture(
                size: size, channels: channels, sixteen: (0..<count).map { UInt16(truncatingIfNeeded: $0 &* 40_503) })
    }

    @Test("what is written is read, in parts of any shape", arguments: [8, 16])
    func parts(depth: Int) throws {
        let folder = try PassingFolder()
        let whole = picture(PixelSize(width: 37, height: 29), .rgba, depth: depth)
        let store = try PixelStore(size: whole.size, channels: .rgba, depth: depth, in: folder.path)
        for y in stride(from: 0, to: 29, by: 8) {
            for x in stride(from: 0, to: 37, by: 10) {
                let part = Rectangle(x: x, y: y, width: min(10, 37 - x), height: min(8, 29 - y))
                try store.write(whole.cropped(to: part), x: x, y: y)
            }
        }
        #expect(try store.read(Rectangle(whole.size)) == whole)
        let middle = Rectangle(x: 5, y: 7, width: 20, height: 13)
        #expect(try store.read(middle) == whole.cropped(to: middle))
        // Nothing stands in the folder while the store is used.
        #expect(folder.names.isEmpty)
    }

    @Test("a store's resize is a picture's", arguments: [8, 16])
    func resizing(depth: Int) throws {
        let folder = try PassingFolder()
        // Wide enough that it goes in several strips.
        let whole = picture(PixelSize(width: 2001, height: 1500), .rgb, depth: depth)
        let store = try PixelStore(size: whole.size, channels: .rgb, depth: depth, in: folder.path)
        try store.write(whole, y: 0)
        let target = PixelSize(width: 700, height: 403)
        let box = ResamplingBox(left: 100, top: 300.5, width: 1500, height: 1100)
        for box in [nil, box] {
            let expected = whole.resized(to: target, filter: .bicubic, box: box)
            var (rows, bands) = (0, 0)
            try store.resized(to: target, filter: .bicubic, box: box, threads: Threads(2)) { band, y in
                #expect(y == rows)
                let part = Rectangle(x: 0, y: y, width: target.width, height: band.height)
                #expect(band.samples == expected.cropped(to: part).samples)
                (rows, bands) = (rows + band.height, bands + 1)
            }
            #expect(rows == target.height && bands > 1)
        }
    }

    @Test("a folder that is not there is refused")
    func noFolder() {
        #expect(throws: PictureFileError.self) {
            _ = try PixelStore(size: PixelSize(width: 1, height: 1), channels: .grey, depth: 8, in: "/nowhere/at/all")
        }
    }
}
