import ArgumentParser
import Checkpoints
import Painting
import RasterFiles

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Tell how a picture was made, step by step.",
        discussion: "The recipes of its past come first, its own last.")

    @Argument(help: ArgumentHelp("The picture.", valueName: "out"))
    var picture: String

    @Flag(name: .long, help: "Print one JSON object for each recipe.")
    var json = false

    func run() throws {
        try Console(json: json, quiet: false, verbose: false).telling { _ in try tell() }
    }

    private func tell() throws {
        let metadata = try PictureFile.read(picture).metadata
        if Recipe.read(metadata) != nil {
            for (index, recipe) in Inheritance(metadata).history.enumerated() {
                if json {
                    Console.say(
                        JSONText.object([
                            ("event", .text("recipe")), ("index", .integer(index + 1)), ("recipe", .raw(recipe)),
                        ]).string)
                } else {
                    Console.say(RecipeWords.text(recipe, number: index + 1))
                }
            }
        } else if let text = metadata.parameters {
            Console.say(
                json
                    ? JSONText.object([
                        ("event", .text("recipe")), ("index", .integer(1)), ("parameters", .text(text)),
                    ]).string : RecipeWords.printable("1. \(text.replacing("\n", with: "\n   "))"))
        } else {
            throw PaintingError.unsuitable("\(picture) carries no recipe and no parameters text.")
        }
    }
}
