import Raster
import RasterFiles
import Testing

@Suite("Resolution")
struct ResolutionTests {
    /// The unit and the two numbers of a JPEG's density.
    private func density(_ bytes: [UInt8]) -> [Int] {
        [Int(bytes[13]), Int(bytes[14]) << 8 | Int(bytes[15]), Int(bytes[16]) << 8 | Int(bytes[17])]
    }

    @Test(
        "stays in inches or centimetres, whichever is whole",
        arguments: [
            (300 / 0.0254, 300 / 0.0254, [1, 300, 300]), (11811, 11811, [1, 300, 300]), (2835, 2835, [1, 72, 72]),
            (11800, 5900, [2, 118, 59]), (150.5 / 0.0254, 72 / 0.0254, [1, 151, 72]),
        ] as [(Double, Double, [Int])])
    func units(across: Double, down: Double, wanted: [Int]) throws {
        var picture = Picture(size: PixelSize(width: 2, height: 2), channels: .grey, eight: [1, 2, 3, 4])
        picture.metadata.resolution = .init(horizontal: across, vertical: down)
        #expect(density(try PictureFile.encode(picture, as: .jpeg)) == wanted)
        let tiff = try PictureFile.decode(PictureFile.encode(picture, as: .tiff), name: "it").metadata.resolution
        #expect(abs((tiff?.horizontal ?? 0) - across) < 0.51 && abs((tiff?.vertical ?? 0) - down) < 0.51)
    }

    @Test("numbers beyond what a format can hold are left out, and nothing breaks")
    func absurd() throws {
        var picture = Picture(size: PixelSize(width: 2, height: 2), channels: .grey, eight: [1, 2, 3, 4])
        for value in [1e300, .infinity, .nan, -5, 1e-300] {
            picture.metadata.resolution = .init(horizontal: value, vertical: value)
            for format in [PictureFormat.png, .jpeg, .tiff] {
                #expect(
                    try PictureFile.decode(PictureFile.encode(picture, as: format), name: "it").size == picture.size)
            }
        }
    }
}
