import ArgumentParser
import Checkpoints
import Painting
import Threads

struct GoBigCommand: PaintingCommand, FolderCommand {
    static let configuration = CommandConfiguration(
        commandName: "gobig",
        abstract: "Enlarge pictures and paint new detail into them, tile by tile.",
        usage: "velatura gobig <in> ... [<options>]",
        discussion: """
            The enlarged picture is cut into tiles that lie over one another; each is painted from what it shows, drawn back \
            to its broad colours, and joined to its neighbours by smooth weights. A run that was stopped goes on with the \
            tiles that are missing.

              velatura gobig samples/coffee.png --scale 4 --prompt "a photo" --seed 7 --report

            In parts, on one machine or several that see the same folder:

              velatura gobig plan IN -o PLAN.json …     writes the tiles, each of which may be told its own prompt
              velatura gobig render PLAN.json --shard 1/4
              velatura gobig assemble PLAN.json
            """)

    @Argument(help: ArgumentHelp("Pictures to enlarge, or folders of them.", valueName: "in"))
    var inputs: [String]

    @OptionGroup(title: "Enlarging") var enlarging: GoBigOptions
    @OptionGroup(title: "Noise level") var level: LevelOptions
    @OptionGroup(title: "Painting") var painting: PaintingOptions
    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Folders") var batch: BatchOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    /// What single tiles are told: entries of the recipe that is repeated.
    var told: [JSON] = []

    func validate() throws { try level.check(with: painting) }

    var maskPath: String? { enlarging.mask }

    func works(_ items: [Item], _ run: ItemRun) throws -> [any ItemWork] {
        let skips = try level.skips(default: "60", steps: painting.stepCount)
        let seeds = painting.seed?.seeds ?? [run.sharedSeed()]
        guard skips.count == 1, seeds.count == 1 else {
            throw PaintingError.usage(
                "gobig makes one enlarged picture, but \(skips.count > 1 ? "--skip" : "--seed") has \(max(skips.count, seeds.count)) values. Give one, or run it once for each."
            )
        }
        let session = PaintingSession(
            console: run.console, output: try run.output(results), journal: run.journal,
            threads: Threads(painting.threads))
        let settings = try settings(seed: seeds[0])
        return items.map { GoBigWork(self, $0, session, settings, skip: skips[0]) }
    }

    /// As far as they are known before a model is loaded.
    func settings(seed: UInt64) throws -> Settings {
        var settings = try painting.settings()
        (settings.colourAnchor, settings.keepsColour) = (enlarging.colourAnchor ?? 1, enlarging.colour)
        (settings.noise, settings.seed) = (enlarging.noise?.amount, seed)
        return settings
    }
}
