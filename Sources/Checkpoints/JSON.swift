#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A value of a JSON file whose shape is not known beforehand.
package enum JSON: Decodable, Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([JSON])
    case object([String: JSON])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSON].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSON].self))
        }
    }

    /// - Throws: ``CheckpointError/invalid(_:)`` when the bytes are not JSON.
    package init(_ file: FileBytes) throws(CheckpointError) {
        self = try JSON.decode(JSON.self, from: file)
    }

    /// Largest JSON file that is read: tokenizers have a few megabytes.
    private static let largest = 64 << 20

    /// Decodes a known shape.
    ///
    /// - Throws: ``CheckpointError/invalid(_:)`` when the bytes are not JSON of that shape.
    package static func decode<Value: Decodable>(_ type: Value.Type, from file: FileBytes) throws(CheckpointError)
        -> Value
    {
        guard file.count <= largest else {
            throw .invalid("\(file.name) has \(file.count) bytes but a JSON file here may have \(largest).")
        }
        let decoder = JSONDecoder()
        let data = Data(file.bytes)
        do {
            do {
                return try decoder.decode(type, from: data)
            } catch DecodingError.dataCorrupted(let context) {
                // Python writes infinities into scheduler descriptions.
                guard let plain = PythonNumbers.replaced(in: file.bytes) else {
                    throw DecodingError.dataCorrupted(context)
                }
                decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                    positiveInfinity: PythonNumbers.infinity, negativeInfinity: PythonNumbers.minusInfinity,
                    nan: PythonNumbers.noNumber)
                return try decoder.decode(type, from: Data(plain))
            }
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            throw .invalid("\(file.name) has an unexpected value at \(path(context)).")
        } catch DecodingError.keyNotFound(let key, let context) {
            throw .invalid(
                "\(file.name) has no \"\(key.stringValue)\"\(context.codingPath.isEmpty ? "" : " at \(path(context))")."
            )
        } catch {
            throw .invalid("\(file.name) is not valid JSON.")
        }
    }

    private static func path(_ context: DecodingError.Context) -> String {
        context.codingPath.isEmpty ? "its top" : context.codingPath.map(\.stringValue).joined(separator: ".")
    }

    package subscript(key: String) -> JSON {
        if case .object(let members) = self { return members[key] ?? .null }
        return .null
    }

    package var isNull: Bool { self == .null }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
    package var text: String? { if case .text(let value) = self { value } else { nil } }
    package var list: [JSON]? { if case .list(let value) = self { value } else { nil } }
    package var object: [String: JSON]? { if case .object(let value) = self { value } else { nil } }

    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// The value as it would stand in a file, for messages; of long ones the beginning.
    package var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value): "\"\(value.count > 100 ? value.prefix(100) + "…" : value)\""
        case .list(let values):
            "[" + values.prefix(20).map(\.description).joined(separator: ", ") + (values.count > 20 ? ", …]" : "]")
        case .object: "{…}"
        }
    }
}
