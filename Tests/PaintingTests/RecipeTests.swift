import Checkpoints
import Painting
import Raster
import RasterFiles
import Sampling
import Testing

@Suite struct RecipeTests {
    private var recipe: Recipe {
        var settings = Settings()
        settings.prompt = "a lake, (at sunset:1.2)\nwith \"pines\""
        settings.negative = "fog, night"
        settings.guidance = 2.5
        settings.sampler = .eulerAncestral
        settings.schedule = .karras
        settings.seed = .max
        settings.rng = .torch
        settings.clipSkip = 2
        var recipe = Recipe(
            "refine", settings, settings.plan(Skip(steps: 50), SchedulerConfiguration()),
            working: PixelSize(width: 64, height: 48),
            model: .init(name: "mini", parts: [("unet", String(repeating: "ab", count: 32)), ("vae", "cd")]),
            kernels: [("processor", "avx2")])
        (recipe.skip, recipe.strength) = ("37.5", 0.625)
        (recipe.source, recipe.sourceSize) = (("a.png", "00ff"), PixelSize(width: 61, height: 47))
        return recipe
    }

    private func json(_ text: String) throws -> JSON {
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBytes {
            try JSON(FileBytes(name: "recipe", constant: try #require($0.baseAddress), count: $0.count))
        }
    }

    @Test("a recipe is JSON that says every setting with its value")
    func members() throws {
        let json = try json(recipe.json)
        #expect(json["prompt"].text == "a lake, (at sunset:1.2)\nwith \"pines\"")
        #expect(json["guidance"].double == 2.5 && json["skip"].double == 37.5 && json["clip-skip"].integer == 2)
        #expect(json["sampler"].text == "euler-a" && json["schedule"].text == "karras" && json["rng"].text == "torch")
        #expect(recipe.json.contains("\"seed\":18446744073709551615"))
        #expect(json["size"].text == "61x47" && json["working"].text == "64x48")
        #expect(json["source"]["name"].text == "a.png" && json["model"]["name"].text == "mini")
        #expect(json["kernels"]["processor"].text == "avx2")
        #expect(json["model"]["parts"]["vae"].text == "cd" && json["format"].text == "png" && json["depth"].isNull)
    }

    @Test("the parameters text is the web UI's")
    func parameters() {
        #expect(
            recipe.parameters == """
                a lake, (at sunset:1.2)
                with "pines"
                Negative prompt: fog, night
                Steps: 50, Sampler: Euler a, Schedule type: Karras, CFG scale: 2.5, Seed: 18446744073709551615, \
                Size: 64x48, Model hash: ababababab, Model: mini, Denoising strength: 0.625, Clip skip: 2, RNG: CPU, \
                Version: Velatura 0.1.0
                """)
    }

    @Test(
        "a picture hands its words and its past down, in each form of file",
        arguments: PictureFormat.allCases.filter(\.isWritten))
    func inheritance(format: PictureFormat) {
        let first = Inheritance(recipe.added(to: PictureMetadata(), as: format))
        #expect(first.prompt == recipe.settings.prompt && first.negative == "fog, night" && first.guidance == 2.5)
        #expect(first.history.count == 1 && first.keyword == "velatura")

        var second = recipe
        second.history = first.history
        second.settings.prompt = "again & <again>"
        let metadata = second.added(to: recipe.added(to: PictureMetadata(), as: format), as: format)
        #expect(Inheritance(metadata).prompt == "again & <again>")
        #expect(Inheritance(metadata).history.count == 2)
        #expect(Inheritance(Recipe.removed(from: metadata)).prompt == nil)
    }

    @Test("another program's XMP stays beside the recipe")
    func foreignXMP() throws {
        let foreign = "<x:xmpmeta><rdf:RDF><rdf:Description dc:title=\"Tée\"/></rdf:RDF></x:xmpmeta>"
        let metadata = recipe.added(to: PictureMetadata(xmp: Array(foreign.utf8)), as: .jpeg)
        let text = String(decoding: try #require(metadata.xmp), as: UTF8.self)
        #expect(text.contains("dc:title=\"Tée\"") && Inheritance(metadata).prompt == recipe.settings.prompt)
        #expect(String(decoding: try #require(Recipe.removed(from: metadata).xmp), as: UTF8.self) == foreign)
    }

    @Test(
        "parameters of the web UI are read as it reads them",
        arguments: [
            ("a cat\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1", "a cat", "", "7"),
            (
                "a cat,\nsitting\nNegative prompt: dog,\nbird\nSteps: 20, Sampler: DDIM, CFG scale: 6.5",
                "a cat,\nsitting", "dog,\nbird", "6.5"
            ),
            ("Steps: 20, Sampler: DDIM, CFG scale: 3", "", "", "3"),
            ("only words, no: fields", "only words, no: fields", "", nil),
            ("x\nSteps: 2, Lora hashes: \"a: 1, b: \\\"2\\\"\", CFG scale: 4", "x", "", "4"),
        ])
    func reading(text: String, prompt: String, negative: String, guidance: String?) {
        let parsed = Parameters(text)
        #expect(parsed.prompt == prompt && parsed.negative == negative && parsed.fields["CFG scale"] == guidance)
    }

    @Test(
        "hostile texts in a picture are no recipe, and no fault",
        arguments: ["", "{", "[]", "null", "{\"prompt\":5}", "{\"history\":7}"])
    func hostile(text: String) {
        let past = Inheritance(PictureMetadata(texts: [.init(keyword: "velatura", text: text)]))
        #expect(past.prompt == nil)
    }

    @Test("SHA-256 gives the standard's answers")
    func hashes() {
        // FIPS 180-4 examples, and lengths around the block's.
        #expect(SHA256.hash([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(SHA256.hash(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            SHA256.hash(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8))
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
        #expect(
            SHA256.hash(Array(repeating: UInt8(ascii: "a"), count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        // The plain form and the processor's own, over many blocks and odd ends.
        let random = (0..<100_003).map { UInt8(truncatingIfNeeded: $0 &* $0 &* 31 &+ $0 >> 7) }
        for length in [0, 1, 55, 56, 63, 64, 65, 127, 128, 1000, 4096, 100_003] {
            var plain = SHA256(usesInstructions: false)
            random[..<length].withUnsafeBytes { plain.update($0) }
            #expect(plain.finish() == SHA256.hash(Array(random[..<length])), "\(length) bytes")
        }
        let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
        for cut in [1, 63, 64, 65, 128, 299] {
            var hash = SHA256()
            bytes[..<cut].withUnsafeBytes { hash.update($0) }
            bytes[cut...].withUnsafeBytes { hash.update($0) }
            #expect(hash.finish() == SHA256.hash(bytes))
        }
    }
}
