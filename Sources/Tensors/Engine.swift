import CDNNL
import CKernels
import Threads

/// Where operations run: threads, the processor's vector width, and oneDNN beneath.
///
/// There is no global engine: whoever paints makes one and hands it to the networks.
package struct Engine: Sendable {
    package let threads: Threads
    /// Channels side by side in a ``FeatureMap``.
    package let lanes: Int
    /// oneDNN's name of the best instruction set here, such as "avx512_core_bf16".
    package let instructionSet: String
    /// What matrix products may be rounded to.
    package private(set) var precision: Precision
    /// Where one form of a layer overtakes another.
    package var table = KernelTable.shipped
    /// Where times are gathered, if anywhere.
    package let profile: Profile?
    /// Shared by everything that runs on this engine.
    let scratch = Scratch()
    package let memory: Memory
    /// Where what runs on this engine keeps its packed weights.
    package private(set) var shelf: Shelf

    /// How exact matrix products are, where a layer allows less than 32 bits.
    package enum Precision: String, Sendable, CaseIterable {
        /// bfloat16 where that is faster (``KernelPlan``).
        case auto
        case f32
        /// bfloat16 wherever a layer allows it.
        case bf16
    }

    /// - Parameters:
    ///   - precision: `bf16` is `f32` where the processor lacks it: see ``hasBFloat16``
    ///   - memoryLimit: most bytes that the process should use; nil: as many as it likes
    ///   - profile: told of every operation
    ///   - lanes: fewer than the processor's vectors hold, for tests: 8 where there are 16
    /// - Throws: ``EngineError/libraryMissing(_:)`` when oneDNN cannot be opened.
    package init(
        threads: Threads = Threads(), precision: Precision = .f32, memoryLimit: Int? = nil, profile: Profile? = nil,
        lanes: Int? = nil
    ) throws {
        (self.threads, self.precision, self.profile) = (threads, precision, profile)
        memory = Memory(limit: memoryLimit)
        shelf = memory.shelf()
        try Engine.open()
        instructionSet = String(cString: dnnl_shim_instruction_set())
        let widest = instructionSet.hasPrefix("avx512") ? 16 : instructionSet == "avx2" ? 8 : 1
        self.lanes = min(lanes ?? widest, widest)
    }

    /// The same engine for one network more, with a shelf of its own.
    package func forPart() -> Engine {
        var engine = self
        engine.shelf = memory.shelf()
        return engine
    }

    /// The same engine in 32 bits throughout; nil where it is so already.
    package func exact() -> Engine? {
        guard precision != .f32, hasBFloat16 else { return nil }
        var engine = self
        engine.precision = .f32
        return engine
    }

    /// Whether the processor multiplies bfloat16 natively.
    package var hasBFloat16: Bool { ["bf16", "fp16", "amx"].contains { instructionSet.contains($0) } }

    package struct Libraries: Sendable {
        /// Version of oneDNN, such as "2.6.3".
        package let oneDNN: String
        /// The pool of threads: "libgomp", "libomp" or "threads".
        package let threadPool: String
        /// Which form of our own loops runs: "avx512", "avx2", "neon" or "baseline".
        package let kernels: String
    }

    /// What is beneath, for `doctor`.
    package static func libraries() throws -> Libraries {
        try open()
        var version: [Int32] = [0, 0, 0]
        dnnl_shim_version(&version)
        return Libraries(
            oneDNN: version.map(String.init).joined(separator: "."), threadPool: Threads.poolName,
            kernels: String(cString: kernel_variant()))
    }

    private static func open() throws {
        Threads.prepare()
        var message = [CChar](repeating: 0, count: 256)
        if dnnl_shim_open(&message, message.count) != 0 { throw EngineError.libraryMissing(text(message)) }
    }

    static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

package enum EngineError: Error {
    /// oneDNN is not there or does not start; the text is one line without a full stop.
    case libraryMissing(String)
    /// oneDNN refused an operation that it should have: a fault of ours.
    case operation(String)
    /// What memory has no room for could not be kept in a file meanwhile; the text is one line with its mend.
    case spill(String)
}
