import CDNNL
import Synchronization

/// One of oneDNN's operations for one shape, with its weights packed as it wants them.
final class PackedOperation: @unchecked Sendable {
    // Unchecked: oneDNN's operations are immutable and may run from any thread.
    private let operation: OpaquePointer
    private let weights: Weights
    private let packed: PackedWeights
    private let packedFloats: Int
    private let scratchFloats: Int

    /// - Parameter siblings: operations over the same weights; a packing that is the same is shared.
    init(_ operation: OpaquePointer, weights: Weights, siblings: [PackedOperation]) {
        (self.operation, self.weights) = (operation, weights)
        scratchFloats = (dnnl_shim_scratch_bytes(operation) + 3) / 4
        packedFloats = (dnnl_shim_packed_bytes(operation) + 3) / 4
        let twin = siblings.first { dnnl_shim_same_packing(operation, $0.operation) != 0 }
        packed = twin?.packed ?? PackedWeights()
    }

    deinit { dnnl_shim_destroy(operation) }

    var implementation: String { String(cString: dnnl_shim_implementation(operation)) }

    /// Weights pass through 32 bits on their way, in memory that the next layer's take over.
    private func pack(into packed: UnsafeMutablePointer<Float>, on engine: Engine) throws {
        let plain = Storage(weights.count)
        let status = withExtendedLifetime(plain) {
            weights.copy(to: plain.pointer, threads: engine.threads)
            weights.letGo()
            return dnnl_shim_pack(operation, plain.pointer, packed)
        }
        if status != 0 { throw EngineError.operation("packing weights \(weights.shape) failed with status \(status)") }
    }

    func run(
        _ source: UnsafeRawPointer, bias: Storage?, into destination: UnsafeMutablePointer<Float>, on engine: Engine
    ) throws {
        engine.threads.apply()
        let packed = try packed.storage(packedFloats, on: engine) { try pack(into: $0, on: engine) }
        let status = engine.scratch.lend(scratchFloats) { scratch in
            withExtendedLifetime((packed, bias)) {
                dnnl_shim_run(operation, source, packed.pointer, bias?.pointer, destination, scratch)
            }
        }
        if status != 0 { throw EngineError.operation("\(implementation) failed with status \(status)") }
    }
}

/// Operations over the same weights, one a shape, made when first asked for.
final class PackedOperations<Shape: Hashable & Sendable>: ShelvedLayer {
    /// Shapes that are kept: a folder of photographs of many sizes would otherwise keep one for each.
    private static var most: Int { 8 }

    private let made = Mutex<[(shape: Shape, operation: PackedOperation)]>([])

    func letGo() { made.withLock { $0 = [] } }

    func operation(for shape: Shape, make: (_ siblings: [PackedOperation]) throws -> PackedOperation) throws
        -> PackedOperation
    {
        try made.withLock { made in
            if let place = made.firstIndex(where: { $0.shape == shape }) {
                let known = made.remove(at: place)
                made.append(known)
                return known.operation
            }
            let new = try make(made.map(\.operation))
            if made.count == Self.most { made.removeFirst() }
            made.append((shape, new))
            return new
        }
    }
}
