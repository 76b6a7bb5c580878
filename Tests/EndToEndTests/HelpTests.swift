import Foundation
import TestKit
import Testing

/// Help texts are kept whole, so that every change of them is seen.
///
/// To record them anew: `RECORD_HELP=1 swift test --filter HelpTests`.
@Suite struct HelpTests {
    static let commands = [
        "", "fit", "perlin", "noise", "refine", "inpaint", "outpaint", "sketch", "gobig", "upscale", "paint", "compose",
        "batch", "verify", "rerun", "history", "models",
        "models list",
        "models inspect", "models verify",
        "models convert", "doctor",
    ]

    @Test("the help of a command is the committed one", arguments: commands)
    func help(command: String) throws {
        let place = try Workplace()
        let finished = try place.succeed(command.split(separator: " ").map(String.init) + ["--help"])
        #expect(finished.errors == "")
        let name = command.isEmpty ? "velatura" : command.replacingOccurrences(of: " ", with: "-")
        let path = Golden.repository + "/Tests/EndToEndTests/Help/\(name).txt"
        if ProcessInfo.processInfo.environment["RECORD_HELP"] != nil {
            try Data(finished.output.utf8).write(to: URL(fileURLWithPath: path))
        }
        let expected = try String(contentsOfFile: path, encoding: .utf8)
        #expect(finished.output == expected)
        #expect(!finished.output.split(separator: "\n").contains { $0.count > 100 }, "help fits a terminal")
    }

    @Test("--version prints the version alone")
    func version() throws {
        let finished = try Workplace().succeed(["--version"])
        #expect(finished.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
    }
}
