import Raster

/// TIFFs of RGB pixels that lie in two strips, or in one for each colour. Pictures have an even height.
enum LongStrips: CaseIterable {
    case plain, plainBigEndian16, plainApart, packed, packedApart

    var isApart: Bool { self == .plainApart || self == .packedApart }
    var isPacked: Bool { self == .packed || self == .packedApart }
    var depth: Int { self == .plainBigEndian16 ? 16 : 8 }

    /// Source: TIFF 6.0, sections 2 and 9 (PackBits).
    func file(_ picture: Picture) -> [UInt8] {
        let isBig = depth == 16
        func number(_ value: Int, _ bytes: Int) -> [UInt8] {
            let little = (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
            return isBig ? little.reversed() : little
        }
        let strips = strips(of: picture)
        let values = strips.count
        let directory = 8 + strips.map(\.count).reduce(0, +) + 6 + values * 8
        var starts: [Int] = []
        var place = 8
        for strip in strips {
            starts.append(place)
            place += strip.count
        }
        let depths = place
        let tables = depths + 6
        // Tag, type (3 of two bytes, 4 of four), values.
        func entry(_ tag: Int, _ type: Int, _ count: Int, _ value: Int) -> [UInt8] {
            let body = type == 3 && count == 1 ? number(value, 2) + [0, 0] : number(value, 4)
            return number(tag, 2) + number(type, 2) + number(count, 4) + body
        }
        let entries = [
            entry(256, 4, 1, picture.width), entry(257, 4, 1, picture.height), entry(258, 3, 3, depths),
            entry(259, 3, 1, isPacked ? 32773 : 1), entry(262, 3, 1, 2),
            entry(273, 4, values, values == 1 ? starts[0] : tables), entry(277, 3, 1, 3),
            entry(278, 4, 1, isApart ? picture.height : picture.height / 2),
            entry(279, 4, values, values == 1 ? strips[0].count : tables + values * 4),
            entry(284, 3, 1, isApart ? 2 : 1),
        ]
        var file: [UInt8] = isBig ? [0x4D, 0x4D] : [0x49, 0x49]
        file += number(42, 2) + number(directory, 4)
        for strip in strips { file += strip }
        for _ in 0..<3 { file += number(depth, 2) }
        for start in starts { file += number(start, 4) }
        for strip in strips { file += number(strip.count, 4) }
        return file + number(entries.count, 2) + entries.joined() + number(0, 4)
    }

    private func strips(of picture: Picture) -> [[UInt8]] {
        switch picture.samples {
        case .sixteen(let values):
            var strip: [UInt8] = []
            strip.reserveCapacity(values.count * 2)
            for value in values {
                strip.append(UInt8(value >> 8))
                strip.append(UInt8(truncatingIfNeeded: value))
            }
            return [Array(strip[..<(strip.count / 2)]), Array(strip[(strip.count / 2)...])]
        case .float: preconditionFailure("8 or 16 bits")
        case .eight(let values):
            if !isApart {
                let half = values.count / 2
                return [values[..<half], values[half...]].map { packed(Array($0), row: picture.width * 3) }
            }
            return (0..<3).map { channel in
                packed(stride(from: channel, to: values.count, by: 3).map { values[$0] }, row: picture.width)
            }
        }
    }

    /// Rows as literal runs, where they are packed at all.
    private func packed(_ values: [UInt8], row: Int) -> [UInt8] {
        guard isPacked else { return values }
        var strip: [UInt8] = []
        strip.reserveCapacity(values.count + values.count / 64)
        for start in stride(from: 0, to: values.count, by: row) {
            for run in stride(from: start, to: start + row, by: 128) {
                let end = min(run + 128, start + row)
                strip.append(UInt8(end - run - 1))
                strip += values[run..<end]
            }
        }
        return strip
    }
}
