import ArgumentParser
import Painting

extension Loops.Curve: ExpressibleByArgument {}

/// Painting a picture several times over.
struct LoopOptions: ParsableArguments {
    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Paint so many times, each time from what it became, 1 to 32. (default: 1)", valueName: "n"))
    var loops: Int?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "The last loop's strength, 0 to 1: 1 − skip/100. (default: the first one's)", valueName: "s"))
    var finalStrength: String?

    @Option(name: .long, help: "How strength goes there. (default: linear)")
    var loopCurve: Loops.Curve?

    func validate() throws {
        if let loops, !(1...32).contains(loops) {
            throw ValidationError("--loops is \(loops), but a whole number from 1 to 32 is expected.")
        }
        if let finalStrength, Skip(strength: finalStrength) == nil {
            throw ValidationError(
                "--final-strength is \"\(finalStrength)\", but a number from 0 to 1 with at most 8 decimals is expected."
            )
        }
        if finalStrength != nil, loops ?? 1 < 2 {
            throw ValidationError("--final-strength is of the last of several loops. Pass --loops 2 or more.")
        }
        if loopCurve != nil, finalStrength == nil {
            throw ValidationError("--loop-curve changes nothing without --final-strength. Pass both, or leave it out.")
        }
    }

    var value: Loops {
        var value = Loops()
        value.count = loops ?? 1
        value.last = finalStrength.flatMap { Skip(strength: $0) }
        value.curve = loopCurve ?? .linear
        return value
    }
}

/// Painting from the noise that the picture would have come from.
struct InversionOptions: ParsableArguments {
    @Flag(name: .long, help: "Start from the noise that leads to the picture, and not from a seed's.")
    var fromInversion = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What the picture shows. (default: the prompt of its own recipe, else --prompt)", valueName: "text|@file"))
    var inversionPrompt: String?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("Guidance while that noise is looked for. (default: 1)", valueName: "g"))
    var inversionGuidance: Double?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp(
            "Length of the full schedule while it is looked for. (default: the painting's own levels)", valueName: "n"))
    var inversionSteps: Int?

    @Option(
        name: .long, parsing: .unconditional,
        help: ArgumentHelp("How much of a seed's noise is mixed in, 0 to 1. (default: 0)", valueName: "x"))
    var inversionRandomness: Double?

    @Flag(name: .long, help: "Look at the level that each step leaves (the web UI's sigma adjustment).")
    var inversionSigmaAdjustment = false

    func validate() throws {
        if !fromInversion, let option = given.first {
            throw ValidationError("\(option) changes nothing without --from-inversion. Pass both, or leave it out.")
        }
        if let guidance = inversionGuidance, !(0...1000).contains(guidance) {
            throw ValidationError("--inversion-guidance is \(guidance), but a number from 0 to 1000 is expected.")
        }
        if let steps = inversionSteps, !(1...1000).contains(steps) {
            throw ValidationError("--inversion-steps is \(steps), but a whole number from 1 to 1000 is expected.")
        }
        if let randomness = inversionRandomness, !(0...1).contains(randomness) {
            throw ValidationError("--inversion-randomness is \(randomness), but a number from 0 to 1 is expected.")
        }
    }

    private var given: [String] {
        [
            ("--inversion-prompt", inversionPrompt != nil), ("--inversion-guidance", inversionGuidance != nil),
            ("--inversion-steps", inversionSteps != nil), ("--inversion-randomness", inversionRandomness != nil),
            ("--inversion-sigma-adjustment", inversionSigmaAdjustment),
        ].filter(\.1).map(\.0)
    }

    /// The prompt is read from its file here.
    func value() throws -> Inversion? {
        guard fromInversion else { return nil }
        var value = Inversion()
        value.prompt = try inversionPrompt.map { try PaintingOptions.text($0, "--inversion-prompt") }
        if let prompt = value.prompt, let tag = PromptTags(prompt).tags.first {
            throw PaintingError.usage(
                "--inversion-prompt has the tag \(tag.text), but one model goes both ways. Put it into --prompt, or leave it out."
            )
        }
        value.guidance = inversionGuidance ?? value.guidance
        value.steps = inversionSteps
        value.randomness = inversionRandomness ?? 0
        value.adjustsSigma = inversionSigmaAdjustment
        return value
    }
}
