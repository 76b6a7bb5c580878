#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A picture and its mask as one argument, "picture.png:mask.png".
struct MaskedLayer {
    let picture, mask: String

    /// Apart at the colon; where names have colons themselves, at the one that leaves two files that are there.
    init?(_ text: String) {
        let colons = text.indices.filter { text[$0] == ":" }
        let ways = colons.reversed().map { (String(text[..<$0]), String(text[text.index(after: $0)...])) }
            .filter { !$0.0.isEmpty && !$0.1.isEmpty }
        guard let chosen = ways.first(where: { access($0.0, F_OK) == 0 && access($0.1, F_OK) == 0 }) ?? ways.first
        else { return nil }
        (picture, mask) = chosen
    }
}
