import ArgumentParser
import Painting
import Tensors

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List, inspect, verify and convert models.",
        subcommands: [List.self, Inspect.self, Verify.self, Convert.self])

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
        static let configuration = CommandConfiguration(
            abstract: "Say what a model is, how it is painted with, and what said so.",
            usage: "velatura models inspect <path> [<options>]")

        @Argument(help: ArgumentHelp("A model folder, a checkpoint file, or miniature.", valueName: "path"))
        var path: String

        @OptionGroup var traits: ModelTraits

        @Flag(name: .long, help: "Print one JSON object.") var json = false

        func run() throws {
            let facts = try Studio(model: path, as: traits.options, on: Engine()).model.facts
            if json {
                let members = facts.flatMap { fact in
                    [(fact.key, JSONText.text(fact.value))]
                        + (fact.by.map { [("\(fact.key) by", JSONText.text($0))] } ?? [])
                }
                return Console.say(JSONText.object([("event", .text("model"))] + members).string)
            }
            let width = facts.map(\.key.count).max() ?? 0
            for fact in facts {
                let by = fact.by.map { "  (by \($0))" } ?? ""
                Console.say(fact.key + String(repeating: " ", count: width - fact.key.count + 2) + fact.value + by)
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check every number of a model, and that no key is missing or left over.",
            discussion: "Leaves with 65 when something is wrong, each fault on a line.")

        @Argument(help: ArgumentHelp("A model folder, a checkpoint file, or miniature.", valueName: "path"))
        var path: String

        func run() throws {
            let verdict = try ModelVerdict(path, on: Engine())
            for part in verdict.parts { Console.say(part) }
            for fault in verdict.faults { Console.complain(fault) }
            if !verdict.faults.isEmpty { throw ExitCode(65) }
        }
    }

    struct Convert: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a checkpoint as safetensors: every tensor and number format as it is.",
            discussion: """
                  velatura models convert old.ckpt new.safetensors
                """)

        @Argument(help: ArgumentHelp("A safetensors file or torch archive.", valueName: "in")) var input: String
        @Argument(help: ArgumentHelp("The safetensors file to write.", valueName: "out")) var output: String
        @Flag(name: .long, help: "Replace a file that is there already.") var overwrite = false

        func validate() throws {
            guard output.hasSuffix(".safetensors") else {
                throw ValidationError("The output is \"\(output)\", but a name that ends in .safetensors is expected.")
            }
        }

        func run() throws {
            try convertToSafetensors(input, output, overwrite: overwrite)
            Console.say(output)
        }
    }
}
