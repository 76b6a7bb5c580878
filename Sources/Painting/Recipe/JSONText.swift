/// Writes JSON with its keys in the order given: recipes and event lines are read by people too.
package indirect enum JSONText: Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    /// Seeds go beyond what a signed integer holds.
    case unsigned(UInt64)
    case number(Double)
    case text(String)
    case list([JSONText])
    case object([(String, JSONText)])
    /// JSON as it was read, passed on.
    case raw(String)

    package var string: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): "\(value)"
        case .unsigned(let value): "\(value)"
        // JSON has no NaN and no infinity.
        case .number(let value):
            value.isFinite ? (value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)") : "null"
        case .text(let value): Self.quoted(value)
        case .list(let values): "[" + values.map(\.string).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { Self.quoted($0.0) + ":" + $0.1.string }.joined(separator: ",") + "}"
        case .raw(let text): text
        }
    }

    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
