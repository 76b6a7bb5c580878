import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// What comes back: names, sizes, depths, transparency, recipes, and what the two streams say.
@Suite struct OutputTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    /// Kinds of pictures with sides that no model likes.
    static let kinds: [(Int, Int, Picture.Channels, Int)] = [
        (1, 1, .rgb, 8), (1, 37, .grey, 8), (47, 31, .rgb, 8), (33, 50, .rgba, 8), (33, 17, .greyAlpha, 8),
        (35, 21, .rgba, 16), (21, 35, .grey, 16), (18, 19, .greyAlpha, 16), (23, 22, .rgb, 16),
    ]

    @Test("a result has the source's size, depth and channels, and its alpha to the bit", arguments: kinds)
    func kind(width: Int, height: Int, channels: Picture.Channels, depth: Int) throws {
        let source = try place.picture("in.png", width, height, channels, depth: depth)
        let result = try place.refined(["--steps", "4"])
        #expect(result.size == source.size)
        #expect(result.depth == depth)
        #expect(result.channels == channels)
        if channels.hasAlpha { #expect(result.alpha == source.alpha) }
        #expect(result.samples != source.samples)
    }

    @Test("sixteen bits are used, not only kept")
    func sixteenBits() throws {
        try place.picture("in.png", 40, 24, .rgb, depth: 16)
        guard case .sixteen(let values) = try place.refined().samples else {
            Issue.record("the result has 8 bits")
            return
        }
        #expect(values.contains { $0 % 257 != 0 })
    }

    @Test("skip 100 returns the source's pixels to the bit", arguments: kinds)
    func untouched(width: Int, height: Int, channels: Picture.Channels, depth: Int) throws {
        let source = try place.picture("in.png", width, height, channels, depth: depth)
        #expect(try place.refined(["--skip", "100"]).samples == source.samples)
        try place.succeed(["refine", "in.png", "--skip", "100", "--seed", "1", "-o", "out.tif"])
        #expect(try place.read("out.tif").samples == source.samples)
    }

    @Test("a JPEG and a TIFF are read, and their results are PNG")
    func otherInputs() throws {
        let source = Picture.sample(45, 30, .rgb)
        try place.write(source, to: "a.jpg")
        try place.write(source, to: "b.tiff")
        let finished = try place.succeed(["refine", "a.jpg", "b.tiff", "--steps", "4", "--seed", "1"])
        #expect(finished.output == "a-refine-skip50.png\nb-refine-skip50.png\n")
        for name in finished.outputLines {
            #expect(try place.read(name).size == source.size)
            #expect(try PictureFile.format(of: place.file(name)) == .png)
        }
    }

    @Test("the camera's orientation is applied")
    func orientation() throws {
        var source = Picture.sample(45, 30, .rgb)
        // TIFF header, one entry: orientation, SHORT, one value, 6 (a quarter turn clockwise).
        source.metadata.exif = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]
        try place.write(source, to: "in.png")
        let (whole, painted) = (try place.refined(["--skip", "100"]), try place.refined())
        #expect(painted.size == PixelSize(width: 30, height: 45))
        #expect(whole.size == PixelSize(width: 30, height: 45))
        // Turned clockwise, what was the lower left corner is the upper left one.
        #expect(whole[0, 0, 1] == source[0, 29, 1])
        #expect(whole[29, 0, 1] == source[0, 0, 1])
    }

    @Test("results lie beside their input under the names of the contract, and nothing else is left there")
    func names() throws {
        try place.picture("photos/cat.png")
        let finished = try place.succeed(["refine", "photos/cat.png", "--steps", "4", "--seed", "1"])
        #expect(finished.output == "photos/cat-refine-skip50.png\n")
        #expect(place.names("photos") == ["cat-refine-skip50.png", "cat.png"])
        #expect(place.names() == ["photos"])
    }

    @Test("a ladder writes its rungs, a sheet and a page that needs nothing else")
    func ladderFiles() throws {
        try place.picture()
        let finished = try place.succeed([
            "refine", "in.png", "--steps", "6", "--skip", "20,60", "--seed", "5", "-o", "out/",
        ])
        let names = ["in-refine-skip20.png", "in-refine-skip60.png", "in-ladder.png", "in-ladder.html"]
        #expect(finished.outputLines == names.map { "out/" + $0 })
        // Skip 60 is not one noise level across schedules, so where each rung starts is told.
        #expect(finished.errorLines.count == 2)
        #expect(finished.errorLines.allSatisfy { $0.contains("sigma") })
        #expect(place.names("out") == names.sorted())
        let sheet = try place.read("out/in-ladder.png")
        #expect(sheet.width > 3 * 48 && sheet.width <= 8000)
        let page = try place.text("out/in-ladder.html")
        #expect(!page.contains("http"))
        #expect(page.components(separatedBy: "data:image/").count == 4, "the source and two rungs")
        #expect(page.contains("skip 20") && page.contains("skip 60"))
    }

    @Test("a file, a folder with or without its slash, and folders that are missing")
    func outputPlaces() throws {
        try place.picture()
        let base = ["refine", "in.png", "--steps", "4", "--seed", "1", "-o"]
        #expect(try place.succeed(base + ["new/deep/one.png"]).output == "new/deep/one.png\n")
        #expect(try place.succeed(base + ["new"]).output == "new/in-refine-skip50.png\n")
        #expect(try place.succeed(base + ["made/"]).output == "made/in-refine-skip50.png\n")
        let absolute = place.file("absolute.png")
        #expect(try place.succeed(base + [absolute]).output == absolute + "\n")
        #expect(try place.bytes("absolute.png") == place.bytes("new/in-refine-skip50.png"))
    }

    @Test("the format follows --format or the ending")
    func formats() throws {
        try place.picture()
        let base = ["refine", "in.png", "--steps", "4", "--seed", "1"]
        try place.succeed(base + ["-o", "x.jpg"])
        #expect(try PictureFile.format(of: place.file("x.jpg")) == .jpeg)
        try place.succeed(base + ["-o", "x.jpeg", "--format", "jpeg"])
        #expect(try PictureFile.format(of: place.file("x.jpeg")) == .jpeg)
        #expect(try place.succeed(base + ["--format", "tiff"]).output == "in-refine-skip50.tif\n")
        #expect(try PictureFile.format(of: place.file("in-refine-skip50.tif")) == .tiff)
        try place.refuse(base + ["-o", "y.jpg", "--format", "png"], code: 64, naming: ["y.jpg", "png"])
        #expect(!place.names().contains("y.jpg"))
    }

    @Test("a lower JPEG quality makes a smaller file")
    func quality() throws {
        try place.picture()
        let base = ["refine", "in.png", "--steps", "4", "--seed", "1"]
        let finished = try place.succeed(base + ["-o", "low.jpg", "--quality", "20"])
        #expect(finished.errors.contains("not kept to the bit"), "JPEG says which promise it gives up")
        try place.succeed(base + ["-o", "high.jpg", "--quality", "98"])
        #expect(try place.bytes("low.jpg").count < place.bytes("high.jpg").count)
    }

    @Test("a depth that is asked for replaces the source's")
    func depth() throws {
        try place.picture("eight.png")
        try place.picture("sixteen.png", depth: 16)
        #expect(try place.refined(["--depth", "16"], input: "eight.png").depth == 16)
        #expect(try place.refined(["--depth", "8"], input: "sixteen.png").depth == 8)
        #expect(try place.refined(["--depth", "8", "--skip", "100"], input: "sixteen.png").depth == 8)
    }

    @Test("a template names the results")
    func templates() throws {
        try place.picture()
        let finished = try place.succeed(
            [
                "refine", "in.png", "--steps", "4", "--seed", "1,2", "--name", "{command} {stem} {skip} {seed}", "-o",
                "out/",
            ])
        #expect(finished.outputLines.prefix(2) == ["out/refine in 50 1.png", "out/refine in 50 2.png"])
    }

    @Test("a result that is there already is refused before painting, and replaced with --overwrite")
    func overwriting() throws {
        try place.picture()
        let base = ["refine", "in.png", "--steps", "4", "-o", "out.png"]
        try place.write("precious", to: "out.png")
        try place.refuse(base + ["--seed", "1"], code: 73, naming: ["out.png", "--overwrite"])
        #expect(try place.text("out.png") == "precious")
        try place.succeed(base + ["--seed", "1", "--overwrite"])
        #expect(try place.read("out.png").size == PixelSize(width: 48, height: 32))
    }

    @Test("a sheet that is there already is refused before any rung is painted")
    func overwritingSheets() throws {
        try place.picture()
        try place.write("precious", to: "in-ladder.html")
        try place.refuse(["refine", "in.png", "--steps", "4", "--skip", "20,60"], code: 73, naming: ["in-ladder.html"])
        #expect(place.names() == ["in-ladder.html", "in.png"])
    }

    @Test("two inputs whose results would be one file are refused before painting")
    func collisions() throws {
        try place.picture("a/cat.png")
        try place.picture("b/cat.png")
        try place.refuse(
            ["refine", "a/cat.png", "b/cat.png", "--seed", "1", "--steps", "4", "-o", "out/"], code: 64,
            naming: ["out/cat-refine-skip50.png"])
        try place.refuse(
            ["refine", "a/cat.png", "./a/cat.png", "--seed", "1", "--steps", "4"], code: 64,
            naming: ["a/cat-refine-skip50.png"])
        try place.refuse(
            ["refine", "a/cat.png", "--seed", "1", "--skip", "20,60", "-o", "one.png"], code: 64, naming: ["one.png"])
        #expect(place.names() == ["a", "b"])
        #expect(place.names("a") == ["cat.png"])
    }

    @Test("a rung that equals another is refused, naming both")
    func equalRungs() throws {
        try place.picture()
        try place.refuse(
            ["refine", "in.png", "--steps", "10", "--skip", "41,45", "--seed", "1"], code: 64,
            naming: ["kip 41", "kip 45", "last 5 of 10"])
        try place.refuse(
            ["refine", "in.png", "--steps", "10", "--skip", "40,40", "--seed", "1"], code: 64, naming: ["40"])
    }

    @Test("the recipe holds every setting, and says where the picture came from")
    func recipe() throws {
        try place.picture()
        let recipe = try place.refined(["--prompt", "a “lake”\nat \\ sunset", "--negative", "mountains"]).recipe()
        for key in [
            "velatura", "command", "prompt", "negative", "guidance", "sampler", "schedule", "steps", "skip", "run",
            "sigma",
            "eta", "seed", "rng", "encode", "clip-skip", "prediction", "initial-noise-multiplier", "colour-anchor",
            "colour",
            "size", "working", "model", "source", "kernels",
        ] {
            #expect(recipe.keys.contains(key), "\(key) is missing")
        }
        #expect(recipe["prompt"] as? String == "a “lake”\nat \\ sunset")
        #expect(recipe["size"] as? String == "48x32")
        let source = try #require(recipe["source"] as? [String: Any])
        #expect(source["name"] as? String == "in.png")
        #expect((source["sha256"] as? String)?.count == 64)
    }

    @Test("the parameters text has the web UI's form")
    func parameters() throws {
        try place.picture()
        let picture = try place.refined([
            "--prompt", "a lake", "--negative", "mountains", "--skip", "60", "--steps", "10",
        ])
        let lines = try #require(picture.metadata["parameters"]).components(separatedBy: "\n")
        #expect(lines.count == 3)
        #expect(lines[0] == "a lake")
        #expect(lines[1] == "Negative prompt: mountains")
        for field in [
            "Steps: 10, ", "Sampler: DDIM, ", "CFG scale: 7.5, ", "Seed: 7, ", "Size: 48x32, ",
            "Denoising strength: 0.4",
        ] {
            #expect(lines[2].contains(field), "\(field) is not in \(lines[2])")
        }
    }

    @Test("no recipe is written where none is wanted, not even the input's own")
    func noRecipe() throws {
        try place.picture()
        try place.succeed(["refine", "in.png", "--steps", "4", "--seed", "1", "--prompt", "secret", "-o", "with.png"])
        let picture = try place.refined(["--no-recipe"], input: "with.png")
        #expect(picture.metadata["velatura"] == nil)
        #expect(picture.metadata["parameters"] == nil)
        for name in ["none.jpg", "none.tif"] {
            try place.succeed(["refine", "with.png", "--no-recipe", "--steps", "4", "--seed", "1", "-o", name])
            #expect(!(try place.text(name).contains("secret")))
        }
    }

    @Test(
        "a result refined again takes its words from its recipe, and keeps its past", arguments: ["png", "jpg", "tif"])
    func inheritance(ending: String) throws {
        try place.picture()
        let words = ["--prompt", "a lake & a \"boat\" <é>", "--negative", "mountains", "--guidance", "5"]
        try place.succeed(["refine", "in.png", "--steps", "4", "--seed", "1", "-o", "first.\(ending)"] + words)
        let again = ["refine", "first.\(ending)", "--steps", "4", "--seed", "1"]
        let finished = try place.succeed(again + ["-o", "second.png"])
        #expect(finished.errors.contains("a lake & a \"boat\" <é>") && finished.errors.contains("--no-inherit"))
        let recipe = try place.read("second.png").recipe()
        #expect(recipe["prompt"] as? String == words[1])
        #expect(recipe["negative"] as? String == "mountains")
        #expect(recipe["guidance"] as? Double == 5)
        #expect((recipe["history"] as? [Any])?.count == 1)
        try place.succeed(again + ["--no-inherit", "-o", "third.png"])
        #expect(try place.read("third.png").recipe()["prompt"] as? String == "")
        try place.succeed(again + ["--prompt", "a forest", "-o", "fourth.png"])
        let own = try place.read("fourth.png").recipe()
        #expect(own["prompt"] as? String == "a forest" && own["negative"] is NSNull)
    }

    @Test("a picture of the web UI gives its words")
    func foreignInheritance() throws {
        var source = Picture.sample(48, 32, .rgb)
        source.metadata["parameters"] =
            "a castle, oil\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, CFG scale: 6.5, Seed: 1, Size: 48x32"
        try place.write(source, to: "in.png")
        let recipe = try place.refined().recipe()
        #expect(recipe["prompt"] as? String == "a castle, oil")
        #expect(recipe["negative"] as? String == "fog")
        #expect(recipe["guidance"] as? Double == 6.5)
        #expect(try place.refined(["--no-inherit"]).recipe()["prompt"] as? String == "")
    }

    @Test("an explanation goes to standard output, and nothing is painted")
    func explain() throws {
        try place.picture()
        let finished = try place.succeed(["refine", "in.png", "--skip", "40,60", "--seed", "1", "--explain"])
        #expect(
            finished.output.contains("48×32") && finished.output.contains("30 of 50")
                && finished.output.contains("20 of 50"))
        #expect(finished.output.contains("sigma"))
        #expect(place.names() == ["in.png"])
        let plans = try jsonLines(
            try place.succeed(["refine", "in.png", "--skip", "40,60", "--seed", "1", "--explain", "--json"]).output)
        #expect(plans.map { $0["event"] as? String } == ["plan", "plan"])
        #expect(plans.map { $0["run"] as? Int } == [30, 20])
        for key in ["source", "working", "tiles", "steps", "run", "sigma", "seconds", "bytes"] {
            #expect(plans.allSatisfy { $0.keys.contains(key) }, "\(key) is missing")
        }
        #expect(place.names() == ["in.png"])
    }

    @Test("JSON lines tell plan, progress and result, and nothing else is on standard output")
    func json() throws {
        try place.picture()
        let finished = try place.succeed(["refine", "in.png", "--steps", "6", "--seed", "1", "--json"])
        let events = try jsonLines(finished.output)
        #expect(events.count == finished.outputLines.count)
        let kinds = events.compactMap { $0["event"] as? String }
        #expect(kinds.count == events.count)
        #expect(kinds.first == "plan" && kinds.last == "result")
        #expect(Set(kinds) == ["plan", "progress", "result"])
        let progress = events.filter { $0["event"] as? String == "progress" }
        let done = progress.compactMap { $0["done"] as? Int }
        #expect(done == done.sorted() && done.last == progress.last?["of"] as? Int)
        #expect(progress.allSatisfy { $0.keys.contains("seconds_left") && $0["stage"] is String })
        let result = try #require(events.last)
        #expect(result["path"] as? String == "in-refine-skip50.png")
        #expect(result["input"] as? String == "in.png" && result["command"] as? String == "refine")
        #expect(result["skip"] as? Int == 50 && result["seed"] as? Int == 1)
        #expect(result["seconds"] is Double && (result["hash"] as? String)?.count == 64)
        #expect(finished.errors == "")
    }

    @Test("an error is told as JSON too, where JSON is asked for")
    func jsonErrors() throws {
        let finished = try place.run(["refine", "nowhere.png", "--json", "--seed", "1"])
        #expect(finished.code == 66)
        let event = try #require(try jsonLines(finished.output).first)
        #expect(event["event"] as? String == "error" && event["code"] as? Int == 66)
        #expect((event["text"] as? String)?.contains("nowhere.png") == true)
        #expect(event["path"] as? String == "nowhere.png")
        #expect(finished.errorLines.count == 1)
    }

    @Test("quiet prints nothing, and verbose more than usual")
    func loudness() throws {
        try place.picture()
        let base = ["refine", "in.png", "--steps", "4", "--overwrite", "--prompt", "a lake"]
        let (usual, quiet) = (try place.succeed(base), try place.succeed(base + ["--quiet"]))
        let verbose = try place.succeed(base + ["--verbose"])
        #expect(usual.output == "in-refine-skip50.png\n" && verbose.output == usual.output)
        #expect(quiet.output == "" && quiet.errors == "")
        #expect(verbose.errorLines.count > usual.errorLines.count)
        #expect(verbose.errors.contains("2 of 4 steps"))
        // The profile.
        for part in ["convolution, ", "attention, ", "group normalisation", " GFLOP/s", " % of the peak"] {
            #expect(verbose.errors.contains(part) && !usual.errors.contains(part), "\(part)")
        }
        #expect(
            try place.run(["refine", "nowhere.png", "--quiet"]).errorLines.count == 1, "errors are told all the same")
    }

    @Test("an input may be a pipe, which is read only once")
    func pipes() throws {
        try place.picture()
        try #require(mkfifo(place.file("pipe"), 0o600) == 0)
        let (bytes, pipe) = (try place.bytes("in.png"), place.file("pipe"))
        Thread.detachNewThread {
            let handle = FileHandle(forWritingAtPath: pipe)
            handle?.write(Data(bytes))
            try? handle?.close()
        }
        let finished = try place.run(
            ["refine", "pipe", "--steps", "4", "--seed", "1", "-o", "out.png"], timeoutSeconds: 20)
        #expect(finished.code == 0)
        #expect(try place.read("out.png").samples == place.refined(["--steps", "4", "--seed", "1"]).samples)
    }

    @Test("under nohup a hangup does not stop the painting")
    func hangups() throws {
        try place.picture()
        let finished = try ProcessRunner.run(
            "/bin/sh",
            ["-c", "trap '' HUP; exec \"$0\" \"$@\"", try Workplace.program(), "refine", "in.png", "--steps", "20"]
                + ["--seed", "1", "--json"],
            in: place.path, environment: ["OMP_WAIT_POLICY": "passive"],
            signal: .init(SIGHUP, afterPrinting: "\"event\":\"progress\""))
        #expect(finished.secondsAfterSignal != nil)
        #expect(finished.code == 0)
        #expect(place.names().contains("in-refine-skip50.png"))
    }

    @Test("an interruption leaves nothing half-written and exits with 130")
    func interruption() throws {
        try place.picture("in.png", 256, 192)
        let finished = try place.run(
            ["refine", "in.png", "--steps", "1000", "--skip", "0", "--seed", "1", "--prompt", "a lake", "--json"],
            signal: .init(SIGINT, afterPrinting: "\"event\":\"progress\""))
        #expect(finished.code == 130)
        #expect(try #require(finished.secondsAfterSignal) < 10)
        #expect(place.names() == ["in.png"])
    }
}
