import ArgumentParser
import Painting
import Raster

extension Roughness.Kind: ExpressibleByArgument {}

/// "8", "-3" or "25%"
struct AmountArgument: ExpressibleByArgument {
    let amount: Roughening.Amount

    init?(argument: String) {
        guard let amount = Roughening.Amount(argument) else { return nil }
        self.amount = amount
    }
}

struct NoiseCommand: FolderCommand {
    static let configuration = CommandConfiguration(
        commandName: "noise",
        abstract: "Roughen what is flat in pictures, so that a painter finds something to hold on to there.",
        discussion: """
            Noise goes in where nothing but the picture's own grain is to be seen, soft gradients too. Texture, edges and a \
            margin around them stay as they are to the bit. A negative amount calms flat places instead.

              velatura noise samples/rocket.jpg --amount 10 --gate-out gate.png --seed 7
              velatura noise samples/coffee.png --amount -6
            """)

    @Argument(help: ArgumentHelp("Pictures to roughen, or folders of them.", valueName: "in"))
    var inputs: [String]

    @Option(
        name: .long,
        help: "Noise for each pixel, clouds of it, or noise for each pixel without far values. (default: gaussian)")
    var kind: Roughness.Kind?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Standard deviation in levels of 8 bits, or in percent of the range of values around each place; negative calms. (default: 8)",
            valueName: "a"))
    var amount: AmountArgument?

    @Option(
        name: .long,
        help: ArgumentHelp("How flat a place must be, 0 to 1; 0 lets everything through.", valueName: "f"))
    var flatness = 0.5

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Draw dark lines this wide along the edges of flat regions, to keep them apart.", valueName: "px"))
    var outline = 0

    @Flag(name: .long, help: "Give every colour its own noise, instead of light and dark alone.")
    var coloured = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A grey picture: black stays as it is to the bit. A folder of them pairs by name.", valueName: "file|folder"
        ))
    var mask: String?

    @Flag(name: .long, help: "Swap white and black.")
    var invertMask = false

    @Option(name: .long, help: "Make a mask of another size fit.")
    var maskFit: MaskFit?

    @Option(
        name: .long,
        help: ArgumentHelp("Write where noise went in, white for all of it; a folder for several.", valueName: "g.png"))
    var gateOut: String?

    @Option(name: .long, help: ArgumentHelp("The noise to use. (default: random, told and recorded)", valueName: "n"))
    var seed: UInt64?

    @OptionGroup var threading: ThreadOptions

    @OptionGroup var limits: SizeLimitOptions
    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Folders") var batch: BatchOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws {
        guard (0...1).contains(flatness) else {
            throw ValidationError("--flatness is \(flatness), but a number from 0 to 1 is expected.")
        }
        guard (0...64).contains(outline) else {
            throw ValidationError("--outline is \(outline), but a whole number of pixels from 0 to 64 is expected.")
        }
        for (option, value) in [("--mask", mask), ("--gate-out", gateOut)] where value?.isEmpty == true {
            throw ValidationError("\(option) is \"\", but a picture is expected.")
        }
        if mask == nil, invertMask || maskFit != nil {
            throw ValidationError(
                "\(invertMask ? "--invert-mask" : "--mask-fit") says how a mask is taken. Give --mask a file.")
        }
        if roughness.amount.isCalming {
            let idle = [("--kind", kind != nil), ("--seed", seed != nil), ("--coloured", coloured)].first(where: \.1)
            if let idle {
                throw ValidationError("\(idle.0) changes nothing with a negative --amount, which calms. Leave it out.")
            }
        }
    }

    var roughness: Roughness {
        var roughness = Roughness()
        roughness.kind = kind ?? roughness.kind
        roughness.amount = amount?.amount ?? roughness.amount
        (roughness.flatness, roughness.outline, roughness.isColoured) = (flatness, outline, coloured)
        return roughness
    }

    var masking: Masking {
        var masking = Masking()
        (masking.inverts, masking.fit) = (invertMask, maskFit)
        return masking
    }

    var maskPath: String? { mask }

    func works(_ items: [Item], _ run: ItemRun) throws -> [any ItemWork] {
        let session = PaintingSession(
            console: run.console, output: try run.output(results), journal: run.journal, threads: threading.pool)
        let seed = roughness.amount.isCalming ? 0 : seed ?? run.sharedSeed()
        return items.map { NoiseWork(self, $0, session, seed: seed) }
    }
}
