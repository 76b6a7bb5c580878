import ArgumentParser
import Painting
import Raster

/// The size that a picture is painted at, and how its colours end.
struct FinishOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Paint at this size, or at the source's own. (default: the source's, within the model's good area)",
            valueName: "WxH|source"))
    var workSize: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Draw broad colours back to the source's, 0 to 1. (default: 0 for refine and sketch, 1 for inpaint and outpaint)",
            valueName: "x"))
    var colourAnchor: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Put this much noise in where the picture is flat before it is painted, as velatura noise does; negative calms.",
            valueName: "a"))
    var noise: AmountArgument?

    @Flag(name: .long, help: "Let a grey picture become coloured.")
    var colour = false

    func validate() throws {
        if let colourAnchor, !(0...1).contains(colourAnchor) {
            throw ValidationError("--colour-anchor is \(colourAnchor), but a number from 0 to 1 is expected.")
        }
        if let workSize, workSize != "source", SizeArgument(argument: workSize) == nil {
            throw ValidationError("--work-size is \"\(workSize)\", but a size such as 768x512, or source, is expected.")
        }
    }

    var size: Refine.WorkSize {
        guard let workSize else { return .good }
        return workSize == "source" ? .source : SizeArgument(argument: workSize).map { .size($0.size) } ?? .good
    }

    func apply(to settings: inout Settings, anchor: Double) {
        settings.colourAnchor = colourAnchor ?? anchor
        settings.keepsColour = colour
        settings.workSize = workSize
        settings.noise = noise?.amount
    }
}
