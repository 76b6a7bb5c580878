#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif
import Tensors

/// A file of tensors. Source: the safetensors format, github.com/huggingface/safetensors, README, "Format".
///
/// Eight bytes of header length, a JSON header, then one buffer that the tensors cover without a hole or an overlap.
/// Everything the header says is checked against the file before a byte of the buffer is used.
package struct SafetensorsFile: Sendable {
    package struct Entry: Sendable {
        /// Name of the number format as it stands in the file.
        package let format: String
        package let shape: [Int]
        /// Bytes in the buffer.
        package let range: Range<Int>
    }

    package let name: String
    package let entries: [String: Entry]
    /// The text entries of `__metadata__`.
    package let metadata: [String: String]
    fileprivate let file: FileBytes
    private let bufferStart: Int

    /// Largest header that is read, as in the reference implementation.
    private static let largestHeader = 100_000_000

    /// Bytes of one value, by the format's name.
    private static let sizes = [
        "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "I16": 2, "F16": 2, "BF16": 2, "U32": 4,
        "I32": 4, "F32": 4, "U64": 8, "I64": 8, "F64": 8,
    ]

    private struct HeaderEntry: Decodable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    private struct Header: Decodable {
        var entries: [String: HeaderEntry] = [:]
        var metadata: [String: String] = [:]

        private struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Name.self)
            for key in container.allKeys {
                if key.stringValue == "__metadata__" {
                    metadata = (try? container.decode([String: String].self, forKey: key)) ?? [:]
                } else {
                    entries[key.stringValue] = try container.decode(HeaderEntry.self, forKey: key)
                }
            }
        }
    }

    /// - Throws: ``CheckpointError/invalid(_:)`` when the header and the file do not agree.
    package init(_ file: FileBytes) throws(CheckpointError) {
        func refusal(_ reason: String) -> CheckpointError {
            .invalid("\(file.name) is not a valid safetensors file: \(reason). Download or convert it again.")
        }
        guard file.count >= 8 else { throw refusal("it has \(file.count) bytes") }
        let length = UInt64(littleEndian: file.pointer.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(file.count - 8) else {
            throw refusal("its header should have \(length) bytes but the file has \(file.count)")
        }
        guard length <= UInt64(Self.largestHeader) else {
            throw refusal("its header has \(length) bytes, more than \(Self.largestHeader)")
        }
        let headerBytes = UnsafeRawBufferPointer(start: file.pointer + 8, count: Int(length))
        guard headerBytes.first == UInt8(ascii: "{"),
            let header = try? JSONDecoder().decode(Header.self, from: Data(headerBytes))
        else { throw refusal("its header is not the expected JSON") }

        let bufferCount = file.count - 8 - Int(length)
        var entries: [String: Entry] = [:]
        for (key, entry) in header.entries {
            guard let size = Self.sizes[entry.dtype] else {
                throw refusal("\(key) has the unknown number format \(entry.dtype)")
            }
            var bytes = size
            for side in entry.shape {
                let (product, overflow) = bytes.multipliedReportingOverflow(by: side)
                guard side >= 0, !overflow else { throw refusal("\(key) has the impossible shape \(entry.shape)") }
                bytes = product
            }
            guard entry.data_offsets.count == 2, let begin = entry.data_offsets.first,
                let end = entry.data_offsets.last,
                begin >= 0, begin <= end, end <= bufferCount
            else { throw refusal("\(key) lies at \(entry.data_offsets) but the buffer has \(bufferCount) bytes") }
            guard end - begin == bytes else {
                throw refusal("\(key) has \(end - begin) bytes but its shape \(entry.shape) needs \(bytes)")
            }
            entries[key] = Entry(format: entry.dtype, shape: entry.shape, range: begin..<end)
        }
        // Without a hole or an overlap: each begins where the one before ends. A repeated key leaves a hole.
        var covered = 0
        for (key, entry) in entries.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound) < (
                $1.value.range.lowerBound, $1.value.range.upperBound
            )
        }) {
            guard entry.range.lowerBound == covered else {
                throw refusal(
                    "\(key) begins at byte \(entry.range.lowerBound) but the tensors before it end at \(covered)")
            }
            covered = entry.range.upperBound
        }
        guard covered == bufferCount else {
            throw refusal("its tensors cover \(covered) of \(bufferCount) bytes")
        }
        (self.file, self.entries, metadata, bufferStart) = (file, entries, header.metadata, 8 + Int(length))
        name = file.name
    }

    /// The raw bytes of a tensor.
    package func bytes(_ entry: Entry) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: file.pointer + bufferStart + entry.range.lowerBound, count: entry.range.count)
    }

    /// A tensor as weights, or nil where it is not there.
    ///
    /// - Throws: ``CheckpointError/invalid(_:)`` when its number format is none of a network's.
    package func weights(_ key: String) throws(CheckpointError) -> Weights? {
        guard let entry = entries[key] else { return nil }
        guard let format = Weights.Format(rawValue: entry.format) else {
            throw .invalid("\(name) holds \(key) as \(entry.format), but weights must be F32, F16 or BF16.")
        }
        return Weights(
            shape: entry.shape, format: format, bytes: file.pointer + bufferStart + entry.range.lowerBound, owner: file)
    }
}

extension SafetensorsFile {
    /// Lends the whole file, for hashing.
    package func withBytes(_ body: (UnsafeRawBufferPointer) -> Void) {
        withExtendedLifetime(file) { body(file.bytes) }
    }
}

extension SafetensorsFile {
    /// Number of values in all tensors.
    package var valueCount: Int { entries.values.reduce(0) { $0 + $1.shape.reduce(1, *) } }

    /// The number formats met, such as ["F16"].
    package var formats: [String] { Set(entries.values.map(\.format)).sorted() }
}
