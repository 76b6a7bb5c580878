import ArgumentParser
import Painting
import Raster

/// "#8090a0"
struct ColourArgument: ExpressibleByArgument {
    let colour: Colour

    init?(argument: String) {
        guard let colour = Colour(argument) else { return nil }
        self.colour = colour
    }
}

struct SketchCommand: PaintingCommand, ItemCommand {
    static let configuration = CommandConfiguration(
        commandName: "sketch",
        abstract: "Draw strokes over a picture, or over nothing, and repaint them.",
        discussion: """
            The strokes are a picture of the same size with transparency. Without a mask the whole picture is painted from the \
            sketch; with one only what it shows, and the rest stays as it is to the bit.

              velatura sketch samples/coffee.png --strokes strokes.png --prompt "a painting of lake at day" --guidance 2 --seed 7
              velatura sketch --strokes strokes.png --background '#a0c0e0' -o new.png
            """)

    @Argument(help: ArgumentHelp("The picture to draw on; without one, an empty canvas.", valueName: "in"))
    var input: String?

    @Option(name: .long, help: ArgumentHelp("What is drawn: its alpha is its opacity.", valueName: "file"))
    var strokes: String

    @Option(name: .long, help: ArgumentHelp("Size of an empty canvas. (default: the strokes')", valueName: "WxH"))
    var size: SizeArgument?

    @Option(name: .long, help: ArgumentHelp("Colour of an empty canvas. (default: #ffffff)", valueName: "#rrggbb"))
    var background: ColourArgument?

    @OptionGroup(title: "Mask") var mask: MaskOptions
    @OptionGroup(title: "Noise level") var level: LevelOptions
    @OptionGroup(title: "Painting") var painting: PaintingOptions
    @OptionGroup var finish: FinishOptions
    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws {
        try level.check(with: painting)
        if strokes.isEmpty { throw ValidationError("--strokes is \"\", but a picture is expected.") }
        if let input, size != nil || background != nil {
            throw ValidationError(
                "\(size != nil ? "--size" : "--background") is of an empty canvas, but \(input) is drawn on. Leave one out."
            )
        }
        if mask.mask == nil, !mask.given.isEmpty {
            let options = mask.given.joined(separator: ", ")
            throw ValidationError(
                "\(options) say\(mask.given.count == 1 ? "s" : "") how a mask is taken. Give --mask a file.")
        }
    }

    func run() throws {
        try repainting.run(input ?? strokes) { try subject(on: input, mask: mask.mask) }
    }

    var maskPath: String? { mask.mask }

    func works(_ items: [Item], _ run: ItemRun) throws -> [any ItemWork] {
        try repainting.works(items, run) { try subject(on: $0.input, mask: $0.mask) }
    }

    private var masking: Masking? { mask.mask.map { _ in mask.masking } }

    private var repainting: Repainting {
        Repainting(
            command: "sketch", level: level, painting: painting, finish: finish, results: results, telling: telling,
            defaultSkip: "25", defaultAnchor: 0, masking: masking,
            background: input == nil ? background?.colour ?? Self.white : nil)
    }

    private static let white = Colour(red: 255, green: 255, blue: 255)

    private func subject(on input: String?, mask path: String?) throws -> Subject {
        let drawn = try InputPicture(strokes)
        var subject: Subject
        if let input {
            subject = Subject(try InputPicture(input))
            guard drawn.picture.channels.hasAlpha else {
                throw PaintingError.unsuitable(
                    "\(strokes) has no transparency, so it would hide all of \(input). Save the strokes with alpha.")
            }
        } else {
            let size = size?.size ?? drawn.picture.size
            guard max(size.width, size.height) <= Refine.largestArea, size.area <= Refine.largestArea else {
                throw PaintingError.usage(
                    "--size is \(size), but at most \(Refine.largestArea) pixels can be painted at once.")
            }
            subject = Subject(canvas: .canvas(size, background?.colour ?? Self.white, depth: drawn.picture.depth))
        }
        subject.strokes = drawn
        let canvasName = input ?? "the canvas"
        var below = subject.picture
        if finish.colour { below = below.inColour() }
        let sketched = try below.drawnOver(with: drawn.picture, name: strokes, over: canvasName)
        guard let masking, let path else {
            subject.picture = sketched
            return subject
        }
        let file = try InputPicture(path)
        subject.maskFile = file
        subject.mask = try masking.mask(file.picture, name: path, for: canvasName, subject.picture.size)
        subject.sketch = sketched.floats()
        return subject
    }
}

extension Picture {
    /// A canvas of one colour.
    fileprivate static func canvas(_ size: PixelSize, _ colour: Colour, depth: Int) -> Picture {
        let bytes = [colour.red, colour.green, colour.blue]
        let samples = (0..<size.area * 3).map { bytes[$0 % 3] }
        return Picture(size: size, channels: .rgb, eight: samples).converted(depth: depth)
    }
}
