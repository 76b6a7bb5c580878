import ArgumentParser
import Painting
import Raster

/// Where a picture is painted on, and how it begins there.
struct NewAreaOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Pixels to add on the left.", valueName: "px"))
    var left: Int?

    @Option(name: .long, help: ArgumentHelp("Pixels to add on the right.", valueName: "px"))
    var right: Int?

    @Option(name: .long, help: ArgumentHelp("Pixels to add above.", valueName: "px"))
    var up: Int?

    @Option(name: .long, help: ArgumentHelp("Pixels to add below.", valueName: "px"))
    var down: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Add as much on two opposite sides as gives these proportions, such as 16:9.", valueName: "w:h"))
    var aspect: String?

    @Option(
        name: .long,
        help:
            "What painting starts from: colours and lines that run on, or noise with the picture's spectrum and histogram (the web UI's mk2)."
    )
    var method: Outpainting.Method = .extend

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Painting comes in over this many pixels. (default: an eighth of the longer side, at least 48)",
            valueName: "px"))
    var blur: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Repaint a band of this many pixels inside the old sides, too. (default: 0)", valueName: "px")
    )
    var grow: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("The way that the border wanders, and the noise of spectral. (default: 0)", valueName: "n"))
    var edgeSeed: UInt64?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "How steeply the noise of spectral falls off from broad to fine, 0 to 4. (default: 1)", valueName: "q"))
    var falloff: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "How much the colours of the noise of spectral differ, 0 to 1. (default: 0.05)", valueName: "x"))
    var colourVariation: Double?

    @OptionGroup var seen: MaskedAreaOptions

    private static let mostPixels = 16_384

    private var sides: [(name: String, pixels: Int?)] {
        [("--left", left), ("--right", right), ("--up", up), ("--down", down)]
    }

    func validate() throws {
        for (name, pixels) in sides {
            guard let pixels, !(0...Self.mostPixels).contains(pixels) else { continue }
            throw ValidationError(
                "\(name) is \(pixels), but a number of pixels from 0 to \(Self.mostPixels) is expected.")
        }
        if let aspect {
            if let side = sides.first(where: { $0.pixels != nil })?.name {
                throw ValidationError("\(side) and --aspect both say how much is added. Give only one of them.")
            }
            guard Proportions(aspect) != nil else {
                throw ValidationError("--aspect is \"\(aspect)\", but two numbers such as 16:9 are expected.")
            }
        } else if !sides.contains(where: { $0.pixels ?? 0 > 0 }) {
            throw ValidationError(
                "Nothing says where to paint on. Give --left, --right, --up or --down a number of pixels, or pass --aspect 16:9."
            )
        }
        if let blur, !(0...1024).contains(blur) {
            throw ValidationError("--blur is \(blur), but a number of pixels from 0 to 1024 is expected.")
        }
        if let grow, !(0...1024).contains(grow) {
            throw ValidationError("--grow is \(grow), but a whole number of pixels from 0 to 1024 is expected.")
        }
        for (option, isGiven) in [("--falloff", falloff != nil), ("--colour-variation", colourVariation != nil)]
        where isGiven && method != .spectral {
            throw ValidationError("\(option) changes nothing without --method spectral. Pass both, or leave it out.")
        }
        if let falloff, !(0...4).contains(falloff) {
            throw ValidationError("--falloff is \(falloff), but a number from 0 to 4 is expected.")
        }
        if let colourVariation, !(0...1).contains(colourVariation) {
            throw ValidationError("--colour-variation is \(colourVariation), but a number from 0 to 1 is expected.")
        }
    }

    var masking: Masking {
        let extent: Outpainting.Extent
        if let aspect = aspect.flatMap(Proportions.init) {
            extent = .aspect(width: aspect.width, height: aspect.height)
        } else {
            extent = .sides(Margins(left: left ?? 0, right: right ?? 0, top: up ?? 0, bottom: down ?? 0))
        }
        var outpainting = Outpainting(extent, method)
        (outpainting.blur, outpainting.grow, outpainting.edgeSeed) = (blur, grow ?? 0, edgeSeed ?? 0)
        outpainting.falloff = falloff ?? outpainting.falloff
        outpainting.colourVariation = colourVariation ?? outpainting.colourVariation
        var masking = Masking()
        masking.outpainting = outpainting
        seen.apply(to: &masking)
        return masking
    }
}
