import Foundation
import Painting
import Raster
import RasterFiles
import TestKit
import Testing

/// The text that other tools read, in every format.
@Suite struct ParametersTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture("in.png")
    }

    private func refined(_ input: String, _ output: String, _ more: [String] = []) throws -> PictureMetadata {
        try place.succeed(["refine", input, "--steps", "3", "--seed", "1", "-o", output, "--overwrite"] + more)
        return try place.read(output).metadata
    }

    @Test("JPEG and TIFF have the text where other tools look for it, and it is PNG's")
    func written() throws {
        let words = ["--prompt", "a lake, 水", "--negative", "fog"]
        let text = try #require(try refined("in.png", "out.png", words)["parameters"])
        #expect(text.hasPrefix("a lake, 水\nNegative prompt: fog\nSteps: 3, Sampler: DDIM"))
        for name in ["out.jpg", "out.tif"] {
            let metadata = try refined("in.png", name, words)
            #expect(metadata.comment == text, "\(name)")
            #expect(try place.succeed(["history", name]).output.contains("a lake, 水"))
            // Without recipes there is none of both.
            let silent = try refined("in.png", name, words + ["--no-recipe"])
            #expect(silent.exif == nil && silent.comment == nil)
        }
        #expect(try refined("in.png", "out.png", words).exif == nil)
    }

    @Test("words are inherited from a JPEG that only other tools' text is left in, and its own text gives way")
    func inherited() throws {
        var metadata = try refined(
            "in.png", "first.jpg", ["--prompt", "a lake", "--negative", "fog", "--guidance", "3"])
        metadata.xmp = nil
        try place.write(try place.read("first.jpg").with(metadata: metadata), to: "theirs.jpg")
        for name in ["second.jpg", "second.tif", "second.png"] {
            try place.succeed(["refine", "theirs.jpg", "--steps", "4", "--seed", "9", "-o", name])
            let second = try place.read(name).metadata
            let text = try #require(second.parameters)
            #expect(
                text.hasPrefix("a lake\nNegative prompt: fog\nSteps: 4, ") && text.contains("CFG scale: 3, Seed: 9"))
            // In PNG, too, other tools read EXIF's comment before the text.
            #expect(second.comment == text, "\(name)")
        }
        // What only fits a picture leaves the words of its painting.
        let own = try place.read("second.jpg").metadata.comment
        try place.succeed(["fit", "second.jpg", "--size", "24x16", "-o", "fit.jpg"])
        #expect(try place.read("fit.jpg").metadata.comment == own)
        try place.succeed(["refine", "in.png", "--steps", "3", "--seed", "1", "--prompt", "hills", "-o", "hills.png"])
        try place.succeed(["fit", "hills.png", "--size", "24x16", "-o", "hills.tif"])
        let hills = try place.read("hills.png").metadata["parameters"]
        #expect(try place.read("hills.tif").metadata.comment == hills)
        // Refused, it goes with the recipe.
        #expect(try refined("second.jpg", "bare.jpg", ["--no-recipe"]).comment == nil)
        for name in ["second.tif", "second.jpg"] {
            try place.succeed(["rerun", name, "-o", "again.\(name.suffix(3))", "--overwrite"])
            #expect(try place.bytes("again.\(name.suffix(3))") == place.bytes(name))
        }
    }

    @Test("someone's own comment stays, whatever the format")
    func kept() throws {
        var picture = try place.read("in.png")
        picture.metadata.setComment("Grandmother's garden, 1973")
        try place.write(picture, to: "garden.jpg")
        for name in ["out.jpg", "out.tif", "out.png"] {
            let metadata = try refined("garden.jpg", name, ["--prompt", "roses"])
            #expect(metadata.comment == "Grandmother's garden, 1973", "\(name)")
            #expect(try place.succeed(["history", name]).output.contains("roses"))
        }
        #expect(try refined("garden.jpg", "out.jpg", ["--no-recipe"]).comment == "Grandmother's garden, 1973")
    }

    @Test("a text that JPEG's marker has no room for is left out, and the camera's data stay")
    func long() throws {
        var picture = try place.read("in.png")
        picture.metadata.exif =
            Array("MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1, 1, 0x0F, 0, 2, 0, 0, 0xFE, 0, 0, 0, 0, 26, 0, 0, 0, 0]
        picture.metadata.exif? += [UInt8](repeating: 65, count: 0xFE00 - 1) + [0]
        try place.write(picture, to: "long.jpg")
        let words = ["--prompt", String(repeating: "many words ", count: 30)]
        let made = try refined("long.jpg", "out.jpg", words)
        #expect(made.comment == nil && made.exif?.count == picture.metadata.exif?.count)
        #expect(try refined("long.jpg", "out.tif", words).comment?.hasPrefix("many words") == true)
    }
}
