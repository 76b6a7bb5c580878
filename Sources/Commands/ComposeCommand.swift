import ArgumentParser
import Painting
import Raster
import RasterFiles
import Threads

struct ComposeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compose",
        abstract: "Put the best parts of several pictures together.",
        discussion: """
            Each layer is a picture and a mask: black keeps what lies beneath to the bit, white takes the layer to the bit, \
            grey mixes both as light is mixed. Layers lie in the order given, the first lowest.

              velatura compose photo.png --layer rung.png:face.png --feather 8 -o best.png
            """)

    @Argument(help: ArgumentHelp("The picture that everything is laid over.", valueName: "base"))
    var base: String

    @Option(name: .long, help: ArgumentHelp("A picture and its mask; may be repeated.", valueName: "picture:mask"))
    var layer: [String]

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How much of the layers is taken, 0 to 1: one for all, or one for each. (default: 1)", valueName: "x[,x…]"))
    var opacity: [String] = []

    @Option(name: .long, help: ArgumentHelp("Soften the masks inwards over so many pixels.", valueName: "px"))
    var feather = 0.0

    @Option(name: .long, help: "Bring masks of another size to the base's: stretched, cropped, or turned clockwise.")
    var maskFit: MaskFit?

    @OptionGroup var threading: ThreadOptions

    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws {
        guard (1...ComposeRecipe.mostLayers).contains(layer.count) else {
            throw ValidationError(
                "There are \(layer.count) layers, but 1 to \(ComposeRecipe.mostLayers) are put together. Compose in several goes."
            )
        }
        if let odd = layer.first(where: { MaskedLayer($0) == nil }) {
            throw ValidationError(
                "--layer is \"\(odd)\", but a picture and its mask, picture.png:mask.png, are expected.")
        }
        guard (0...1024).contains(feather) else {
            throw ValidationError("--feather is \(feather), but a number of pixels from 0 to 1024 is expected.")
        }
        _ = try opacities()
    }

    private func opacities() throws -> [Double] {
        let texts = opacity.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let numbers = try texts.map { text in
            guard let number = Double(text), (0...1).contains(number) else {
                throw ValidationError("--opacity is \"\(text)\", but a number from 0 to 1 is expected.")
            }
            return number
        }
        switch numbers.count {
        case 0: return layer.map { _ in 1 }
        case 1: return layer.map { _ in numbers[0] }
        case layer.count: return numbers
        default:
            throw ValidationError(
                "There are \(layer.count) layers but \(numbers.count) opacities. Give one for all, or one for each layer."
            )
        }
    }

    func run() throws {
        try telling.telling { console in
            let began = clock()
            let output = try results.options()
            var plan = OutputPlan(output, results: 1)
            let path = telling.explain ? "" : try plan.path(for: .init(input: base, command: "compose"))
            let threads = threading.pool
            let base = try InputPicture(base)
            try console.warnOfColour(base.picture, named: self.base, in: output.format(at: path))
            var (layers, made): ([Compose.Layer], [ComposeRecipe.Layer]) = ([], [])
            var masking = Masking()
            masking.fit = maskFit
            for (paths, opacity) in zip(layer.compactMap(MaskedLayer.init), try opacities()) {
                try Interruption.check()
                let picture = try InputPicture(paths.picture)
                guard picture.picture.size == base.picture.size else {
                    throw PaintingError.unsuitable(
                        "\(paths.picture) is \(picture.picture.size) but \(self.base) is \(base.picture.size). Fit it first: velatura fit --mode stretch --size \(base.picture.width)x\(base.picture.height)."
                    )
                }
                let file = try InputPicture(paths.mask)
                let mask = try masking.mask(
                    file.picture, name: paths.mask, for: self.base, base.picture.size, threads: threads)
                layers.append(
                    .init(
                        picture.picture, through: mask.softenedInwards(by: feather, threads: threads), opacity: opacity)
                )
                made.append(
                    .init(
                        picture: picture.identity, mask: file.identity, opacity: opacity,
                        made: Inheritance(picture.picture.metadata).history.last))
                try console.warnOfColour(picture.picture, named: paths.picture)
                try tell(paths, layers[layers.count - 1], console)
            }
            if telling.explain { return }
            try Interruption.check()
            let composed = Compose.composed(
                base.picture, layers, depth: output.workingDepth(8, at: path), threads: threads)
            let session = PaintingSession(console: console, output: output, threads: threads)
            let recipe = ComposeRecipe(
                base: base.identity, layers: made, feather: feather, fit: maskFit, form: session.form(at: path))
            var metadata = base.picture.metadata
            metadata.plates = composed.metadata.plates
            try session.write(
                composed, recipe, over: metadata, to: path, input: self.base, began: began)
        }
    }

    private func tell(_ paths: MaskedLayer, _ layer: Compose.Layer, _ console: Console) throws {
        guard telling.explain || telling.verbose else { return }
        let values = layer.mask.values
        let (whole, some) = (values.count { $0 == 1 }, values.count { $0 > 0 })
        func percent(_ count: Int) -> String { "\((count * 1000 / values.count + 5) / 10) %" }
        let line =
            "\(paths.picture) through \(paths.mask): white on \(percent(whole)), grey on \(percent(some - whole)), opacity \(Console.number(layer.opacity))"
        guard telling.explain else { return try console.report(.note(line)) }
        Console.say(
            telling.json
                ? JSONText.object([
                    ("event", .text("plan")), ("picture", .text(paths.picture)), ("mask", .text(paths.mask)),
                    ("white", .integer(whole)), ("grey", .integer(some - whole)), ("of", .integer(values.count)),
                    ("opacity", .number(layer.opacity)),
                ]).string : line)
    }
}
