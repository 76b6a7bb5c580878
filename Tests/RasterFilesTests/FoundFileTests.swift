import Foundation
import Raster
import RasterFiles
import Testing

/// `Tests/Fixtures/hostile`: files that fuzzing has found (`Tools/fuzz`), each of which once did harm.
@Suite("Files that fuzzing has found")
struct FoundFileTests {
    /// What is wrong with each, in words that its refusal has; nil for those that are read.
    private static let refusals: [String: String?] = [
        // libtiff's words had two lines.
        "two-line-complaint.tif": " is a damaged TIFF: ",
        // A gigabyte of EXIF data or text, for which libpng made room, in a file of two kilobytes.
        "long-exif.png": " is a PNG that was cut short: the file ends early",
        "long-text.png": " is a PNG that was cut short: the file ends early",
    ]

    private static var folder: String {
        get throws { try Fixtures().folder + "/hostile" }
    }

    @Test("every file is known here")
    func all() throws {
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: Self.folder)) == Set(Self.refusals.keys))
    }

    @Test("each is read, or refused in one line with 65, whole as by strips", arguments: refusals.keys.sorted())
    func each(_ name: String) throws {
        let path = try Self.folder + "/" + name
        let limits = PictureFile.Limits(longestSide: 20_000, pixels: 1 << 18)
        let words = Self.refusals[name] ?? nil
        func expect(_ error: PictureFileError) {
            let line = error.description
            #expect(error.exitCode == 65 && words.map { line.contains($0) } == true, "\(line)")
            #expect(line.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 }, "\(line.debugDescription)")
        }
        var whole: Picture?
        do throws(PictureFileError) {
            whole = try PictureFile.decode(WholeFile.read(path), name: "it", limits: limits)
            #expect(words == nil)
        } catch { expect(error) }
        do {
            let reader = try PictureReader(path, limits: limits, unrollingIn: NSTemporaryDirectory())
            #expect(try strips(reader, samples: 50).picture == whole)
        } catch let error as PictureFileError {
            #expect(whole == nil)
            expect(error)
        }
    }
}
