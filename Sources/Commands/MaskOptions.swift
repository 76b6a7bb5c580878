import ArgumentParser
import Painting
import Raster

extension MaskFit: ExpressibleByArgument {}

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

    @Option(name: .long, help: "Make a mask of another size fit.")
    var maskFit: MaskFit?

    @OptionGroup var seen: MaskedAreaOptions

    func validate() throws {
        if let blur, !(0...1024).contains(blur) {
            throw ValidationError("--blur is \(blur), but a number of pixels from 0 to 1024 is expected.")
        }
        if let grow, !(-1024...1024).contains(grow) {
            throw ValidationError("--grow is \(grow), but a whole number of pixels from -1024 to 1024 is expected.")
        }
        if mask?.isEmpty == true { throw ValidationError("--mask is \"\", but a picture is expected.") }
    }

    /// Options that say something of a mask, as they were given.
    var given: [String] {
        [
            ("--invert-mask", invertMask), ("--blur", blur != nil), ("--grow", grow != nil),
            ("--mask-fit", maskFit != nil),
        ].filter(\.1).map(\.0) + seen.given
    }

    var masking: Masking {
        var masking = Masking()
        (masking.inverts, masking.fit) = (invertMask, maskFit)
        masking.blur = blur ?? masking.blur
        masking.grow = grow ?? masking.grow
        seen.apply(to: &masking)
        return masking
    }
}
