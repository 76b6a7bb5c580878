import ArgumentParser
import Painting
import Tensors
import Threads

/// How a network is run where nothing is painted.
struct EngineOptions: ParsableArguments {
    @Option(name: .long, help: "How exact matrix products are; convolutions are exact always.")
    var precision: Engine.Precision = .auto

    @OptionGroup var threading: ThreadOptions

    @Option(
        name: .long, help: ArgumentHelp("Most memory to use. (default: as much as is fastest)", valueName: "size"))
    var memoryLimit: MemoryLimit?

    func makeEngine(profile: Profile? = nil) throws -> Engine {
        try Engine.chosen(
            threads: threading.threads, precision: precision, memoryLimit: memoryLimit, profile: profile)
    }
}

extension Engine {
    /// The engine that options ask for.
    ///
    /// - Throws: ``PaintingError/processorLacks(_:)`` where the processor cannot do it
    static func chosen(
        threads: Int?, precision: Precision, memoryLimit: MemoryLimit?, profile: Profile?
    ) throws -> Engine {
        var engine = try Engine(
            threads: Threads(threads), precision: precision, memoryLimit: memoryLimit?.bytes, profile: profile)
        engine.table = try KernelTableFile.here?.table(on: engine) ?? .shipped
        if precision == .bf16, !engine.hasBFloat16 {
            throw PaintingError.processorLacks(
                "--precision bf16 needs a processor with BF16 instructions, and this one's best are \(engine.instructionSet). Pass --precision auto."
            )
        }
        return engine
    }
}
