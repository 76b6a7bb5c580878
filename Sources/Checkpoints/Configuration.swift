/// The values of a configuration file, read one by one: each with what holds where the file is silent, and with what it
/// may be. A value of another kind is refused by name, never taken for silence.
package struct Configuration {
    package let json: JSON
    /// The file's name, for messages.
    package let name: String

    /// - Throws: ``CheckpointError/invalid(_:)`` when the file is not an object
    package init(_ json: JSON, name: String) throws(CheckpointError) {
        guard json.object != nil else {
            throw .invalid("\(name) holds \(json.description), but an object with settings is expected.")
        }
        (self.json, self.name) = (json, name)
    }

    package func invalid(_ key: String, _ expected: String) -> CheckpointError {
        .invalid("\(name) has \(key) = \(json[key].description), but \(expected).")
    }

    package func count(_ key: String, default value: Int, in range: ClosedRange<Int> = 1...1 << 16)
        throws(CheckpointError) -> Int
    {
        if json[key].isNull { return value }
        guard let found = json[key].integer, range.contains(found) else {
            throw invalid(key, "a whole number from \(range.lowerBound) to \(range.upperBound) is expected")
        }
        return found
    }

    /// Nil where the file does not hold exactly a list of whole numbers in the range, as many as `lengths` allows.
    package func counts(_ key: String, lengths: ClosedRange<Int>, in range: ClosedRange<Int> = 1...1 << 16) -> [Int]? {
        guard let list = json[key].list, lengths.contains(list.count) else { return nil }
        let found = list.compactMap(\.integer)
        return found.count == list.count && found.allSatisfy(range.contains) ? found : nil
    }

    package func number(_ key: String, default value: Double, in range: ClosedRange<Double>) throws(CheckpointError)
        -> Double
    {
        if json[key].isNull { return value }
        guard let found = json[key].double, range.contains(found) else {
            throw invalid(key, "a number from \(range.lowerBound) to \(range.upperBound) is expected")
        }
        return found
    }

    package func flag(_ key: String, default value: Bool) throws(CheckpointError) -> Bool {
        if json[key].isNull { return value }
        guard let found = json[key].bool else { throw invalid(key, "true or false is expected") }
        return found
    }

    /// Nil where the file is silent.
    package func choice<Choice: RawRepresentable & CaseIterable>(_ key: String) throws(CheckpointError) -> Choice?
    where Choice.RawValue == String {
        if json[key].isNull { return nil }
        guard let text = json[key].text, let found = Choice(rawValue: text) else {
            throw invalid(key, "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", ")) is expected")
        }
        return found
    }

    /// Refuses every option that is neither silent nor one of the values that are built here, the usual one first.
    package func allow(only: [(key: String, values: [JSON])], of things: String) throws(CheckpointError) {
        for (key, values) in only where !json[key].isNull && !values.contains(json[key]) {
            throw invalid(
                key, values.first.map { "only \($0.description) is supported" } ?? "\(things) with it are not supported"
            )
        }
    }
}
