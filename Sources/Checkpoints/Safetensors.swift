#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

// The safetensors format. Source: github.com/huggingface/safetensors, README, "Format".
//
// Eight bytes of header length, a JSON header, then one buffer that the tensors cover without a hole or an overlap.

/// Largest header that is read, as in the reference implementation.
private let largestHeader = 100_000_000

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

extension TensorFile {
    /// Everything that the header says is checked against the file before a byte of the buffer is used.
    ///
    /// - Throws: ``CheckpointError/invalid(_:)`` when the header and the file do not agree.
    package init(safetensors file: FileBytes) throws(CheckpointError) {
        func refusal(_ reason: String) -> CheckpointError {
            .invalid("\(file.name) is not a valid safetensors file: \(reason). Download or convert it again.")
        }
        guard file.count >= 8 else { throw refusal("it has \(file.count) bytes") }
        let length = UInt64(littleEndian: file.pointer.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(file.count - 8) else {
            throw refusal("its header should have \(length) bytes but the file has \(file.count)")
        }
        guard length <= UInt64(largestHeader) else {
            throw refusal("its header has \(length) bytes, more than \(largestHeader)")
        }
        let headerBytes = UnsafeRawBufferPointer(start: file.pointer + 8, count: Int(length))
        guard headerBytes.first == UInt8(ascii: "{"),
            let header = try? JSONDecoder().decode(Header.self, from: Data(headerBytes))
        else { throw refusal("its header is not the expected JSON") }

        let start = 8 + Int(length)
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
            entries[key] = Entry(
                format: entry.dtype, shape: entry.shape, range: start + begin..<start + end)
        }
        // Without a hole or an overlap: each begins where the one before ends. A repeated key leaves a hole.
        var covered = start
        for (key, entry) in entries.sorted(by: {
            ($0.value.range.lowerBound, $0.value.range.upperBound) < (
                $1.value.range.lowerBound, $1.value.range.upperBound
            )
        }) {
            guard entry.range.lowerBound == covered else {
                throw refusal(
                    "\(key) begins at byte \(entry.range.lowerBound - start) but the tensors before it end at \(covered - start)"
                )
            }
            covered = entry.range.upperBound
        }
        guard covered == file.count else {
            throw refusal("its tensors cover \(covered - start) of \(bufferCount) bytes")
        }
        self.init(file, entries: entries, metadata: header.metadata)
    }
}
