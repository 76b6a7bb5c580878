/// An XMP packet that was too long for one marker: a short one that names the sum of the rest, and that in pieces.
///
/// Source: Adobe, "XMP Specification, Part 3" (2020), section 1.1.3.1.
extension JPEGMarkers {
    private static let extensionHeading = Array("http://ns.adobe.com/xmp/extension/\0".utf8)
    private static let note = Array(" xmpNote:HasExtendedXMP=\"".utf8)
    /// More than any program writes.
    private static let mostBytes = 1 << 26

    /// The whole packet out of the first application markers, or nil when there is none. Where pieces are missing it is
    /// what the first one says.
    static func xmp(_ markers: [[UInt8]]) -> [UInt8]? {
        guard let packet = markers.lazy.compactMap({ $0.after(xmpHeading) }).first else { return nil }
        guard let found = packet.firstPlace(of: note), found + note.count + 33 <= packet.count else { return packet }
        let sum = Array(packet[found + note.count..<found + note.count + 32])
        let pieces = markers.compactMap { $0.after(extensionHeading) }.filter { $0.starts(with: sum) && $0.count > 40 }
        guard let rest = joined(pieces), let begin = rest.firstPlace(of: Array("<rdf:RDF".utf8)),
            let inside = rest[begin...].firstIndex(of: UInt8(ascii: ">")),
            let end = rest.firstPlace(of: Array("</rdf:RDF>".utf8)), inside < end,
            let place = packet.firstPlace(of: Array("</rdf:RDF>".utf8)), place > found
        else { return packet }
        // The note tells of pieces that are none any more.
        let head = packet[..<found] + packet[(found + note.count + 33)..<place]
        return Array(head + rest[(inside + 1)..<end] + packet[place...])
    }

    /// Pieces put where they say that they belong: each the sum's 32 digits, the length of all, its own place, bytes.
    private static func joined(_ pieces: [[UInt8]]) -> [UInt8]? {
        func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
        guard let first = pieces.first else { return nil }
        let count = number(first[32..<36])
        guard (1...mostBytes).contains(count), count <= pieces.reduce(0, { $0 + $1.count - 40 }) else { return nil }
        var bytes = [UInt8]()
        for piece in pieces.sorted(by: { number($0[36..<40]) < number($1[36..<40]) }) {
            guard number(piece[32..<36]) == count, number(piece[36..<40]) == bytes.count else { return nil }
            bytes += piece[40...]
        }
        return bytes.count == count ? bytes : nil
    }
}

extension [UInt8] {
    /// Where these bytes begin for the first time.
    fileprivate func firstPlace(of wanted: [UInt8]) -> Int? {
        guard let head = wanted.first, count >= wanted.count else { return nil }
        return (0...count - wanted.count).first {
            self[$0] == head && self[$0..<$0 + wanted.count].elementsEqual(wanted)
        }
    }
}
