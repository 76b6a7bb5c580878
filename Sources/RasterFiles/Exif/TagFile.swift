import CodecShims

/// Directories of tags, as TIFF files and EXIF data hold them: a byte-order mark, 42 (in BigTIFF 43), the place of the first
/// directory; entries of 12 bytes (20), whose values lie in them or elsewhere.
///
/// Nothing in them is believed: every place is checked against the end, and whoever follows pointers does so only so often.
/// Source: TIFF 6.0, section 2; CIPA DC-008 (EXIF), section 4.6; the BigTIFF proposal of 2004.
struct TagFile {
    let count: Int
    let isBigEndian: Bool
    let isBig: Bool
    /// Where the first directory begins.
    let first: Int
    private let fetch: (_ place: Int, _ count: Int) -> [UInt8]

    /// One entry of a directory.
    struct Tag {
        var number: Int
        /// 1 byte, 2 text, 3 short, 4 long, 5 rational, and so on.
        var kind: Int
        var count: Int
        /// Where its entry lies, and its values.
        var place: Int
        var values: Range<Int>
        var isInside: Bool { values.lowerBound < place + 20 && values.lowerBound >= place }
    }

    struct Directory {
        /// Where it lies, the link to the next one included.
        var range: Range<Int>
        /// In file order, but for those whose values have an impossible size, and those whose number was there before: each
        /// could lead to all of a directory again.
        var tags: [Tag]
        /// Where the next one begins, 0 where there is none.
        var next: Int

        subscript(number: Int) -> Tag? { tags.first { $0.number == number } }
    }

    /// - Parameter fetch: copies the bytes from a place on, fewer at the end
    init?(count: Int, _ fetch: @escaping (_ place: Int, _ count: Int) -> [UInt8]) {
        let head = fetch(0, 16)
        guard head.count >= 8, head[0] == head[1], head[0] == 0x49 || head[0] == 0x4D else { return nil }
        (self.count, isBigEndian, self.fetch) = (count, head[0] == 0x4D, fetch)
        let version = Self.number(head[2..<4], head[0] == 0x4D)
        isBig = version == 43
        guard version == 42 || (isBig && head.count == 16),
            let first = Self.number(isBig ? head[8..<16] : head[4..<8], head[0] == 0x4D)
        else { return nil }
        self.first = first
    }

    init?(_ bytes: [UInt8]) {
        self.init(count: bytes.count) { place, count in
            guard place >= 0, place < bytes.count, count > 0 else { return [] }
            return Array(bytes[place..<min(bytes.count, place + min(count, bytes.count))])
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>, _ isBigEndian: Bool) -> Int? {
        func joined(_ all: some Sequence<UInt8>) -> UInt64 { all.reduce(0) { $0 << 8 | UInt64($1) } }
        return Int(exactly: isBigEndian ? joined(bytes) : joined(bytes.reversed()))
    }

    /// A whole number of so many bytes.
    func number(_ bytes: some Collection<UInt8>) -> Int? { Self.number(Array(bytes)[...], isBigEndian) }

    /// A whole number as the file has it.
    func bytes(_ number: Int, _ count: Int) -> [UInt8] {
        let little = (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
        return isBigEndian ? little.reversed() : little
    }

    /// Bytes of one value of a kind.
    static func unit(_ kind: Int) -> Int? {
        let units = [1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4]
        return units[kind] ?? [16: 8, 17: 8, 18: 8][kind]
    }

    /// Bytes of the count of a directory's entries, of an entry, of what may lie inside one, and of a link.
    var sizes: (count: Int, entry: Int, inside: Int, link: Int) { isBig ? (8, 20, 8, 8) : (2, 12, 4, 4) }

    /// The directory at a place; where the file ends in it, what is there of it.
    func directory(at place: Int) -> Directory? {
        let sizes = sizes
        guard place >= 8, place < count - sizes.count, let entries = number(fetch(place, sizes.count)),
            (1...65_535).contains(entries)
        else { return nil }
        let start = place + sizes.count
        let all = fetch(start, entries * sizes.entry + sizes.link)
        guard all.count >= sizes.entry else { return nil }
        var (tags, numbers): ([Tag], Set<Int>) = ([], [])
        for index in 0..<min(entries, all.count / sizes.entry) {
            let entry = all[index * sizes.entry..<(index + 1) * sizes.entry]
            let at = entry.startIndex
            guard let name = number(entry[at..<at + 2]), let kind = number(entry[at + 2..<at + 4]),
                let unit = Self.unit(kind), let many = number(entry[at + 4..<at + sizes.entry - sizes.inside])
            else { continue }
            let (bytes, isTooMuch) = many.multipliedReportingOverflow(by: unit)
            let own = start + index * sizes.entry
            let inside = own + sizes.entry - sizes.inside
            let rest = entry[(at + sizes.entry - sizes.inside)...]
            guard !isTooMuch, let values = bytes <= sizes.inside ? inside : number(rest), values <= Int.max - bytes,
                numbers.insert(name).inserted
            else { continue }
            tags.append(Tag(number: name, kind: kind, count: many, place: own, values: values..<values + bytes))
        }
        let link = all.dropFirst(entries * sizes.entry)
        return Directory(
            range: place..<start + all.count, tags: tags, next: link.count == sizes.link ? number(link) ?? 0 : 0)
    }

    /// A tag's values as they lie in the file, or nil where they lie beyond its end.
    func bytes(_ tag: Tag, most: Int = 1 << 24) -> [UInt8]? {
        guard tag.values.upperBound <= count, tag.values.count <= most else { return nil }
        let bytes = fetch(tag.values.lowerBound, tag.values.count)
        return bytes.count == tag.values.count ? bytes : nil
    }

    func bytes(_ range: Range<Int>) -> [UInt8] { fetch(range.lowerBound, range.count) }

    /// A tag's first value, where it is a whole number.
    func integer(_ tag: Tag?) -> Int? {
        guard let tag, [1, 3, 4, 13, 16, 18].contains(tag.kind), tag.count > 0, let unit = Self.unit(tag.kind),
            tag.values.lowerBound <= count - unit
        else { return nil }
        let bytes = fetch(tag.values.lowerBound, unit)
        return bytes.count == unit ? number(bytes) : nil
    }

    /// A tag's first value, where it is a fraction above 0.
    func fraction(_ tag: Tag?) -> Double? {
        guard let tag, tag.kind == 5, tag.count > 0, let bytes = bytes(tag), let above = number(bytes[..<4]),
            let below = number(bytes[4..<8]), above > 0, below > 0
        else { return nil }
        return Double(above) / Double(below)
    }

    /// The directory that a tag points to.
    func directory(of tag: Tag?) -> Directory? { integer(tag).flatMap(directory) }
}

extension TagFile {
    /// The tags of a source that is read where it lies.
    init?(_ source: codec_source) {
        self.init(count: Int(clamping: source.count)) { place, count in
            guard place >= 0, count > 0, UInt64(place) < source.count else { return [] }
            var (source, failure) = (source, codec_failure())
            let wanted = Int(min(UInt64(count), source.count - UInt64(place)))
            return [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialised in
                initialised = codec_source_read(&source, UInt64(place), buffer.baseAddress, wanted, &failure)
            }
        }
    }

    /// The tags of a file that is being written.
    init?(_ sink: codec_sink, count: Int) {
        self.init(count: count) { place, wanted in
            guard place >= 0, wanted > 0, place < count else { return [] }
            var (sink, failure) = (sink, codec_failure())
            let most = min(wanted, count - place)
            return [UInt8](unsafeUninitializedCapacity: most) { buffer, initialised in
                initialised = codec_sink_read(&sink, UInt64(place), buffer.baseAddress, most, &failure)
            }
        }
    }
}
