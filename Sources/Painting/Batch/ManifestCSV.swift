/// Source: RFC 4180. Lines may end in LF alone, and empty lines are passed over.
enum ManifestCSV {
    static func entries(_ text: String) throws(Manifest.Fault) -> [Manifest.Entry] {
        var rows = Rows(text)
        guard let header = try rows.next() else { return [] }
        let names = header.cells.map { $0.trimmingWhiteSpace() }
        if let empty = names.firstIndex(of: "") {
            throw .init(header.line, "Column \(empty + 1) has no name. Name it, or take it out.")
        }
        guard names.count > 1 || !header.cells[0].contains(where: { $0 == ";" || $0 == "\t" }) else {
            throw .init(header.line, "There is one column, \"\(header.cells[0])\". Separate columns by commas.")
        }
        var entries: [Manifest.Entry] = []
        while let row = try rows.next() {
            guard row.cells.count == names.count else {
                throw .init(
                    row.line,
                    "There are \(row.cells.count) cells, but the header names \(names.count) columns. Put a value that has commas into quotes."
                )
            }
            let members = zip(names, row.cells).map { name, cell in
                Manifest.Member(name: name, value: cell.isEmpty ? .nothing : .text(cell), line: row.line)
            }
            entries.append(.init(line: row.line, members: members))
            try Manifest.checkCount(entries.count, line: row.line)
        }
        return entries
    }

    private struct Rows {
        private let scalars: [Unicode.Scalar]
        private var place = 0
        private var line = 1

        init(_ text: String) { scalars = Array(text.unicodeScalars) }

        private var current: Unicode.Scalar? { place < scalars.count ? scalars[place] : nil }

        /// Whether a line ends here; steps over its end.
        private mutating func endsLine() -> Bool {
            guard let current else { return true }
            let isReturn = current == "\r" && place + 1 < scalars.count && scalars[place + 1] == "\n"
            guard isReturn || current == "\n" else { return false }
            place += isReturn ? 2 : 1
            line += 1
            return true
        }

        /// The next row that is not empty; nil at the end.
        mutating func next() throws(Manifest.Fault) -> (line: Int, cells: [String])? {
            while current != nil {
                let first = line
                if endsLine() { continue }
                var cells = [try cell()]
                while !endsLine() {
                    // Only a comma or the end of a line ends a cell.
                    place += 1
                    cells.append(try cell())
                }
                return (first, cells)
            }
            return nil
        }

        private mutating func cell() throws(Manifest.Fault) -> String {
            var cell = String.UnicodeScalarView()
            let first = line
            guard current == "\"" else {
                while let scalar = current, scalar != ",", scalar != "\n", !(scalar == "\r" && isBeforeNewline) {
                    guard scalar != "\"" else {
                        throw .init(
                            line,
                            "A quote stands inside a value without quotes. Put the value into quotes and write \"\" for each inside."
                        )
                    }
                    cell.append(scalar)
                    place += 1
                }
                return String(cell)
            }
            place += 1
            while let scalar = current {
                place += 1
                if scalar == "\"" {
                    guard current == "\"" else {
                        guard
                            current == nil || current == "," || current == "\n" || (current == "\r" && isBeforeNewline)
                        else {
                            throw .init(
                                line,
                                "Something follows the closing quote of a value. Write \"\" for a quote inside it.")
                        }
                        return String(cell)
                    }
                    place += 1
                }
                if scalar == "\n" { line += 1 }
                cell.append(scalar)
            }
            throw .init(
                first, "A value begins with a quote and none ends it. Close it, or write \"\" for a quote inside.")
        }

        private var isBeforeNewline: Bool { place + 1 < scalars.count && scalars[place + 1] == "\n" }
    }
}
