import Raster
import RasterFiles
import Testing

@Suite("Hostile files")
struct HostileFileTests {
    @Test("every way of cutting a file short is an error")
    func truncation() throws {
        let golden = try GoldenPictures()
        var files = [(String, [UInt8])]()
        for name in golden.expected.keys.sorted() { files.append((name, try golden.bytes(name))) }
        var noise = Noise(seed: 11)
        var picture = noise.picture(23, 17, .rgba)
        picture.metadata["velatura"] = "{}"
        files.append(("ours.png", try PictureFile.encode(picture, as: .png)))
        files.append(("ours.jpg", try PictureFile.encode(picture, as: .jpeg)))
        files.append(("ours.tif", try PictureFile.encode(picture, as: .tiff)))

        var cuts = 0
        var survivors = [String: Int]()
        for (name, bytes) in files {
            for length in 0..<bytes.count {
                cuts += 1
                guard let error = failure(Array(bytes[..<length])) else {
                    survivors[name, default: 0] = length
                    continue
                }
                #expect(error.exitCode == 65, "\(name) cut to \(length)")
            }
        }
        #expect(files.count == 41)
        #expect(cuts > 30_000)
        #expect(survivors == [:])
    }

    @Test("changed bytes are an error or a picture, never a crash")
    func mutation() throws {
        let golden = try GoldenPictures()
        var noise = Noise(seed: 12)
        var met = 0
        var refused = 0
        let limits = PictureFile.Limits(longestSide: 20_000, pixels: 1 << 22)
        for name in golden.expected.keys.sorted() {
            let bytes = try golden.bytes(name)
            for _ in 0..<150 {
                var changed = bytes
                for _ in 0...noise.below(3) {
                    // Headers are where the lies matter, so half of the changes go there.
                    let place = noise.below(2) == 0 ? noise.below(min(200, changed.count)) : noise.below(changed.count)
                    changed[place] = UInt8(truncatingIfNeeded: noise.next())
                }
                met += 1
                if failure(changed, limits: limits) != nil { refused += 1 }
            }
        }
        #expect(met == 5700)
        #expect(refused > 1000)
    }

    @Test("strips refuse what the whole refuses, and are the same picture otherwise")
    func byStrips() throws {
        let golden = try GoldenPictures()
        let folder = try PassingFolder()
        let path = folder.file("it")
        let limits = PictureFile.Limits(longestSide: 20_000, pixels: 1 << 22)
        var noise = Noise(seed: 16)
        var (met, refused) = (0, 0)
        func compare(_ bytes: [UInt8], _ name: String) throws {
            try WholeFile.write(bytes, to: path)
            let whole = try? PictureFile.decode(bytes, name: "it", limits: limits)
            met += 1
            do {
                let reader = try PictureReader(path, limits: limits, unrollingIn: folder.path)
                let read = try strips(reader, samples: 50)
                #expect(read.picture == whole, "\(name)")
            } catch let error as PictureFileError {
                refused += 1
                #expect(whole == nil && error.exitCode == 65, "\(name): \(error)")
            }
        }
        for name in golden.expected.keys.sorted() {
            let bytes = try golden.bytes(name)
            for length in stride(from: 1, to: bytes.count, by: 17) { try compare(Array(bytes[..<length]), name) }
            for _ in 0..<40 {
                var changed = bytes
                for _ in 0...noise.below(3) {
                    let place = noise.below(2) == 0 ? noise.below(min(200, changed.count)) : noise.below(changed.count)
                    changed[place] = UInt8(truncatingIfNeeded: noise.next())
                }
                try compare(changed, name)
            }
        }
        #expect(met > 3000 && refused > 2000)
    }

    @Test("a PNG that claims 2^31 pixels a side")
    func hugePNG() {
        let claims: [(UInt32, UInt32)] = [
            (0x7fff_ffff, 0x7fff_ffff), (0x7fff_ffff, 1), (0xffff_ffff, 0xffff_ffff), (0, 5),
        ]
        for (width, height) in claims {
            #expect(failure(png(width: width, height: height)) != nil, "\(width)×\(height)")
        }
        guard case .sideTooLong(_, let size, 65_535) = failure(png(width: 0x7fff_ffff, height: 1)) else {
            return #expect(Bool(false), "the longest side has a limit")
        }
        #expect(size.width == 0x7fff_ffff)
    }

    @Test("a header that promises more than the file can hold is refused before room is made")
    func promises() {
        let error = failure(png(width: 30_000, height: 30_000))
        guard case .promisesTooMuch(_, .png, let size, _) = error else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
        #expect(size == PixelSize(width: 30_000, height: 30_000))
    }

    @Test("limits on pixels, sides and bytes")
    func limits() throws {
        var noise = Noise(seed: 13)
        let bytes = try PictureFile.encode(noise.picture(20, 10, .rgb), as: .png)
        #expect(failure(bytes, limits: .init(longestSide: 20, pixels: 200, fileBytes: bytes.count)) == nil)
        let size = PixelSize(width: 20, height: 10)
        #expect(failure(bytes, limits: .init(longestSide: 19)) == .sideTooLong(path: "it", size: size, limit: 19))
        #expect(failure(bytes, limits: .init(pixels: 199)) == .tooManyPixels(path: "it", size: size, limit: 199))
        #expect(
            failure(bytes, limits: .init(fileBytes: 99)) == .fileTooLarge(path: "it", bytes: bytes.count, limit: 99))
        #expect(
            PictureFileError.tooManyPixels(path: "it", size: size, limit: 199).description
                == "it is 20×10, which is 200 pixels, and the limit is 199. Reduce it first.")
    }

    @Test("TIFF directories that lead in circles or nowhere")
    func loops() throws {
        var noise = Noise(seed: 14)
        let bytes = try PictureFile.encode(noise.picture(9, 9, .rgb), as: .tiff)
        let directory = bytes[4..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        let entries = Int(bytes[directory]) | Int(bytes[directory + 1]) << 8
        let next = directory + 2 + entries * 12
        // The next directory is this one: only the first page is read, so that is harmless.
        var circle = bytes
        circle.replaceSubrange(next..<next + 4, with: bytes[4..<8])
        #expect(failure(circle) == nil)
        // The first directory lies in the header, behind the end, or nowhere.
        for place: [UInt8] in [[0, 0, 0, 0], [4, 0, 0, 0], [255, 255, 255, 127], [255, 255, 255, 255]] {
            var lost = bytes
            lost.replaceSubrange(4..<8, with: place)
            #expect(failure(lost) != nil)
        }
    }

    @Test("a PNG with a wrong checksum")
    func checksum() throws {
        var noise = Noise(seed: 15)
        var picture = noise.picture(9, 9, .rgb)
        picture.metadata["parameters"] = "a lake"
        let bytes = try PictureFile.encode(picture, as: .png)
        var changed = 0
        for name in ["IHDR", "tEXt", "IDAT"] {
            let place = try #require(bytes.indices.first { bytes[$0...].starts(with: Array(name.utf8)) })
            let count = bytes[place - 4..<place].reduce(0) { $0 << 8 | Int($1) }
            var wrong = bytes
            wrong[place + 4 + count] ^= 1
            changed += 1
            #expect(failure(wrong)?.exitCode == 65, "\(name)")
        }
        #expect(changed == 3)
    }

    /// A PNG with a header and one empty data chunk; checksums are right.
    private func png(width: UInt32, height: UInt32) -> [UInt8] {
        func big(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", big(width) + big(height) + [8, 2, 0, 0, 0])
            + chunk("IDAT", [0x78, 0x9c, 3, 0, 0, 0, 0, 1]) + chunk("IEND", [])
    }
}
