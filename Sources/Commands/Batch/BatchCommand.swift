import ArgumentParser
import Painting

struct BatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch",
        abstract: "Work through a list of pictures, each with options of its own.",
        usage: "velatura batch <manifest> [<options>] [<options of the commands>]",
        discussion: """
            A manifest is CSV with a header, or a list of objects in JSON or YAML. Its names are the long options of refine, \
            inpaint, outpaint, sketch, gobig, fit, noise and upscale, and command, input and output. What a line does not say, the \
            command line says: all options of those commands may be given here. A run that was stopped goes on where it was \
            when it is run again.

              velatura batch jobs.csv --steps 30 --model painter.safetensors -o painted/
            """)

    @Option(name: .long, help: ArgumentHelp("What to do with lines that do not say it.", valueName: "name"))
    var command = "refine"

    @OptionGroup var batch: BatchOptions

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("The folder of the results. (default: the manifest's)", valueName: "folder"))
    var output: String?

    @Flag(name: .long, help: "Replace files that stand in the way of results.")
    var overwrite = false

    @OptionGroup(title: "Telling") var telling: TellingOptions

    @Argument(parsing: .allUnrecognized, help: .hidden)
    var rest: [String] = []

    /// Every command that makes pictures from pictures, one by one.
    private static let commands: [any ItemCommand.Type] = [
        RefineCommand.self, InpaintCommand.self, OutpaintCommand.self, GoBigCommand.self, FitCommand.self,
        NoiseCommand.self, UpscaleCommand.self, SketchCommand.self,
    ]

    func run() throws {
        var failed = false
        try telling.telling { console in
            let kinds = Self.commands.map(ItemKind.init)
            let (common, others) = try OptionWords.split(rest, .joined(kinds.map(\.table)))
            guard others.count == 1 else {
                throw PaintingError.usage(
                    others.isEmpty
                        ? "There is no manifest. Name a CSV, JSON or YAML file."
                        : "\(others.joined(separator: " and ")) are \(others.count) manifests. Name one.")
            }
            let path = others[0]
            if OutputPlan.isFolder(path) {
                throw PaintingError.usage(
                    "\(path) is a folder, not a manifest. Run velatura \(command) \(path) instead.")
            }
            let home = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
            let folder = try output.map { try ItemList.folder($0, for: path) } ?? (home.isEmpty ? "./" : home)
            let rows = try Manifest(path: path).entries.map { entry in
                do throws(Manifest.Fault) {
                    return try ManifestRow(entry, in: home, fallback: command, kinds)
                } catch {
                    throw error.error(in: path)
                }
            }
            if let odd = common.first(where: { option in !rows.contains { $0.kind.table[option.name] != nil } }) {
                throw PaintingError.usage(
                    "--\(odd.name) is no option of any command that \(path) asks for. Leave it out.")
            }
            // Every line is understood before the journal makes a folder.
            _ = try works(rows, common, path, folder, home, ItemRun(console, plansOnly: true))
            let run = try ItemRun(console, plansOnly: telling.explain, batch, folder: folder)
            failed = try run.paintAll(try works(rows, common, path, folder, home, run))
        }
        if failed { throw ExitCode(1) }
    }

    /// What is said of the whole run, for every line.
    private var said: [String] {
        [
            (overwrite, "--overwrite"), (telling.explain, "--explain"), (telling.json, "--json"),
            (telling.quiet, "--quiet"), (telling.verbose, "--verbose"),
        ].filter(\.0).map(\.1)
    }

    /// The work of every line.
    ///
    /// - Parameters:
    ///   - folder: of the results
    ///   - home: of the manifest
    private func works(
        _ rows: [ManifestRow], _ common: [OptionWords], _ path: String, _ folder: String, _ home: String, _ run: ItemRun
    ) throws -> [any ItemWork] {
        var pairings: [String: Result<MaskPairing, PaintingError>] = [:]
        return try rows.flatMap { row in
            let place = "\(path), line \(row.line)"
            do {
                let (command, words) = try row.command(common, folder: folder, telling: said)
                var item = Item(input: row.input, place: place, arguments: [row.kind.name] + words)
                if row.output == nil { item.subfolder = Self.subfolder(row.input, below: home) }
                if OutputPlan.isFolder(row.input) {
                    item.fault = .unsuitable(
                        "\(row.input) is a folder, but a line is of one picture. Name the picture.")
                }
                if let mask = command.maskPath {
                    let known = pairings[mask] ?? Result { () throws(PaintingError) in try MaskPairing(mask) }
                    pairings[mask] = known
                    switch known {
                    case .success(let pairing): item.pair(pairing, below: Self.name(row.input))
                    case .failure(let fault): item.fault = item.fault ?? fault
                    }
                }
                return try command.works([item], run)
            } catch let error as PaintingError {
                throw PaintingError.unsuitable("\(place): \(reported(error).line)")
            } catch {
                throw PaintingError.unsuitable("\(place): \(row.kind.command.message(for: error))")
            }
        }
    }

    private static func name(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    /// Where a result goes that has no name of its own: its picture's place below the manifest is kept.
    private static func subfolder(_ input: String, below home: String) -> String {
        let below = input.hasPrefix(home) ? input.dropFirst(home.count) : input[...]
        guard !below.hasPrefix("/"), let slash = below.lastIndex(of: "/"), !below.split(separator: "/").contains("..")
        else { return "" }
        return String(below[...slash])
    }
}
