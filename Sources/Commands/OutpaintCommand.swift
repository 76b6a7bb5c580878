import ArgumentParser
import Painting
import Raster

extension Outpainting.Method: ExpressibleByArgument {}

struct OutpaintCommand: PaintingCommand, FolderCommand {
    static let configuration = CommandConfiguration(
        commandName: "outpaint",
        abstract: "Paint pictures on beyond their sides, and leave what was there as it is to the bit.",
        discussion: """
            Any sides at once, or as much on opposite ones as gives the proportions that are asked for. Painting comes in \
            over a band from a border that wanders, so that nothing shows where the picture ended.

              velatura outpaint samples/coffee.png --left 96 --right 96 --prompt "a painting of lake at day" --guidance 2 --seed 7
              velatura outpaint samples/rocket.jpg --aspect 16:9 --method spectral
            """)

    @Argument(help: ArgumentHelp("Pictures to enlarge, or folders of them.", valueName: "in"))
    var inputs: [String]

    @OptionGroup(title: "New area") var area: NewAreaOptions
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Start from Perlin noise in the new area, as velatura perlin makes it, at a skip of 10 where no other is given."
        ))
    var perlinInit: PerlinPicture.Mode?

    @OptionGroup(title: "Noise level") var level: LevelOptions
    @OptionGroup(title: "Painting") var painting: PaintingOptions
    @OptionGroup var finish: FinishOptions
    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Folders") var batch: BatchOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws {
        try level.check(with: painting)
        if perlinInit != nil, area.method == .spectral {
            throw ValidationError(
                "--method spectral and --perlin-init both say what painting starts from in the new area. Leave one out."
            )
        }
    }

    var maskPath: String? { nil }

    func works(_ items: [Item], _ run: ItemRun) throws -> [any ItemWork] {
        let repainting = Repainting(
            command: "outpaint", level: level, painting: painting, finish: finish, results: results, telling: telling,
            defaultSkip: perlinInit == nil ? "0" : LevelOptions.skipOfPerlin, defaultAnchor: 1, masking: area.masking,
            perlinInit: perlinInit)
        return try repainting.works(items, run) { Subject(try InputPicture($0.input)) }
    }
}
