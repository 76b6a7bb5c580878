import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// `batch`: lines of a manifest as command lines.
@Suite struct ManifestBatchTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    private func pictures(_ names: String...) throws {
        for (index, name) in names.enumerated() { try place.write(Picture.sample(16 + 2 * index, 16, .rgb), to: name) }
    }

    static let forms = [
        "csv": "input,prompt,seed,steps\na.png,\"a lake, at night\",5,\nb.png,,,4\n",
        "json": #"[{"input":"a.png","prompt":"a lake, at night","seed":5},{"input":"b.png","steps":4}]"#,
        "yaml": "- input: a.png\n  prompt: a lake, at night\n  seed: 5\n- {input: b.png, steps: 4}\n",
    ]

    @Test("lines give options of their own, and the command line the rest", arguments: forms.keys.sorted())
    func options(form: String) throws {
        try pictures("a.png", "b.png")
        try place.write(try #require(Self.forms[form]), to: "jobs.\(form)")
        let finished = try place.succeed([
            "batch", "--steps", "2", "jobs.\(form)", "--seed=9", "--prompt", "a boat", "-o", "out",
        ])
        #expect(finished.outputLines == ["out/a-refine-skip50.png", "out/b-refine-skip50.png"])
        let (a, b) = (
            try place.read("out/a-refine-skip50.png").recipe(), try place.read("out/b-refine-skip50.png").recipe()
        )
        #expect(a["prompt"] as? String == "a lake, at night" && b["prompt"] as? String == "a boat")
        #expect(a["seed"] as? Int == 5 && b["seed"] as? Int == 9)
        #expect(a["steps"] as? Int == 2 && b["steps"] as? Int == 4)
        // The line is the command line that it stands for.
        try place.succeed([
            "refine", "a.png", "--steps", "2", "--seed", "5", "--prompt", "a lake, at night", "-o", "alone.png",
        ])
        #expect(try place.bytes("alone.png") == place.bytes("out/a-refine-skip50.png"))
        #expect(
            try place.succeed([
                "batch", "jobs.\(form)", "--steps", "2", "--seed=9", "--prompt", "a boat", "-o", "out",
            ]).errors.contains("2 finished before"))
    }

    @Test("a column that a line's command lacks is left empty; filled in it is refused, and so is one that none has")
    func columns() throws {
        try pictures("a.png", "b.png")
        try place.write(
            Picture(size: PixelSize(width: 18, height: 16), channels: .grey, eight: Array(repeating: 255, count: 288)),
            to: "b-sky.png")
        let list = "command,input,mask,prompt,skip,output\nrefine,a.png,,\"a lake, at night\",40,night.png\n"
        try place.write(list + "inpaint,b.png,b-sky.png,,,\n", to: "jobs.csv")
        try place.succeed(["batch", "jobs.csv", "--steps", "2", "-o", "out"])
        #expect(place.names("out") == [".velatura", "b-inpaint-skip25.png", "night.png"])
        try place.write(list + "refine,b.png,b-sky.png,,,\n", to: "jobs.csv")
        try place.refuse(["batch", "jobs.csv", "-o", "two"], code: 65, naming: ["line 3", "mask"])
        try place.write("input,maks\na.png,\n", to: "jobs.csv")
        try place.refuse(["batch", "jobs.csv", "-o", "two"], code: 65, naming: ["line 2", "maks"])
    }

    @Test("a sketch of a list is the sketch alone, through a mask and without one, and is not painted twice")
    func sketches() throws {
        try pictures("a.png")
        let size = PixelSize(width: 16, height: 16)
        let drawn = (0..<size.area).flatMap { [200, 40, 40, $0 % 16 < 8 ? 255 : 0].map(UInt8.init) }
        try place.write(Picture(size: size, channels: .rgba, eight: drawn), to: "strokes.png")
        let white = (0..<size.area).map { UInt8($0 / 16 < 8 ? 255 : 0) }
        try place.write(Picture(size: size, channels: .grey, eight: white), to: "a_mask.png")
        try place.write(
            "command,input,strokes,mask,output\nsketch,a.png,strokes.png,,all.png\nsketch,a.png,strokes.png,a_mask.png,part.png\n",
            to: "jobs.csv")
        let more = ["--steps", "4", "--seed", "7"]
        let first = try place.succeed(["batch", "jobs.csv", "-o", "out"] + more)
        #expect(first.outputLines == ["out/all.png", "out/part.png"])
        let alone = ["sketch", "a.png", "--strokes", "strokes.png"] + more
        try place.succeed(alone + ["-o", "all.png"])
        try place.succeed(alone + ["--mask", "a_mask.png", "-o", "part.png"])
        for name in ["all.png", "part.png"] { #expect(try place.bytes("out/" + name) == place.bytes(name)) }
        #expect(try place.succeed(["batch", "jobs.csv", "-o", "out"] + more).errors.contains("2 finished before"))
        try place.write("command,input\nsketch,a.png\n", to: "jobs.csv")
        try place.refuse(["batch", "jobs.csv", "-o", "two"] + more, code: 65, naming: ["line 2", "--strokes"])
    }

    @Test("lines may ask for several commands, and options reach those that have them")
    func commands() throws {
        try pictures("a.png", "b.png", "c.png")
        let size = PixelSize(width: 18, height: 16)
        let samples = (0..<size.area).map { UInt8($0 % 18 < 9 ? 255 : 0) }
        try place.write(Picture(size: size, channels: .grey, eight: samples), to: "masks/b_mask.png")
        try place.write(
            """
            - {input: a.png, output: first.png}
            - {command: inpaint, input: b.png, mask: masks, output: sub/second.png, fill: "#8090a0"}
            - {command: fit, input: c.png, output: third.tif, multiple: 8}
            """, to: "jobs.yaml")
        let base = ["batch", "jobs.yaml", "--steps", "2", "--seed", "3", "-o", "out"]
        let shown = try place.succeed(base + ["--dry-run"])
        #expect(
            shown.outputLines == [
                "a.png → out/first.png", "b.png, mask masks/b_mask.png → out/sub/second.png", "c.png → out/third.tif",
            ])
        #expect(
            try place.succeed(base).outputLines.sorted() == ["out/first.png", "out/sub/second.png", "out/third.tif"])
        #expect(try place.read("out/sub/second.png").recipe()["command"] as? String == "inpaint")
        #expect(try place.read("out/third.tif").size == PixelSize(width: 24, height: 16))
        try place.succeed(["verify", "b.png", "out/sub/second.png", "--mask", "masks/b_mask.png"])
        try place.refuse(base + ["--nonsense", "3"], code: 64, naming: ["--nonsense"])
        try place.write("input,command\nc.png,fit\n", to: "fit.csv")
        try place.refuse(["batch", "fit.csv", "--steps", "2"], code: 64, naming: ["--steps", "fit.csv"])
        // A command for lines that name none.
        #expect(
            try place.succeed(["batch", "fit.csv", "--multiple", "8", "-o", "fitted", "--command", "refine"]).output
                == "fitted/c-fit.png\n")
        try place.write("input\nc.png\n", to: "plain.csv")
        #expect(
            try place.succeed(["batch", "plain.csv", "--multiple", "8", "-o", "fitted2", "--command", "fit"]).output
                == "fitted2/c-fit.png\n")
    }

    @Test(
        "files are looked for beside the manifest, and results lie there without -o, in the folders of their pictures")
    func places() throws {
        try pictures("lists/a.png", "lists/sub/b.png", "here.png")
        try place.write("a lake", to: "lists/words.txt")
        let absolute = place.file("here.png")
        try place.write("input,prompt\na.png,@words.txt\nsub/b.png,\nhere.png,\n\(absolute),x\n", to: "lists/jobs.csv")
        let finished = try place.run(["batch", "lists/jobs.csv", "--steps", "2", "--seed", "3", "--keep-going"])
        #expect(finished.code == 1)
        #expect(
            finished.outputLines == [
                "lists/a-refine-skip50.png", "lists/sub/b-refine-skip50.png", "lists/here-refine-skip50.png",
            ])
        #expect(finished.errors.contains("lists/jobs.csv, line 5: ") && finished.errors.contains("Two results"))
        #expect(try place.read("lists/a-refine-skip50.png").recipe()["prompt"] as? String == "a lake")
        #expect(place.names("lists").contains(".velatura") && !place.names().contains(".velatura"))
    }

    @Test("lists are repeated options or comma lists; flags are true or false; empty values are not there")
    func values() throws {
        try pictures("a.png", "b.png")
        try place.write(Picture.sample(16, 16, .grey), to: "g.png")
        try place.write(
            """
            [{"input": "a.png", "skip": [25, 75], "output": "rungs/"},
             {"input": "g.png", "colour": true, "output": "colour.png"},
             {"input": "g.png", "colour": false, "output": "grey.png", "negative": null, "skip": ""}]
            """, to: "jobs.json")
        let base = ["batch", "jobs.json", "--steps", "4", "--seed", "3", "--prompt", "a lake", "--colour", "-o", "out"]
        try place.refuse(base, code: 65, naming: ["jobs.json, line 3", "--skip"])
        try place.write(
            try place.text("jobs.json").replacingOccurrences(of: ", \"skip\": \"\"", with: ""), to: "jobs.json")
        try place.succeed(base)
        #expect(place.names("out/rungs").contains("a-ladder.html") && place.names("out/rungs").count == 4)
        #expect(try place.read("out/colour.png").channels == .rgb && place.read("out/grey.png").channels == .grey)
        // A line that says its level in its own way does not take the command line's.
        try place.write("input,strength,no-inherit\na.png,0.25,yes\nb.png,,no\n", to: "jobs.csv")
        try place.succeed(["batch", "jobs.csv", "--steps", "4", "--seed", "3", "--skip", "50", "-o", "csv"])
        #expect(place.names("csv") == [".velatura", "a-refine-skip75.png", "b-refine-skip50.png"])
    }

    static let faults: [(String, Int, [String])] = [
        ("input,stepps\na.png,3\n", 2, ["\"stepps\" is no option of refine", "velatura help refine"]),
        ("input,steps\na.png,3\nb.png,many\n", 3, ["steps", "many"]), ("prompt\nx\n", 2, ["no input"]),
        ("input,command\na.png,paint\n", 2, ["paint", "refine, inpaint, outpaint, gobig, fit, noise, upscale"]),
        ("input,output\na.png,../x.png\n", 2, ["outside"]), ("input,output\na.png,/tmp/x.png\n", 2, ["outside"]),
        ("input,output\na.png,a/../../x.png\n", 2, ["outside"]),
        ("input,output\na.png,.velatura/journal.jsonl\n", 2, ["outside"]),
        ("input,overwrite\na.png,true\n", 2, ["overwrite", "whole run"]),
        ("input,colour\na.png,maybe\n", 2, ["true or false"]), ("input,skip,skip\na.png,1,2\n", 2, ["twice"]),
        ("input,skip,strength\na.png,50,0.5\n", 2, ["--skip and --strength"]),
        ("input,skip\na.png,200\n", 2, ["--skip is \"200\""]),
        ("input,name\na.png,../x\n", 2, ["--name"]), ("input\n\"a.png\n", 2, ["none ends it"]),
    ]

    @Test("whatever is wrong with a manifest is told with its line, and nothing is made", arguments: faults)
    func faulty(text: String, line: Int, parts: [String]) throws {
        try pictures("a.png", "b.png")
        try place.write(text, to: "jobs.csv")
        let before = place.names()
        try place.refuse(["batch", "jobs.csv", "-o", "out"], code: 65, naming: ["jobs.csv, line \(line): "] + parts)
        #expect(place.names() == before)
    }

    @Test("a manifest that is missing, none, or one too many is refused")
    func noManifest() throws {
        try pictures("in/a.png")
        try place.write("input\n", to: "none.csv")
        try place.write("input\na.png\n", to: "list.txt")
        try place.refuse(["batch"], code: 64, naming: ["no manifest"])
        try place.refuse(["batch", "nowhere.csv"], code: 66, naming: ["nowhere.csv"])
        try place.refuse(["batch", "none.csv"], code: 65, naming: ["none.csv", "nothing"])
        try place.refuse(["batch", "list.txt"], code: 65, naming: ["list.txt", ".csv"])
        try place.refuse(["batch", "none.csv", "list.txt"], code: 64, naming: ["2 manifests"])
        try place.refuse(["batch", "in"], code: 64, naming: ["velatura refine in"])
        try place.refuse(["batch", "list.txt", "--steps"], code: 64, naming: ["--steps has no value"])
    }

    @Test("pictures that are missing or folders are failed items, each with its line")
    func missingPictures() throws {
        try pictures("a.png", "sub/b.png")
        try place.write("input\nnowhere.png\nsub\na.png\n", to: "jobs.csv")
        let finished = try place.run(["batch", "jobs.csv", "--steps", "2", "--seed", "1", "--keep-going", "-o", "out"])
        #expect(finished.code == 1 && finished.output == "out/a-refine-skip50.png\n")
        #expect(finished.errors.contains("jobs.csv, line 2: nowhere.png is not there"))
        #expect(finished.errors.contains("jobs.csv, line 3: sub is a folder"))
        #expect(try place.run(["batch", "jobs.csv", "--steps", "2", "--seed", "1", "-o", "other"]).output == "")
    }

    @Test("one model is loaded for all lines that want it, another for those that want another")
    func models() throws {
        try pictures("a.png", "b.png", "c.png")
        try place.copyModel("models/small")
        try place.write(
            "input,model,steps\na.png,models/small,3\nb.png,,2\nc.png,models/small,3\n", to: "jobs.csv")
        let finished = try place.succeed(["batch", "jobs.csv", "--seed", "3", "-o", "out", "--json"])
        let results = try jsonLines(finished.output).filter { $0["event"] as? String == "result" }
        // Lines of one model are painted one after another, so that each is loaded once.
        #expect(results.map { $0["input"] as? String } == ["a.png", "c.png", "b.png"])
        let models = try ["a", "b", "c"].map { name in
            (try place.read("out/\(name)-refine-skip50.png").recipe()["model"] as? [String: Any])?["name"] as? String
        }
        #expect(models == ["small", "miniature", "small"])
        try place.write("input,model\na.png,nowhere\nb.png,\n", to: "missing.csv")
        let missing = try place.run([
            "batch", "missing.csv", "--seed", "3", "--steps", "2", "-o", "out2", "--keep-going",
        ])
        #expect(missing.code == 1 && missing.output == "out2/b-refine-skip50.png\n")
        #expect(missing.errors.contains("missing.csv, line 2: ") && missing.errors.contains("nowhere"))
    }

    @Test("a manifest goes on where it was stopped, and a changed line replaces its own result")
    func goingOn() throws {
        try pictures("a.png", "b.png")
        try place.write("input,seed\na.png,1\nb.png,1\n", to: "jobs.csv")
        let base = ["batch", "jobs.csv", "--steps", "2", "-o", "out"]
        try place.succeed(base)
        try place.write("input,seed\na.png,1\nb.png,2\n", to: "jobs.csv")
        let finished = try place.succeed(base)
        #expect(finished.output == "out/b-refine-skip50.png\n" && finished.errors.contains("1 finished before"))
        // Results outlive the lines that made them.
        try place.write("input,seed\nb.png,2\n", to: "jobs.csv")
        #expect(try place.succeed(base).errors.contains("0 made, 1 finished before"))
        #expect(place.names("out").count == 3)
    }
}
