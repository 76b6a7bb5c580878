import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

@Suite struct FitTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture("in.png", 100, 80)
    }

    private func fitted(_ arguments: [String]) throws -> Picture {
        let name = "fit-\(UUID().uuidString).png"
        try place.succeed(["fit", "in.png", "-o", name] + arguments)
        return try place.read(name)
    }

    @Test("--mode outpaint leaves the picture, lets it run on, and writes a mask that inpaint paints through")
    func outpaint() throws {
        let source = try place.picture("in.png", 60, 40, .rgba)
        let finished = try place.succeed(["fit", "in.png", "--mode", "outpaint", "--size", "96x40", "-o", "out/"])
        #expect(finished.outputLines == ["out/in-fit.png", "out/in-fit-mask.png"])
        let named = try place.succeed(["fit", "in.png", "--mode", "outpaint", "--size", "96x40", "-o", "wide.tif"])
        #expect(named.outputLines == ["wide.tif", "wide-mask.png"])
        let (canvas, mask) = (try place.read("out/in-fit.png"), try place.read("out/in-fit-mask.png"))
        #expect(canvas.cropped(to: Rectangle(x: 18, y: 0, width: 60, height: 40)).samples == source.samples)
        #expect(mask.size == canvas.size && mask.channels == .grey)
        for x in 0..<96 {
            let isNew = x < 18 || x >= 78
            #expect(mask[x, 20, 0] == (isNew ? 255 : 0))
            if isNew { #expect(canvas[x, 20, 3] == 255) }
        }
        try place.succeed([
            "inpaint", "out/in-fit.png", "--mask", "out/in-fit-mask.png", "--steps", "3", "--seed", "1", "-o", "p.png",
        ])
        let painted = try place.read("p.png")
        #expect(painted.cropped(to: Rectangle(x: 18, y: 0, width: 60, height: 40)).samples == source.samples)
        #expect(painted.samples != canvas.samples)
        try place.refuse(
            ["fit", "in.png", "--mode", "outpaint", "--size", "96x40", "-o", "out/"], code: 73,
            naming: ["out/in-fit.png"])
    }

    @Test(
        "each way to say the size is heeded",
        arguments: [
            (["--size", "50x70"], 50, 70), (["--multiple", "16", "--max-pixels", "3000"], 48, 48),
            (["--multiple", "10"], 100, 80), (["--multiple", "32", "--mode", "stretch"], 96, 96),
            (["--aspect", "2:1", "--multiple", "8"], 0, 0),
        ] as [([String], Int, Int)])
    func sizes(arguments: [String], width: Int, height: Int) throws {
        let picture = try fitted(arguments)
        if width > 0 {
            #expect(picture.size == PixelSize(width: width, height: height))
        } else {
            #expect(picture.width == 2 * picture.height && picture.width % 8 == 0)
        }
    }

    @Test("crop, pad and stretch make three pictures of one size")
    func modes() throws {
        let pictures = try ["crop", "pad", "stretch"].map { try fitted(["--size", "64x64", "--mode", $0]) }
        #expect(pictures.allSatisfy { $0.size == PixelSize(width: 64, height: 64) })
        #expect(Set(pictures.map(\.samples)).count == 3)
    }

    @Test("the list offers an exact size, marks the chosen one, and writes nothing")
    func list() throws {
        try place.picture("large.png", 1000, 800)
        let finished = try place.succeed(["fit", "large.png", "--list"])
        let lines = finished.outputLines
        #expect(lines.contains { $0.contains("960×768") && $0.contains("exact") })
        #expect(lines.filter { $0.hasPrefix("*") }.count == 1)
        try place.picture("near.png", 767, 767, .grey)
        let near = try place.succeed(["fit", "near.png", "--explain"]).output
        #expect(near.hasSuffix("→ 768×768\n"), "767 gives 768, never 704")
        #expect(place.names() == ["in.png", "large.png", "near.png"])
        let events = try jsonLines(try place.succeed(["fit", "large.png", "--list", "--json"]).output)
        #expect(events.contains { $0["size"] as? [Int] == [960, 768] && $0["exact"] as? Bool == true })
    }

    @Test("the plan is told in one line, and standard output holds the path alone")
    func streams() throws {
        let finished = try place.succeed(["fit", "in.png", "--size", "64x64"])
        #expect(finished.output == "in-fit.png\n")
        #expect(finished.errorLines.count == 1)
        #expect(finished.errors.contains("100×80") && finished.errors.contains("64×64"))
        let explained = try place.succeed(["fit", "in.png", "--size", "64x64", "--explain"])
        #expect(explained.output == finished.errors)
        let quiet = try place.succeed(["fit", "in.png", "--size", "64x64", "--quiet", "-o", "other.png"])
        #expect(quiet.output == "" && quiet.errors == "")
        let events = try jsonLines(
            try place.succeed(["fit", "in.png", "--size", "64x64", "--json", "-o", "third.png"]).output)
        #expect(events.map { $0["event"] as? String } == ["plan", "progress", "result"])
    }

    @Test("depth, format and recipe are heeded as in painting")
    func results() throws {
        #expect(try fitted(["--depth", "16"]).depth == 16)
        #expect(try fitted([]).recipe()["command"] as? String == "fit")
        #expect(try fitted(["--no-recipe"]).metadata["velatura"] == nil)
        #expect(try place.succeed(["fit", "in.png", "--format", "jpeg"]).output == "in-fit.jpg\n")
        try place.refuse(["fit", "in.png", "--format", "jpeg"], code: 73, naming: ["in-fit.jpg"])
        try place.succeed(["fit", "in.png", "--format", "jpeg", "--overwrite"])
    }

    @Test(
        "a rerun has the same bytes, whatever the size was said by, in every format",
        arguments: [
            [], ["--size", "50x70"], ["--max-pixels", "6000", "--multiple", "16"],
            ["--aspect", "2:1", "--multiple", "8", "--mode", "pad"], ["--mode", "stretch", "--depth", "16"],
        ], ["out.png", "out.jpg", "out.tif"])
    func rerun(arguments: [String], name: String) throws {
        try place.succeed(["fit", "in.png", "-o", name] + arguments)
        let finished = try place.succeed(["rerun", name])
        #expect(try place.bytes(name) == place.bytes(finished.outputLines[0]))
        #expect(try place.succeed(["history", name]).output.hasPrefix("1. fit in.png: 100×80"))
    }

    @Test("a fitted picture's past goes on through fitting, and a rerun finds its input by hash or by --input")
    func lineage() throws {
        try place.succeed(["refine", "in.png", "--steps", "4", "--seed", "1", "-o", "painted.png"])
        try place.succeed(["fit", "painted.png", "--size", "64x64", "-o", "fitted.tif"])
        let lines = try place.succeed(["history", "fitted.tif"]).outputLines.filter { $0.first?.isNumber == true }
        #expect(lines.count == 2 && lines[0].hasPrefix("1. refine in.png") && lines[1].hasPrefix("2. fit painted.png"))
        try place.succeed(["rerun", "fitted.tif", "-o", "again.tif"])
        #expect(try place.bytes("fitted.tif") == place.bytes("again.tif"))
        try place.succeed(["rerun", "fitted.tif", "-o", "other.tif", "--input", "in.png"])
        #expect(try place.read("other.tif").samples != place.read("again.tif").samples)
        try place.write("gone", to: "painted.png")
        try place.refuse(["rerun", "fitted.tif", "-o", "x.tif"], code: 66, naming: ["painted.png", "--find"])
    }

    @Test("a past too long for one marker of a JPEG goes on in several, and comes back whole")
    func longPast() throws {
        var words = "a painting of lake at day"
        while words.utf8.count < 200_000 { words += ", and of “\(words.utf8.count)” <waves> & trees" }
        var picture = Picture.sample(100, 80, .rgb)
        let recipe = try JSONSerialization.data(
            withJSONObject: ["command": "refine", "prompt": words, "seed": 5] as [String: Any], options: .sortedKeys)
        picture.metadata.texts = [.init(keyword: "velatura", text: String(decoding: recipe, as: UTF8.self))]
        try place.write(picture, to: "long.png")
        try place.succeed(["fit", "long.png", "--size", "64x64", "-o", "long.jpg"])
        let history = try place.succeed(["history", "long.jpg"]).output
        #expect(history.contains(words) && history.contains("2. fit long.png"))
        try place.succeed(["rerun", "long.jpg", "-o", "again.jpg"])
        #expect(try place.bytes("long.jpg") == place.bytes("again.jpg"))
        try place.succeed(["fit", "long.jpg", "--size", "32x32", "-o", "third.jpg"])
        #expect(try place.succeed(["history", "third.jpg"]).output.contains(words))
    }

    @Test("contradictions are refused")
    func refusals() throws {
        try place.refuse(
            ["fit", "in.png", "--size", "9x9", "--aspect", "1:1"], code: 64, naming: ["--size", "--aspect"])
        try place.refuse(["fit", "in.png", "--multiple", "0"], code: 64, naming: ["--multiple"])
        try place.refuse(["fit", "in.png", "--aspect", "wide"], code: 64, naming: ["wide"])
        try place.refuse(["fit", "in.png", "--mode", "squash"], code: 64, naming: ["squash"])
        try place.refuse(["fit", "nowhere.png"], code: 66, naming: ["nowhere.png"])
        #expect(place.names() == ["in.png"])
    }
}
