import Checkpoints
import Fuzzing
import Painting

/// A checkpoint: safetensors, torch's archives of both forms. What is in it is looked at as the program does.
enum WeightsTarget {
    static func run(_ bytes: [UInt8]) -> Bool {
        // A copy with nothing behind its end, so that a byte too many is found out.
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        defer { memory.deallocate() }
        memory.copyBytes(from: bytes)
        guard let start = memory.baseAddress else { return false }
        let file = FileBytes(name: "it", constant: UnsafeRawPointer(start), count: bytes.count)
        do throws(CheckpointError) {
            let tensors = try TensorFile(file)
            for key in tensors.entries.keys.sorted().prefix(20) {
                guard let entry = tensors.entries[key] else { continue }
                require(
                    entry.range.upperBound <= bytes.count && entry.range.lowerBound >= 0, "\(key) is not in the file")
                // Repeated values make a tensor larger than its file, and looking at all of them slow.
                guard tensors.byteCount(entry) <= 1 << 20 else { continue }
                tensors.withBytes(of: entry) { require($0.count == tensors.byteCount(entry), "\(key) is cut short") }
                _ = tensors.unsoundValues(key)
                passing { () throws(CheckpointError) in _ = try tensors.weights(key) }
            }
            passing { () throws(CheckpointError) in _ = try AdapterFile(tensors) }
            passing { () throws(CheckpointError) in _ = try HypernetworkFile(tensors) }
            passing { () throws(CheckpointError) in _ = try OriginalCheckpoint(tensors) }
        } catch {
            requireLine(error.line)
        }
        passing { () throws(CheckpointError) in _ = try JSON(file) }
        return true
    }

    private static func passing(_ body: () throws(CheckpointError) -> Void) {
        do throws(CheckpointError) { try body() } catch { requireLine(error.line) }
    }
}
