import ArgumentParser

/// What is done with the words of a command line before they are parsed, and with what the parser says of them.
enum CommandLineWords {
    /// "--grow -3" as "--grow=-3": a number below 0 is a value and never an option.
    static func joiningNegativeNumbers(_ words: [String]) -> [String] {
        var joined: [String] = []
        for (index, word) in words.enumerated() {
            if word == "--" { return joined + words[index...] }
            if let last = joined.last, last.hasPrefix("--"), last.count > 2, !last.contains("="), isNegative(word) {
                joined[joined.count - 1] = last + "=" + word
            } else {
                joined.append(word)
            }
        }
        return joined
    }

    /// "-3", "-.5", "-2x4"
    private static func isNegative(_ word: String) -> Bool {
        guard word.hasPrefix("-") else { return false }
        return word.dropFirst().first { $0 != "." }?.isNumber ?? false
    }

    /// The parser's message in one line, with what the option does take.
    ///
    /// - Parameters:
    ///   - words: of the command line, without the program's name
    ///   - commands: that the first word may name
    static func told(_ message: String, of words: [String], _ commands: [any ParsableCommand.Type]) -> String {
        // "The value 'x' is invalid for '--sampler <sampler>'. Please provide one of the following:\n  - ddim\n …"
        let parts = message.split(separator: "'", omittingEmptySubsequences: false)
        guard message.hasPrefix("The value '"), parts.count >= 5, parts[parts.count - 3].hasPrefix(" is invalid for ")
        else { return message }
        let value = parts[1..<parts.count - 3].joined(separator: "'")
        let option = parts[parts.count - 2].split(separator: " ").first.map(String.init) ?? ""
        let choices = message.split(separator: "\n").dropFirst().compactMap { line in
            line.hasPrefix("  - ") ? String(line.dropFirst(4)) : nil
        }
        let told = "\(option) is \"\(value)\", which it cannot be."
        if !choices.isEmpty { return "\(told) Give one of \(choices.joined(separator: ", "))." }
        let command = commands.first { $0.configuration.commandName == words.first } ?? Velatura.self
        let name = String(option.drop { $0 == "-" })
        guard let known = OptionTable(command)[name], !known.abstract.isEmpty else {
            return "\(told) See velatura help \(words.first ?? "")."
        }
        return "\(told) It takes <\(known.valueName)>: \(known.abstract)"
    }
}
