import Sampling

/// From words to what the network is told.
extension Studio {
    /// Loads what `--embedding` names.
    package func load(_ files: EmbeddingFiles, warn: (_ text: String, _ path: String) throws -> Void) throws {
        embeddings = try files.load(widths: model.text.widths, room: model.text.room, model: model.name, warn: warn)
        names = model.text.names(embeddings)
    }

    /// Everything that a painting is told. Texts are read once however many pictures use them.
    package func conditioning(_ settings: Settings) throws -> PromptConditioning {
        // Most commands read nothing more, and others pack the weights again in a moment.
        defer { for shelf in model.text.shelves { shelf.empty() } }
        return PromptConditioning(
            parts: try settings.parts.map { (try conditioning($0.text, settings), $0.weight) },
            negative: settings.readsNegative ? try negativeConditioning(settings) : nil,
            guidance: settings.isGuided ? settings.guidance : 1,
            told: settings.embedsGuidance ? settings.guidance - 1 : nil)
    }

    private func conditioning(_ text: String, _ settings: Settings) throws -> ScheduledConditioning {
        let schedule = self.schedule(text, settings)
        let skip = model.takesClipSkip ? settings.clipSkip : nil
        let key = TextKey(text: text, calls: settings.calls, skip: skip, language: settings.conventions.prompts)
        if let known = texts[key] { return ScheduledConditioning(schedule: schedule, conditionings: known) }
        var distinct: [String: Int] = [:]
        var counted: [(text: WeightedText, count: Int)] = []
        let places = schedule.entries.map { entry -> Int in
            if let place = distinct[entry.text] {
                counted[place].count += 1
                return place
            }
            distinct[entry.text] = counted.count
            counted.append((weighted(entry.text, settings), 1))
            return counted.count - 1
        }
        let read = try model.text(counted, embeddings: embeddings, names: names, skip: skip)
        let new = places.map { read[$0] }
        texts[key] = new
        return ScheduledConditioning(schedule: schedule, conditionings: new)
    }

    func weighted(_ text: String, _ settings: Settings) -> WeightedText {
        settings.conventions.prompts == .plain ? WeightedText(plain: text) : WeightedText(text)
    }

    func schedule(_ text: String, _ settings: Settings) -> PromptSchedule {
        settings.conventions.prompts == .plain
            ? PromptSchedule(plain: text) : PromptSchedule(text, calls: settings.calls)
    }

    /// SDXL was trained with zeros, not an empty text, where there is none: diffusers' `force_zeros_for_empty_prompt`.
    private func negativeConditioning(_ settings: Settings) throws -> ScheduledConditioning {
        let text = try conditioning(settings.negative, settings)
        guard settings.negative.isEmpty, !settings.readsEmptyNegative, model.zerosForMissingText else { return text }
        return ScheduledConditioning(schedule: text.schedule, conditionings: text.conditionings.map(\.zeros))
    }
}

/// What decides how a text is read.
struct TextKey: Hashable {
    let text: String
    let calls: Int
    let skip: Int?
    let language: Conventions.Prompts
}
