/// The file formats that Velatura reads, and but for WebP writes.
package enum PictureFormat: String, Sendable, CaseIterable {
    case png
    case jpeg
    case tiff
    case webp

    /// The format whose signature `bytes` begin with; names are never asked.
    package init?(content bytes: [UInt8]) {
        let signatures: [(PictureFormat, [UInt8])] = [
            (.png, [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]),
            (.jpeg, [0xFF, 0xD8, 0xFF]),
            (.tiff, [0x49, 0x49, 42, 0]), (.tiff, [0x4D, 0x4D, 0, 42]),
            // BigTIFF
            (.tiff, [0x49, 0x49, 43, 0]), (.tiff, [0x4D, 0x4D, 0, 43]),
        ]
        // "RIFF", the length, "WEBP".
        if bytes.starts(with: [0x52, 0x49, 0x46, 0x46]), bytes.dropFirst(8).starts(with: [0x57, 0x45, 0x42, 0x50]) {
            self = .webp
            return
        }
        guard let match = signatures.first(where: { bytes.starts(with: $0.1) }) else { return nil }
        self = match.0
    }

    /// The format that a file name asks for, or nil when its ending is none of ours.
    package init?(path: String) {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return nil }
        switch name[name.index(after: dot)...].lowercased() {
        case "png": self = .png
        case "jpg", "jpeg", "jpe": self = .jpeg
        case "tif", "tiff": self = .tiff
        case "webp": self = .webp
        default: return nil
        }
    }

    /// "PNG", "JPEG", "TIFF" or "WebP"
    package var name: String { self == .webp ? "WebP" : rawValue.uppercased() }

    /// Whether pictures can be written in it.
    package var isWritten: Bool { self != .webp }

    /// Bytes of EXIF data that JPEG's marker has room for.
    package static let mostExifInJPEG = 65_527

    /// What is read, in words.
    package static let readable = "PNG, JPEG, TIFF and WebP"

    /// The most bits of a sample that it can hold.
    package var mostDepth: Int {
        switch self {
        case .png: 16
        case .jpeg, .webp: 8
        case .tiff: 32
        }
    }

    /// What file names of this format end in, without the dot.
    package var fileExtension: String {
        switch self {
        case .png: "png"
        case .jpeg: "jpg"
        case .tiff: "tif"
        case .webp: "webp"
        }
    }

    /// The media type, as web pages need it.
    package var mediaType: String { "image/\(rawValue)" }

    /// The longest side that the format can hold, in pixels.
    var longestSide: Int {
        switch self {
        case .png: Int(Int32.max)
        case .jpeg: 65_500
        case .tiff: Int(UInt32.max)
        case .webp: 16_383
        }
    }
}
