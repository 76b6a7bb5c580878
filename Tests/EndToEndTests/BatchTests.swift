import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// Folders: what goes with what, what is finished, what fails, and what is told of it.
@Suite struct BatchTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    private func pictures(_ names: String..., folder: String = "in/") throws {
        for (index, name) in names.enumerated() {
            // Another picture each.
            try place.write(Picture.sample(16 + 2 * index, 16, .rgb), to: folder + name)
        }
    }

    private func mask(_ name: String, _ width: Int, _ value: UInt8 = 255) throws {
        let size = PixelSize(width: width, height: 16)
        let samples = (0..<size.area).map { $0 % width < 8 ? value : 0 }
        try place.write(Picture(size: size, channels: .grey, eight: samples), to: name)
    }

    private static let few = ["--steps", "2", "-o", "out"]
    private let refine = ["refine", "in", "--seed", "7"] + few
    private let inpaint = ["inpaint", "in", "--seed", "7", "--mask", "masks"] + few

    /// Everything that stands in the folder of results, by its number on the disk: a file that was replaced has another.
    private func results(_ folder: String = "out") throws -> [String: UInt64] {
        let walk = try #require(FileManager.default.enumerator(atPath: place.file(folder)))
        var found: [String: UInt64] = [:]
        for case let name as String in walk where !name.hasPrefix(".velatura") {
            let facts = try FileManager.default.attributesOfItem(atPath: place.file(folder + "/" + name))
            guard facts[.type] as? FileAttributeType == .typeRegular else { continue }
            found[name] = (facts[.systemFileNumber] as? NSNumber)?.uint64Value
        }
        return found
    }

    @Test("a folder is walked with its subfolders, which are kept in the output")
    func subfolders() throws {
        try pictures("a.png", "b.png", "sub/deep/a.png")
        let finished = try place.succeed(refine)
        let names = ["a-refine-skip50.png", "b-refine-skip50.png", "sub/deep/a-refine-skip50.png"]
        #expect(finished.outputLines == names.map { "out/" + $0 })
        #expect(finished.errors.contains("3 made"))
        #expect(try results().keys.sorted() == names)
        // What one picture becomes does not depend on the others.
        try place.succeed(["refine", "in/b.png", "--seed", "7", "--steps", "2", "-o", "alone.png"])
        #expect(try place.bytes("alone.png") == place.bytes("out/b-refine-skip50.png"))
        #expect(place.names() == ["alone.png", "in", "out"], "no journal beside a picture that was named")
    }

    @Test("a second run makes nothing, and a new picture is made beside the finished ones")
    func finishedItems() throws {
        try pictures("a.png", "b.png")
        try place.succeed(refine)
        let before = try results()
        let again = try place.succeed(refine)
        #expect(again.output == "" && again.errors.contains("0 made, 2 finished before"))
        #expect(try results() == before)
        let events = try jsonLines(try place.succeed(refine + ["--json"]).output)
        #expect(events.map { $0["event"] as? String } == ["finished", "finished", "summary"])
        #expect(events.last?["finished"] as? Int == 2 && events.last?["made"] as? Int == 0)
        try pictures("x.png", "y.png", "c.png")
        let more = try place.succeed(refine)
        #expect(more.errors.contains("3 made, 2 finished before"))
        for (name, number) in before { #expect(try results()[name] == number) }
    }

    @Test("a changed setting or picture replaces its own earlier output, and nothing else")
    func changedItems() throws {
        try pictures("a.png", "b.png")
        try place.succeed(refine)
        let first = try results()
        try place.write(Picture.sample(20, 16, .rgb), to: "in/a.png")
        let second = try place.succeed(refine)
        #expect(second.output == "out/a-refine-skip50.png\n")
        #expect(try place.read("out/a-refine-skip50.png").width == 20)
        let (name, other) = ("a-refine-skip50.png", "b-refine-skip50.png")
        #expect(try results()[name] != first[name] && results()[other] == first[other])
        let third = try place.succeed(refine + ["--prompt", "a lake"])
        #expect(third.errors.contains("2 made"))
        #expect(try place.read("out/" + other).recipe()["prompt"] as? String == "a lake")
        // And back again, as if nothing had been.
        #expect(try place.succeed(refine).errors.contains("2 made"))
    }

    @Test("a foreign file in the way is refused, and replaced only with --overwrite")
    func foreignFiles() throws {
        try pictures("a.png", "b.png")
        try place.write("precious", to: "out/a-refine-skip50.png")
        let finished = try place.run(refine + ["--keep-going"])
        #expect(finished.code == 1 && finished.output == "out/b-refine-skip50.png\n")
        #expect(
            finished.errors.contains("out/a-refine-skip50.png is there already")
                && finished.errors.contains("--overwrite"))
        #expect(try place.text("out/a-refine-skip50.png") == "precious")
        // Each mend that was named is one.
        #expect(try place.succeed(refine + ["--overwrite"]).errors.contains("1 made, 1 finished before"))
        #expect(try place.read("out/a-refine-skip50.png").width == 16)
        try place.write("precious", to: "out/a-refine-skip50.png")
        #expect(try place.run(refine).code == 1)
        try FileManager.default.removeItem(atPath: place.file("out/a-refine-skip50.png"))
        #expect(try place.succeed(refine).errors.contains("1 made, 1 finished before"))

        // A result that was worked on since is the user's own, whether it still says how it was made or not.
        for keepsRecipe in [true, false] {
            var retouched = try place.read("out/b-refine-skip50.png").turned(from: .upsideDown)
            if !keepsRecipe { retouched.metadata = PictureMetadata() }
            try place.write(retouched, to: "out/b-refine-skip50.png")
            let bytes = try place.bytes("out/b-refine-skip50.png")
            #expect(try place.run(refine + (keepsRecipe ? ["--seed", "8", "--keep-going"] : [])).code == 1)
            #expect(try place.bytes("out/b-refine-skip50.png") == bytes)
        }
        // Nor is one finished that was cut short.
        let whole = try place.bytes("out/a-refine-skip50.png")
        try WholeFile.write(Array(whole.dropLast(20)), to: place.file("out/a-refine-skip50.png"))
        #expect(try place.run(refine).errors.contains("out/a-refine-skip50.png is there already"))
    }

    @Test("results without recipes are known again all the same")
    func withoutRecipes() throws {
        try pictures("a.png", "b.png")
        try place.succeed(refine + ["--no-recipe"])
        let before = try results()
        #expect(try place.succeed(refine + ["--no-recipe"]).errors.contains("2 finished before"))
        #expect(try results() == before)
        #expect(try place.succeed(refine + ["--no-recipe", "--prompt", "a lake"]).errors.contains("2 made"))
        try place.write("precious", to: "out/a-refine-skip50.png")
        #expect(try place.run(refine + ["--no-recipe"]).code == 1)
        #expect(try place.text("out/a-refine-skip50.png") == "precious")
    }

    @Test("a ladder is finished when all of it stands")
    func ladders() throws {
        try pictures("a.png", "b.png")
        let ladder = ["refine", "in", "--seed", "7", "--steps", "4", "--skip", "25,75", "-o", "out"]
        try place.succeed(ladder)
        #expect(try results().count == 8)
        let before = try results()
        #expect(try place.succeed(ladder).errors.contains("2 finished before"))
        #expect(try results() == before)
        try FileManager.default.removeItem(atPath: place.file("out/a-ladder.html"))
        #expect(try place.succeed(ladder).errors.contains("1 made, 1 finished before"))
        #expect(try results().count == 8)
    }

    @Test("one seed for all that was given none, and the same one when it goes on")
    func seeds() throws {
        try pictures("a.png", "b.png")
        let base = ["refine", "in"] + Self.few
        let first = try place.succeed(base)
        #expect(first.errors.contains("seed "))
        let (a, b) = (
            try place.read("out/a-refine-skip50.png").recipe(), try place.read("out/b-refine-skip50.png").recipe()
        )
        #expect(a["seed"] as? Int != nil && a["seed"] as? Int == b["seed"] as? Int)
        try pictures("c.png")
        #expect(try place.succeed(base).errors.contains("1 made, 2 finished before"))
        #expect(try place.read("out/c-refine-skip50.png").recipe()["seed"] as? Int == a["seed"] as? Int)
    }

    @Test("a text beside a picture is its prompt; --prompt is stronger")
    func words() throws {
        try pictures("a.png", "b.png")
        try place.write("a lake at night\n", to: "in/a.txt")
        try place.succeed(refine)
        #expect(try place.read("out/a-refine-skip50.png").recipe()["prompt"] as? String == "a lake at night")
        #expect(try place.read("out/b-refine-skip50.png").recipe()["prompt"] as? String == "")
        try place.write("a forest", to: "in/a.txt")
        #expect(try place.succeed(refine).output == "out/a-refine-skip50.png\n")
        try place.succeed(refine + ["--prompt", "a boat"])
        #expect(try place.read("out/a-refine-skip50.png").recipe()["prompt"] as? String == "a boat")
        // Of a picture that was named, nothing is taken from beside it.
        try place.succeed(["refine", "in/a.png", "--seed", "7", "--steps", "2", "-o", "alone.png"])
        #expect(try place.read("alone.png").recipe()["prompt"] as? String == "")
    }

    @Test("masks pair with pictures by stem, and --dry-run shows what goes with what and writes nothing")
    func pairs() throws {
        try pictures("a.png", "sub/b.png")
        try mask("masks/a_mask.png", 16)
        try mask("masks/sub/b.png", 18)
        try place.write("a lake", to: "in/a.txt")
        let shown = try place.succeed(inpaint + ["--dry-run"])
        #expect(
            shown.outputLines == [
                "in/a.png, mask masks/a_mask.png, words in/a.txt → out/a-inpaint-skip25.png",
                "in/sub/b.png, mask masks/sub/b.png → out/sub/b-inpaint-skip25.png",
            ])
        #expect(place.names() == ["in", "masks"])
        let events = try jsonLines(try place.succeed(inpaint + ["--dry-run", "--json"]).output)
        #expect(events.map { $0["event"] as? String } == ["pair", "pair"])
        #expect(events[0]["mask"] as? String == "masks/a_mask.png" && events[0]["words"] as? String == "in/a.txt")
        #expect(events[1]["outputs"] as? [String] == ["out/sub/b-inpaint-skip25.png"] && events[1]["fault"] is NSNull)

        try place.succeed(inpaint)
        for (name, mask) in [("a", "masks/a_mask.png"), ("sub/b", "masks/sub/b.png")] {
            try place.succeed(["verify", "in/\(name).png", "out/\(name)-inpaint-skip25.png", "--mask", mask])
            #expect(try place.run(["verify", "in/\(name).png", "out/\(name)-inpaint-skip25.png"]).code == 1)
        }
    }

    @Test("a picture without a mask, two masks for one stem, and a mask of another size are failed items")
    func badPairs() throws {
        try pictures("a.png", "b.png", "c.png", "d.png")
        try mask("masks/a.png", 16)
        try mask("masks/b.png", 18)
        try mask("masks/b-mask.png", 18)
        try mask("masks/d.png", 9)
        let parts = ["b.png has 2 masks", "c.png has no mask", "masks/d.png is 9×16 but in/d.png is 22×16"]
        let shown = try place.run(inpaint + ["--dry-run"])
        #expect(shown.code == 1 && parts.allSatisfy(shown.output.contains), "all are shown: \(shown.output)")

        // Without --keep-going the first ends the run, before a model is looked for.
        let stopped = try place.run(inpaint + ["--model", "nowhere"])
        #expect(stopped.code == 1 && stopped.output == "")
        #expect(stopped.errors.contains(parts[0]) && !stopped.errors.contains(parts[1]))
        #expect(stopped.errors.contains("--keep-going") && stopped.errors.contains("3 left"))

        let finished = try place.run(inpaint + ["--keep-going"])
        #expect(finished.code == 1 && finished.output == "out/a-inpaint-skip25.png\n")
        #expect(finished.errors.contains("1 made, 3 failed"))
        for part in parts {
            #expect(finished.errors.components(separatedBy: part).count == 3, "named, and in the summary")
        }
        // Mended, they are made without further ado.
        try FileManager.default.removeItem(atPath: place.file("masks/b-mask.png"))
        try mask("masks/c.png", 20)
        try mask("masks/d.png", 22)
        #expect(try place.succeed(inpaint).errors.contains("3 made, 1 finished before"))
    }

    @Test("an all-black mask copies the source's pixels and runs nothing")
    func blackMasks() throws {
        try pictures("a.png", "b.png")
        try mask("masks/a.png", 16, 0)
        try mask("masks/b.png", 18)
        let finished = try place.succeed(inpaint + ["--json"])
        #expect(try place.read("out/a-inpaint-skip25.png").samples == place.read("in/a.png").samples)
        #expect(try place.read("out/a-inpaint-skip25.png").recipe()["run"] as? Int == 0)
        let plans = try jsonLines(finished.output).filter { $0["event"] as? String == "plan" }
        #expect(plans.map { $0["run"] as? Int } == [0, 1])
        #expect(try place.succeed(inpaint).errors.contains("2 finished before"))
    }

    @Test("one mask does for all, and masks may lie beside their pictures")
    func otherMasks() throws {
        try place.picture("in/a.png", 16, 16)
        try place.picture("in/b.png", 16, 16)
        try mask("one.png", 16)
        let finished = try place.succeed(["inpaint", "in", "--mask", "one.png", "--seed", "7"] + Self.few)
        #expect(finished.outputLines.count == 2)
        try mask("in/a_mask.png", 16)
        try mask("in/b-mask.png", 16)
        let beside = try place.succeed(["inpaint", "in", "--mask", "in", "--seed", "7", "--steps", "2", "-o", "beside"])
        #expect(beside.outputLines == ["beside/a-inpaint-skip25.png", "beside/b-inpaint-skip25.png"])
        // Of pictures that are named, too.
        let named = try place.succeed([
            "inpaint", "in/a.png", "in/b.png", "--mask", "in", "--seed", "7", "--steps", "2", "-o", "named/",
        ])
        #expect(named.outputLines.count == 2)
        #expect(try place.bytes("named/a-inpaint-skip25.png") == place.bytes("beside/a-inpaint-skip25.png"))
        try place.refuse(
            ["inpaint", "one.png", "--mask", "in", "--steps", "2", "-o", "x.png"], code: 66,
            naming: ["one.png has no mask"])
    }

    @Test("what failed is not tried again until --retry-failed says so, or what it is made from has changed")
    func retries() throws {
        try pictures("a.png", "b.png")
        // Cut short: its header is as good as any.
        let whole = try place.bytes("in/a.png")
        try WholeFile.write(Array(whole.prefix(whole.count / 2)), to: place.file("in/a.png"))
        let first = try place.run(refine + ["--keep-going"])
        #expect(first.code == 1 && first.errors.contains("cut short") && first.errors.contains("1 made, 1 failed"))
        let second = try place.run(refine + ["--keep-going"])
        #expect(second.code == 1 && second.errors.contains("failed before") && second.errors.contains("--retry-failed"))
        #expect(second.errors.contains("1 finished before, 1 failed"))
        let retried = try place.run(refine + ["--keep-going", "--retry-failed"])
        #expect(retried.code == 1 && retried.errors.contains("cut short") && !retried.errors.contains("failed before"))
        try WholeFile.write(whole, to: place.file("in/a.png"))
        #expect(try place.succeed(refine).errors.contains("1 made, 1 finished before"))
    }

    @Test("without --keep-going the first failure stops the run, and with it each is named in the summary")
    func failures() throws {
        try pictures("a.png", "b.png", "c.png")
        for name in ["a", "c"] {
            let whole = try place.bytes("in/\(name).png")
            try WholeFile.write(Array(whole.prefix(whole.count / 2)), to: place.file("in/\(name).png"))
        }
        let stopped = try place.run(refine)
        #expect(stopped.code == 1 && stopped.output == "" && stopped.errors.contains("1 failed, 2 left"))
        let finished = try place.run(refine + ["--keep-going", "--retry-failed", "--json"])
        #expect(finished.code == 1)
        let events = try jsonLines(finished.output)
        let errors = events.filter { $0["event"] as? String == "error" }
        #expect(errors.map { $0["path"] as? String } == ["in/a.png", "in/c.png"])
        #expect(errors.allSatisfy { $0["code"] as? Int == 65 })
        let summary = try #require(events.last)
        #expect(
            summary["event"] as? String == "summary" && summary["made"] as? Int == 1 && summary["left"] as? Int == 0)
        let failed = try #require(summary["failed"] as? [[String: Any]])
        #expect(failed.map { $0["input"] as? String } == ["in/a.png", "in/c.png"])
        #expect(failed.allSatisfy { ($0["text"] as? String)?.contains("cut short") == true })
        #expect(finished.errorLines.count == 2, "errors are told on standard error all the same")
        #expect(try place.run(refine + ["--keep-going", "--quiet"]).errorLines.count == 2)
    }

    @Test("progress is over all pictures, and its time to go ends at nothing")
    func progress() throws {
        try pictures("a.png", "b.png", "c.png")
        let events = try jsonLines(try place.succeed(refine + ["--steps", "8", "--json"]).output)
        let readings = events.filter { $0["event"] as? String == "progress" }
        let done = readings.compactMap { $0["done"] as? Int }
        #expect(done == done.sorted() && done.last == 1000 && (done.first ?? 1000) < 300)
        #expect(readings.last?["seconds_left"] as? Double == 0)
        #expect((readings.first?["stage"] as? String)?.hasPrefix("1 of 3, in/a.png") == true)
        #expect((readings.last?["stage"] as? String)?.hasPrefix("3 of 3, in/c.png") == true)
        #expect(events.filter { $0["event"] as? String == "result" }.count == 3)
    }

    @Test("two runs over the same results refuse each other")
    func liveJournal() throws {
        try place.picture("in/a.png", 256, 192)
        let second = try place.start(
            ["refine", "in", "--seed", "7", "--steps", "1000", "--skip", "0", "-o", "out", "--json"],
            until: "\"event\":\"progress\"")
        defer { second.kill() }
        try place.refuse(
            ["refine", "in", "--seed", "7", "--steps", "2", "-o", "out"], code: 73, naming: ["out/", "another run"])
        // Plans are told all the same, and the lock goes with its owner.
        try place.succeed(["refine", "in", "--seed", "7", "--steps", "2", "-o", "out", "--dry-run"])
        second.kill()
        try place.succeed(["refine", "in", "--seed", "7", "--steps", "2", "-o", "out"])
    }

    @Test("Ctrl-C drops the picture in hand, tells what was made and exits with 130")
    func interruption() throws {
        try place.picture("in/a.png", 16, 16)
        try place.picture("in/b.png", 256, 192)
        let finished = try place.run(
            ["refine", "in", "--seed", "7", "--steps", "300", "--skip", "50", "-o", "out", "--json"],
            signal: .init(SIGINT, afterPrinting: "2 of 2"))
        #expect(finished.code == 130)
        #expect(try #require(finished.secondsAfterSignal) < 10)
        #expect(try results().keys.sorted() == ["a-refine-skip50.png"])
        let summary = try #require(try jsonLines(finished.output).last { $0["made"] != nil })
        #expect(summary["made"] as? Int == 1 && summary["left"] as? Int == 1)
        #expect((summary["failed"] as? [Any])?.isEmpty == true)
    }

    @Test("folders are fitted too, and plans are told without a trace")
    func fitting() throws {
        try pictures("a.png", "b.png", "sub/c.png")
        let fit = ["fit", "in", "--multiple", "8", "-o", "out"]
        #expect(try place.succeed(fit + ["--explain"]).outputLines.count == 3)
        #expect(try place.succeed(fit + ["--list"]).output.contains("in/sub/c.png"))
        #expect(place.names() == ["in"])
        #expect(try place.succeed(fit).outputLines == ["out/a-fit.png", "out/b-fit.png", "out/sub/c-fit.png"])
        #expect(try place.succeed(fit).errors.contains("3 finished before"))
        #expect(try place.succeed(fit + ["--mode", "pad"]).errors.contains("3 made"))
        #expect(try place.succeed(fit + ["--mode", "pad", "--depth", "16"]).errors.contains("3 made"))
        #expect(try place.read("out/a-fit.png").depth == 16)
        let plans = try place.succeed(refine + ["--explain", "--json"])
        #expect(try jsonLines(plans.output).map { $0["event"] as? String } == ["plan", "plan", "plan"])
    }

    @Test("a folder wants a folder for its results, another than its own")
    func places() throws {
        try pictures("a.png", "b.jpg")
        try FileManager.default.createDirectory(atPath: place.file("empty"), withIntermediateDirectories: true)
        try place.write("x", to: "file")
        let base = ["refine", "in", "--steps", "2", "--seed", "1"]
        try place.refuse(base, code: 64, naming: ["in is a folder", "-o"])
        try place.refuse(base + ["-o", "one.png"], code: 64, naming: ["one.png"])
        try place.refuse(base + ["-o", "./in"], code: 64, naming: ["folder of the pictures"])
        try place.refuse(base + ["-o", "file"], code: 73, naming: ["file is a file"])
        try place.refuse(["refine", "empty", "-o", "out"], code: 66, naming: ["empty/ holds no"])
        try place.refuse(["refine", "nowhere/", "-o", "out"], code: 66, naming: ["nowhere/"])
        try place.refuse(["refine", "in/a.png", "--keep-going", "--steps", "2"], code: 64, naming: ["--keep-going"])
        try place.refuse(["refine", "in/a.png", "--dry-run", "--steps", "2"], code: 64, naming: ["--dry-run"])
        #expect(place.names() == ["empty", "file", "in"])
        // Results inside the folder are not taken for pictures of the next run.
        try place.succeed(base + ["-o", "in/out"])
        #expect(try place.succeed(base + ["-o", "in/out"]).errors.contains("0 made, 2 finished before"))
    }

    @Test("pictures whose results would have one name are failed items")
    func collisions() throws {
        try pictures("a.png", "a.jpg", "b.png")
        let finished = try place.run(refine + ["--keep-going"])
        #expect(finished.code == 1 && finished.outputLines.count == 2)
        #expect(finished.errors.contains("in/a.png: Two results would be written to out/a-refine-skip50.png"))
    }

    @Test("a model that cannot be loaded is no failure of pictures")
    func missingModel() throws {
        try pictures("a.png", "b.png")
        let finished = try place.run(refine + ["--keep-going", "--model", "nowhere"])
        #expect(finished.code == 66 && finished.errors.contains("nowhere"))
        #expect(!finished.errors.contains("2 failed"))
    }
}
