import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// Whatever is wrong is told in one line, with the right code, and leaves nothing behind.
@Suite struct ErrorsTests {
    let place: Workplace

    init() throws {
        place = try Workplace()
        try place.picture()
    }

    @Test(
        "bad options are refused before anything is read",
        arguments: [
            (["--steps", "0"], ["--steps", "0"]), (["--steps", "1001"], ["1001"]), (["--steps", "many"], ["many"]),
            (["--skip", "101"], ["101"]), (["--skip", "abc"], ["abc"]), (["--skip", ""], ["--skip"]),
            (["--skip=-1"], ["-1"]), (["--skip", "50,"], ["--skip"]), (["--skip", "nan"], ["nan"]),
            (["--strength", "1.5"], ["1.5"]), (["--skip-steps", "51"], ["51"]),
            (["--strength", "0.5", "--skip", "50"], ["--strength", "--skip"]),
            (["--skip-steps", "3", "--skip", "50"], ["--skip-steps", "--skip"]),
            (["--guidance", "nan"], ["--guidance"]), (["--guidance", "inf"], ["--guidance"]),
            (["--guidance=-1"], ["--guidance"]), (["--eta", "2"], ["--eta", "2"]), (["--eta", "nan"], ["--eta"]),
            (["--eta", "1", "--sampler", "euler"], ["--eta", "euler"]),
            (["--sampler", "magic"], ["magic", "euler-a"]),
            (["--schedule", "magic"], ["magic", "karras"]), (["--schedule", "karras"], ["karras", "ddim"]),
            (["--run-steps", "0"], ["--run-steps", "0"]),
            (["--run-steps", "4", "--steps", "8"], ["--run-steps", "--steps"]),
            (["--run-steps", "4", "--skip-steps", "8"], ["--run-steps", "--skip-steps"]),
            (["--run-steps", "30", "--skip", "98"], ["--run-steps is 30", "skip 98", "20"]),
            (["--variation", "5"], ["5"]), (["--variation", "5:2"], ["5:2"]), (["--variation", "x:0.5"], ["x:0.5"]),
            (["--eta-noise-delta", "3"], ["--eta-noise-delta", "ddim"]),
            (["--eta-noise-delta", "3", "--sampler", "dpmpp-sde"], ["--eta-noise-delta", "dpmpp-sde"]),
            (["--compat", "disco"], ["disco", "not painted with"]),
            (["--compat", "progrock"], ["progrock", "not painted with"]),
            (["--compat", "webui", "--sampler", "ddpm"], ["ddpm", "web UI"]), (["--compat", "x"], ["x", "webui"]),
            (["--sampler", "lcm", "--steps", "60"], ["--steps is 60", "50"]),
            (["--sampler", "lcm", "--eta", "1"], ["--eta", "lcm"]),
            (["--sampler", "plms", "--schedule", "karras"], ["karras", "plms"]),
            (["-o", "-"], ["-o is -", "standard output"]),
            (["--rng", "dice"], ["dice"]), (["--encode", "x"], ["x"]), (["--prediction", "x"], ["x"]),
            (["--clip-skip", "0"], ["--clip-skip"]), (["--clip-skip", "60"], ["--clip-skip", "60"]),
            (["--embedding"], ["--embedding"]), (["--lora"], ["--lora"]),
            (["--initial-noise-multiplier", "nan"], ["--initial-noise-multiplier"]),
            (["--threads", "0"], ["--threads"]),
            (["--seed", "x"], ["x"]), (["--seed", "1,1"], ["--seed"]), (["--seed=-1"], ["-1"]),
            (["--work-size", "big"], ["big"]), (["--work-size", "0x9"], ["0x9"]), (["--colour-anchor", "2"], ["2"]),
            (["--depth", "12"], ["12"]), (["--quality", "0"], ["--quality"]), (["--format", "webp"], ["webp"]),
            (["--name", "a/b"], ["a/b"]), (["--quiet", "--verbose"], ["--quiet", "--verbose"]),
            (["-o", ""], ["-o"]), (["--magic"], ["--magic"]),
        ] as [([String], [String])])
    func options(arguments: [String], parts: [String]) throws {
        try place.refuse(["refine", "in.png"] + arguments, code: 64, naming: parts)
        #expect(place.names() == ["in.png"])
    }

    @Test("a folder or a device in the place of a file is told as what it is")
    func noFiles() throws {
        try place.refuse(
            ["refine", "in.png", "--model", "/dev/null"], code: 65, naming: ["null", "a device or a pipe"])
        try place.refuse(["gobig", "render", "."], code: 65, naming: ["a folder", "a file is expected"])
    }

    @Test("a value that cannot be is told in one line, with what the option takes instead")
    func values() throws {
        for (arguments, parts) in [
            (["refine", "in.png", "--sampler", "x"], ["--sampler is \"x\"", "one of ddim, ddpm, plms"]),
            (["perlin", "--size", "3x3", "--octaves", "0"], ["--octaves is \"0\"", "Octaves of the coarse field"]),
            (["refine", "in.png", "--memory-limit", "1"], ["--memory-limit is \"1\"", "such as 2.5GB"]),
            (["fit", "in.png", "--size", "100x64", "--multiple", "16"], ["100×64", "16"]),
            (["fit", "in.png", "--size", "0x0"], ["--size is \"0x0\"", "<WxH>"]),
            (["refine", "in.png", "--seed", "-1"], ["--seed is \"-1\""]),
            (["refine", "in.png", "--guidance", "-2"], ["--guidance is -2"]),
            (["refine", "in.png", "--prompt", "@"], ["--prompt is @", "file"]),
            (["refine", "in.png", "--name", "{bad}"], ["{bad}", "{stem}"]),
            (["refine", "in.png", "--name", "{stem}", "-o", "x.png"], ["{stem}", "x.png"]),
            (["refine", "in.png", "-o", "x.xyz"], ["x.xyz", ".png, .jpg or .tif"]),
            (["refine", "in.png", "--merge-tokens", "0.9"], ["0.9", "0.75"]),
            (["paint", "--size", "64x64", "-o", "x.png", "--no-inherit"], ["--no-inherit"]),
        ] { try place.refuse(arguments, code: 64, naming: parts) }
        // A number below 0 is a value, not an option.
        try place.picture("one.png")
        try place.succeed(["noise", "one.png", "--amount", "-8", "-o", "calm.png"])
        #expect("\(try place.read("calm.png").recipe()["amount"] ?? "")".contains("-8"))
        #expect(place.names().contains("x.png") == false)
    }

    @Test("only ordinary files are replaced, and it is told before painting")
    func ordinaryFiles() throws {
        let bytes = try place.bytes("in.png")
        mkfifo(place.file("pipe.png"), 0o600)
        symlink("in.png", place.file("link.png"))
        symlink("nowhere.png", place.file("dangling.png"))
        for name in ["pipe.png", "link.png", "dangling.png"] {
            for more in [[], ["--overwrite"]] {
                try place.refuse(
                    ["refine", "in.png", "--steps", "2", "-o", name] + more, code: 73, naming: [name, "it is"])
            }
        }
        #expect(try place.bytes("in.png") == bytes)
        var status = stat()
        #expect(lstat(place.file("pipe.png"), &status) == 0 && status.st_mode & S_IFMT == S_IFIFO)
    }

    @Test("a file that may not grow further is told with 74, and nothing of it is left")
    func fullFile() throws {
        let finished = try ProcessRunner.run(
            "/bin/sh", ["-c", "ulimit -f 8; exec \"$0\" perlin --size 256x256 -o big.png", try Workplace.program()],
            in: place.path, environment: ProcessInfo.processInfo.environment)
        #expect(finished.code == 74 && finished.errors.contains("big.png"), "\(finished.code) \(finished.errors)")
        #expect(place.names() == ["in.png"])
    }

    #if os(Linux)
        @Test("what cannot be said on standard output is told, with 74")
        func fullOutput() throws {
            let finished = try ProcessRunner.run(
                "/bin/sh", ["-c", "exec \"$0\" doctor > /dev/full", try Workplace.program()], in: place.path,
                environment: ProcessInfo.processInfo.environment)
            #expect(finished.code == 74 && finished.errors.contains("Standard output"), "\(finished.errors)")
        }
    #endif

    @Test("with --json a command line that is not understood is told as a line of JSON too")
    func jsonErrors() throws {
        for arguments in [["--steps", "0"], ["--magic"], ["--sampler", "magic"]] {
            let finished = try place.run(["refine", "in.png", "--json"] + arguments)
            #expect(finished.code == 64)
            let lines = try jsonLines(finished.output)
            #expect(lines.count == 1)
            #expect(lines.first?["event"] as? String == "error" && lines.first?["code"] as? Int == 64)
            let text = try #require(lines.first?["text"] as? String)
            #expect(finished.errors.contains(text.replacingOccurrences(of: "\n", with: "\\n")))
        }
        // What is only a name does not ask for JSON.
        #expect(try place.run(["refine", "--steps", "0", "--", "--json"]).output == "")
    }

    @Test("a network whose description says that it has no middle is refused, one that is silent has the usual")
    func middles() throws {
        try place.copyModel()
        let name = "model/unet/config.json"
        var config = try #require(
            try JSONSerialization.jsonObject(with: Data(try place.bytes(name))) as? [String: Any])
        config["mid_block_type"] = NSNull()
        try place.write(String(decoding: try JSONSerialization.data(withJSONObject: config), as: UTF8.self), to: name)
        try place.refuse(["refine", "in.png", "--model", "model"], code: 65, naming: ["mid_block_type", "null"])
        config["mid_block_type"] = nil
        try FileManager.default.removeItem(atPath: place.file(name))
        try place.write(String(decoding: try JSONSerialization.data(withJSONObject: config), as: UTF8.self), to: name)
        try place.succeed(["refine", "in.png", "--model", "model", "--steps", "4", "--seed", "1"])
    }

    @Test("a command line without what is refused")
    func incomplete() throws {
        try place.refuse(["refine"], code: 64, naming: ["in"])
        try place.refuse(["magic"], code: 64, naming: ["magic"])
    }

    @Test("damaged and foreign files are no pictures")
    func files() throws {
        let source = Picture.sample(64, 48, .rgb)
        for name in ["a.png", "b.jpg", "c.tif"] {
            try place.write(source, to: name)
            let bytes = try place.bytes(name)
            try WholeFile.write(Array(bytes.prefix(bytes.count / 2)), to: place.file(name))
            try place.refuse(["refine", name, "--seed", "1"], code: 65, naming: [name])
        }
        var absurd = try place.bytes("in.png")
        // Width and height in the first chunk, whose sum is then wrong too.
        absurd.replaceSubrange(16..<24, with: [0x7F, 0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF])
        try WholeFile.write(absurd, to: place.file("absurd.png"))
        try place.refuse(["refine", "absurd.png"], code: 65, naming: ["absurd.png"])
        try place.write("I am a letter.", to: "letter.png")
        try place.refuse(["refine", "letter.png"], code: 65, naming: ["letter.png", "not a picture"])
        try place.write("", to: "empty.png")
        try place.refuse(["refine", "empty.png"], code: 65, naming: ["empty.png", "empty"])
        #expect(!place.names().contains { $0.contains("refine") })
    }

    @Test("inputs that are not there")
    func missing() throws {
        try place.refuse(["refine", "nowhere.png"], code: 66, naming: ["nowhere.png"])
        try place.refuse(["refine", "in.png", "nowhere.png", "--steps", "4"], code: 66, naming: ["nowhere.png"])
        try place.refuse(["refine", "."], code: 64, naming: ["folder", "-o"])
        try place.refuse(["refine", "in.png", "--model", "nowhere"], code: 66, naming: ["nowhere"])
        try place.refuse(
            ["refine", "in.png"], code: 66, naming: ["nowhere"], environment: ["VELATURA_MODEL": "nowhere"])
        #expect(place.names() == ["in.png"])
    }

    @Test(
        "a model folder lacks a part",
        arguments: [
            "model_index.json", "tokenizer", "unet", "text_encoder/config.json",
            "vae/diffusion_pytorch_model.safetensors",
            "scheduler/scheduler_config.json",
        ])
    func incompleteModels(part: String) throws {
        try place.copyModel()
        try FileManager.default.removeItem(atPath: place.file("model/" + part))
        try place.refuse(["refine", "in.png", "--model", "model"], code: 66, naming: ["model"])
    }

    @Test("a model's description is not JSON", arguments: ["unet/config.json", "model_index.json", "vae/config.json"])
    func descriptions(name: String) throws {
        try place.copyModel()
        for text in ["{\"a\":", "", "hello"] {
            try place.write(text, to: "model/" + name)
            try place.refuse(["refine", "in.png", "--model", "model"], code: 65, naming: [name])
        }
    }

    /// Ways in which the header of a file of weights can lie.
    static let lies: [(String, @Sendable ([UInt8], String) -> [UInt8])] = [
        ("a header longer than the file", { bytes, _ in [0xFF, 0xFF, 0xFF, 0x7F, 0, 0, 0, 0] + bytes.dropFirst(8) }),
        ("a header of absurd length", { bytes, _ in [UInt8](repeating: 0xFF, count: 8) + bytes.dropFirst(8) }),
        ("a file that was cut short", { bytes, _ in Array(bytes.dropLast(100)) }),
        ("a header that is not JSON", { bytes, _ in Array(bytes.prefix(8)) + [0x21] + bytes.dropFirst(9) }),
        ("nothing at all", { _, _ in [] }),
    ]

    @Test("weights with a lying header are refused", arguments: lies.indices)
    func weights(index: Int) throws {
        try place.copyModel()
        let name = "model/unet/diffusion_pytorch_model.safetensors"
        let damaged = Self.lies[index].1(try place.bytes(name), name)
        try WholeFile.write(damaged, to: place.file(name))
        try place.refuse(
            ["refine", "in.png", "--model", "model"], code: 65, naming: ["diffusion_pytorch_model.safetensors"])
    }

    @Test("weights that overlap, or lack or exceed what their shape says, are refused")
    func offsets() throws {
        try place.copyModel()
        let name = "model/unet/diffusion_pytorch_model.safetensors"
        let bytes = try place.bytes(name)
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: [String: Any]])
        let keys = header.keys.filter { $0 != "__metadata__" }.sorted()
        func offsets(_ key: String) -> [Int] { header[key]?["data_offsets"] as? [Int] ?? [] }
        func write(_ change: (inout [String: [String: Any]]) -> Void) throws {
            var changed = header
            change(&changed)
            let text = [UInt8](try JSONSerialization.data(withJSONObject: changed))
            let count = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
            try WholeFile.write(count + text + bytes[(8 + length)...], to: place.file(name))
        }
        // Two tensors of one size, laid over each other.
        let pairs = keys.flatMap { one in keys.filter { $0 > one }.map { (one, $0) } }
        let pair = try #require(
            pairs.first { header[$0.0]?["shape"] as? [Int] == header[$0.1]?["shape"] as? [Int] })
        let changes: [(inout [String: [String: Any]]) -> Void] = [
            { $0[pair.1]?["data_offsets"] = offsets(pair.0) },
            { $0[pair.0]?["data_offsets"] = [offsets(pair.0)[0], offsets(pair.0)[1] - 4] },
            { $0[pair.0]?["data_offsets"] = [bytes.count, bytes.count + 4] },
            { $0[pair.0]?["data_offsets"] = [-4, 0] },
            { $0[pair.0]?["shape"] = [1 << 40, 1 << 40] },
            { $0[pair.0]?["shape"] = [-1] },
            { $0[pair.0]?["dtype"] = "Q7" },
            { $0[pair.0] = nil },
            { $0["surplus.weight"] = $0[pair.0] },
        ]
        for change in changes {
            try write(change)
            try place.refuse(["refine", "in.png", "--model", "model"], code: 65, naming: ["model"])
        }
        try write { _ in }
        try place.succeed(["refine", "in.png", "--model", "model", "--steps", "4", "-o", "fine.png"])
    }

    @Test("a place where nothing can be written is told before painting")
    func places() throws {
        try place.refuse(
            ["refine", "in.png", "--steps", "4", "-o", "in.png/out.png", "--seed", "1"], code: 73, naming: ["in.png"])
        try place.refuse(
            ["refine", "in.png", "--steps", "4", "-o", "in.png/", "--seed", "1"], code: 73, naming: ["in.png"])
        // Before painting, and before a model is loaded too.
        try place.refuse(
            ["refine", "in.png", "-o", "in.png/deep/out.png", "--model", "nowhere"], code: 73, naming: ["in.png"])
        #expect(place.names() == ["in.png"])
    }

    @Test("a folder that may not be written to is told", .enabled(if: geteuid() != 0, "root may write anywhere"))
    func lockedFolders() throws {
        try FileManager.default.createDirectory(
            atPath: place.file("locked"), withIntermediateDirectories: false, attributes: [.posixPermissions: 0o555])
        try place.refuse(
            ["refine", "in.png", "--steps", "4", "-o", "locked/", "--seed", "1"], code: 73, naming: ["locked"])
    }

    @Test("words from files cannot command the terminal that they are told on")
    func terminals() throws {
        try place.write("[{\"a\\u001b[2J\": 1, \"a\\u001b[2J\": 2}]", to: "list.json")
        let refused = try place.run(["batch", "list.json"])
        #expect(refused.code == 65 && refused.errorLines.count == 1 && refused.errors.contains("is there twice"))
        #expect(!refused.errors.contains("\u{1B}"))

        var picture = Picture.sample(32, 32, .rgb)
        picture.metadata["parameters"] = "a \u{1B}[31mlake\nSteps: 20, Sampler: Euler, CFG scale: 1, Seed: 1"
        try place.write(picture, to: "in.png")
        let painted = try place.run(["refine", "in.png", "-o", "out.png", "--steps", "1", "--seed", "1"])
        #expect(painted.code == 0 && painted.errors.contains("lake") && !painted.errors.contains("\u{1B}"))
    }

    @Test("names with spaces, accents, quotes, newlines and a leading dash are only names")
    func names() throws {
        for name in ["two words.png", "Äpfel 🍎.png", "-dash.png", "quote'\".png", "no ending", "a.b.c.png", ".hidden"] {
            try place.picture(name)
            let finished = try place.succeed(["refine", "--steps", "4", "--seed", "1", "--overwrite", "--", name])
            let result = try #require(finished.outputLines.first)
            #expect(try place.read(result).size == PixelSize(width: 48, height: 32))
        }
        try place.refuse(["refine", "no\nwhere.png"], code: 66, naming: ["where.png"])
    }
}
