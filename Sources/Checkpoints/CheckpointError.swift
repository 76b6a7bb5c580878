/// What can be wrong with the files of a model, sorted by whose fault it is. Every text is one line: what is wrong, with
/// the values, then the mend.
package enum CheckpointError: Error, Equatable {
    /// A file or folder is not there.
    case missing(String)
    /// A file is there but is not what it should be, or is over a limit.
    case invalid(String)
    /// A file could not be read.
    case unreadable(String)

    package var line: String {
        switch self {
        case .missing(let line), .invalid(let line), .unreadable(let line): line.onOneLine
        }
    }
}

extension String {
    /// With control characters spelt out: names come from files, and must neither break a line nor steer a terminal.
    fileprivate var onOneLine: String {
        unicodeScalars.reduce(into: "") { line, scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                line += "\\u{\(String(scalar.value, radix: 16))}"
            default: line.unicodeScalars.append(scalar)
            }
        }
    }
}
