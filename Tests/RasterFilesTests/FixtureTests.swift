import Foundation
import Raster
import RasterFiles
import Testing

/// Files of ImageMagick, libvips, Pillow, tifffile, libjpeg-turbo and exiftool, read, written and read again.
@Suite("Files of other programs")
struct FixtureTests {
    private let fixtures: Fixtures

    init() throws { fixtures = try Fixtures() }

    private func check(_ picture: Picture, _ entry: Fixtures.Entry, _ name: String) throws {
        #expect(
            [picture.width, picture.height, picture.channels.count, picture.depth]
                == [entry.width, entry.height, entry.channels, entry.depth], "\(name)")
        if let wanted = entry.fingerprint {
            #expect(fingerprint(picture.bytes) == wanted, "\(name)")
        } else {
            let wanted = [UInt8](try #require(Data(base64Encoded: entry.samples ?? ""), "\(name)"))
            try #require(wanted.count == picture.bytes.count, "\(name)")
            let worst = zip(wanted, picture.bytes).map { abs(Int($0) - Int($1)) }.max() ?? 0
            #expect(worst <= entry.tolerance ?? 0, "\(name) is off by \(worst)")
        }
    }

    private func checkMetadata(_ metadata: PictureMetadata, _ entry: Fixtures.Entry, _ name: String) {
        if let profile = entry.profile { #expect(metadata.profile.map(fingerprint) == profile, "\(name)") }
        if let wanted = entry.resolution {
            let found: [Double] = metadata.resolution.map { [$0.horizontal, $0.vertical] } ?? [0, 0]
            // Upright.
            let turned: [Double] = (entry.orientation ?? 1) >= 5 ? wanted.reversed() : wanted
            #expect(zip(found, turned).allSatisfy { abs($0 - $1) < 0.5 }, "\(name): \(found)")
        }
        for word in entry.xmp ?? [] { #expect(metadata.xmp.map { contains($0, Array(word.utf8)) } == true, "\(name)") }
        for word in entry.iptc ?? [] {
            #expect(metadata.iptc.map { contains($0, Array(word.utf8)) } == true, "\(name)")
        }
    }

    @Test("pixels, depth, profile, resolution, XMP and IPTC are what those programs say")
    func reading() throws {
        var (met, tolerated) = (0, 0)
        for (name, entry) in fixtures.readable {
            let picture = try PictureFile.read(fixtures.path(name))
            try check(picture, entry, name)
            checkMetadata(picture.metadata, entry, name)
            met += 1
            if entry.tolerance != 0 { tolerated += 1 }
        }
        #expect(met >= 95 && tolerated <= 40)
    }

    @Test("strips of each are the whole")
    func strips() throws {
        let folder = try PassingFolder()
        for (name, _) in fixtures.readable {
            let reader = try PictureReader(fixtures.path(name), unrollingIn: folder.path)
            let whole = try PictureFile.read(fixtures.path(name))
            #expect(try RasterFilesTests.strips(reader, samples: 60).picture == whole, "\(name)")
        }
    }

    @Test("what is refused is refused by one line that says why, and 65")
    func refusals() throws {
        var met = 0
        for (name, entry) in fixtures.all {
            guard let words = entry.refused else { continue }
            let error = #expect(throws: PictureFileError.self) { try PictureFile.read(fixtures.path(name)) }
            let line = error?.description ?? ""
            #expect(error?.exitCode == 65 && line.contains(words) && !line.contains("\n"), "\(name): \(line)")
            // A mend follows.
            #expect(line.contains(". S") || line.contains(". C") || line.contains(". E"), "\(name): \(line)")
            met += 1
        }
        #expect(met >= 9)
    }

    @Test(
        "written again as PNG and TIFF they are the same, and so is what is said of them",
        arguments: [
            PictureFormat.png, .tiff,
        ])
    func roundTrip(format: PictureFormat) throws {
        var (met, fields) = (0, 0)
        for (name, entry) in fixtures.readable where entry.depth ?? 0 <= format.mostDepth {
            let picture = try PictureFile.read(fixtures.path(name))
            let again = try PictureFile.decode(PictureFile.encode(picture, as: format), name: "it")
            #expect(again.samples == picture.samples && again.channels == picture.channels, "\(name)")
            checkMetadata(again.metadata, entry, name)
            if format == .png { #expect(again.metadata.texts == picture.metadata.texts, "\(name)") }
            fields += try checkFields(again, entry, name)
            met += 1
        }
        #expect(met >= 85 && fields >= 250)
    }

    @Test("JPEG keeps profile, EXIF, XMP, IPTC and resolution")
    func jpeg() throws {
        var (met, fields) = (0, 0)
        for (name, entry) in fixtures.readable {
            let picture = try PictureFile.read(fixtures.path(name))
            let again = try PictureFile.decode(PictureFile.encode(picture, as: .jpeg), name: "it")
            #expect(again.size == picture.size && again.depth == 8, "\(name)")
            // Whole pixels an inch, or a centimetre.
            checkMetadata(again.metadata, entry, name)
            fields += try checkFields(again, entry, name)
            met += 1
        }
        #expect(met >= 95 && fields >= 250)
    }

    /// EXIF fields are those that exiftool found in the source, but for what is edited.
    ///
    /// Returns how many were compared.
    private func checkFields(_ picture: Picture, _ entry: Fixtures.Entry, _ name: String) throws -> Int {
        guard let wanted = entry.exif else { return 0 }
        let exif = ExifFields(try #require(picture.metadata.exif, "\(name)"))
        // Numbers that TIFF keeps for itself, and those of the picture's form.
        let form = 0x0100...0x0106
        var compared = 0
        for (key, value) in wanted {
            let tag = Int(key.suffix(4), radix: 16) ?? 0
            if key.hasPrefix("IFD0"), form.contains(tag) || [0x0111, 0x0112, 0x0115, 0x0116, 0x0117].contains(tag) {
                continue
            }
            if [0x011A, 0x011B, 0x011C, 0x0128, 0x0153, 0x02BC, 0x0213, 0x83BB, 0x8773].contains(tag) { continue }
            // exiftool counts these as degrees.
            if key.hasPrefix("GPS"), [2, 4].contains(tag) { continue }
            if [0xA002, 0xA003].contains(tag), key.hasPrefix("ExifIFD") {
                let size = tag == 0xA002 ? picture.width : picture.height
                #expect(exif.value(key) == .number(Double(size)), "\(name) \(key)")
                compared += 1
                continue
            }
            guard let found = exif.value(key) else {
                #expect(exif.fields[key] != nil, "\(name) has lost \(key)")
                continue
            }
            if case .number(let a) = found, case .number(let b) = value {
                #expect(abs(a - b) <= 1e-9 * abs(b), "\(name) \(key)")
            } else if case .number(let a) = found, case .text(let b) = value {
                #expect(Double(b) == a, "\(name) \(key)")
            } else if case .text(let a) = found, case .number(let b) = value {
                #expect(Double(a) == b, "\(name) \(key)")
            } else {
                #expect(found == value, "\(name) \(key)")
            }
            compared += 1
        }
        for key in ["IFD0:0x0100", "IFD0:0x0101"] where exif.fields[key] != nil {
            #expect(exif.value(key) == .number(Double(key.hasSuffix("0") ? picture.width : picture.height)), "\(name)")
        }
        #expect(exif.fields["IFD0:0x0112"] == nil || exif.value("IFD0:0x0112") == .number(1), "\(name)")
        #expect(exif.next == 0, "\(name) links to a small picture")
        return compared
    }

    @Test("a page is chosen by its number, and smaller forms of one are none")
    func pages() throws {
        let path = fixtures.path("pages.tif")
        #expect(PictureFile.look(path)?.pages == 3)
        let sizes = try (1...3).map { try PictureFile.read("\(path)#page=\($0)") }.map {
            [$0.width, $0.height, $0.depth]
        }
        #expect(sizes == [[23, 17, 8], [23, 17, 16], [9, 31, 8]])
        #expect(try PictureFile.read(path) == PictureFile.read(path + "#page=1"))
        let third = try PictureReader(path + "#page=3")
        #expect(try RasterFilesTests.strips(third, samples: 30).picture == PictureFile.read(path + "#page=3"))
        for page in [0, 4, 1000] {
            let error = #expect(throws: PictureFileError.self) { try PictureFile.read("\(path)#page=\(page)") }
            #expect(error?.exitCode == 66)
            #expect(
                error?.description
                    == "\(path)#page=\(page) asks for page \(page), and the file has 3 pages. Pages count from 1.")
        }
        #expect(throws: PictureFileError.noSuchPage(path: fixtures.path("rgb8.png") + "#page=2", page: 2, count: 1)) {
            try PictureFile.read(fixtures.path("rgb8.png") + "#page=2")
        }
        // A file whose own name is like that is itself.
        let folder = try PassingFolder()
        try WholeFile.write(try fixtures.bytes("rgb8.png"), to: folder.file("a.png#page=7"))
        #expect(try PictureFile.read(folder.file("a.png#page=7")).width == 23)
    }
}
