/// Two numbers such as "16:9".
struct Proportions {
    let width, height: Int

    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let width = parts[0], let height = parts[1], (1...65536).contains(width),
            (1...65536).contains(height)
        else { return nil }
        (self.width, self.height) = (width, height)
    }
}
