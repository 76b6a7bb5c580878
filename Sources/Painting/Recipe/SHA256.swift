import CKernels
import RasterFiles

/// The SHA-256 hash. Source: FIPS 180-4.
///
/// The one cryptographic function that recipes need; blocks are mixed by the processor's own instructions where it has them,
/// since models are gigabytes.
package struct SHA256 {
    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var rest: [UInt8] = []
    private var count = 0
    private let form: sha256_form

    private static let best = sha256_best()

    /// - Parameter usesInstructions: false for the form that runs everywhere, for tests
    package init(usesInstructions: Bool = true) { form = usesInstructions ? Self.best : sha256_plain }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        count += bytes.count
        var bytes = bytes
        if !rest.isEmpty {
            let wanted = min(64 - rest.count, bytes.count)
            rest += bytes.prefix(wanted)
            bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(wanted))
            guard rest.count == 64 else { return }
            let block = rest
            block.withUnsafeBytes { mix($0) }
            rest = []
        }
        let whole = bytes.count / 64 * 64
        mix(UnsafeRawBufferPointer(rebasing: bytes.prefix(whole)))
        rest = Array(bytes.dropFirst(whole))
    }

    /// The hash as 64 hexadecimal digits.
    package mutating func finish() -> String {
        let bits = UInt64(count) * 8
        var tail = rest + [0x80]
        while tail.count % 64 != 56 { tail.append(0) }
        tail += (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * $0)) }
        tail.withUnsafeBytes { mix($0) }
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    /// The hash of a file's bytes, of which only a piece is in memory at a time.
    ///
    /// - Throws: ``PictureFileError``
    package static func hash(_ file: ReadableFile) throws -> String {
        var hash = SHA256()
        try file.forEachPiece { hash.update($0) }
        return hash.finish()
    }

    package static func hash(_ bytes: [UInt8]) -> String {
        var hash = SHA256()
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }

    private mutating func mix(_ blocks: UnsafeRawBufferPointer) {
        guard let first = blocks.bindMemory(to: UInt8.self).baseAddress, blocks.count >= 64 else { return }
        sha256_blocks(&state, first, blocks.count / 64, form)
    }
}
