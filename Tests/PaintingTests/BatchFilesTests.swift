import Foundation
import Painting
import Raster
import RasterFiles
import TestKit
import Testing

/// Folders that are walked, masks that pair, and the journal beside results.
@Suite final class BatchFilesTests {
    let path = NSTemporaryDirectory() + "velatura-batch-" + UUID().uuidString + "/"

    init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    private func touch(_ names: String...) throws {
        for name in names { try WholeFile.write([1], to: path + name) }
    }

    @Test("a folder is walked with its subfolders, sorted, without what is hidden, no picture, or linked")
    func walking() throws {
        try touch(
            "b.JPG", "a.png", "notes.txt", ".hidden.png", "sub/c.tif", "sub/deep/d.jpeg", ".velatura/e.png", "out/f.png"
        )
        try FileManager.default.createSymbolicLink(atPath: path + "loop", withDestinationPath: path)
        try FileManager.default.createSymbolicLink(atPath: path + "link.png", withDestinationPath: path + "a.png")
        let walked = try PictureFolder(path, without: [path + "sub/../out"])
        #expect(walked.files == ["a.png", "b.JPG", "link.png", "sub/c.tif", "sub/deep/d.jpeg"])
        #expect(throws: PaintingError.self) { try PictureFolder(self.path + "nowhere") }
    }

    @Test("masks pair by stem in the same subfolder: a.png, a_mask.png or a-mask.png")
    func pairing() throws {
        try touch("in/a.jpg", "in/b.jpg", "in/c.jpg", "in/d.jpg", "in/e.jpg", "in/sub/a.jpg", "in/_mask.jpg")
        try touch(
            "m/a.png", "m/b_mask.png", "m/c-mask.tif", "m/d.png", "m/d-mask.png", "m/sub/a_mask.png", "m/_mask.png")
        let pairing = try MaskPairing(path + "m")
        func mask(_ below: String) -> MaskPairing.Choice { pairing.mask(for: path + "in/" + below, below: below) }
        #expect(mask("a.jpg") == .mask(path + "m/a.png"))
        #expect(mask("b.jpg") == .mask(path + "m/b_mask.png"))
        #expect(mask("c.jpg") == .mask(path + "m/c-mask.tif"))
        #expect(mask("sub/a.jpg") == .mask(path + "m/sub/a_mask.png"))
        #expect(mask("_mask.jpg") == .mask(path + "m/_mask.png"))
        guard case .fault(let two) = mask("d.jpg"), case .fault(let none) = mask("e.jpg") else {
            Issue.record("d has two masks and e none")
            return
        }
        #expect(two.contains("2 masks") && two.contains("d-mask.png and d.png"))
        #expect(none.contains("e.jpg has no mask") && none.contains("e, e_mask or e-mask"))
    }

    @Test("one file is the mask of all")
    func oneMask() throws {
        try touch("m.png")
        #expect(try MaskPairing(path + "m.png").mask(for: "x/y.jpg", below: "y.jpg") == .mask(path + "m.png"))
        #expect(throws: PaintingError.self) { try MaskPairing(self.path + "nowhere.png") }
    }

    @Test("where masks lie beside their pictures, a picture is no mask and a mask no picture")
    func beside() throws {
        try touch("a.jpg", "a_mask.png", "b.jpg", "b.png", "c_mask.png")
        let pairing = try MaskPairing(path)
        #expect(pairing.mask(for: path + "a.jpg", below: "a.jpg") == .mask(path + "a_mask.png"))
        guard case .fault(let text) = pairing.mask(for: path + "b.jpg", below: "b.jpg") else {
            Issue.record("b.png is a picture")
            return
        }
        #expect(text.contains("no b_mask or b-mask"))
        #expect(MaskPairing.withoutMasks(try PictureFolder(path).files) == ["a.jpg", "b.jpg", "b.png", "c_mask.png"])
    }

    // MARK: The journal

    private func picture(_ name: String, recipe: String?) throws {
        var picture = Picture(size: PixelSize(width: 2, height: 2), channels: .grey, eight: [1, 2, 3, 4])
        if let recipe { picture.metadata[Recipe.keyword] = recipe }
        try PictureFile.write(picture, to: path + name)
    }

    private func hash(_ recipe: String) -> String { SHA256.hash(Array(recipe.utf8)) }

    @Test(
        "what stands is missing, finished, outdated or foreign, in this run and the next",
        arguments: ["png", "jpg", "tif"])
    func states(ending: String) throws {
        let (one, two, other) = ("{\"n\":1}", "{\"n\":2}", "{\"n\":3}")
        let names = ["a", "sub/b", "c"].map { "\($0).\(ending)" }
        func write(_ name: String, _ recipe: String) throws {
            var picture = Picture(size: PixelSize(width: 2, height: 2), channels: .grey, eight: [1, 2, 3, 4])
            picture.metadata[Recipe.keyword] = recipe
            if ending != "png" {
                picture.metadata = PictureMetadata(
                    xmp: Array("<rdf:RDF><velatura:recipe>\(recipe)</velatura:recipe></rdf:RDF>".utf8))
            }
            try PictureFile.write(picture, to: path + name)
        }
        func check(_ journal: Journal) {
            func state(_ name: String, _ recipe: String) -> Journal.State {
                journal.state(of: path + name, recipes: [hash(recipe)], carriesRecipe: true)
            }
            #expect(state("nothing.\(ending)", one) == .missing)
            #expect(state(names[0], one) == .finished)
            #expect(state(names[0], two) == .outdated)
            #expect(state(names[1], two) == .finished && state(names[1], one) == .outdated)
            // Not of the journal, but what it says of itself is what is wanted.
            #expect(state(names[2], other) == .finished)
            #expect(state(names[2], one) == .foreign)
            let either = [hash(one), hash(other)]
            #expect(journal.state(of: path + names[2], recipes: either, carriesRecipe: true) == .finished)
        }
        do {
            let journal = try Journal(folder: path)
            for name in names { try write(name, name == names[0] ? one : name == names[1] ? two : other) }
            func bytes(_ name: String) throws -> String { SHA256.hash(try WholeFile.read(path + name)) }
            try journal.make(path + names[0], .init(recipe: hash(one), bytes: try bytes(names[0])))
            try journal.make(path + names[1], .init(recipe: hash(one), bytes: "replaced since"))
            try journal.make(path + names[1], .init(recipe: hash(two), bytes: try bytes(names[1])))
            // A run that was killed between its line and its result.
            try journal.make(path + names[0], .init(recipe: hash(two), bytes: "never there"))
            check(journal)
        }
        let journal = try Journal(folder: path)
        check(journal)
        func state(_ recipe: String) -> Journal.State {
            journal.state(of: path + names[0], recipes: [hash(recipe)], carriesRecipe: true)
        }
        // Worked on since, its recipe kept: still what is wanted, but not to be replaced by anything else.
        var picture = try PictureFile.read(path + names[0])
        picture = picture.turned(from: .upsideDown)
        try PictureFile.write(picture, to: path + names[0])
        #expect(state(one) == .finished && state(two) == .foreign)
        // Cut short.
        let whole = try WholeFile.read(path + names[0])
        try WholeFile.write(Array(whole.dropLast(9)), to: path + names[0])
        #expect(state(one) == .foreign && state(two) == .foreign)
    }

    @Test("results without a recipe are known by their bytes")
    func bytes() throws {
        let journal = try Journal(folder: path)
        try picture("a.png", recipe: nil)
        let bytes = SHA256.hash(try WholeFile.read(path + "a.png"))
        func state(_ recipe: String) -> Journal.State {
            journal.state(of: path + "a.png", recipes: [recipe], carriesRecipe: false)
        }
        #expect(state("r1") == .foreign)
        try journal.make(path + "a.png", .init(recipe: "r1", bytes: bytes))
        #expect(state("r1") == .finished && state("r2") == .outdated)
        // With a recipe wanted inside, a picture without one is not finished.
        #expect(journal.state(of: path + "a.png", recipes: ["r1"], carriesRecipe: true) == .outdated)
        try picture("a.png", recipe: "{\"retouched\":1}")
        #expect(state("r1") == .foreign)
    }

    @Test("a last line that was cut short is cut off, wherever, and the rest is kept")
    func tornLines() throws {
        do {
            let journal = try Journal(folder: path)
            try journal.begin(seed: 18_446_744_073_709_551_615)
            try journal.fail("k1", "a.png", .init(reason: "one", code: 65))
            try journal.fail("k2", "b.png", .init(reason: "two", code: 66))
        }
        let file = path + ".velatura/journal.jsonl"
        let whole = try WholeFile.read(file)
        let lines = whole.split(separator: 0x0A)
        let last = lines[2].count + 1
        for cut in 1...last {
            try WholeFile.write(Array(whole.dropLast(cut)), to: file)
            do {
                let journal = try Journal(folder: path)
                #expect(journal.seed == .max)
                #expect(journal.failure("k1") == .init(reason: "one", code: 65))
                #expect(journal.failure("k2") == nil)
                try journal.fail("k3", "c.png", .init(reason: "three", code: 70))
            }
            #expect(try Journal(folder: path).failure("k3") != nil, "a line after the cut is whole")
        }
        try WholeFile.write(whole + Array("nonsense\n{\"made\":3}\n".utf8), to: file)
        #expect(try Journal(folder: path).failure("k2") != nil)
    }

    @Test("a failure that is tried again is forgotten, for later runs too")
    func mending() throws {
        do {
            let journal = try Journal(folder: path)
            try journal.fail("k", "a.png", .init(reason: "one", code: 65))
            #expect(journal.hasFailures)
            try journal.mend("k")
            #expect(!journal.hasFailures)
        }
        #expect(try !Journal(folder: path).hasFailures)
    }

    @Test("a journal that another holds is refused, and free again when that one is gone")
    func locking() throws {
        var first: Journal? = try Journal(folder: path)
        try first?.begin(seed: nil)
        let thrown = #expect(throws: PaintingError.self) { try Journal(folder: self.path) }
        let (line, code) = reported(try #require(thrown))
        #expect(code == 73 && line.contains("process \(getpid())"))
        first = nil
        _ = try Journal(folder: path)
    }
}
