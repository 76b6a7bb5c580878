import ArgumentParser
import Painting
import Raster
import RasterFiles
import Threads

extension FitMode: ExpressibleByArgument {}

struct FitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fit",
        abstract: "Fit pictures to the sizes that a model wants.",
        discussion: """
            Without --size, --aspect or --max-pixels the target is the size near the picture's own whose proportions are \
            truest and whose sides are multiples of --multiple.

              velatura fit samples/coffee.png --list
              velatura fit samples/coffee.png --mode pad --multiple 16
            """)

    @Argument(help: ArgumentHelp("Pictures to fit.", valueName: "in"))
    var inputs: [String]

    @Option(name: .long, help: ArgumentHelp("Both sides become multiples of this.", valueName: "n"))
    var multiple = 64

    @Option(name: .long, help: "Cut what sticks out, pad with mirrored pixels, or stretch.")
    var mode: FitMode = .crop

    @Option(name: .long, help: ArgumentHelp("Exactly this size.", valueName: "WxH"))
    var size: SizeArgument?

    @Option(name: .long, help: ArgumentHelp("The largest size of at most so many pixels.", valueName: "n"))
    var maxPixels: Int?

    @Option(name: .long, help: ArgumentHelp("These proportions, such as 16:9.", valueName: "W:H"))
    var aspect: String?

    @Flag(name: .long, help: "List the sizes to choose from with their aspect error, and write nothing.")
    var list = false

    @Option(name: .long, help: ArgumentHelp("Threads to use. (default: all processors)", valueName: "n"))
    var threads: Int?

    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws {
        let goals = [("--size", size != nil), ("--max-pixels", maxPixels != nil), ("--aspect", aspect != nil)].filter(
            \.1
        ).map(\.0)
        if goals.count > 1 {
            throw ValidationError("\(goals.joined(separator: " and ")) contradict each other. Give only one of them.")
        }
        guard (1...65536).contains(multiple) else {
            throw ValidationError("--multiple is \(multiple), but a whole number from 1 to 65536 is expected.")
        }
        if let maxPixels, maxPixels < 1 {
            throw ValidationError("--max-pixels is \(maxPixels), but a number above 0 is expected.")
        }
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads), but a whole number from 1 to 1024 is expected.")
        }
        if let aspect, Self.proportions(aspect) == nil {
            throw ValidationError("--aspect is \"\(aspect)\", but two numbers such as 16:9 are expected.")
        }
    }

    func run() throws {
        try telling.telling { console in
            let output = try results.options()
            var outputs = OutputPlan(output, results: inputs.count)
            let paths =
                list || telling.explain
                ? [] : try inputs.map { try outputs.path(for: .init(input: $0, command: "fit")) }
            for (index, input) in inputs.enumerated() {
                let began = clock()
                try Interruption.check()
                let source = try InputPicture(input)
                let picture = source.picture
                let options = FitOptions(mode: mode, goal: goal, multiple: multiple)
                let plan: FitPlan
                let candidates: [FitCandidate]
                do throws(FitError) {
                    plan = try FitPlan(source: picture.size, options: options)
                    candidates = list ? try FitPlan.candidates(source: picture.size, options: options) : []
                } catch {
                    throw PaintingError.unsuitable("\(input): \(error.description)")
                }
                if list {
                    tell(input, picture.size, candidates)
                    continue
                }
                let line = inputs.count > 1 ? "\(input): \(plan)" : plan.description
                if telling.json {
                    Console.say(Self.json(plan, input))
                } else if telling.explain {
                    Console.say(line)
                } else {
                    // Standard output holds the results' paths alone.
                    try console.report(.note(line))
                }
                if telling.explain { continue }
                guard max(plan.target.width, plan.target.height, plan.scaled.width, plan.scaled.height) <= Self.longest,
                    plan.target.area <= Self.largestArea
                else {
                    throw PaintingError.unsuitable(
                        "\(input): the size \(plan.target) is over the limit of \(Self.largestArea) pixels and \(Self.longest) on a side. Ask for a smaller size or multiple."
                    )
                }
                try Interruption.check()
                var fitted = plan.apply(to: picture, threads: Threads(threads))
                if let depth = output.depth { fitted = fitted.converted(depth: depth) }
                let recipe = FitRecipe(plan: plan, multiple: multiple, source: source.identity)
                // What the picture's own past says goes on with it, with what was done here.
                fitted.metadata =
                    output.writesRecipe
                    ? recipe.added(to: picture.metadata, as: output.format(at: paths[index]))
                    : Recipe.removed(from: picture.metadata)
                try PictureFile.write(
                    fitted, to: paths[index],
                    options: .init(format: output.format, quality: output.quality, overwrite: output.overwrite))
                try console.report(
                    .result(
                        .init(
                            path: paths[index], input: input, command: "fit", seconds: clock() - began,
                            hash: recipe.hash(over: picture.metadata))))
            }
        }
    }

    /// What a fitted picture may have at most, like the pictures that are read.
    private static let (longest, largestArea) = (65_535, 1 << 28)

    private var goal: FitOptions.Goal {
        if let size { return .size(size.size) }
        if let maxPixels { return .maxPixels(maxPixels) }
        if let proportions = aspect.flatMap(Self.proportions) {
            return .aspect(width: proportions.0, height: proportions.1)
        }
        return .nearest
    }

    private static func proportions(_ text: String) -> (Int, Int)? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let width = parts[0], let height = parts[1], (1...65536).contains(width),
            (1...65536).contains(height)
        else { return nil }
        return (width, height)
    }

    private func tell(_ input: String, _ source: PixelSize, _ candidates: [FitCandidate]) {
        if telling.json {
            for candidate in candidates {
                Console.say(
                    JSONText.object([
                        ("event", .text("candidate")), ("input", .text(input)),
                        ("size", .list([.integer(candidate.size.width), .integer(candidate.size.height)])),
                        ("aspect_error", .number(candidate.aspectError)),
                        ("area_change", .number(candidate.areaChange)),
                        ("exact", .bool(candidate.isExact)), ("chosen", .bool(candidate.isChosen)),
                    ]).string)
            }
            return
        }
        Console.say("\(input): \(source), multiples of \(multiple)")
        for candidate in candidates {
            let aspect = candidate.isExact ? "exact" : "aspect \(Self.percent(candidate.aspectError))"
            Console.say(
                "\(candidate.isChosen ? "*" : " ") \(Self.padded(candidate.size.description, 12))\(Self.padded(aspect, 16))area \(Self.percent(candidate.areaChange, signed: true))"
            )
        }
    }

    private static func percent(_ share: Double, signed: Bool = false) -> String {
        let value = (share * 10000).rounded() / 100
        return (signed && value > 0 ? "+" : "") + "\(value) %"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }

    private static func json(_ plan: FitPlan, _ input: String) -> String {
        func size(_ size: PixelSize) -> JSONText { .list([.integer(size.width), .integer(size.height)]) }
        return JSONText.object([
            ("event", .text("plan")), ("input", .text(input)), ("source", size(plan.source)),
            ("scaled", size(plan.scaled)),
            ("target", size(plan.target)), ("mode", .text(plan.mode.rawValue)), ("text", .text(plan.description)),
        ]).string
    }
}
