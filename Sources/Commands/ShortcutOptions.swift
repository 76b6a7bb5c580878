import ArgumentParser
import Networks
import Painting

/// "3" or "3:2"
struct DeepCacheArgument: ExpressibleByArgument {
    let cache: Shortcuts.DeepCache

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard (1...2).contains(parts.count), let interval = parts[0], let branch = parts.count == 2 ? parts[1] : 0,
            (2...100).contains(interval), branch >= 0
        else { return nil }
        cache = .init(interval: interval, branch: branch)
    }
}

/// "0.2,0.8"
struct RangeArgument: ExpressibleByArgument {
    let start: Double
    let stop: Double

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        guard parts.count == 2, let start = parts[0], let stop = parts[1], start >= 0, start < stop, stop <= 1 else {
            return nil
        }
        (self.start, self.stop) = (start, stop)
    }
}

/// "1.5" or "1.5:all"
struct MinimumSigmaArgument: ExpressibleByArgument {
    let minimum: Shortcuts.MinimumSigma

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard let sigma = parts.first.flatMap({ Double($0) }), sigma.isFinite, sigma > 0,
            parts.count == 1 || parts.count == 2 && parts[1] == "all"
        else { return nil }
        minimum = .init(sigma: sigma, always: parts.count == 2)
    }
}

/// "1.3,1.4,0.9,0.2"
struct FreeUArgument: ExpressibleByArgument {
    let freeU: FreeU

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        guard parts.count == 4, parts.allSatisfy({ $0.map { (0...10).contains($0) } == true }) else { return nil }
        let factors = parts.compactMap { $0 }
        freeU = FreeU(b1: factors[0], b2: factors[1], s1: factors[2], s2: factors[3])
    }
}

/// What is left out to be done sooner, and how the network is run otherwise than it was trained: docs/faster.md.
struct ShortcutOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Calculate deep features in every N-th call of the model only; B (0) more layers from the outermost always are. (DeepCache)",
            valueName: "n[:b]"))
    var deepCache: DeepCacheArgument?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Merge this share of the tokens that self-attention at the finest level looks at, at most 0.75. (ToMe, \"token merging ratio\")",
            valueName: "r"))
    var mergeTokens: Double?

    @Option(
        name: .long,
        help: ArgumentHelp("Guide only between these parts of the run, 0 to 1.", valueName: "start,stop"))
    var guidanceRange: RangeArgument?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Below this sigma leave the negative prompt out of every other call, or of all. (\"negative guidance minimum sigma\")",
            valueName: "s[:all]"))
    var ngms: MinimumSigmaArgument?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Leave the negative prompt out of this first part of the run, 0 to 1. (\"ignore negative prompt during early sampling\")",
            valueName: "x"))
    var skipEarlyCond: Double?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "FreeU's factors of backbone and skips in the two deepest levels, 0 to 10; costs no time.",
            valueName: "b1,b2,s1,s2"))
    var freeu: FreeUArgument?

    func validate() throws {
        if let mergeTokens, !(mergeTokens > 0 && mergeTokens <= 0.75) {
            throw ValidationError("--merge-tokens is \(mergeTokens), but a number above 0, at most 0.75, is expected.")
        }
        if let skipEarlyCond, !(skipEarlyCond > 0 && skipEarlyCond <= 1) {
            throw ValidationError(
                "--skip-early-cond is \(skipEarlyCond), but a number above 0, at most 1, is expected.")
        }
    }

    func apply(to settings: inout Settings) {
        settings.shortcuts.deepCache = deepCache?.cache
        settings.shortcuts.mergedTokens = mergeTokens
        settings.shortcuts.guidanceRange = guidanceRange.map { ($0.start, $0.stop) }
        settings.shortcuts.minimumSigma = ngms?.minimum
        settings.shortcuts.skippedEarly = skipEarlyCond
        settings.freeU = freeu?.freeU
    }

    /// Refuses what the model has no place for.
    func check(against model: DiffusionModel) throws(PaintingError) {
        let layers = model.unet.configuration.skipCount
        guard let branch = deepCache?.cache.branch, branch >= layers else { return }
        throw .usage(
            "--deep-cache names branch \(branch), but \(model.name) has \(layers) layers on the way out. Choose at most \(layers - 1)."
        )
    }
}
