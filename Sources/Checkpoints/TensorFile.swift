import Tensors

/// A file of named tensors, whatever its format: what every reader makes and every network is built from.
///
/// Only names, shapes and places are held; values stay in the mapped file until a layer takes them.
package struct TensorFile: Sendable {
    package struct Entry: Sendable, Equatable {
        /// Name of the number format, as safetensors has it: "F16", "I64", …
        package var format: String
        package var shape: [Int]
        /// Bytes of the file from the first value to the last.
        package var range: Range<Int>
        /// Values from one neighbour to the next along each side; nil where they follow each other in rows.
        package var strides: [Int]?

        package init(format: String, shape: [Int], range: Range<Int>, strides: [Int]? = nil) {
            (self.format, self.shape, self.range, self.strides) = (format, shape, range, strides)
        }

        package var count: Int { shape.reduce(1, *) }
    }

    package let name: String
    package var entries: [String: Entry]
    /// What the file says about itself beside its tensors.
    package var metadata: [String: String]
    let file: FileBytes

    init(_ file: FileBytes, entries: [String: Entry], metadata: [String: String]) {
        (name, self.file, self.entries, self.metadata) = (file.name, file, entries, metadata)
    }

    /// Bytes of one value, by the format's name.
    static let sizes = [
        "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2, "U32": 4,
        "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
    ]

    /// Opens a file of any format that is read, told apart by its first bytes and never by its name.
    ///
    /// - Throws: ``CheckpointError/invalid(_:)`` when it is none of them, or is damaged
    package init(_ file: FileBytes) throws(CheckpointError) {
        let bytes = file.bytes
        func begins(_ text: StaticString, at place: Int = 0) -> Bool {
            bytes.count >= place + text.utf8CodeUnitCount
                && text.withUTF8Buffer { bytes[place..<place + $0.count].elementsEqual($0) }
        }
        if begins("PK\u{3}\u{4}") || bytes.first == 0x80 && !begins("{", at: 8) {
            self = try TorchArchive(file).tensors()
        } else if begins("ustar", at: 257) {
            throw .invalid(
                "\(file.name) is a tar archive, as torch wrote before version 0.2. Load and save it with a later torch."
            )
        } else if begins("GGUF") {
            throw .invalid("\(file.name) is a GGUF file, which is not read. Take the safetensors file of the model.")
        } else if begins("{", at: 8) || file.name.hasSuffix(".safetensors") {
            try self.init(safetensors: file)
        } else {
            throw .invalid(
                "\(file.name) is neither a safetensors file nor a torch archive. Check that it was downloaded whole.")
        }
    }

    /// Opens the file at a path.
    ///
    /// - Throws: ``CheckpointError``
    package init(path: String) throws(CheckpointError) {
        if try ModelFolder.folderOnly(path: path, option: nil) != nil {
            throw .invalid("\(path) is a folder, but one file of tensors is expected. Give one of those in it.")
        }
        try self.init(try FileBytes(path: path, name: path.lastName))
    }

    /// How many of a tensor's values are no finite numbers; none of whole numbers.
    package func unsoundValues(_ key: String) -> Int {
        guard let entry = entries[key] else { return 0 }
        return withBytes(of: entry) { bytes in
            func count<Bits: FixedWidthInteger>(_ type: Bits.Type, _ exponent: Bits) -> Int {
                var found = 0
                for i in stride(from: 0, to: bytes.count, by: MemoryLayout<Bits>.size) {
                    let bits = Bits(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: Bits.self))
                    if bits & exponent == exponent { found += 1 }
                }
                return found
            }
            return switch entry.format {
            case "F64": count(UInt64.self, 0x7ff0 << 48)
            case "F32": count(UInt32.self, 0x7f80_0000)
            case "F16": count(UInt16.self, 0x7c00)
            case "BF16": count(UInt16.self, 0x7f80)
            // Only the largest code is none.
            case "F8_E4M3": count(UInt8.self, 0x7f)
            case "F8_E5M2": count(UInt8.self, 0x7c)
            default: 0
            }
        }
    }

    /// The raw bytes of a tensor whose values follow each other.
    package func bytes(_ entry: Entry) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: file.bytes[entry.range])
    }

    /// Bytes of one of a tensor's values, and of all.
    package func valueSize(_ entry: Entry) -> Int { Self.sizes[entry.format] ?? 1 }
    package func byteCount(_ entry: Entry) -> Int { entry.count * valueSize(entry) }

    /// The bytes of any tensor in the order of its shape, and what keeps them alive: the file's own where values follow
    /// each other, a copy where they have to be gathered.
    private func contents(_ entry: Entry) -> (bytes: UnsafeRawBufferPointer, owner: FileBytes) {
        guard let strides = entry.strides, let size = Self.sizes[entry.format] else { return (bytes(entry), file) }
        let source = file.pointer + entry.range.lowerBound
        let gathered = FileBytes(name: name, count: entry.count * size) { target in
            guard var out = target.baseAddress else { return }
            func gather(_ side: Int, _ place: Int) {
                guard side < entry.shape.count else {
                    out.copyMemory(from: source + place * size, byteCount: size)
                    out += size
                    return
                }
                for i in 0..<entry.shape[side] { gather(side + 1, place + i * strides[side]) }
            }
            gather(0, 0)
        }
        return (gathered.bytes, gathered)
    }

    /// Lends the bytes of any tensor in the order of its shape.
    package func withBytes<Result, Failure: Error>(
        of entry: Entry, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let (bytes, owner) = contents(entry)
        defer { withExtendedLifetime(owner) {} }
        return try body(bytes)
    }

    /// A tensor as weights, or nil where it is not there.
    ///
    /// - Throws: ``CheckpointError/invalid(_:)`` when its number format is none of a network's.
    package func weights(_ key: String) throws(CheckpointError) -> Weights? {
        guard let entry = entries[key] else { return nil }
        guard let format = Weights.Format(rawValue: entry.format) else {
            throw .invalid(
                "\(name) holds \(key) as \(entry.format), but weights must be \(Weights.Format.names).")
        }
        let (bytes, owner) = contents(entry)
        return Weights(shape: entry.shape, format: format, bytes: bytes.baseAddress ?? owner.pointer, owner: owner)
    }

    /// Lends the whole file, for hashing.
    package func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        withExtendedLifetime(file) { body(file.bytes) }
    }

    /// Lends the whole file in order, 16 MB at a time, each let go of before the next: for hashing what is larger than memory.
    package func forEachPiece(_ body: (UnsafeRawBufferPointer) -> Void) {
        for start in stride(from: 0, to: file.count, by: 1 << 24) {
            let piece = UnsafeRawBufferPointer(rebasing: file.bytes[start..<min(file.count, start + 1 << 24)])
            body(piece)
            file.letGo(of: piece)
        }
    }

    /// Number of values in all tensors.
    package var valueCount: Int { entries.values.reduce(0) { $0 + $1.count } }

    /// The number formats met, such as ["F16"].
    package var formats: [String] { Set(entries.values.map(\.format)).sorted() }
}

extension TensorFile.Entry {
    /// Part `part` of `parts` equal parts of the rows: what other writers keep as tensors of their own.
    func rows(part: Int, of parts: Int) -> TensorFile.Entry? {
        guard let all = shape.first, all % parts == 0, strides == nil else { return nil }
        let length = range.count / parts
        let start = range.lowerBound + part * length
        return .init(format: format, shape: [all / parts] + shape.dropFirst(), range: start..<start + length)
    }

    /// Rows as columns.
    var transposed: TensorFile.Entry? {
        guard shape.count == 2 else { return nil }
        let old = strides ?? [shape[1], 1]
        return .init(format: format, shape: [shape[1], shape[0]], range: range, strides: [old[1], old[0]])
    }
}
