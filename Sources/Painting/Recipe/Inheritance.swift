import Checkpoints
import Raster
import RasterFiles

/// What a picture says about how it was made: the words to go on with, and its past.
package struct Inheritance: Sendable {
    package var prompt: String?
    package var negative: String?
    package var guidance: Double?
    /// Recipes of all that was done to the picture, oldest first, as JSON; the last is its own.
    package var history: [String] = []
    /// How often it was painted in all that: the noise of a repeated painting is another one.
    package var passes = 0
    /// Where the words were found: "velatura" or "parameters".
    package var keyword: String?

    package init(_ metadata: PictureMetadata) {
        if let recipe = Recipe.read(metadata) {
            // What only fitted the picture has no words of its own: those of the last painting hold.
            let painted = ([recipe] + (recipe["history"].list ?? []).reversed()).first { $0["prompt"].text != nil }
            (prompt, negative, guidance) = (
                painted?["prompt"].text, painted?["negative"].text, painted?["guidance"].double
            )
            keyword = Recipe.keyword
            history = Self.past(of: recipe) + [Self.without(history: recipe)]
            passes = ((recipe["history"].list ?? []) + [recipe]).reduce(0) {
                $0 + min(32, max(1, $1["loops"].integer ?? 1))
            }
        } else if let text = metadata.parameters, case let parsed = Parameters(text),
            // A comment in a photograph may be anything.
            metadata["parameters"] != nil || !parsed.fields.isEmpty
        {
            (prompt, negative, guidance) = (
                parsed.prompt, parsed.negative, parsed.fields["CFG scale"].flatMap(Double.init)
            )
            keyword = "parameters"
        }
    }

    private static func past(of recipe: JSON) -> [String] {
        (recipe["history"].list ?? []).map { text($0).string }
    }

    private static func without(history recipe: JSON) -> String {
        text(.object((recipe.object ?? [:]).filter { $0.key != "history" })).string
    }

    private static func text(_ json: JSON) -> JSONText {
        switch json {
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .text(let value): .text(value)
        case .list(let values): .list(values.map(text))
        case .object(let members): .object(members.sorted { $0.key < $1.key }.map { ($0.key, text($0.value)) })
        }
    }
}

extension Recipe {
    private static func text(in metadata: PictureMetadata) -> String? {
        metadata[keyword] ?? metadata.xmp.flatMap(XMP.recipe)
    }

    /// Hash of the recipe that a picture carries; nil where it carries none.
    package static func hash(in metadata: PictureMetadata) -> String? {
        text(in: metadata).map { SHA256.hash(Array($0.utf8)) }
    }

    /// The recipe that a picture carries, as JSON; nil where it carries none.
    package static func read(_ metadata: PictureMetadata) -> JSON? {
        guard let text = text(in: metadata) else { return nil }
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return nil }
            let json = try? JSON(FileBytes(name: "recipe", constant: base, count: buffer.count))
            return json?.object == nil ? nil : json
        }
    }
}

/// The `parameters` text of AUTOMATIC1111's web UI, read. Source: `modules/infotext_utils.py`,
/// `parse_generation_parameters`.
package struct Parameters: Sendable {
    package var prompt = ""
    package var negative = ""
    package var fields: [String: String] = [:]

    package init(_ text: String) {
        var lines = text.trimmingWhiteSpace().split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if let last = lines.last {
            let found = Self.fields(last)
            if found.count >= 3 {
                fields = found
                lines.removeLast()
            }
        }
        var inNegative = false
        var (prompts, negatives): ([String], [String]) = ([], [])
        for line in lines {
            var line = line.trimmingWhiteSpace()
            if line.hasPrefix("Negative prompt:") {
                inNegative = true
                line = String(line.dropFirst("Negative prompt:".count)).trimmingWhiteSpace()
            }
            if inNegative { negatives.append(line) } else { prompts.append(line) }
        }
        (prompt, negative) = (prompts.joined(separator: "\n"), negatives.joined(separator: "\n"))
    }

    /// `Key: value` pairs at commas; a value in quotes may hold anything.
    private static func fields(_ line: String) -> [String: String] {
        var fields: [String: String] = [:]
        var rest = line[...]
        while let colon = rest.firstIndex(of: ":") {
            let key = String(rest[..<colon]).trimmingWhiteSpace()
            guard !key.isEmpty, key.allSatisfy({ $0.isLetter || $0.isNumber || " _-/".contains($0) }) else {
                return fields
            }
            rest = rest[rest.index(after: colon)...].drop { $0 == " " }
            var value = ""
            if rest.first == "\"" {
                rest.removeFirst()
                while let character = rest.popFirst(), character != "\"" {
                    value.append(character == "\\" ? rest.popFirst() ?? "\\" : character)
                }
                rest = rest.drop { $0 != "," }
            } else {
                value = String(rest.prefix { $0 != "," })
                rest = rest.dropFirst(value.count)
            }
            fields[key] = value.trimmingWhiteSpace()
            rest = rest.dropFirst().drop { $0 == " " }
        }
        return fields
    }
}
