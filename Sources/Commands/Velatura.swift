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
    do {
        var command = try Velatura.parseAsRoot(GoBigParts.joined(Array(CommandLine.arguments.dropFirst())))
        try command.run()
    } catch {
        exit(code(for: error))
    }
}

private func code(for error: any Error) -> Int32 {
    switch Velatura.exitCode(for: error) {
    case .success:
        print(Velatura.message(for: error))
        return 0
    case .validationFailure:
        let line = Velatura.message(for: error)
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
