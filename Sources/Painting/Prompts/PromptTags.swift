/// What a prompt names in angle brackets: `<lora:name:0.8>`. Tags are taken out before anything else is read; in negative
/// prompts they are words.
///
/// Source: AUTOMATIC1111's web UI, `modules/extra_networks.py`, `extensions-builtin/Lora`.
package struct PromptTags: Sendable {
    package struct Tag: Sendable, Equatable {
        /// "lora", "hypernet", …
        package let kind: String
        /// What stands between colons: by place, and by name.
        package let values: [String]
        package let named: [String: String]
        /// As it was written.
        package let text: String
    }

    /// The prompt without its tags.
    package let rest: String
    package let tags: [Tag]

    package init(_ prompt: String) {
        let scalars = Array(prompt.unicodeScalars)
        let last = scalars.lastIndex(of: ">") ?? -1
        var (rest, tags): (Scalars, [Tag]) = ([], [])
        var i = 0
        while i < scalars.count {
            if scalars[i] == "<", i < last, let (tag, end) = Self.tag(scalars, at: i) {
                tags.append(tag)
                i = end
            } else {
                rest.append(scalars[i])
                i += 1
            }
        }
        (self.rest, self.tags) = (String(rest), tags)
    }

    private static func tag(_ scalars: Scalars, at start: Int) -> (Tag, end: Int)? {
        let kind = scalars[(start + 1)...].prefix(while: \.isWordLetter)
        guard !kind.isEmpty, kind.endIndex < scalars.count, scalars[kind.endIndex] == ":" else { return nil }
        let arguments = scalars[(kind.endIndex + 1)...].prefix { $0 != ">" }
        guard !arguments.isEmpty, arguments.endIndex < scalars.count else { return nil }
        var (values, named): ([String], [String: String]) = ([], [:])
        for part in arguments.split(separator: ":", omittingEmptySubsequences: false) {
            if let equals = part.firstIndex(of: "=") {
                named[String(part[..<equals])] = String(part[(equals + 1)...])
            } else {
                values.append(String(part))
            }
        }
        let end = arguments.endIndex + 1
        return (Tag(kind: String(kind), values: values, named: named, text: String(scalars[start..<end])), end)
    }
}

/// A network that a prompt asks for, with how strongly it is to act.
package enum NamedNetwork: Sendable, Equatable {
    /// `<lora:name:te:unet:dyn>`, or the last three by name: te=, unet=, dyn=. The UNet's weight is the text encoder's
    /// unless it is given; `rank` cuts the network's rank.
    case lora(name: String, textEncoder: Double, unet: Double, rank: Int?)
    /// `<hypernet:name:w>`
    case hypernetwork(name: String, weight: Double)

    /// Nil for a kind that is not known.
    ///
    /// - Throws: ``PaintingError/usage(_:)`` for a value that is none
    package init?(_ tag: PromptTags.Tag) throws(PaintingError) {
        func invalid(_ what: String) -> PaintingError {
            .usage("The prompt's tag \(tag.text) \(what).")
        }
        func number(_ place: Int, _ key: String?, default value: Double) throws(PaintingError) -> Double {
            guard let text = key.flatMap({ tag.named[$0] }) ?? (tag.values.count > place ? tag.values[place] : nil)
            else { return value }
            guard let number = decimal(text.trimmingWhiteSpace()), number.isFinite else {
                throw invalid("has \"\(text)\" where a number such as 0.8 is expected")
            }
            return number
        }
        guard ["lora", "lyco", "hypernet"].contains(tag.kind) else { return nil }
        guard let name = tag.values.first, !name.isEmpty else {
            throw invalid("names nothing. Write <\(tag.kind):name:1>")
        }
        if tag.kind == "hypernet" {
            self = .hypernetwork(name: name, weight: try number(1, nil, default: 1))
            return
        }
        let textEncoder = try number(1, "te", default: 1)
        let unet = try number(2, "unet", default: textEncoder)
        let rank = try number(3, "dyn", default: 0)
        guard rank == rank.rounded(), (0...65536.0).contains(rank) else {
            throw invalid("has a rank of \(rank), but a whole number is expected")
        }
        self = .lora(name: name, textEncoder: textEncoder, unet: unet, rank: rank > 0 ? Int(rank) : nil)
    }
}
