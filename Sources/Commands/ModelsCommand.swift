import ArgumentParser
import Painting
import Tensors

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List models, or say what one is.", subcommands: [List.self, Inspect.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the models that --model knows by name.")

        @Flag(name: .long, help: "Print JSON lines.") var json = false

        func run() throws {
            let chosen = environment("VELATURA_MODEL")
            tell("miniature", "inside the program", isDefault: chosen == nil || chosen == "miniature")
            if let chosen, chosen != "miniature" { tell(chosen, "from VELATURA_MODEL", isDefault: true) }
        }

        private func tell(_ name: String, _ origin: String, isDefault: Bool) {
            if json {
                Console.say(
                    JSONText.object([
                        ("event", .text("model")), ("name", .text(name)), ("origin", .text(origin)),
                        ("default", .bool(isDefault)),
                    ]).string)
            } else {
                Console.say("\(name)  (\(origin)\(isDefault ? ", the default" : ""))")
            }
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say what a model is and how it is painted with.")

        @Argument(help: ArgumentHelp("A model folder, or miniature.", valueName: "path"))
        var path: String

        @Flag(name: .long, help: "Print one JSON object.") var json = false

        func run() throws {
            let model = try Studio(model: path, on: Engine()).model
            let facts = model.facts
            if json { return Console.say(JSONText.object(facts.map { ($0.key, .text($0.value)) }).string) }
            let width = facts.map(\.key.count).max() ?? 0
            for fact in facts {
                Console.say(fact.key + String(repeating: " ", count: width - fact.key.count + 2) + fact.value)
            }
        }
    }
}
