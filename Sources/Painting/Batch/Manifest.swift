import RasterFiles

/// A list of pictures to make, as a file says it: CSV with a header, or a list of objects in JSON or YAML.
///
/// A manifest may come from a stranger: what is read has limits, and whatever is wrong is told with its line.
package struct Manifest: Sendable {
    package var entries: [Entry]

    /// One picture to make.
    package struct Entry: Sendable, Equatable {
        /// Where it begins in the file, counted from 1.
        package var line: Int
        /// In the order of the file; a name may occur twice in CSV.
        package var members: [Member] = []

        package subscript(name: String) -> Value? { members.first { $0.name == name }?.value }
    }

    package struct Member: Sendable, Equatable {
        package var name: String
        package var value: Value
        package var line: Int
    }

    package enum Value: Sendable, Equatable {
        /// An empty cell, `null`: as if the name were not there.
        case nothing
        case flag(Bool)
        /// Numbers too, as they are written.
        case text(String)
        case list([String])
    }

    /// What is wrong with a manifest, and where.
    package struct Fault: Error, Equatable {
        package var line: Int
        /// What is wrong; a full stop; the mend.
        package var text: String

        /// - Parameter text: in one line, whatever it repeats of the manifest
        package init(_ line: Int, _ text: String) { (self.line, self.text) = (line, RecipeWords.printableLine(text)) }

        /// What is told of a file.
        package func error(in path: String) -> PaintingError { .unsuitable("\(path), line \(line): \(text)") }
    }

    /// The most that a manifest may hold.
    package static let (mostBytes, mostEntries, mostMembers) = (64 << 20, 100_000, 200)

    /// - Throws: ``PictureFileError`` where the file cannot be read; ``PaintingError/unsuitable(_:)`` with file and line
    ///   where it is no manifest
    package init(path: String) throws {
        let bytes = try WholeFile.read(path, limit: Self.mostBytes)
        if let missing = ManifestYAML.missing(), Self.isYAML(path) {
            throw PaintingError.libraryMissing(
                "\(path) is YAML, and \(missing). Install it (Debian and Ubuntu: libyaml-0-2), or write JSON.")
        }
        do throws(Fault) {
            try self.init(bytes, named: path)
        } catch {
            throw error.error(in: path)
        }
        guard !entries.isEmpty else {
            throw PaintingError.unsuitable("\(path) lists nothing. Give it a line for each picture.")
        }
    }

    /// - Parameter name: its ending says the form
    package init(_ bytes: [UInt8], named name: String) throws(Fault) {
        var bytes = bytes[...]
        // What spreadsheets write before UTF-8.
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        guard let text = String(validating: bytes, as: UTF8.self), !text.unicodeScalars.contains("\0") else {
            throw Fault(Self.firstBadLine(bytes), "This is not text in UTF-8. Save it as UTF-8.")
        }
        switch name.split(separator: ".").last?.lowercased() {
        case "csv": entries = try ManifestCSV.entries(text)
        case "json": entries = try ManifestJSON.entries(text)
        case _ where Self.isYAML(name): entries = try ManifestYAML.entries(text)
        default: throw Fault(1, "Its name ends in none of .csv, .json and .yaml, so its form is not known. Rename it.")
        }
        for entry in entries where entry.members.count > Self.mostMembers {
            throw Fault(
                entry.line, "There are \(entry.members.count) values, but at most \(Self.mostMembers) are read.")
        }
    }

    private static func isYAML(_ name: String) -> Bool {
        ["yaml", "yml"].contains(name.split(separator: ".").last?.lowercased())
    }

    private static func firstBadLine(_ bytes: ArraySlice<UInt8>) -> Int {
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        return 1 + (lines.firstIndex { $0.contains(0) || String(validating: $0, as: UTF8.self) == nil } ?? 0)
    }

    static func checkCount(_ count: Int, line: Int) throws(Fault) {
        guard count <= mostEntries else {
            throw Fault(line, "There are more than \(mostEntries) entries. Split the list.")
        }
    }
}
