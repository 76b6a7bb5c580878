import CDNNL
import Synchronization

/// One of oneDNN's operations for one shape, with its weights packed as it wants them.
final class PackedOperation: @unchecked Sendable {
    // Unchecked: oneDNN's operations are immutable and may run from any thread; the packed weights are written once,
    // before the object is shared.
    private let operation: OpaquePointer
    private let packed: Storage
    private let scratchFloats: Int

    /// - Parameter siblings: operations over the same weights; a packing that is the same is shared.
    init(_ operation: OpaquePointer, weights: Weights, siblings: [PackedOperation]) throws {
        self.operation = operation
        scratchFloats = (dnnl_shim_scratch_bytes(operation) + 3) / 4
        if let twin = siblings.first(where: { dnnl_shim_same_packing(operation, $0.operation) != 0 }) {
            packed = twin.packed
            return
        }
        packed = Storage((dnnl_shim_packed_bytes(operation) + 3) / 4, returnsToPool: false)
        let plain = Storage(weights.count, returnsToPool: false)
        weights.copy(to: plain.pointer)
        let status = dnnl_shim_pack(operation, plain.pointer, packed.pointer)
        if status != 0 { throw EngineError.operation("packing weights \(weights.shape) failed with status \(status)") }
    }

    deinit { dnnl_shim_destroy(operation) }

    var implementation: String { String(cString: dnnl_shim_implementation(operation)) }
    var packedBytes: Int { packed.count * 4 }

    func run(
        _ source: UnsafeRawPointer, bias: Storage?, into destination: UnsafeMutablePointer<Float>, on engine: Engine
    ) throws {
        engine.threads.apply()
        let status = engine.scratch.lend(scratchFloats) { scratch in
            withExtendedLifetime((packed, bias)) {
                dnnl_shim_run(operation, source, packed.pointer, bias?.pointer, destination, scratch)
            }
        }
        if status != 0 { throw EngineError.operation("\(implementation) failed with status \(status)") }
    }
}

/// Operations over the same weights, one a shape, made when first asked for.
final class PackedOperations<Shape: Hashable & Sendable>: Sendable {
    /// Shapes that are kept: a folder of photographs of many sizes would otherwise keep one for each.
    private static var most: Int { 8 }

    private let made = Mutex<[(shape: Shape, operation: PackedOperation)]>([])

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
