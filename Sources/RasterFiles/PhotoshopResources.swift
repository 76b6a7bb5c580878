/// Photoshop's resources, among which IPTC's texts lie in JPEG: each the letters 8BIM, a number, a name, a length, bytes.
///
/// Source: Adobe Photoshop File Formats Specification, "Image Resource Blocks"; IPTC-NAA IIM 4.2.
enum PhotoshopResources {
    /// What IPTC's data begin with.
    static let iptcMark: UInt8 = 0x1C
    private static let iptcNumber = 0x0404
    private static let mark = Array("8BIM".utf8)

    /// IPTC's data out of the resources, or nil where they have none.
    static func iptc(_ resources: [UInt8]) -> [UInt8]? {
        var place = 0
        while place + 12 <= resources.count {
            let number = Int(resources[place + 4]) << 8 | Int(resources[place + 5])
            let isOurs = resources[place..<place + 4].elementsEqual(mark)
            // Name and length byte together are even.
            place += 6 + (Int(resources[place + 6]) / 2 + 1) * 2
            guard place + 4 <= resources.count else { return nil }
            let count = resources[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            place += 4
            guard count <= resources.count - place else { return nil }
            if isOurs, number == iptcNumber { return Array(resources[place..<place + count]) }
            place += (count + 1) / 2 * 2
        }
        return nil
    }

    /// The one resource of IPTC's data.
    static func holding(iptc: [UInt8]) -> [UInt8] {
        let count = (0..<4).map { UInt8(truncatingIfNeeded: iptc.count >> (24 - 8 * $0)) }
        return mark + [4, 4, 0, 0] + count + iptc + [UInt8](repeating: 0, count: iptc.count % 2)
    }
}
