import ArgumentParser
import Checkpoints
import Painting
import Raster
import RasterFiles
import Threads

/// gobig in parts: the plan as a file, some of its tiles, and all of them together.
///
/// A command cannot both take pictures and have commands of its own, so `gobig plan` is parsed as one word.
enum GoBigParts {
    static func joined(_ words: [String]) -> [String] {
        guard words.count > 1, words[0] == "gobig", ["plan", "render", "assemble"].contains(words[1]) else {
            return words
        }
        return ["gobig-\(words[1])"] + words.dropFirst(2)
    }

    /// The command that a plan's options stand for.
    static func command(_ options: [String], _ input: String, name: String) throws -> GoBigCommand {
        do {
            return try GoBigCommand.parse(options + ["--", input])
        } catch {
            throw PaintingError.unsuitable(
                "\(name) has options that cannot be: \(GoBigCommand.message(for: error)). Make it anew with gobig plan."
            )
        }
    }

    /// Everything that painting from a plan's file needs.
    struct Opened {
        var file: TilePlanFile
        var command: GoBigCommand
        var name: String
        /// With the model that the plan was read with.
        let run: ItemRun

        /// - Parameters:
        ///   - more: options for this run alone
        ///   - check: of the command that the options give, before anything is read
        init(
            _ path: String, _ more: [String], _ run: ItemRun, check: (GoBigCommand) throws -> Void = { _ in }
        ) throws {
            let json = try JSON(FileBytes(path: path))
            (name, self.run) = (path, run)
            var command: GoBigCommand?
            file = try TilePlanFile.read(json, name: path) { options, input, source in
                let found = try GoBigParts.found(input, beside: path)
                let parsed = try GoBigParts.command(options + more, found, name: path)
                try check(parsed)
                command = parsed
                return try GoBigParts.planned(parsed, run) { hash in
                    guard hash != source else { return }
                    throw PaintingError.unsuitable(
                        "\(found) has changed since \(path) was made of it. Put the picture back, or make the plan anew."
                    )
                }
            }
            guard let command else { throw PaintingError.fault("a plan was read without its options") }
            self.command = command
        }
    }

    /// A picture under the name that a plan has, or beside the plan.
    private static func found(_ input: String, beside plan: String) throws -> String {
        if WholeFile.exists(input) { return input }
        let folder = plan.lastIndex(of: "/").map { String(plan[...$0]) } ?? ""
        let beside = folder + (input.split(separator: "/").last.map(String.init) ?? input)
        guard WholeFile.exists(beside) else {
            throw PaintingError.missing("\(input), which \(plan) was made of, is not there. Put it beside the plan.")
        }
        return beside
    }

    /// The tiles that a command's options give.
    ///
    /// - Parameter look: told of the hash of the picture's file
    static func planned(_ command: GoBigCommand, _ run: ItemRun, look: (_ hash: String) throws -> Void) throws
        -> TilePlan
    {
        guard let work = try command.works([Item(input: command.inputs[0])], run).first as? GoBigWork else {
            throw PaintingError.fault("gobig has no work")
        }
        return try work.planned(run.shelf, look: look)
    }

    /// Paints with a plan's file.
    static func paint(
        _ opened: Opened, shard: GoBigWork.Shard? = nil, onlyAssembles: Bool = false
    ) throws {
        let run = opened.run
        var command = opened.command
        let stem = opened.name.hasSuffix(".json") ? String(opened.name.dropLast(5)) : opened.name
        command.enlarging.work = command.enlarging.work ?? stem + ".tiles"
        var output = try run.output(command.results)
        // Only tiles are written, so a result that stands already is in nobody's way.
        output.overwrite = output.overwrite || shard != nil
        let session = PaintingSession(
            console: run.console, output: output, threads: Threads(command.painting.threads))
        let seed = command.painting.seed?.seeds.first ?? 0
        let skips = try command.level.skips(default: "60", steps: command.painting.stepCount)
        let work = GoBigWork(
            command, Item(input: command.inputs[0], mask: command.enlarging.mask), session,
            try command.settings(seed: seed), skip: skips[0], plan: opened.file.plan, shard: shard,
            onlyAssembles: onlyAssembles)
        try run.paint([work])
    }
}

struct GoBigPlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gobig-plan", abstract: "Write the tiles that gobig would paint into a file.",
        usage: "velatura gobig plan <in> -o <plan.json> [<options of gobig>]",
        discussion: """
            The file is for people: each tile may be told a prompt, a skip and a seed of its own, or be left as it is. \
            All options of gobig may be given, and hold for gobig render and gobig assemble.
            """, shouldDisplay: false)

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The plan's file. (default: beside the picture, .gobig.json)", valueName: "plan.json"))
    var output: String?

    @Flag(name: .long, help: "Replace a plan that is there already.")
    var overwrite = false

    @OptionGroup(title: "Telling") var telling: TellingOptions

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var rest: [String] = []

    func run() throws {
        try telling.telling { console in
            let (given, inputs) = try OptionWords.split(rest, OptionTable(GoBigCommand.self))
            guard inputs.count == 1 else {
                throw PaintingError.usage(
                    inputs.isEmpty
                        ? "There is no picture to plan for. Name one."
                        : "\(inputs.joined(separator: " and ")) are \(inputs.count) pictures, but a plan is of one. Name one."
                )
            }
            var options = given.flatMap(\.words)
            // Every machine that paints some of the tiles starts from the same noise.
            if !given.contains(where: { $0.name == "seed" }) { options.append("--seed=\(randomSeed())") }
            if telling.explain {
                let command = try GoBigParts.command(
                    options + ["--explain"] + (telling.json ? ["--json"] : []), inputs[0], name: "the plan")
                let run = ItemRun(console, plansOnly: true)
                return try run.paint(try command.works([Item(input: inputs[0], mask: command.enlarging.mask)], run))
            }
            let command = try GoBigParts.command(options, inputs[0], name: "the plan")
            var hash = ""
            let plan = try GoBigParts.planned(command, ItemRun(console, plansOnly: true)) { hash = $0 }
            let file = TilePlanFile(options: options, input: inputs[0], source: hash, plan: plan)
            let path =
                output ?? (inputs[0].lastIndex(of: ".").map { String(inputs[0][..<$0]) } ?? inputs[0]) + ".gobig.json"
            try WholeFile.write(Array(file.text.utf8), to: path, overwrite: overwrite)
            try console.report(.note("\(plan.tiles.count) tiles of \(plan.size)"))
            try console.report(.result(.init(path: path, input: inputs[0], command: "gobig plan", seconds: 0)))
        }
    }
}

/// "2/4"
struct ShardArgument: ExpressibleByArgument {
    let shard: GoBigWork.Shard

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let number = parts[0], let of = parts[1], of >= 1, of <= 1 << 16,
            (1...of).contains(number)
        else { return nil }
        shard = GoBigWork.Shard(number: number, of: of)
    }
}

struct GoBigRenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gobig-render", abstract: "Paint the tiles of a plan, or some of them.",
        usage: "velatura gobig render <plan.json> [--shard <i/n>] [<options>]",
        discussion: "Tiles go into a folder beside the plan. Machines that see it may each paint a shard.",
        shouldDisplay: false)

    @Argument(help: ArgumentHelp("The plan's file.", valueName: "plan.json"))
    var plan: String

    @Option(name: .long, help: ArgumentHelp("Paint only every n-th tile, beginning with the i-th.", valueName: "i/n"))
    var shard: ShardArgument?

    @Option(name: .long, help: ArgumentHelp("Threads to use. (default: as the plan says)", valueName: "n"))
    var threads: Int?

    @Option(name: .long, help: ArgumentHelp("Most memory to use. (default: as the plan says)", valueName: "size"))
    var memoryLimit: MemoryLimit?

    @OptionGroup(title: "Telling") var telling: TellingOptions

    func run() throws {
        try telling.telling { console in
            let more =
                (threads.map { ["--threads=\($0)"] } ?? [])
                + (memoryLimit.map { ["--memory-limit=\($0.argument)"] } ?? [])
                + (telling.explain ? ["--explain"] : [])
            let part = shard?.shard ?? GoBigWork.Shard(number: 1, of: 1)
            let opened = try GoBigParts.Opened(plan, more, ItemRun(console, plansOnly: telling.explain)) { command in
                let options = command.enlarging
                guard part.of > 1, options.mode == .joint || options.layout == .ultimate else { return }
                throw PaintingError.usage(
                    "--shard cannot be used with \(options.mode == .joint ? "--mode joint" : "--layout ultimate"), where every tile waits for the others. Leave it out."
                )
            }
            try GoBigParts.paint(opened, shard: part)
        }
    }
}

struct GoBigAssembleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gobig-assemble", abstract: "Put the painted tiles of a plan together.",
        usage: "velatura gobig assemble <plan.json> [-o <out>] [<options>]", shouldDisplay: false)

    @Argument(help: ArgumentHelp("The plan's file.", valueName: "plan.json"))
    var plan: String

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp(
            "A file, or a folder where it is one or ends in /. (default: as the plan says)", valueName: "out"))
    var output: String?

    @Flag(name: .long, help: "Replace a result that is there already.")
    var overwrite = false

    @Flag(name: .long, help: "Also write a page with both pictures, the tiles and the seams.")
    var report = false

    @OptionGroup(title: "Telling") var telling: TellingOptions

    func run() throws {
        try telling.telling { console in
            let more =
                (output.map { ["--output=\($0)"] } ?? []) + (overwrite ? ["--overwrite"] : [])
                + (report ? ["--report"] : []) + (telling.explain ? ["--explain"] : [])
            let opened = try GoBigParts.Opened(plan, more, ItemRun(console, plansOnly: telling.explain))
            try GoBigParts.paint(opened, onlyAssembles: true)
        }
    }
}
