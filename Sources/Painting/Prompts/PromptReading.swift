import Checkpoints
import Sampling
import Tensors

/// How words become what a model is told.
package enum PromptLanguage: String, Sendable, CaseIterable {
    /// Weights, schedules, parts and pieces of any length: docs/prompts.md.
    case webui
    /// Every character is a word's, and what is too long is cut: diffusers' way.
    case plain
}

extension Settings {
    /// The prompt's parts and their weights.
    var parts: [PromptPart] {
        language == .plain
            ? [PromptPart(text: prompt, weight: 1)] : PromptPart.parts(of: PromptTags(prompt).rest)
    }

    /// Whether each step asks the model what it sees under the negative prompt too. Without guidance that is so where parts do
    /// not make up one whole.
    var readsNegative: Bool { isGuided || parts.reduce(0) { $0 + $1.weight } != 1 }

    /// Predictions in each call of the model.
    var predictions: Int { parts.count + (readsNegative ? 1 : 0) }

    /// Calls of the model in a whole run: prompt schedules count them.
    var calls: Int { steps * sampler.callsInStep }

    /// Refuses what cannot be painted with, before a model is loaded.
    ///
    /// - Parameter picture: the picture that the words come from; nil where options gave them
    /// - Throws: ``PaintingError/usage(_:)``
    package func checkWords(from picture: String? = nil) throws(PaintingError) {
        let prompt = (name: picture.map { "The prompt in \($0)" } ?? "--prompt", text: self.prompt)
        let negative = (name: picture.map { "The negative prompt in \($0)" } ?? "--negative", text: self.negative)
        for (name, text) in [prompt, negative] {
            let count = text.unicodeScalars.count
            guard count <= Self.mostLetters else {
                throw .usage("\(name) has \(count) letters, but at most \(Self.mostLetters) are read. Write less.")
            }
        }
        guard language == .webui else { return }
        for tag in PromptTags(prompt.text).tags {
            guard let network = try NamedNetwork(tag) else { continue }
            let kind = if case .lora = network { "LoRA" } else { "hypernetwork" }
            let mend = picture == nil ? "Leave the tag out." : "Give --prompt without the tag."
            throw .usage("\(prompt.name) names the \(kind) \(tag.text), but these are not applied yet. \(mend)")
        }
    }

    private static let mostLetters = 1 << 15
}

extension Sampler {
    /// Samplers of second order ask the model twice in a step; the clock of prompts counts that.
    var callsInStep: Int {
        ["heun", "dpm2", "dpm2-a", "dpmpp-2s-a", "dpmpp-sde"].contains(rawValue) ? 2 : 1
    }
}

/// What there is to tell about a text before it is painted with.
package struct TextCount: Sendable, Equatable {
    /// Tokens of the shortest and of the longest text of its schedule.
    package var tokens: ClosedRange<Int>
    /// Pieces of the longest.
    package var pieces: Int
    package var weight: Double
    /// Calls of the model after which the text changes; and those that a run is too short for.
    package var changes: [Int]
    package var missed: [Int] = []
}

/// What a plan tells of all texts.
package struct WordCount: Sendable, Equatable {
    package var prompt: [TextCount]
    /// Nil where it is not read.
    package var negative: TextCount?
}

extension Studio {
    /// Loads what `--embedding` names.
    package func load(_ files: EmbeddingFiles, warn: (_ text: String, _ path: String) throws -> Void) throws {
        embeddings = try files.load(widths: model.text.widths, room: model.text.room, model: model.name, warn: warn)
        names = model.text.names(embeddings)
    }

    /// Refuses prompts that no model can take in, and weights that no number can bear, before anything is painted.
    ///
    /// - Throws: ``PaintingError/usage(_:)``
    package func checkLength(_ settings: Settings) throws(PaintingError) {
        let words = count(settings, run: 0)
        let pieces = (words.prompt + [words.negative].compactMap { $0 }).map(\.pieces).max() ?? 0
        guard pieces <= Self.mostPieces else {
            throw .usage(
                "A prompt has \(pieces) pieces of \(model.text.room) tokens, but at most \(Self.mostPieces) are read. Write less."
            )
        }
        guard settings.language == .webui else { return }
        let texts = settings.parts.map(\.text) + [settings.negative]
        let weights = texts.flatMap { schedule($0, settings).entries }.flatMap { WeightedText($0.text).runs }.map(
            \.weight)
        for weight in weights + settings.parts.map(\.weight) where abs(weight) > Self.largestWeight {
            throw .usage("A prompt has the weight \(weight), but at most \(Self.largestWeight) can be reckoned with.")
        }
    }

    private static let mostPieces = 64
    private static let largestWeight = 10_000.0

    /// Everything that a painting is told. Texts are read once however many pictures use them.
    package func conditioning(_ settings: Settings) throws -> PromptConditioning {
        PromptConditioning(
            parts: try settings.parts.map { (try conditioning($0.text, settings), $0.weight) },
            negative: settings.readsNegative ? try negativeConditioning(settings) : nil,
            guidance: settings.isGuided ? settings.guidance : 1)
    }

    private func conditioning(_ text: String, _ settings: Settings) throws -> ScheduledConditioning {
        let schedule = self.schedule(text, settings)
        let skip = model.takesClipSkip ? settings.clipSkip : nil
        let key = TextKey(
            text: text, calls: schedule.entries.count > 1 ? settings.calls : 0, skip: skip, language: settings.language)
        if let known = texts[key] { return ScheduledConditioning(schedule: schedule, conditionings: known) }
        let new: [Conditioning]
        if settings.language == .plain {
            new = [try model.text(text, skip: skip)]
        } else {
            var distinct: [String: Int] = [:]
            var counted: [(text: WeightedText, count: Int)] = []
            let places = schedule.entries.map { entry -> Int in
                if let place = distinct[entry.text] {
                    counted[place].count += 1
                    return place
                }
                distinct[entry.text] = counted.count
                counted.append((WeightedText(entry.text), 1))
                return counted.count - 1
            }
            let read = try model.text(counted, embeddings: embeddings, names: names, skip: skip)
            new = places.map { read[$0] }
        }
        texts[key] = new
        return ScheduledConditioning(schedule: schedule, conditionings: new)
    }

    private func schedule(_ text: String, _ settings: Settings) -> PromptSchedule {
        settings.language == .plain ? PromptSchedule(plain: text) : PromptSchedule(text, calls: settings.calls)
    }

    /// SDXL was trained with zeros, not an empty text, where there is none: diffusers' `force_zeros_for_empty_prompt`.
    private func negativeConditioning(_ settings: Settings) throws -> ScheduledConditioning {
        let text = try conditioning(settings.negative, settings)
        guard settings.negative.isEmpty, !settings.readsEmptyNegative, model.zerosForMissingText else { return text }
        return ScheduledConditioning(schedule: text.schedule, conditionings: text.conditionings.map(\.zeros))
    }

    /// Tokens of the prompts, and when they change.
    ///
    /// - Parameter run: steps that run
    package func count(_ settings: Settings, run: Int) -> WordCount {
        func told(_ text: String, weight: Double) -> TextCount {
            var told = count(text, weight: weight, settings)
            told.missed = told.changes.filter { $0 >= run * settings.sampler.callsInStep }
            told.changes.removeAll(where: told.missed.contains)
            return told
        }
        return WordCount(
            prompt: settings.parts.map { told($0.text, weight: $0.weight) },
            negative: settings.readsNegative ? told(settings.negative, weight: 1) : nil)
    }

    private func count(_ text: String, weight: Double, _ settings: Settings) -> TextCount {
        let schedule = self.schedule(text, settings)
        let chunks = Set(schedule.entries.map(\.text)).map { chunked($0, settings) }
        let tokens = chunks.map(\.tokenCount)
        let room = settings.language == .plain ? model.text.room : Int.max
        return TextCount(
            tokens: min(tokens.min() ?? 0, room)...min(tokens.max() ?? 0, room),
            pieces: settings.language == .plain ? 1 : chunks.map(\.chunks.count).max() ?? 1, weight: weight,
            changes: schedule.entries.dropLast().enumerated().filter { $1.text != schedule.entries[$0 + 1].text }
                .map { $1.end + 1 })
    }

    private func chunked(_ text: String, _ settings: Settings) -> TextChunks {
        model.text.chunks(settings.language == .plain ? WeightedText(plain: text) : WeightedText(text), names: names)
    }

    /// The embeddings that the prompts name: name and SHA-256.
    package func embeddings(in settings: Settings) -> [(name: String, hash: String)] {
        guard !embeddings.isEmpty, settings.language == .webui else { return [] }
        let texts = settings.parts.map(\.text) + (settings.readsNegative ? [settings.negative] : [])
        let used = texts.flatMap { schedule($0, settings).entries }.flatMap { entry in
            chunked(entry.text, settings).chunks.flatMap { $0.embeddings.map(\.embedding) }
        }
        return Set(used).sorted().map { (embeddings[$0].names[0], embeddings[$0].hash) }
    }
}

/// What decides how a text is read.
struct TextKey: Hashable {
    let text: String
    let calls: Int
    let skip: Int?
    let language: PromptLanguage
}
