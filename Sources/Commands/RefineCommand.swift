import ArgumentParser
import Painting
import Raster

struct RefineCommand: PaintingCommand, FolderCommand {
    static let configuration = CommandConfiguration(
        commandName: "refine",
        abstract: "Repaint pictures from one noise level or a ladder of them.",
        discussion: """
            Each skip level keeps that percentage of the noise schedule to the picture: skip 60 changes less than skip 40. \
            All rungs of a ladder start from the same noise, so that their best parts go together.

              velatura refine samples/chelsea.png --skip 40,50,60 --prompt "a painting of forest at dawn" --seed 7
            """)

    @Argument(help: ArgumentHelp("Pictures to refine, or folders of them.", valueName: "in"))
    var inputs: [String]

    @Option(name: .long, help: "Start from Perlin noise instead of the picture, as velatura perlin makes it.")
    var perlinInit: PerlinPicture.Mode?

    @OptionGroup(title: "Noise level") var level: LevelOptions
    @OptionGroup(title: "Loops") var loops: LoopOptions
    @OptionGroup(title: "Inversion") var inversion: InversionOptions
    @OptionGroup(title: "Painting") var painting: PaintingOptions
    @OptionGroup var finish: FinishOptions
    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Folders") var batch: BatchOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws { try level.check(with: painting) }

    var maskPath: String? { nil }

    func works(_ items: [Item], _ run: ItemRun) throws -> [any ItemWork] {
        let repainting = Repainting(
            command: "refine", level: level, painting: painting, finish: finish, results: results, telling: telling,
            defaultSkip: "50", defaultAnchor: 0, loops: loops.value, inversion: try inversion.value(),
            perlinInit: perlinInit)
        return try repainting.works(items, run) { Subject(try InputPicture($0.input)) }
    }
}
