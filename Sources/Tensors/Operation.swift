import CDNNL
import Synchronization

/// One of oneDNN's operations for one shape, with its weights packed as it wants them.
final class PackedOperation: @unchecked Sendable {
    // Unchecked: oneDNN's operations are immutable and may run from any thread; the packed weights are written once,
    // before the object is shared.
    private let operation: OpaquePointer
    private let packed: Storage
    private let scratchFloats: Int

    /// - Parameter sibling: an operation over the same weights; its packing is shared when it is the same.
    init(_ operation: OpaquePointer, weights: Weights, sibling: PackedOperation?) throws {
        self.operation = operation
        scratchFloats = (dnnl_shim_scratch_bytes(operation) + 3) / 4
        if let sibling, dnnl_shim_same_packing(operation, sibling.operation) != 0 {
            packed = sibling.packed
            return
        }
        packed = Storage((dnnl_shim_packed_bytes(operation) + 3) / 4)
        let plain = Storage(weights.count)
        weights.copy(to: plain.pointer)
        let status = dnnl_shim_pack(operation, plain.pointer, packed.pointer)
        if status != 0 { throw EngineError.operation("packing weights \(weights.shape) failed with status \(status)") }
    }

    deinit { dnnl_shim_destroy(operation) }

    var implementation: String { String(cString: dnnl_shim_implementation(operation)) }
    var packedBytes: Int { packed.count * 4 }

    func run(
        _ source: UnsafePointer<Float>, bias: Storage?, into destination: UnsafeMutablePointer<Float>, on engine: Engine
    ) throws {
        let scratch = Storage(scratchFloats)
        engine.threads.apply()
        let status = withExtendedLifetime((packed, bias, scratch)) {
            dnnl_shim_run(operation, source, packed.pointer, bias?.pointer, destination, scratch.pointer)
        }
        if status != 0 { throw EngineError.operation("\(implementation) failed with status \(status)") }
    }
}

/// Operations over the same weights, one a shape, made when first asked for.
final class PackedOperations<Shape: Hashable & Sendable>: Sendable {
    private let made = Mutex<[Shape: PackedOperation]>([:])

    func operation(for shape: Shape, make: (_ sibling: PackedOperation?) throws -> PackedOperation) throws
        -> PackedOperation
    {
        try made.withLock { made in
            if let known = made[shape] { return known }
            let new = try make(made.values.first)
            made[shape] = new
            return new
        }
    }
}
