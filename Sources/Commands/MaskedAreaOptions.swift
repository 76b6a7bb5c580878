import ArgumentParser
import Painting

extension Masking.Area: ExpressibleByArgument {}

/// What a model sees while it repaints a part of a picture: shared by every command that does.
struct MaskedAreaOptions: ParsableArguments {
    @Option(
        name: .long,
        help: "Paint within the whole picture, or cut the repainted part out and paint it alone. (default: whole)")
    var area: Masking.Area?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Pixels of context around the part that --area masked cuts out. (default: 32)", valueName: "px")
    )
    var padding: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How far a model for inpainting is kept from seeing what is repainted, 0 to 1. (default: 1)",
            valueName: "x"))
    var inpaintingMaskWeight: Double?

    func validate() throws {
        if let padding, !(0...8192).contains(padding) {
            throw ValidationError("--padding is \(padding), but a whole number of pixels from 0 to 8192 is expected.")
        }
        if padding != nil, area != .masked {
            throw ValidationError("--padding changes nothing without --area masked. Pass both, or leave it out.")
        }
        if let weight = inpaintingMaskWeight, !(0...1).contains(weight) {
            throw ValidationError("--inpainting-mask-weight is \(weight), but a number from 0 to 1 is expected.")
        }
    }

    /// Options that were given.
    var given: [String] {
        [
            ("--area", area != nil), ("--padding", padding != nil),
            ("--inpainting-mask-weight", inpaintingMaskWeight != nil),
        ].filter(\.1).map(\.0)
    }

    func apply(to masking: inout Masking) {
        masking.area = area ?? masking.area
        masking.padding = padding ?? masking.padding
        masking.conditioning = inpaintingMaskWeight ?? masking.conditioning
    }
}
