import ArgumentParser
import Painting
import Tensors
import Threads

/// How a network is run where nothing is painted.
struct EngineOptions: ParsableArguments {
    @Option(name: .long, help: "How exact matrix products are; convolutions are exact always.")
    var precision: Engine.Precision = .auto

    @Option(name: .long, help: ArgumentHelp("Threads to use. (default: all processors)", valueName: "n"))
    var threads: Int?

    @Option(
        name: .long, help: ArgumentHelp("Most memory to use. (default: as much as is fastest)", valueName: "size"))
    var memoryLimit: MemoryLimit?

    func validate() throws {
        if let threads, !(1...1024).contains(threads) {
            throw ValidationError("--threads is \(threads), but a whole number from 1 to 1024 is expected.")
        }
    }

    func makeEngine(profile: Profile? = nil) throws -> Engine {
        try Engine.chosen(threads: threads, precision: precision, memoryLimit: memoryLimit, profile: profile)
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
