import ArgumentParser
import Painting

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The root command: abstract, version and subcommands, nothing else.
struct Velatura: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "velatura",
        abstract: "Image-to-image and enlarging for people who make pictures with diffusion models.",
        version: Recipe.version,
        subcommands: [
            FitCommand.self, PerlinCommand.self, NoiseCommand.self, RefineCommand.self, InpaintCommand.self,
            OutpaintCommand.self, SketchCommand.self, GoBigCommand.self, UpscaleCommand.self, PaintCommand.self,
            GoBigPlanCommand.self, GoBigRenderCommand.self, GoBigAssembleCommand.self, ComposeCommand.self,
            BatchCommand.self, VerifyCommand.self, RerunCommand.self, HistoryCommand.self,
            ModelsCommand.self, DoctorCommand.self,
        ])
}

/// Runs the command line of this process and ends it with the right code: one line on standard error says what is wrong.
public func runVelatura() {
    Interruption.install()
    // A reader that goes away (`velatura … | head`) is an error of writing, not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    let words = GoBigParts.joined(CommandLineWords.joiningNegativeNumbers(Array(CommandLine.arguments.dropFirst())))
    do {
        var command = try Velatura.parseAsRoot(words)
        try command.run()
    } catch {
        exit(code(for: error, words))
    }
    if let reason = Console.outputFailure {
        Console.complain("Standard output could not be written: \(reason). Make room, or send it elsewhere.")
        exit(74)
    }
}

private func code(for error: any Error, _ words: [String]) -> Int32 {
    switch Velatura.exitCode(for: error) {
    case .success:
        print(Velatura.message(for: error))
        return 0
    case .validationFailure:
        let line = CommandLineWords.told(
            Velatura.message(for: error), of: words, Velatura.configuration.subcommands)
        // What was not understood cannot say that it wants JSON, so the bare words are asked.
        if CommandLine.arguments.dropFirst().prefix(while: { $0 != "--" }).contains("--json") {
            Console.say(Console.jsonError(line, code: 64))
        }
        Console.complain(line)
        return 64
    default:
        if let code = error as? ExitCode { return code.rawValue }
        let (line, code) = reported(error)
        if code == 130 { return code }
        Console.complain(line)
        return code
    }
}
