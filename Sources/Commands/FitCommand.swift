import ArgumentParser
import Painting
import Raster
import RasterFiles

extension FitMode: ExpressibleByArgument {}

struct FitCommand: FolderCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit",
        abstract: "Fit pictures to the sizes that a model wants.",
        discussion: """
            Without --size, --aspect or --max-pixels the target is the size near the picture's own whose proportions are \
            truest and whose sides are multiples of --multiple.

              velatura fit samples/coffee.png --list
              velatura fit samples/coffee.png --mode pad --multiple 16
            """)

    @Argument(help: ArgumentHelp("Pictures to fit, or folders of them.", valueName: "in"))
    var inputs: [String]

    @Option(name: .long, help: ArgumentHelp("Both sides become multiples of this. (default: 64)", valueName: "n"))
    var multiple: Int?

    @Option(
        name: .long,
        help:
            "Cut what sticks out, pad with mirrored pixels, let the picture run on and write a mask of what is new, or stretch."
    )
    var mode: FitMode = .crop

    @Option(name: .long, help: ArgumentHelp("Exactly this size.", valueName: "WxH"))
    var size: SizeArgument?

    @Option(name: .long, help: ArgumentHelp("The largest size of at most so many pixels.", valueName: "n"))
    var maxPixels: Int?

    @Option(name: .long, help: ArgumentHelp("These proportions, such as 16:9.", valueName: "W:H"))
    var aspect: String?

    @Flag(name: .long, help: "List the sizes to choose from with their aspect error, and write nothing.")
    var list = false

    @OptionGroup var threading: ThreadOptions

    @OptionGroup var limits: SizeLimitOptions
    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Folders") var batch: BatchOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws {
        let goals = [("--size", size != nil), ("--max-pixels", maxPixels != nil), ("--aspect", aspect != nil)].filter(
            \.1
        ).map(\.0)
        if goals.count > 1 {
            throw ValidationError("\(goals.joined(separator: " and ")) contradict each other. Give only one of them.")
        }
        if let multiple {
            guard (1...65536).contains(multiple) else {
                throw ValidationError("--multiple is \(multiple), but a whole number from 1 to 65536 is expected.")
            }
            if let size = size?.size, size.width % multiple != 0 || size.height % multiple != 0 {
                throw ValidationError(
                    "--size is \(size), whose sides are no multiples of \(multiple). Leave --multiple out, or change one of them."
                )
            }
        }
        if let maxPixels, maxPixels < 1 {
            throw ValidationError("--max-pixels is \(maxPixels), but a number above 0 is expected.")
        }
        if let aspect, Proportions(aspect) == nil {
            throw ValidationError("--aspect is \"\(aspect)\", but two numbers such as 16:9 are expected.")
        }
    }

    var maskPath: String? { nil }
    var plansOnly: Bool { list || telling.explain }

    func works(_ items: [Item], _ run: ItemRun) throws -> [any ItemWork] {
        let session = PaintingSession(
            console: run.console, output: try run.output(results), journal: run.journal, threads: threading.pool)
        return items.map { FitWork(self, $0, session, isAlone: items.count == 1) }
    }

    /// Of both sides, where nothing says exactly how long they are.
    var sideMultiple: Int { multiple ?? 64 }

    var goal: FitOptions.Goal {
        if let size { return .size(size.size) }
        if let maxPixels { return .maxPixels(maxPixels) }
        if let aspect = aspect.flatMap(Proportions.init) { return .aspect(width: aspect.width, height: aspect.height) }
        return .nearest
    }
}
