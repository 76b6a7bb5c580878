import ArgumentParser
import Painting
import Raster

extension MaskFit: ExpressibleByArgument {}
extension Masking.Area: ExpressibleByArgument {}

/// A mask from a file, and what is made of it: shared by every command that paints through one.
struct MaskOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "A grey picture: white is repainted, black kept to the bit, grey runs its share of the steps. A folder of them pairs by name.",
            valueName: "file|folder"))
    var mask: String?

    @Flag(name: .long, help: "Swap white and black.")
    var invertMask = false

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Soften the mask's edge inwards over this many pixels. (default: 4)", valueName: "px"))
    var blur: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Widen the mask by this many pixels before that; a negative number narrows it. (default: 0)",
            valueName: "px"))
    var grow: Int?

    @Option(
        name: .long,
        help: "Paint within the whole picture, or cut the masked part out and paint it alone. (default: whole)")
    var area: Masking.Area?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Pixels of context around the part that --area masked cuts out. (default: 32)", valueName: "px")
    )
    var padding: Int?

    @Option(name: .long, help: "Make a mask of another size fit.")
    var maskFit: MaskFit?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How far a model for inpainting is kept from seeing what the mask covers, 0 to 1. (default: 1)",
            valueName: "x"))
    var inpaintingMaskWeight: Double?

    func validate() throws {
        if let blur, !(0...1024).contains(blur) {
            throw ValidationError("--blur is \(blur), but a number of pixels from 0 to 1024 is expected.")
        }
        if let grow, !(-1024...1024).contains(grow) {
            throw ValidationError("--grow is \(grow), but a whole number of pixels from -1024 to 1024 is expected.")
        }
        if let padding, !(0...8192).contains(padding) {
            throw ValidationError("--padding is \(padding), but a whole number of pixels from 0 to 8192 is expected.")
        }
        if padding != nil, area != .masked {
            throw ValidationError("--padding changes nothing without --area masked. Pass both, or leave it out.")
        }
        if let weight = inpaintingMaskWeight, !(0...1).contains(weight) {
            throw ValidationError("--inpainting-mask-weight is \(weight), but a number from 0 to 1 is expected.")
        }
        if mask?.isEmpty == true { throw ValidationError("--mask is \"\", but a picture is expected.") }
    }

    /// Options that say something of a mask, as they were given.
    var given: [String] {
        [
            ("--invert-mask", invertMask), ("--blur", blur != nil), ("--grow", grow != nil), ("--area", area != nil),
            ("--padding", padding != nil), ("--mask-fit", maskFit != nil),
            ("--inpainting-mask-weight", inpaintingMaskWeight != nil),
        ].filter(\.1).map(\.0)
    }

    var masking: Masking {
        var masking = Masking()
        (masking.inverts, masking.fit) = (invertMask, maskFit)
        masking.blur = blur ?? masking.blur
        masking.grow = grow ?? masking.grow
        masking.area = area ?? masking.area
        masking.padding = padding ?? masking.padding
        masking.conditioning = inpaintingMaskWeight ?? masking.conditioning
        return masking
    }
}
