import ArgumentParser
import Painting

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A command that makes pictures one by one, as manifests ask for it.
struct ItemKind {
    let name: String
    let command: any ItemCommand.Type
    let table: OptionTable

    init(_ command: any ItemCommand.Type) {
        self.command = command
        name = command.configuration.commandName ?? ""
        table = OptionTable(command)
    }
}

/// One line of a manifest as the command line that it stands for.
struct ManifestRow {
    let line: Int
    let kind: ItemKind
    private(set) var options: [OptionWords] = []
    private(set) var input = ""
    private(set) var output: String?

    /// What is said of a whole run, or of what it may replace, and not of a picture.
    private static let reserved: Set<String> = [
        "help", "version", "json", "quiet", "verbose", "explain", "overwrite", "keep-going", "retry-failed", "dry-run",
        "list",
    ]

    /// Options whose values name files. Those are looked for beside the manifest first.
    private static let files: Set<String> = [
        "mask", "model", "vae", "lora", "embedding", "hypernetwork", "strokes", "control", "upscaler", "map",
        "settings",
        "guide-model",
    ]

    /// - Parameters:
    ///   - folder: of the manifest, "" or ending in "/"
    ///   - fallback: the command of lines that name none
    init(_ entry: Manifest.Entry, in folder: String, fallback: String, _ kinds: [ItemKind]) throws(Manifest.Fault) {
        line = entry.line
        let name = try Self.text(entry, "command") ?? fallback
        guard let kind = kinds.first(where: { $0.name == name }) else {
            let known = kinds.map(\.name).joined(separator: ", ")
            throw .init(line, "\"\(name)\" is no command that a manifest can ask for. Ask for one of \(known).")
        }
        self.kind = kind
        guard let input = try Self.text(entry, "input"), !input.isEmpty else {
            throw .init(line, "There is no input. Name the picture under \"input\".")
        }
        // Where it is nowhere, it is missed beside the manifest.
        self.input = input.hasPrefix("/") || access(input, F_OK) == 0 ? Self.beside(input, folder) : folder + input
        output = try Self.text(entry, "output")
        if let output { try Self.checkOutput(output, line) }
        for member in entry.members where !["command", "input", "output"].contains(member.name) {
            // In a list for several commands, a column that one of them lacks is left empty on its lines.
            if member.value == .nothing, kinds.contains(where: { $0.table[member.name] != nil }) { continue }
            guard let option = kind.table[member.name] else {
                throw .init(member.line, "\"\(member.name)\" is no option of \(name). See velatura help \(name).")
            }
            guard !Self.reserved.contains(member.name) else {
                throw .init(member.line, "\"\(member.name)\" is said of the whole run. Pass --\(member.name) to it.")
            }
            guard option.repeats || !options.contains(where: { $0.name == member.name }) else {
                throw .init(member.line, "\"\(member.name)\" is there twice. Take one out.")
            }
            options += try Self.words(member, option, folder)
        }
    }

    /// A value that is one text.
    private static func text(_ entry: Manifest.Entry, _ name: String) throws(Manifest.Fault) -> String? {
        let members = entry.members.filter { $0.name == name }
        guard members.count < 2 else { throw .init(members[1].line, "\"\(name)\" is there twice. Take one out.") }
        switch members.first?.value {
        case nil, .nothing: return nil
        case .text(let text): return text
        case .flag, .list: throw .init(members[0].line, "\"\(name)\" is expected to be one text.")
        }
    }

    /// A manifest may come from a stranger: it writes into the folder of the results, and nowhere else.
    private static func checkOutput(_ output: String, _ line: Int) throws(Manifest.Fault) {
        let parts = output.split(separator: "/", omittingEmptySubsequences: false)
        guard !output.isEmpty, !output.hasPrefix("/"), !parts.contains(".."), !parts.contains(".velatura") else {
            throw .init(
                line,
                "The output \"\(output)\" lies outside the folder of the results. Name one inside it, and choose the folder with -o."
            )
        }
    }

    private static func words(_ member: Manifest.Member, _ option: OptionTable.Option, _ folder: String)
        throws(Manifest.Fault) -> [OptionWords]
    {
        let name = member.name
        func given(_ value: String) -> OptionWords {
            let value = files.contains(name) ? beside(value, folder) : textFile(name, value, folder)
            // An option of nothing cannot be said with an equals sign.
            return .init(name: name, words: value.isEmpty ? ["--\(name)", ""] : ["--\(name)=\(value)"])
        }
        guard option.takesValue else {
            let words: [String: Bool] = [
                "true": true, "yes": true, "on": true, "1": true, "false": false, "no": false, "off": false, "0": false,
            ]
            switch member.value {
            case .nothing: return []
            case .flag(let isOn): return [.init(name: name, words: isOn ? ["--\(name)"] : [])]
            case .text(let text):
                guard let isOn = words[text.lowercased()] else { fallthrough }
                return [.init(name: name, words: isOn ? ["--\(name)"] : [])]
            default: throw .init(member.line, "\"\(name)\" is a flag, so true or false is expected.")
            }
        }
        switch member.value {
        case .nothing: return []
        case .text(let text): return [given(text)]
        case .flag(let isOn):
            throw .init(member.line, "\"\(name)\" is \(isOn), but a value is expected. Put a text into quotes.")
        case .list(let values): return option.repeats ? values.map(given) : [given(values.joined(separator: ","))]
        }
    }

    /// "@FILE" of a prompt.
    private static func textFile(_ name: String, _ value: String, _ folder: String) -> String {
        guard ["prompt", "negative"].contains(name), value.hasPrefix("@"), !value.hasPrefix("@@") else { return value }
        return "@" + beside(String(value.dropFirst()), folder)
    }

    /// A file beside the manifest, where there is one; else as it is named, from the current folder.
    static func beside(_ name: String, _ folder: String) -> String {
        guard !name.hasPrefix("/") else { return name }
        // "PATH:W" of a LoRA.
        let path = name.lastIndex(of: ":").map { String(name[..<$0]) } ?? name
        return [name, path].contains { !$0.isEmpty && access(folder + $0, F_OK) == 0 } ? folder + name : name
    }

    /// The command that the line stands for.
    ///
    /// - Parameters:
    ///   - common: options of the run, for what the line does not say itself
    ///   - folder: of the results
    func command(_ common: [OptionWords], folder: String, telling: [String]) throws
        -> (command: any ItemCommand, words: [String])
    {
        let inherited = common.filter { option in
            kind.table[option.name] != nil && !options.contains { option.yields(to: $0.name) }
        }
        let words = (inherited + options).flatMap(\.words) + ["--output=\(folder)\(output ?? "")"]
        return (try kind.command.parse(words + telling + ["--", input]), words)
    }
}
