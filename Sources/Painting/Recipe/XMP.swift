/// A recipe inside an XMP packet, for JPEG and TIFF, which have no text entries like PNG's.
///
/// Source: Adobe, "XMP Specification, Part 1" (2012), sections 7.3 and 7.4.
enum XMP {
    private static let space = "urn:velatura:recipe#"
    private static let opening = "<velatura:recipe>"
    private static let closing = "</velatura:recipe>"

    /// The packet with the recipe in it; what another program wrote there is kept.
    static func packet(_ old: [UInt8]?, recipe json: String) -> [UInt8] {
        let description =
            "<rdf:Description rdf:about=\"\" xmlns:velatura=\"\(space)\">\(opening)\(SliderPage.escaped(json))\(closing)</rdf:Description>"
        if let old, let text = String(validating: without(recipeIn: old), as: UTF8.self),
            let end = text.range(ofText: "</rdf:RDF>")
        {
            return Array((text[..<end.lowerBound] + description + text[end.lowerBound...]).utf8)
        }
        return Array(
            """
            <?xpacket begin="\u{FEFF}" id="W5M0MpCehiHzreSzNTczkc9d"?>
            <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\(description)</rdf:RDF></x:xmpmeta>
            <?xpacket end="w"?>
            """.utf8)
    }

    /// The recipe's JSON, where the packet has one.
    static func recipe(in packet: [UInt8]) -> String? {
        guard let text = String(validating: packet, as: UTF8.self), let start = text.range(ofText: opening),
            let end = text[start.upperBound...].range(ofText: closing)
        else { return nil }
        var json = String(text[start.upperBound..<end.lowerBound])
        for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
            json = json.replacing(entity, with: character)
        }
        return json
    }

    /// The packet without a recipe of ours.
    static func without(recipeIn packet: [UInt8]) -> [UInt8] {
        let marker = "<rdf:Description rdf:about=\"\" xmlns:velatura=\"\(space)\">"
        guard let text = String(validating: packet, as: UTF8.self), let start = text.range(ofText: marker),
            let end = text[start.upperBound...].range(ofText: closing + "</rdf:Description>")
        else { return packet }
        return Array((text[..<start.lowerBound] + text[end.upperBound...]).utf8)
    }
}

extension StringProtocol {
    /// The first place of `text`, by bytes: accents that follow it do not hide it.
    fileprivate func range(ofText text: String) -> Range<Index>? {
        let wanted = Array(text.utf8)
        var start = utf8.startIndex
        while start != utf8.endIndex {
            if utf8[start] == wanted[0], utf8[start...].starts(with: wanted) {
                return start..<utf8.index(start, offsetBy: wanted.count)
            }
            start = utf8.index(after: start)
        }
        return nil
    }
}
