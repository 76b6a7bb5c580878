import Checkpoints
import Foundation
import Tensors
import Testing

/// Reference numbers committed under `Tests/Golden`, made by the scripts in `Tools/golden`.
public enum Golden {
    /// The repository's top folder.
    public static let repository: String = {
        var parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    public static func path(_ name: String) -> String { "\(repository)/Tests/Golden/\(name)" }

    package static func tensors(_ name: String) throws -> GoldenTensors {
        GoldenTensors(try TensorFile(safetensors: try FileBytes(path: path(name))))
    }

    package static func json(_ name: String) throws -> JSON {
        try JSON(try FileBytes(path: path(name)))
    }

    package static func folder(_ name: String) throws -> ModelFolder { try ModelFolder(path: path(name)) }
}

/// A file of reference tensors.
package struct GoldenTensors {
    package let file: TensorFile

    init(_ file: TensorFile) { self.file = file }

    package func tensor(_ key: String) throws -> Tensor {
        let weights = try #require(try file.weights(key), "\(file.name) has no \(key)")
        return Tensor(weights.shape, weights.floats())
    }

    package func has(_ key: String) -> Bool { file.entries[key] != nil }

    package func integers(_ key: String) throws -> (shape: [Int], values: [Int]) {
        let entry = try #require(file.entries[key], "\(file.name) has no \(key)")
        let bytes = file.bytes(entry)
        let values: [Int] =
            switch entry.format {
            case "I64": (0..<bytes.count / 8).map { Int(bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
            case "I32": (0..<bytes.count / 4).map { Int(bytes.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self)) }
            default: bytes.map { Int($0) }
            }
        return (entry.shape, values)
    }

    /// Values as doubles, whatever their format.
    package func doubles(_ key: String) throws -> [Double] {
        let entry = try #require(file.entries[key], "\(file.name) has no \(key)")
        let bytes = file.bytes(entry)
        if entry.format == "F64" {
            return (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Double.self) }
        }
        return try tensor(key).values.map(Double.init)
    }
}
