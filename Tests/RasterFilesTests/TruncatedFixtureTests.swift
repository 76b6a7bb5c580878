import Raster
import RasterFiles
import Testing

@Suite("Fixtures cut short, and fixtures with lies in them")
struct TruncatedFixtureTests {
    @Test("every file cut at many lengths is refused in one line and 65, or is whole for all that matters")
    func cuts() throws {
        let fixtures = try Fixtures()
        var (cuts, survivors) = (0, [String: Int]())
        for (name, _) in fixtures.all {
            let bytes = try fixtures.bytes(name)
            let whole = try? PictureFile.decode(bytes, name: "it")
            // All of the first bytes and the last, and some between.
            let lengths =
                Array(0..<min(64, bytes.count))
                + Array(stride(from: 64, to: bytes.count, by: max(7, bytes.count / 150)))
                + Array(max(0, bytes.count - 24)..<bytes.count)
            for length in Set(lengths) {
                cuts += 1
                do throws(PictureFileError) {
                    let picture = try PictureFile.decode(Array(bytes[..<length]), name: "it")
                    // What is missing may stand behind all that was wanted.
                    #expect(picture.samples == whole?.samples, "\(name) cut to \(length)")
                    survivors[name, default: 0] += 1
                } catch {
                    #expect(error.exitCode == 65, "\(name) cut to \(length): \(error)")
                    #expect(!error.description.contains("\n") && error.description.contains(". "), "\(name)")
                }
            }
        }
        #expect(cuts > 15_000)
        // Metadata at the end of a TIFF, that exiftool put there, may be missing; pixels never.
        for (name, count) in survivors { #expect(name.hasSuffix(".tif") && count < 170, "\(name) \(count)") }
    }

    @Test("changed bytes in EXIF data, directories and chunks never crash, and what is read is written again")
    func mutations() throws {
        let fixtures = try Fixtures()
        var noise = Noise(seed: 31)
        let limits = PictureFile.Limits(longestSide: 20_000, pixels: 1 << 20)
        var (read, refused) = (0, 0)
        for (name, entry) in fixtures.all where entry.exif != nil || name.hasSuffix(".webp") || name.hasSuffix(".tif") {
            let bytes = try fixtures.bytes(name)
            for _ in 0..<60 {
                var changed = bytes
                for _ in 0...noise.below(4) {
                    let place = noise.below(noise.below(2) == 0 ? min(900, changed.count) : changed.count)
                    // Numbers that are small, large, or point elsewhere in the file.
                    changed[place] = [0, 1, 2, 4, 8, 127, 255][noise.below(7)]
                }
                guard let picture = try? PictureFile.decode(changed, name: "it", limits: limits) else {
                    refused += 1
                    continue
                }
                read += 1
                for format in [PictureFormat.png, .jpeg, .tiff] {
                    let again = try PictureFile.decode(PictureFile.encode(picture, as: format), name: "it")
                    #expect(again.size == picture.size, "\(name)")
                }
            }
        }
        #expect(read > 500 && refused > 500)
    }
}
