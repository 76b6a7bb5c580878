import CodecShims

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Adds to a TIFF that is finished what libtiff does not write: the tags of the EXIF data that stand at its start, and IPTC's
/// texts. The file's directory is written anew at its end, with theirs among its own.
struct TIFFLinking {
    let exif: [UInt8]?
    let iptc: [UInt8]?
    let sink: codec_sink

    private static let iptcTag = 0x83BB

    /// One entry, as the file has it.
    private typealias Entry = (number: Int, bytes: [UInt8])

    /// 0, or −1 with the failure recorded.
    func link(_ failure: UnsafeMutablePointer<codec_failure>) -> Int32 {
        guard exif != nil || iptc != nil, let file = TagFile(sink, count: length),
            let old = file.directory(at: file.first)
        else { return 0 }
        var end = (length + 15) / 16 * 16
        func append(_ bytes: [UInt8]) -> Int? {
            let place = end
            guard write(bytes, at: place, failure) == 0 else { return nil }
            end = (end + bytes.count + 15) / 16 * 16
            return place
        }
        var entries: [Entry] = old.tags.map { ($0.number, file.bytes($0.place..<$0.place + file.sizes.entry)) }
        if let exif, let inner = TagFile(exif), let first = inner.directory(at: inner.first) {
            for tag in first.tags where TagFile.telling.contains(tag.number) && old[tag.number] == nil {
                if let entry = entry(tag, of: inner, in: file, append) { entries.append((tag.number, entry)) }
            }
        }
        if let iptc, !iptc.isEmpty {
            // Long numbers by old custom, though they are bytes.
            let padded = iptc + [UInt8](repeating: 0, count: (4 - iptc.count % 4) % 4)
            guard let place = append(padded) else { return -1 }
            entries.append(
                (
                    Self.iptcTag,
                    file.bytes(Self.iptcTag, 2) + file.bytes(4, 2)
                        + file.bytes(padded.count / 4, file.sizes.entry - file.sizes.inside - 4)
                        + (padded.count == 4 ? padded : file.bytes(place, file.sizes.inside))
                ))
        }
        guard let place = append(directory(entries, in: file)) else { return -1 }
        let link = file.bytes(place, file.sizes.link)
        return write(link, at: file.isBig ? 8 : 4, failure)
    }

    private func write(_ bytes: [UInt8], at place: Int, _ failure: UnsafeMutablePointer<codec_failure>) -> Int32 {
        withUnsafePointer(to: sink) { codec_sink_write($0, UInt64(place), bytes, bytes.count, failure) }
    }

    /// An entry of the EXIF data as the file needs it. The data have the file's byte order, and stand at its start: places
    /// are the same in both.
    private func entry(_ tag: TagFile.Tag, of inner: TagFile, in file: TagFile, _ append: ([UInt8]) -> Int?) -> [UInt8]?
    {
        guard inner.isBigEndian == file.isBigEndian else { return nil }
        guard file.isBig else { return inner.bytes(tag.place..<tag.place + 12) }
        let pointers = [TagFile.exifDirectory, TagFile.gpsDirectory, TagFile.interoperability]
        if pointers.contains(tag.number) {
            // Directories of large files are longer.
            guard let directory = inner.directory(of: tag) else { return nil }
            let entries: [Entry] = directory.tags.compactMap { tag in
                entry(tag, of: inner, in: file, append).map { (tag.number, $0) }
            }
            guard let place = append(self.directory(entries, in: file)) else { return nil }
            return file.bytes(tag.number, 2) + file.bytes(18, 2) + file.bytes(1, 8) + file.bytes(place, 8)
        }
        let inside =
            tag.values.count <= 8
            ? inner.bytes(tag).map { $0 + [UInt8](repeating: 0, count: 8 - $0.count) }
            : file.bytes(tag.values.lowerBound, 8)
        guard let inside else { return nil }
        return file.bytes(tag.number, 2) + file.bytes(tag.kind, 2) + file.bytes(tag.count, 8) + inside
    }

    private func directory(_ entries: [Entry], in file: TagFile) -> [UInt8] {
        let sorted = entries.sorted { $0.number < $1.number }.flatMap(\.bytes)
        return file.bytes(entries.count, file.sizes.count) + sorted + file.bytes(0, file.sizes.link)
    }

    /// Bytes that are written.
    private var length: Int {
        if let buffer = sink.buffer { return buffer.pointee.count }
        var status = stat()
        return fstat(sink.file, &status) == 0 ? Int(status.st_size) : 0
    }
}
