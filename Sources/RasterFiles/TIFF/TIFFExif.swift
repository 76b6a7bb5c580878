/// What a TIFF's page says of its picture, as EXIF data: cameras and photo programs write the same tags in both.
extension TagFile {
    /// Tags of a first directory that tell of the picture and not of how the file holds it: name, description, maker and
    /// model, software, date, artist, computer, white and primaries, rating, copyright, the system's texts, print matching;
    /// EXIF's and GPS's own directories.
    static let telling: Set<Int> = [
        0x010D, 0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x013E, 0x013F, 0x4746, 0x4749, 0x8298, 0x9C9B,
        0x9C9C, 0x9C9D,
        0x9C9E, 0x9C9F, 0xC4A5, exifDirectory, gpsDirectory,
    ]
    static let (exifDirectory, gpsDirectory, interoperability) = (0x8769, 0x8825, 0xA005)
    /// Data beyond this place are packed anew: JPEG's marker holds no more.
    private static let furthest = 60_000
    private static let mostBytes = 1 << 24

    /// EXIF data made of a page's directory, or nil where it tells nothing.
    ///
    /// Values near the file's beginning keep their places, for the sake of makers' notes; those of others are packed.
    func exif(at page: Int) -> [UInt8]? {
        let own = directory(at: page)?.tags.filter { tag in
            guard Self.telling.contains(tag.number) else { return false }
            return isPointer(tag.number) ? directory(of: tag) != nil : tag.values.upperBound <= count
        }
        guard let own, !own.isEmpty else { return nil }
        return (isBig ? nil : keptInPlace(own)) ?? packed(own)
    }

    private func isPointer(_ number: Int) -> Bool {
        [Self.exifDirectory, Self.gpsDirectory, Self.interoperability].contains(number)
    }

    private var head: [UInt8] { (isBigEndian ? [0x4D, 0x4D] : [0x49, 0x49]) + bytes(42, 2) }

    private func keptInPlace(_ own: [Tag]) -> [UInt8]? {
        var ranges: [Range<Int>] = []
        func add(_ tags: [Tag], depth: Int) {
            for tag in tags {
                if tag.values.upperBound <= count, !tag.isInside { ranges.append(tag.values) }
                guard depth < 2, isPointer(tag.number), let inner = directory(of: tag) else { continue }
                ranges.append(inner.range)
                add(inner.tags, depth: depth + 1)
            }
        }
        add(own, depth: 0)
        let end = ranges.map(\.upperBound).max() ?? 8
        guard end <= Self.furthest, ranges.allSatisfy({ $0.lowerBound >= 8 }) else { return nil }
        var data = [UInt8](repeating: 0, count: max(8, (end + 1) / 2 * 2))
        // Values may share bytes, which are copied once.
        var copied = 8
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where range.upperBound > copied {
            let rest = max(copied, range.lowerBound)..<range.upperBound
            data.replaceSubrange(rest, with: bytes(rest))
            copied = rest.upperBound
        }
        data.replaceSubrange(0..<8, with: head + bytes(data.count, 4))
        data += bytes(own.count, 2)
        for tag in own { data += bytes(tag.place..<tag.place + 12) }
        return data + [0, 0, 0, 0]
    }

    private func packed(_ own: [Tag]) -> [UInt8]? {
        var (data, room) = (head + bytes(8, 4), Self.mostBytes)
        pack(own, into: &data, room: &room, depth: 0)
        return data
    }

    /// Appends a directory and behind it what it points to.
    ///
    /// - Parameter room: bytes of values that may still be taken, which may share those of the file
    private func pack(_ tags: [Tag], into data: inout [UInt8], room: inout Int, depth: Int) {
        var entries: [(Tag, [UInt8])] = []
        for tag in tags where tag.kind <= 13 || isPointer(tag.number) {
            if isPointer(tag.number) {
                if depth < 2, directory(of: tag) != nil { entries.append((tag, [])) }
            } else if let value = bytes(tag, most: min(room, Self.mostBytes / 8)) {
                room -= value.count
                entries.append((tag, value))
            }
        }
        var place = data.count
        data += bytes(entries.count, 2) + [UInt8](repeating: 0, count: entries.count * 12 + 4)
        place += 2
        for (tag, value) in entries {
            var (kind, many, inside) = (
                tag.kind, tag.count, value + [UInt8](repeating: 0, count: max(0, 4 - value.count))
            )
            if isPointer(tag.number) || value.count > 4 {
                if !data.count.isMultiple(of: 2) { data.append(0) }
                inside = bytes(data.count, 4)
                data += value
            }
            if isPointer(tag.number), let inner = directory(of: tag) {
                (kind, many) = (4, 1)
                pack(inner.tags, into: &data, room: &room, depth: depth + 1)
            }
            let entry = bytes(tag.number, 2) + bytes(kind, 2) + bytes(many, 4) + inside
            data.replaceSubrange(place..<place + 12, with: entry)
            place += 12
        }
    }
}
