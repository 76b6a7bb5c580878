import ArgumentParser
import Checkpoints
import Painting

/// The options of a command as its own declaration has them.
struct OptionTable {
    struct Option: Equatable {
        /// False of a flag.
        var takesValue: Bool
        var repeats: Bool
        /// What stands for its value in help, and its line there.
        var valueName: String
        var abstract: String
    }

    /// By long name, without dashes.
    private(set) var options: [String: Option] = [:]

    init(_ command: any ParsableCommand.Type) {
        // ArgumentParser tells what it was declared with only as this text, which its completion scripts come from too.
        let text = Array(command._dumpHelp().utf8)
        let declared = text.withUnsafeBytes { bytes in
            bytes.baseAddress.flatMap { try? JSON(FileBytes(name: "help", constant: $0, count: bytes.count)) }
        }
        for argument in declared?["command"]["arguments"].list ?? [] where argument["kind"].text != "positional" {
            for name in argument["names"].list ?? [] where name["kind"].text == "long" {
                guard let name = name["name"].text else { continue }
                options[name] = Option(
                    takesValue: argument["kind"].text == "option", repeats: argument["isRepeating"].bool ?? false,
                    valueName: argument["valueName"].text ?? "", abstract: argument["abstract"].text ?? "")
            }
        }
    }

    private init(options: [String: Option]) { self.options = options }

    /// What any of several commands takes.
    static func joined(_ tables: [OptionTable]) -> OptionTable {
        OptionTable(options: tables.reduce(into: [:]) { all, table in all.merge(table.options) { first, _ in first } })
    }

    subscript(name: String) -> Option? { options[name] }
}

/// An option with the words that say it: "--skip", "50", or "--skip=50".
struct OptionWords: Equatable {
    var name: String
    var words: [String]

    /// Options that say the same, or contradict each other: who gives one of them has not taken the other over.
    private static let alternatives: [Set<String>] = [
        ["skip", "strength", "skip-steps"], ["steps", "run-steps"], ["mask", "mask-alpha"],
        ["size", "max-pixels", "aspect"], ["aspect", "left"], ["aspect", "right"], ["aspect", "up"],
        ["aspect", "down"],
    ]

    /// Whether it goes without saying once `name` is given.
    func yields(to name: String) -> Bool {
        self.name == name || Self.alternatives.contains { $0.contains(name) && $0.contains(self.name) }
    }

    /// A command line taken apart into options and what is none.
    static func split(_ words: [String], _ table: OptionTable) throws(PaintingError) -> (
        options: [OptionWords], others: [String]
    ) {
        var (options, others): ([OptionWords], [String]) = ([], [])
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                others += rest
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                others.append(word)
                continue
            }
            let name = String(word.drop { $0 == "-" }.prefix { $0 != "=" })
            guard word.hasPrefix("--"), let option = table[name] else {
                throw PaintingError.usage(
                    "\(word.prefix { $0 != "=" }) is no option of any command that a manifest can ask for. Leave it out."
                )
            }
            guard option.takesValue, !word.contains("=") else {
                options.append(.init(name: name, words: [word]))
                continue
            }
            guard let value = rest.popFirst() else { throw PaintingError.usage("\(word) has no value. Give it one.") }
            options.append(.init(name: name, words: [word, value]))
        }
        return (options, others)
    }
}
