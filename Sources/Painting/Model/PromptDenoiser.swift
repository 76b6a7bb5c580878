import Networks
import Raster
import Sampling
import Tensors

/// A prompt, read: what the network is told at each call.
package struct ScheduledConditioning {
    package let schedule: PromptSchedule
    /// For each entry of the schedule.
    package let conditionings: [Conditioning]
}

/// All that a painting is told: the parts of its prompt, and the negative prompt where guidance needs one.
package struct PromptConditioning {
    package var parts: [(conditioning: ScheduledConditioning, weight: Double)]
    package var negative: ScheduledConditioning?
    /// How far to go from the negative prompt towards the others.
    package var guidance: Double
    /// The guidance that the network itself is told of, less one; nil of networks that are not.
    package var told: Double?
}

/// Counts the calls of the model in a run: prompts change by it. Who drives the denoiser advances it, so that what is
/// evaluated in several tiles counts once.
final class PromptClock {
    private(set) var call = 0

    func advance() { call += 1 }
}

extension DiffusionModel {
    /// The denoiser for a prompt: negative + Σ weight·guidance·(part − negative).
    ///
    /// Texts of one length are evaluated as ``predictionsAtOnce(_:)`` has it, others by themselves, so no text changes for the
    /// sake of another; only shorter parts of one prompt have their last vector repeated up to the longest.
    ///
    /// All predictions are linear in each other at one level, so guiding the estimate is guiding the prediction.
    /// Source: Ho and Salimans, "Classifier-Free Diffusion Guidance" (2021), equation 6; AUTOMATIC1111's web UI,
    /// `modules/sd_samplers_cfg_denoiser.py`.
    ///
    /// Where a call is not guided, the first part stands for the negative prompt, as in the web UI. Deep features are kept for
    /// every batch of texts by itself, so a denoiser belongs to one picture, or one tile of it.
    ///
    /// - Parameters:
    ///   - size: size of the working picture in pixels, which SDXL is told
    ///   - beside: `[1, C, h, w]`, channels that a model for inpainting sees beside the latents
    ///   - manner: what is left out, and how the network is run otherwise than it was trained
    func denoiser(
        _ prompt: PromptConditioning, prediction: Prediction, size: PixelSize, beside: Tensor? = nil,
        clock: PromptClock, _ manner: DenoisingManner = .init()
    ) -> Denoiser {
        let unet = unet
        let texts = [prompt.negative].compactMap { $0 } + prompt.parts.map(\.conditioning)
        let hasNegative = prompt.negative != nil
        let scales = prompt.parts.map { Float($0.weight * prompt.guidance) }
        var prepared: (entries: [Int], whole: [Batch], parts: [Batch])?
        // By the first text and how many there are.
        var known: [[Int]: (features: FeatureMap, call: Int)] = [:]
        var sigma = 0.0

        let denoise = Sampling.denoiser(prediction) { x, time in
            let entries = texts.map { $0.schedule.index(at: clock.call) }
            if prepared?.entries != entries {
                var told = zip(texts, entries).map { $0.conditionings[$1] }
                let first = hasNegative ? 1 : 0
                let longest = told[first...].map { $0.context.shape[1] }.max() ?? 0
                for index in first..<told.count { told[index] = told[index].lengthened(to: longest) }
                let whole = batches(told, size: size)
                let limits = hasNegative && manner.shortcuts.limitsGuidance
                prepared = (entries, whole, limits ? batches(Array(told[1...]), size: size) : whole)
                known = [:]
            }
            let isGuided =
                hasNegative && manner.shortcuts.guides(call: clock.call, of: manner.calls, sigma: sigma)
            let seen = beside.map { x.joined($0) } ?? x
            var predictions: [Tensor] = []
            for batch in (isGuided ? prepared?.whole : prepared?.parts) ?? [] {
                let input = batch.count == 1 ? seen : Tensor.stack(Array(repeating: seen, count: batch.count))
                let place = [isGuided ? 0 : 1, predictions.count, batch.count]
                let deep = known[place].flatMap { clock.call < $0.call + manner.interval ? $0.features : nil }
                let (output, features) = try unet.predict(
                    input, times: Array(repeating: time, count: batch.count), context: batch.context,
                    added: batch.added, guidance: prompt.told, manner.departures, deep: deep)
                if deep == nil { known[place] = features.map { ($0, clock.call) } }
                predictions += (0..<batch.count).map { batch.count == 1 ? output : output.items($0..<$0 + 1) }
            }
            guard hasNegative else {
                // Without a negative prompt the weights sum to one.
                guard predictions.count > 1 else { return predictions[0] }
                let weighted = zip(predictions, scales).map { $1 * $0 }
                return weighted.dropFirst().reduce(weighted[0], +)
            }
            let negative = predictions[0]
            var result = negative
            for (part, scale) in zip(isGuided ? predictions.dropFirst() : predictions[...], scales) {
                let away = part.zip(negative) { scale * ($0 - $1) }
                result = result + away
            }
            return result
        }
        return { x, level in
            sigma = level.ratio
            return try denoise(x, level)
        }
    }

    /// Texts that the network is told at once.
    private struct Batch {
        let count: Int
        let context: Tensor
        let added: UNet.Added?
    }

    private func batches(_ texts: [Conditioning], size: PixelSize) -> [Batch] {
        var batches: [Batch] = []
        var rest = texts[...]
        let pairs = predictionsAtOnce(size) > 1
        while let first = rest.first {
            let isPair = pairs && rest.count > 1 && rest[rest.startIndex + 1].context.shape == first.context.shape
            let batch = Array(rest.prefix(isPair ? 2 : 1))
            rest = rest.dropFirst(batch.count)
            batches.append(
                Batch(count: batch.count, context: Tensor.stack(batch.map(\.context)), added: added(batch, size: size)))
        }
        return batches
    }

    private func added(_ texts: [Conditioning], size: PixelSize) -> UNet.Added? {
        let pooled = texts.compactMap(\.pooled)
        guard pooled.count == texts.count, unet.configuration.added != nil else { return nil }
        let (w, h) = (Float(size.width), Float(size.height))
        let numbers = Tensor([texts.count, 6], (0..<texts.count).flatMap { _ in [h, w, 0, 0, h, w] })
        return UNet.Added(text: Tensor.stack(pooled), numbers: numbers)
    }
}

extension Tensor {
    /// The channels of `[1, C, H, W]` with those of another picture after them.
    func joined(_ beside: Tensor) -> Tensor {
        Tensor([1, shape[1] + beside.shape[1], shape[2], shape[3]], values + beside.values)
    }
}

extension Conditioning {
    /// With the last token's vector repeated.
    fileprivate func lengthened(to length: Int) -> Conditioning {
        let (tokens, width) = (context.shape[1], context.shape[2])
        guard tokens < length else { return self }
        let values = context.values
        let last = values.suffix(width)
        let filled = values + (tokens..<length).flatMap { _ in last }
        return Conditioning(context: Tensor([1, length, width], filled), pooled: pooled)
    }
}
