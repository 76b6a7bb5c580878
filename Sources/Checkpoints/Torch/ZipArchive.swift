/// The table of contents of a zip archive whose records are stored as they are, which is how torch writes them.
///
/// Nothing is unpacked: a record is a range of the file. Source: PKWARE, APPNOTE 6.3, sections 4.3 to 4.5.
struct ZipArchive {
    /// Where each record's bytes lie.
    let records: [String: Range<Int>]

    /// - Throws: ``CheckpointError/invalid(_:)`` when a record is compressed or encrypted, lies about its size, or shares
    ///   bytes with another, and when a name leads out of the archive
    init(_ file: FileBytes) throws(CheckpointError) {
        func refusal(_ reason: String) -> CheckpointError {
            .invalid("\(file.name) is not a sound torch archive: \(reason). Download it again.")
        }
        let bytes = file.bytes
        let table = try Self.table(bytes, refusal)
        var reader = ByteReader(bytes, at: table.start)
        var records: [String: Range<Int>] = [:]
        var taken: [(range: Range<Int>, name: String)] = []
        for _ in 0..<table.count {
            guard let header = reader.take(46), header.loadUnaligned(as: UInt32.self) == 0x0201_4b50 else {
                throw refusal("its table of contents is cut short")
            }
            func short(_ place: Int) -> Int { Int(header.loadUnaligned(fromByteOffset: place, as: UInt16.self)) }
            func long(_ place: Int) -> Int { Int(header.loadUnaligned(fromByteOffset: place, as: UInt32.self)) }
            guard let nameBytes = reader.take(short(28)), let extra = reader.take(short(30)),
                reader.take(short(32)) != nil
            else { throw refusal("its table of contents is cut short") }
            let name = String(decoding: nameBytes, as: UTF8.self)
            guard !name.hasPrefix("/"), !name.contains("\\"), !name.unicodeScalars.contains("\0"),
                !name.split(separator: "/", omittingEmptySubsequences: false).contains("..")
            else { throw refusal("its record \(name) leads out of the archive") }
            // Programs are compressed where weights are not, so this comes first.
            guard !name.contains("/code/"), !name.hasSuffix("/constants.pkl") else {
                throw .invalid(
                    "\(file.name) is a TorchScript archive, which holds a program. Take the model's plain weights.")
            }
            guard short(8) & 1 == 0 else { throw refusal("its record \(name) is encrypted") }
            guard short(10) == 0 else {
                throw refusal("its record \(name) is compressed (method \(short(10))), which torch never does")
            }
            var sizes = [long(24), long(20), long(42)]
            Self.widen(&sizes, from: extra)
            let (size, stored, offset) = (sizes[0], sizes[1], sizes[2])
            guard size == stored, size >= 0 else {
                throw refusal("its record \(name) is stored in \(stored) bytes but should have \(size)")
            }
            guard offset >= 0, offset <= bytes.count - 30,
                bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self) == 0x0403_4b50
            else { throw refusal("its record \(name) is not where its table of contents says") }
            func local(_ place: Int) -> Int {
                Int(bytes.loadUnaligned(fromByteOffset: offset + place, as: UInt16.self))
            }
            let nameLength = local(26)
            let start = offset + 30 + nameLength + local(28)
            guard start <= bytes.count, size <= bytes.count - start else {
                throw refusal("its record \(name) should have \(size) bytes but the file ends before")
            }
            guard local(8) == 0, bytes[offset + 30..<offset + 30 + nameLength].elementsEqual(nameBytes) else {
                throw refusal("its record \(name) is another than its table of contents says")
            }
            guard records.updateValue(start..<start + size, forKey: name) == nil else {
                throw refusal("it holds \(name) twice")
            }
            taken.append((offset..<start + size, name))
        }
        taken.sort { $0.range.lowerBound < $1.range.lowerBound }
        for (one, next) in zip(taken, taken.dropFirst()) where next.range.lowerBound < one.range.upperBound {
            throw refusal("its records \(one.name) and \(next.name) share bytes")
        }
        if let last = taken.last, last.range.upperBound > table.start {
            throw refusal("its record \(last.name) shares bytes with its table of contents")
        }
        self.records = records
    }

    /// Where the table of contents begins, and how many records it has.
    private static func table(_ bytes: UnsafeRawBufferPointer, _ refusal: (String) -> CheckpointError)
        throws(CheckpointError) -> (start: Int, count: Int)
    {
        // The last record of the file, but for a comment of at most 65535 bytes.
        guard bytes.count >= 22,
            let end = (max(0, bytes.count - 22 - 65535)...bytes.count - 22).last(where: {
                bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self) == 0x0605_4b50
            })
        else { throw refusal("it has no table of contents, so it is cut short") }
        var count = Int(bytes.loadUnaligned(fromByteOffset: end + 10, as: UInt16.self))
        var size = Int(bytes.loadUnaligned(fromByteOffset: end + 12, as: UInt32.self))
        var start = Int(bytes.loadUnaligned(fromByteOffset: end + 16, as: UInt32.self))
        // Large archives say it in wider numbers, through a pointer right before.
        if end >= 20, bytes.loadUnaligned(fromByteOffset: end - 20, as: UInt32.self) == 0x0706_4b50 {
            let wide = Int(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: end - 12, as: UInt64.self))
            guard wide >= 0, wide <= end - 20 - 56,
                bytes.loadUnaligned(fromByteOffset: wide, as: UInt32.self) == 0x0606_4b50
            else { throw refusal("its table of contents is not where it says") }
            func number(_ place: Int) -> Int {
                Int(truncatingIfNeeded: bytes.loadUnaligned(fromByteOffset: wide + place, as: UInt64.self))
            }
            (count, size, start) = (number(32), number(40), number(48))
        }
        guard start >= 0, size >= 0, start <= end, size <= end - start, count >= 0, count <= size / 46 else {
            throw refusal("its table of contents should have \(count) records in \(size) bytes, which the file has not")
        }
        return (start, count)
    }

    /// Numbers that did not fit stand in an extra field, in the same order.
    private static func widen(_ numbers: inout [Int], from extra: UnsafeRawBufferPointer) {
        var reader = ByteReader(extra)
        while let kind = reader.integer(UInt16.self), let length = reader.integer(UInt16.self),
            let field = reader.take(Int(length))
        {
            guard kind == 1 else { continue }
            var wide = ByteReader(field)
            for i in numbers.indices where numbers[i] == 0xffff_ffff {
                numbers[i] = wide.integer(UInt64.self).map { Int(truncatingIfNeeded: $0) } ?? -1
            }
        }
    }
}
