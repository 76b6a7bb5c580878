import Fuzzing
import Painting

if CommandLine.arguments.dropFirst().first == "seeds" {
    try PaperSeeds.write(CommandLine.arguments[2], root: CommandLine.arguments[3])
} else {
    _ = ManifestYAML.missing()
    fuzz(["weights": WeightsTarget.run, "papers": PapersTarget.run])
}
