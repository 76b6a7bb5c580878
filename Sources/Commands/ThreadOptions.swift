import ArgumentParser
import Threads

/// How many threads work where nothing, or little, is painted.
struct ThreadOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Threads to use. (default: all processors)", valueName: "n"))
    var threads: Int?

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads), but a whole number from 1 to 1024 is expected.")
        }
    }

    var pool: Threads { Threads(threads) }
}
