import Networks
import Raster
import Sampling

/// What a painting leaves out to be done sooner: each thing is off unless it is asked for, and costs some likeness to the exact
/// picture (docs/faster.md).
package struct Shortcuts: Sendable {
    /// Deep features are calculated in every `interval`-th call of the model and kept in between.
    package struct DeepCache: Sendable, Equatable {
        /// 2…100
        package var interval: Int
        /// Layers on the way out that are always calculated, less one, from the outermost.
        package var branch: Int

        package init(interval: Int, branch: Int = 0) { (self.interval, self.branch) = (interval, branch) }
    }

    /// The web UI's "negative guidance minimum sigma".
    package struct MinimumSigma: Sendable, Equatable {
        /// σ as k-diffusion writes it, below which the negative prompt is left out.
        package var sigma: Double
        /// In every call, not in every other one.
        package var always: Bool

        package init(sigma: Double, always: Bool = false) { (self.sigma, self.always) = (sigma, always) }
    }

    package var deepCache: DeepCache?
    /// Share of the tokens that self-attention merges, 0…1.
    package var mergedTokens: Double?
    /// Part of the run that is guided, 0…1.
    package var guidanceRange: (start: Double, stop: Double)?
    package var minimumSigma: MinimumSigma?
    /// Part of the run, from its start, that is not guided: the web UI's "skip early cond", 0…1.
    package var skippedEarly: Double?

    package init() {}

    /// Whether some calls are not guided that otherwise would be.
    package var limitsGuidance: Bool { guidanceRange != nil || minimumSigma != nil || skippedEarly != nil }

    /// Whether a call is guided.
    ///
    /// Source: diffusers, `guiders/classifier_free_guidance.py` (start and stop); AUTOMATIC1111's web UI,
    /// `modules/sd_samplers_cfg_denoiser.py`.
    ///
    /// - Parameters:
    ///   - call: of the model in this run, from 0
    ///   - calls: of the whole run
    ///   - sigma: of this call, as k-diffusion writes it
    func guides(call: Int, of calls: Int, sigma: Double) -> Bool {
        if let (start, stop) = guidanceRange {
            guard call >= Int(start * Double(calls)), call < Int(stop * Double(calls)) else { return false }
        }
        if let skippedEarly, Double(call) / Double(calls) <= skippedEarly { return false }
        guard let minimumSigma, minimumSigma.always || call % 2 == 1 else { return true }
        return sigma >= minimumSigma.sigma
    }

    /// As options say them, for recipes and plans.
    var options: [(name: String, value: String)] {
        func number(_ value: Double) -> String { JSONText.number(value).string }
        var options: [(name: String, value: String)] = []
        if let deepCache {
            let branch = deepCache.branch == 0 ? "" : ":\(deepCache.branch)"
            options.append(("deep-cache", "\(deepCache.interval)\(branch)"))
        }
        if let mergedTokens { options.append(("merge-tokens", number(mergedTokens))) }
        if let (start, stop) = guidanceRange {
            options.append(("guidance-range", "\(number(start)),\(number(stop))"))
        }
        if let minimumSigma {
            options.append(("ngms", number(minimumSigma.sigma) + (minimumSigma.always ? ":all" : "")))
        }
        if let skippedEarly { options.append(("skip-early-cond", number(skippedEarly))) }
        return options
    }
}

extension Settings {
    /// How the network is run otherwise than it was trained, and what is left out, as options say it.
    var departures: [(name: String, value: String)] {
        var options = shortcuts.options
        if let freeU {
            let factors = [freeU.b1, freeU.b2, freeU.s1, freeU.s2].map { JSONText.number($0).string }
            options.append(("freeu", factors.joined(separator: ",")))
        }
        return options
    }

    /// The names of all of these options.
    static let departureNames = ["deep-cache", "merge-tokens", "guidance-range", "ngms", "skip-early-cond", "freeu"]

    /// How a run asks its network.
    func manner(_ plan: RunPlan) -> DenoisingManner {
        DenoisingManner(
            departures: networkDepartures, interval: shortcuts.deepCache?.interval ?? 1, shortcuts: shortcuts,
            calls: plan.steps.count * sampler.evaluationsInStep)
    }

    fileprivate var networkDepartures: UNet.Departures {
        UNet.Departures(
            freeU: freeU,
            merging: shortcuts.mergedTokens.map {
                TokenMerging(ratio: $0, fullSizeOnly: conventions.mergesFullSizeOnly)
            },
            deepBranch: shortcuts.deepCache?.branch)
    }

    /// Predictions in each call of the model, on the average of a run.
    func meanPredictions(_ plan: RunPlan) -> Double {
        guard readsNegative, shortcuts.limitsGuidance, !plan.steps.isEmpty else { return Double(predictions) }
        let inStep = sampler.evaluationsInStep
        let calls = plan.steps.count * inStep
        let guided = (0..<calls).filter {
            shortcuts.guides(call: $0, of: calls, sigma: plan.steps[$0 / inStep].from.ratio)
        }
        return Double(predictions - 1) + Double(guided.count) / Double(calls)
    }
}

/// How a run asks its network.
struct DenoisingManner {
    var departures = UNet.Departures()
    /// Calls for which deep features hold; 1 where none are kept.
    var interval = 1
    var shortcuts = Shortcuts()
    /// Of the model in the whole run.
    var calls = 1
}

extension DiffusionModel {
    /// Why shortcuts and other departures change nothing here, each a line of its own.
    package func idleDepartures(_ settings: Settings) -> [String] {
        let c = unet.configuration
        var lines: [String] = []
        if let ratio = settings.shortcuts.mergedTokens {
            let option = "--merge-tokens \(JSONText.number(ratio).string)"
            if c.attentionLevels.isEmpty {
                lines.append("\(option) changes nothing here: \(name) has no attention.")
            } else if settings.conventions.mergesFullSizeOnly, c.attentionLevels[0] > 0 {
                lines.append(
                    "\(option) changes nothing here: the web UI merges tokens at full size only, and \(name) has no attention there."
                )
            }
        }
        if settings.shortcuts.limitsGuidance, !settings.readsNegative {
            let options = settings.shortcuts.options.map(\.name).filter {
                ["guidance-range", "ngms", "skip-early-cond"].contains($0)
            }
            lines.append(
                "\(options.map { "--\($0)" }.joined(separator: ", ")) \(options.count == 1 ? "changes" : "change") nothing here: nothing is guided."
            )
        }
        if settings.shortcuts.deepCache != nil, settings.calls < 2 {
            lines.append("--deep-cache changes nothing here: the model is called once.")
        }
        if settings.freeU != nil, c.blockOutChannels.count < 2 {
            lines.append("--freeu uses B1 and S1 alone here: \(name) has one level.")
        }
        return lines
    }

    /// Work of one call of the model on the average of a run.
    func stepWork(_ size: PixelSize, _ settings: Settings, _ plan: RunPlan) -> Work {
        let predictions = settings.meanPredictions(plan)
        let batch = min(Int(predictions.rounded(.up)), predictionsAtOnce(size))
        var work = unet.configuration.work(
            height: size.height / codec.factor, width: size.width / codec.factor, batch: batch,
            settings.networkDepartures)
        if let interval = settings.shortcuts.deepCache?.interval {
            work.operations -= work.deepOperations * Double(interval - 1) / Double(interval)
        }
        work.operations *= predictions / Double(batch)
        return work
    }
}
