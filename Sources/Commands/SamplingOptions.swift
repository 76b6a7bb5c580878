import ArgumentParser
import Painting
import Sampling

extension Settings.Compatibility: ExpressibleByArgument {}

/// "42:0.3"
struct VariationArgument: ExpressibleByArgument {
    let variation: Settings.Variation

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let seed = UInt64(parts[0]), let strength = Double(parts[1]), (0...1).contains(strength)
        else { return nil }
        variation = .init(seed: seed, strength: strength)
    }
}

/// How noise is made and taken away, beyond sampler and schedule: shared by every command that paints.
struct SamplingOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Run exactly this many steps; skip then sets the noise level only. (default: 4 for few-step models)",
            valueName: "n"))
    var runSteps: Int?

    @Option(
        name: .long,
        help:
            "Where noise comes from: the place of each cell, torch.randn's order, or a CUDA card's. (default: position)"
    )
    var rng: Settings.RandomSource?

    @Option(
        name: .long,
        help: ArgumentHelp("Mix the noise of another seed in, 0 to 1 of the way.", valueName: "seed:w"))
    var variation: VariationArgument?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Added to the seed for all noise after the start; \"ENSD\" in other tools.", valueName: "n"))
    var etaNoiseDelta = 0

    @Option(name: .long, help: "Whether the autoencoder's mean is taken, or a sample of its belief. (default: mean)")
    var encode: Settings.Encoding?

    @Option(name: .long, help: ArgumentHelp("Multiplies the starting noise.", valueName: "x"))
    var initialNoiseMultiplier = 1.0

    @Option(
        name: .long, help: "Follow every rule of another tool: step counts, spacing, random source, encoding, prompts.")
    var compat: Settings.Compatibility = .none

    func validate() throws {
        if let runSteps, !(1...1000).contains(runSteps) {
            throw ValidationError("--run-steps is \(runSteps), but a whole number from 1 to 1000 is expected.")
        }
        guard initialNoiseMultiplier.isFinite, (0...10).contains(initialNoiseMultiplier) else {
            throw ValidationError(
                "--initial-noise-multiplier is \(initialNoiseMultiplier), but a number from 0 to 10 is expected.")
        }
        if compat == .disco || compat == .progrock {
            throw ValidationError(
                "--compat \(compat.rawValue) has the rules of pixel models that CLIP guides, which are not painted with yet. Choose none, webui or diffusers."
            )
        }
    }

    func apply(to settings: inout Settings) {
        settings.compatibility = compat
        settings.runSteps = runSteps
        if let runSteps { settings.steps = runSteps }
        settings.rng = rng ?? settings.conventions.randomSource
        settings.encode = encode ?? settings.conventions.encoding
        settings.variation = variation?.variation
        settings.etaNoiseDelta = etaNoiseDelta
        settings.initialNoiseMultiplier = initialNoiseMultiplier
    }

    /// What a sampler cannot take, as a line; nil where all is well.
    func fault(with sampler: Sampler, eta: Double) -> String? {
        if etaNoiseDelta != 0, !sampler.draws(eta: eta) {
            return
                "--eta-noise-delta changes nothing with the sampler \(sampler.rawValue)\(sampler.takesEta && !sampler.followsPath ? " at eta 0" : ""), which draws no noise step by step. Leave it out, or choose euler-a."
        }
        if compat == .webui, sampler == .ddpm {
            return "--sampler ddpm is none of the web UI's. Leave --compat webui out, or choose another sampler."
        }
        return nil
    }
}
