import Painting

/// Where results go: a table for people, or a JSON line each.
struct Report {
    let json: Bool

    func heading(_ text: String) {
        remark("\n\(text)")
    }

    /// For people alone.
    func remark(_ text: String) {
        if !json { print(text) }
    }

    /// - Parameters:
    ///   - text: the line for people
    ///   - members: the same for programs, in full precision
    func line(_ text: String, _ members: [(String, JSONText)]) {
        print(json ? JSONText.object(members).string : text)
    }
}
