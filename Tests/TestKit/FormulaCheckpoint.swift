import Checkpoints
import Foundation
import Testing

/// A small Stable Diffusion model whose weights follow from its tensors' names: `Tools/golden/checkpoints.py` has the same
/// formula, so that whole checkpoints can be compared with diffusers' pictures without being committed.
package struct FormulaCheckpoint {
    /// A tensor as a network of the diffusers layout has it, and where it lies in the original layout.
    private struct Line {
        let part, key: String
        let shape: [Int]
        let original, how: String

        var originalShape: [Int] {
            switch how {
            case "1x1": shape + [1, 1]
            case "T": shape.reversed()
            case "0/3", "1/3", "2/3": [3 * shape[0]] + shape.dropFirst()
            default: shape
            }
        }
    }

    package let family: String
    private let lines: [Line]

    package init(_ family: String, base: String) throws {
        self.family = family
        func read(_ name: String) throws -> [Line] {
            try String(contentsOfFile: Golden.path("checkpoints/\(name).txt"), encoding: .utf8).split(separator: "\n")
                .map {
                    let parts = $0.split(separator: " ").map(String.init)
                    try #require(parts.count == 5)
                    return Line(
                        part: parts[0], key: parts[1], shape: parts[2].split(separator: "x").compactMap { Int($0) },
                        original: parts[3], how: parts[4])
                }
        }
        let own = try read(family)
        let changed = Set(own.map { $0.part + $0.key })
        lines = family == base ? own : own + (try read(base)).filter { !changed.contains($0.part + $0.key) }
    }

    /// A tensor of a file.
    package struct Tensor {
        package var key: String
        package var format: String
        package var shape: [Int]
        package var bytes: [UInt8]

        package init(key: String, format: String, shape: [Int], bytes: [UInt8]) {
            (self.key, self.format, self.shape, self.bytes) = (key, format, shape, bytes)
        }
    }

    /// Everything in the original layout.
    package func original() -> [Tensor] {
        var seen: Set<String> = []
        return lines.filter { seen.insert($0.original).inserted }.map { Self.tensor($0.original, $0.originalShape) }
    }

    /// One part in the diffusers layout.
    package func part(_ part: String) -> [Tensor] {
        lines.filter { $0.part == part }.map { line in
            var tensor = Self.tensor(line.original, line.originalShape)
            let size = tensor.format == "F32" ? 4 : 2
            switch line.how {
            case "T":
                let (rows, columns) = (line.shape[0], line.shape[1])
                var turned: [UInt8] = []
                turned.reserveCapacity(tensor.bytes.count)
                for row in 0..<rows {
                    for column in 0..<columns {
                        let place = (column * rows + row) * size
                        turned += tensor.bytes[place..<place + size]
                    }
                }
                tensor.bytes = turned
            case "0/3", "1/3", "2/3":
                let third = tensor.bytes.count / 3
                let number = Int(line.how.prefix(1)) ?? 0
                tensor.bytes = Array(tensor.bytes[number * third..<(number + 1) * third])
            default: break
            }
            (tensor.key, tensor.shape) = (line.key, line.shape)
            return tensor
        }
    }

    /// A tensor that follows from its name.
    package static func tensor(_ key: String, _ shape: [Int]) -> Tensor {
        var seed: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in key.utf8 { seed = (seed ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var generator = SeededGenerator(seed)
        let count = shape.reduce(1, *)
        var scale = Float((3 * Double(shape[0]) / Double(count)).squareRoot())
        var middle: Float = 0
        if key.hasSuffix("bias") { scale = 0.15 } else if shape.count == 1 { (middle, scale) = (1, 0.3) }
        let gains: [String: Float] = [
            "first_stage_model.quant_conv.weight": 8, "first_stage_model.decoder.conv_out.weight": 0.6,
        ]
        let gain = gains[key] ?? 1
        let isHalf = key.hasPrefix("cond_stage_model") || key.hasPrefix("conditioner")
        let bytes = [UInt8](unsafeUninitializedCapacity: count * (isHalf ? 2 : 4)) { buffer, filled in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            for i in 0..<count {
                let unit = Float(Int32(truncatingIfNeeded: generator.next() >> 40) - (1 << 23)) / Float(1 << 23)
                let bits = ((middle + unit * scale) * gain).bitPattern
                if isHalf {
                    let rounded = UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
                    raw.storeBytes(of: rounded.littleEndian, toByteOffset: 2 * i, as: UInt16.self)
                } else {
                    raw.storeBytes(of: bits.littleEndian, toByteOffset: 4 * i, as: UInt32.self)
                }
            }
            filled = raw.count
        }
        return Tensor(key: key, format: isHalf ? "BF16" : "F32", shape: shape, bytes: bytes)
    }

    /// Writes tensors as a safetensors file.
    package static func write(_ tensors: [Tensor], metadata: [String: String] = [:], to path: String) throws {
        var header: [String: Any] = [:]
        var place = 0
        for tensor in tensors {
            header[tensor.key] = [
                "dtype": tensor.format, "shape": tensor.shape, "data_offsets": [place, place + tensor.bytes.count],
            ]
            place += tensor.bytes.count
        }
        if !metadata.isEmpty { header["__metadata__"] = metadata }
        let text = try JSONSerialization.data(withJSONObject: header)
        try FileManager.default.createDirectory(
            atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try #require(FileManager.default.createFile(atPath: path, contents: nil))
        let file = try #require(FileHandle(forWritingAtPath: path))
        defer { try? file.close() }
        try file.write(contentsOf: withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) })
        try file.write(contentsOf: text)
        for tensor in tensors { try file.write(contentsOf: tensor.bytes) }
    }

    /// Writes a folder of the diffusers layout, without a tokenizer.
    package func writeFolder(_ path: String, scheduler: JSON) throws {
        func write(_ json: JSON, to name: String) throws {
            let file = "\(path)/\(name)"
            try FileManager.default.createDirectory(
                atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try JSONSerialization.data(withJSONObject: plain(json)).write(to: URL(fileURLWithPath: file))
        }
        let configurations = try Golden.json("checkpoints/\(family).json")
        for (part, configuration) in configurations.object ?? [:] {
            try write(configuration, to: "\(part)/config.json")
            let stem = part.hasPrefix("text") ? "model" : "diffusion_pytorch_model"
            try Self.write(self.part(part), to: "\(path)/\(part)/\(stem).safetensors")
        }
        try write(scheduler, to: "scheduler/scheduler_config.json")
        let pipeline = family == "sdxl" ? "StableDiffusionXLPipeline" : "StableDiffusionPipeline"
        try write(.object(["_class_name": .text(pipeline)]), to: "model_index.json")
    }
}

/// A value as Foundation's writer takes it.
private func plain(_ json: JSON) -> Any {
    switch json {
    case .null: NSNull()
    case .bool(let value): value
    case .integer(let value): value
    case .number(let value): value
    case .text(let value): value
    case .list(let values): values.map(plain)
    case .object(let members): members.mapValues(plain)
    }
}
