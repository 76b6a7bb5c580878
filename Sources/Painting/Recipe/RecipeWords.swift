import Checkpoints
import Raster

/// A recipe for people.
package enum RecipeWords {
    /// - Parameter recipe: one recipe as JSON
    package static func text(_ recipe: String, number: Int) -> String {
        let metadata = PictureMetadata(texts: [.init(keyword: Recipe.keyword, text: recipe)])
        guard let json = Recipe.read(metadata) else { return "\(number). an unreadable recipe" }
        func value(_ key: String) -> String? {
            switch json[key] {
            case .text(let text): text
            case .integer(let number): "\(number)"
            case .number(let number): JSONText.number(number).string
            default: nil
            }
        }
        var head = "\(number). \(value("command") ?? "made")"
        if let source = json["source"]["name"].text { head += " \(source)" }
        if let plan = value("plan") { return printable("\(head): \(plan)") }
        if let layers = json["layers"].list {
            let parts = layers.prefix(ComposeRecipe.mostLayers).map { layer in
                "\(layer["picture"]["name"].text ?? "?") through \(layer["mask"]["name"].text ?? "?")"
                    + (layer["opacity"].double.map { $0 == 1 ? "" : " at \(JSONText.number($0).string)" } ?? "")
            }
            return printable("\(head): \(parts.joined(separator: ", "))")
        }
        var facts: [String] = []
        if let skip = value("skip") { facts.append("skip \(skip)") }
        if let seed = value("seed") { facts.append("seed \(seed)") }
        if let run = value("run") {
            let steps = value("steps").map { $0 == run ? "" : " of \($0)" } ?? ""
            facts.append("\(run)\(steps) steps" + (value("sigma").map { " from sigma \(Self.rounded($0))" } ?? ""))
        }
        if let sampler = value("sampler") {
            facts.append("sampler \(sampler)" + (value("schedule").map { ", schedule \($0)" } ?? ""))
        }
        if let guidance = value("guidance") { facts.append("guidance \(guidance)") }
        for name in ["scale", "loops", "noise", "perlin-init"] + Settings.departureNames {
            value(name).map { facts.append("\(name) \($0)") }
        }
        if let upscaler = json["upscaler"]["name"].text { facts.append("upscaler \(upscaler)") }
        if json["from-inversion"].bool == true { facts.append("from inversion") }
        if let rules = value("compat"), rules != "none" { facts.append("rules of \(rules)") }
        var lines = [facts.isEmpty ? head : "\(head): \(facts.joined(separator: ", "))"]
        if let prompt = value("prompt"), !prompt.isEmpty { lines.append("   “\(prompt)”") }
        if let negative = value("negative"), !negative.isEmpty { lines.append("   without “\(negative)”") }
        let embeddings = (json["embeddings"].list ?? []).compactMap { $0["name"].text }
        if !embeddings.isEmpty { lines.append("   embeddings \(embeddings.joined(separator: ", "))") }
        let adapters = (json["loras"].list ?? []).compactMap { entry in
            entry["name"].text.map { "\($0) (\(JSONText.number(entry["unet"].double ?? 1).string))" }
        }
        let nets = (json["hypernetworks"].list ?? []).compactMap { entry in
            entry["name"].text.map { "\($0) (\(JSONText.number(entry["weight"].double ?? 1).string))" }
        }
        if !nets.isEmpty { lines.append("   hypernetworks \(nets.joined(separator: ", "))") }
        if !adapters.isEmpty { lines.append("   LoRAs \(adapters.joined(separator: ", "))") }
        let autoencoder = json["vae"]["name"].text.map { ", autoencoder \($0)" } ?? ""
        if let model = json["model"]["name"].text {
            let hash = json["model"]["sha256"].text.map { " (\($0.prefix(10)))" } ?? ""
            lines.append("   model \(model)\(hash)" + autoencoder + (value("size").map { ", \($0)" } ?? ""))
        }
        return printable(lines.joined(separator: "\n"))
    }

    /// Without what would command a terminal: the words are strangers'.
    package static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { isPlain($0) ? $0 : "\u{FFFD}" }))
    }

    /// The same in one line.
    package static func printableLine(_ text: String) -> String {
        printable(String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\n" ? "\u{FFFD}" : $0 })))
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "\n" || !(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value))
    }

    private static func rounded(_ text: String) -> String {
        Double(text).map { JSONText.number(($0 * 1000).rounded() / 1000).string } ?? text
    }
}
