/// A list of flat objects. Source: RFC 8259. Read here because faults need their lines.
enum ManifestJSON {
    static func entries(_ text: String) throws(Manifest.Fault) -> [Manifest.Entry] {
        var reader = Reader(text)
        return try reader.entries()
    }

    private struct Reader {
        private let scalars: [Unicode.Scalar]
        private var place = 0
        private var line = 1

        init(_ text: String) { scalars = Array(text.unicodeScalars) }

        private var current: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

        private func fault(_ expected: String) -> Manifest.Fault {
            let found = current.map { $0.value < 0x20 ? "a control character" : "\"\($0)\"" } ?? "the end of the file"
            return .init(line, "There is \(found) where \(expected) is expected.")
        }

        private mutating func skipSpace() {
            while let scalar = current, scalar == " " || scalar == "\t" || scalar == "\r" || scalar == "\n" {
                if scalar == "\n" { line += 1 }
                place += 1
            }
        }

        /// Steps over white space and `scalar`, if that comes next.
        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            skipSpace()
            guard current == scalar else { return false }
            place += 1
            return true
        }

        mutating func entries() throws(Manifest.Fault) -> [Manifest.Entry] {
            guard take("[") else { throw fault("[, the beginning of a list of objects,") }
            var entries: [Manifest.Entry] = []
            if !take("]") {
                repeat {
                    entries.append(try object())
                    try Manifest.checkCount(entries.count, line: line)
                } while take(",")
                guard take("]") else { throw fault("a comma or ]") }
            }
            skipSpace()
            guard current == nil else { throw fault("the end of the file") }
            return entries
        }

        private mutating func object() throws(Manifest.Fault) -> Manifest.Entry {
            guard take("{") else { throw fault("{, the beginning of an object,") }
            var entry = Manifest.Entry(line: line)
            var names: Set<String> = []
            if take("}") { return entry }
            repeat {
                skipSpace()
                let first = line
                guard current == "\"" else { throw fault("a name in quotes") }
                let name = try text()
                guard names.insert(name).inserted else {
                    throw .init(first, "\"\(name)\" is there twice. Take one out.")
                }
                guard take(":") else { throw fault("a colon") }
                entry.members.append(.init(name: name, value: try value(), line: first))
            } while take(",")
            guard take("}") else { throw fault("a comma or }") }
            return entry
        }

        private mutating func value() throws(Manifest.Fault) -> Manifest.Value {
            if take("[") {
                var list: [String] = []
                if take("]") { return .list(list) }
                repeat { list.append(try scalar(expected: "a text or a number")) } while take(",")
                guard take("]") else { throw fault("a comma or ]") }
                return .list(list)
            }
            if current == "{" { throw .init(line, "An object stands inside an object. Write its values one by one.") }
            for (word, value) in [("true", Manifest.Value.flag(true)), ("false", .flag(false)), ("null", .nothing)]
            where scalars[place...].starts(with: word.unicodeScalars) {
                place += word.unicodeScalars.count
                return value
            }
            return .text(try scalar(expected: "a value"))
        }

        /// A text, or a number as it is written.
        private mutating func scalar(expected: String) throws(Manifest.Fault) -> String {
            skipSpace()
            if current == "\"" { return try text() }
            let start = place
            while let scalar = current, "+-.0123456789eE".unicodeScalars.contains(scalar) { place += 1 }
            let number = String(String.UnicodeScalarView(scalars[start..<place]))
            guard let first = number.unicodeScalars.first, first == "-" || ("0"..."9").contains(first),
                Double(number) != nil
            else {
                place = start
                throw fault(expected)
            }
            return number
        }

        private mutating func text() throws(Manifest.Fault) -> String {
            let first = line
            place += 1
            var text = String.UnicodeScalarView()
            while let scalar = current {
                guard scalar.value >= 0x20 else { throw fault("the quote that ends a text, or \\n for a new line,") }
                place += 1
                if scalar == "\"" { return String(text) }
                if scalar != "\\" {
                    text.append(scalar)
                    continue
                }
                guard let escape = current else { break }
                place += 1
                switch escape {
                case "\"", "\\", "/": text.append(escape)
                case "b": text.append("\u{8}")
                case "f": text.append("\u{C}")
                case "n": text.append("\n")
                case "r": text.append("\r")
                case "t": text.append("\t")
                case "u": text.append(try unicode())
                default: throw .init(line, "\\\(escape) is no escape of JSON. Write \\\\ for a backslash.")
                }
            }
            throw .init(first, "A text begins with a quote and none ends it. Close it.")
        }

        /// The character behind `\u`, of two halves where it lies beyond the first 65536.
        private mutating func unicode() throws(Manifest.Fault) -> Unicode.Scalar {
            func half(_ reader: inout Reader) throws(Manifest.Fault) -> UInt32 {
                let digits = String(String.UnicodeScalarView(reader.scalars[reader.place...].prefix(4)))
                guard digits.utf8.count == 4, digits.allSatisfy(\.isHexDigit), let value = UInt32(digits, radix: 16)
                else { throw .init(reader.line, "\\u is not followed by four hexadecimal digits.") }
                reader.place += 4
                return value
            }
            var value = try half(&self)
            if (0xD800..<0xDC00).contains(value), scalars[place...].starts(with: "\\u".unicodeScalars) {
                place += 2
                let low = try half(&self)
                guard (0xDC00..<0xE000).contains(low) else { throw .init(line, "\\u names half a character.") }
                value = 0x10000 + (value - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(value), value != 0 else {
                throw .init(line, "\\u names half a character, or none.")
            }
            return scalar
        }
    }
}
