import Checkpoints
import Foundation
import Networks
import TestKit
import Tensors
import Testing

/// Against spandrel's networks, on pictures of odd sizes: `Tools/golden/upscalers.py`.
@Suite struct UpscalerParityTests {
    /// Sums of up to 2304 products in another order, twenty layers deep: about 2e-5 of values around 1; three times that.
    private static let bound: Float = 1e-4

    static let rrdb = [
        "rrdb-old-x4", "rrdb-trunk-x4", "rrdb-new-x1", "rrdb-new-x8", "rrdb-unshuffle-x2", "rrdb-unshuffle-x1",
        "rrdb-plus-x4", "rrdb-grey-x2",
    ]
    static let compact = ["compact-prelu-x4", "compact-prelu-x1"]
    static let swin = [
        "swin-classical-x2", "swin-classical-x3", "swin-light-x4", "swin-real-x4", "swin-real-large-x4", "swin-jpeg-x1",
    ]
    static let archives = ["compact-relu-x2", "compact-leaky-x3", "swin-jpeg-x1"]

    private func compare(_ file: TensorFile, _ name: String, lanes: Int? = nil, bandBytes: Int? = nil) throws {
        let reference = try Golden.tensors("upscalers/reference.safetensors")
        let network = try openUpscaler(file, on: try Engine(lanes: lanes))
        let (x, y) = (try reference.tensor("\(name).in"), try reference.tensor("\(name).out"))
        #expect(network.factor == y.shape[2] / x.shape[2] && network.channels == x.shape[1])
        expectClose(try network(x, bandBytes: bandBytes), y, absolute: Self.bound, relative: Self.bound, name)
    }

    @Test("every network gives spandrel's picture", arguments: rrdb + compact + swin)
    func parity(name: String) throws { try compare(try Self.network(name), name) }

    @Test("archives of torch are read, with what is saved beside the weights", arguments: archives)
    func torchArchives(name: String) throws {
        try compare(try TensorFile(path: Golden.path("upscalers/\(name).pth")), name)
    }

    @Test("narrower vectors, whose lanes more channels fill, give the same picture", arguments: rrdb + compact + swin)
    func narrow(name: String) throws { try compare(try Self.network(name), name, lanes: 8) }

    @Test(
        "a state may be wrapped, and averaged weights count before the last",
        arguments: ["params.", "params_ema.", "module.", "params.module.", "model.", "netG."])
    func wrappings(prefix: String) throws {
        try compare(try Self.network("compact-prelu-x1", prefix: prefix), "compact-prelu-x1")
        try compare(try Self.network("rrdb-new-x1", prefix: prefix), "rrdb-new-x1")
        if prefix == "params_ema." {
            let both = try Self.tensors("rrdb-new-x1", prefix: prefix) + Self.tensors("rrdb-new-x8", prefix: "params.")
            try compare(try Self.file(both, "both"), "rrdb-new-x1")
        }
    }

    /// A network whose weights follow from their names.
    static func network(_ name: String, prefix: String = "") throws -> TensorFile {
        try file(try tensors(name, prefix: prefix), name)
    }

    static func tensors(_ name: String, prefix: String = "") throws -> [FormulaCheckpoint.Tensor] {
        let shapes = try #require(try Golden.json("upscalers/networks.json")[name].object)
        return shapes.sorted { $0.key < $1.key }.map { key, shape in
            var tensor = FormulaCheckpoint.tensor(key, (shape.list ?? []).compactMap(\.integer))
            let gains = [
                ("attn.proj.weight", Float(0.3)), ("mlp.fc2.weight", 0.3), ("relative_position_bias_table", 2),
            ]
            if let gain = gains.first(where: { key.hasSuffix($0.0) })?.1 {
                tensor.bytes = tensor.bytes.withUnsafeBytes { bytes in
                    (0..<bytes.count / 4).flatMap { place in
                        let value = Float(bitPattern: bytes.loadUnaligned(fromByteOffset: 4 * place, as: UInt32.self))
                        return withUnsafeBytes(of: (value * gain).bitPattern, Array.init)
                    }
                }
            }
            tensor.key = prefix + key
            return tensor
        }
    }

    static func file(_ tensors: [FormulaCheckpoint.Tensor], _ name: String) throws -> TensorFile {
        let path = NSTemporaryDirectory() + "velatura-\(UUID().uuidString)/\(name).safetensors"
        try FormulaCheckpoint.write(tensors, to: path)
        defer { try? FileManager.default.removeItem(atPath: (path as NSString).deletingLastPathComponent) }
        // The mapping outlives the name.
        return try TensorFile(path: path)
    }
}
