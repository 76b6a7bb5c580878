/// The orientation inside an XMP packet, a single digit that is changed in its place.
///
/// Source: XMP specification, part 2 (2016), section 8.3: `tiff:Orientation`, an attribute or an element.
enum XMPOrientation {
    private static let name = Array("tiff:Orientation".utf8)

    /// The same packet saying "upright", for a picture whose pixels have been turned.
    static func upright(_ packet: [UInt8]) -> [UInt8] {
        var packet = packet
        var place = 0
        while place + name.count + 3 <= packet.count {
            guard packet[place] == name[0], packet[place..<place + name.count].elementsEqual(name) else {
                place += 1
                continue
            }
            place += name.count
            // ="6" or ='6' or >6<
            let rest = packet[place...].prefix(8)
            guard let digit = rest.firstIndex(where: { (49...56).contains($0) }),
                rest[..<digit].allSatisfy({ [0x3D, 0x22, 0x27, 0x3E, 0x20].contains($0) })
            else { continue }
            packet[digit] = 49
        }
        return packet
    }
}
