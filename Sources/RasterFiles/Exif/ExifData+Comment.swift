/// Adding a comment to data of which no byte may move: directories that lack an entry are written anew behind all, and the
/// link to them is changed.
extension ExifData {
    /// Data that say nothing, in the order that most cameras write.
    static var empty: ExifData? {
        // A directory has at least one entry: here that the picture stands upright.
        let entry: [UInt8] = [0x12, 1, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0]
        return ExifData([0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0] + entry + [0, 0, 0, 0])
    }

    /// Writes the user's comment, in place of the one that is there.
    ///
    /// - Parameter value: of the tag, its code of eight bytes first
    mutating func note(_ value: [UInt8]) {
        guard let first else { return }
        let inner = file.directory(of: first[TagFile.exifDirectory])
        if let tag = inner?[ExifComment.tag] {
            put(value, of: tag)
        } else if let inner, let entries = entries(of: inner), let link = first[TagFile.exifDirectory], link.count == 1,
            link.kind == 4 || link.kind == 13
        {
            let place = end
            let behind = place + size(of: entries.count + 1)
            append(entries + [comment(value, at: behind)], next: inner.next)
            put(place, 4, at: link.values.lowerBound)
            bytes += value
        } else if inner == nil, first[TagFile.exifDirectory] == nil, let entries = entries(of: first) {
            let place = end
            let start = place + size(of: 2)
            let behind = start + size(of: entries.count + 1)
            append([entry(0x9000, 7, 4, Array("0232".utf8)), comment(value, at: behind)], next: 0)
            append(entries + [entry(TagFile.exifDirectory, 4, 1, file.bytes(place, 4))], next: first.next)
            put(start, 4, at: 4)
            bytes += value
        }
        self = ExifData(bytes) ?? self
    }

    /// Another value for a tag: over the old one where that has room, or at the end.
    private mutating func put(_ value: [UInt8], of tag: TagFile.Tag) {
        let old = tag.values.clamped(to: 0..<bytes.count)
        let isOutside = tag.values.count > 4 && old.count == tag.values.count
        if isOutside, old.upperBound == bytes.count {
            bytes.removeLast(old.count)
        } else if isOutside, value.count <= old.count {
            bytes.replaceSubrange(old, with: value + [UInt8](repeating: 0, count: old.count - value.count))
            return put(value.count, 4, at: tag.place + 4)
        }
        let place = end
        bytes += [UInt8](repeating: 0, count: place - bytes.count) + value
        bytes.replaceSubrange(tag.place..<tag.place + 12, with: comment(value, at: place))
    }

    /// Where what is added begins.
    private var end: Int { (bytes.count + 1) / 2 * 2 }

    private func size(of entries: Int) -> Int { 6 + entries * 12 }

    private func entry(_ number: Int, _ kind: Int, _ count: Int, _ value: [UInt8]) -> [UInt8] {
        file.bytes(number, 2) + file.bytes(kind, 2) + file.bytes(count, 4) + value
    }

    private func comment(_ value: [UInt8], at place: Int) -> [UInt8] {
        entry(ExifComment.tag, 7, value.count, file.bytes(place, 4))
    }

    /// A directory's entries as they lie; nil where it is not whole.
    private func entries(of directory: TagFile.Directory) -> [[UInt8]]? {
        let range = directory.range
        guard let count = file.number(bytes[range.lowerBound..<range.lowerBound + 2]), range.count == size(of: count)
        else { return nil }
        return (0..<count).map { index in
            let place = range.lowerBound + 2 + index * 12
            return Array(bytes[place..<place + 12])
        }
    }

    /// Adds a directory at the end, its entries in their order.
    private mutating func append(_ entries: [[UInt8]], next: Int) {
        bytes += [UInt8](repeating: 0, count: end - bytes.count)
        let sorted = entries.enumerated().sorted { one, other in
            let numbers = (file.number(one.element[..<2]) ?? 0, file.number(other.element[..<2]) ?? 0)
            return numbers.0 == numbers.1 ? one.offset < other.offset : numbers.0 < numbers.1
        }
        bytes += file.bytes(entries.count, 2) + sorted.flatMap(\.element) + file.bytes(next, 4)
    }
}
