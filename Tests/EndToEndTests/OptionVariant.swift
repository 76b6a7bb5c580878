import Raster
import Testing

/// Two values of an option that make two pictures, and what the recipe calls it.
struct OptionVariant: CustomTestStringConvertible, Sendable {
    let key: String
    let first, second: [String]

    init(_ key: String, _ first: [String], _ second: [String]) {
        (self.key, self.first, self.second) = (key, first, second)
    }

    var testDescription: String { "\(key): \(first.joined(separator: " ")) / \(second.joined(separator: " "))" }

    /// Both values are painted: the pictures differ, and so does what their recipes say.
    func check(_ paint: ([String]) throws -> Picture) throws {
        let (before, after) = (try paint(first), try paint(second))
        #expect(before.samples != after.samples)
        let (old, new) = (try before.recipe(), try after.recipe())
        #expect(new.keys.contains(key))
        #expect("\(old[key] ?? "")" != "\(new[key] ?? "")")
    }
}
