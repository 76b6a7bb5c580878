import Raster

/// Why a picture could not be read or written, by whose responsibility it is.
///
/// `description` is one line: what is wrong, with the values; a full stop; then the mend.
package enum PictureFileError: Error, Hashable, Sendable, CustomStringConvertible {
    // The caller named something that cannot be read.
    case notFound(path: String)
    case isFolder(path: String)
    case notReadable(path: String, reason: String)

    // The file is not what it should be.
    case empty(path: String)
    case notAPicture(path: String)
    case foreign(path: String, format: ForeignFormat)
    case noSuchPage(path: String, page: Int, count: Int)
    case truncated(path: String, format: PictureFormat, detail: String)
    case damaged(path: String, format: PictureFormat, detail: String)
    case unsupported(path: String, format: PictureFormat, detail: String)

    // The file asks for more than is allowed.
    case fileTooLarge(path: String, bytes: Int, limit: Int)
    case sideTooLong(path: String, size: PixelSize, limit: Int)
    case tooManyPixels(path: String, size: PixelSize, limit: Int)
    case promisesTooMuch(path: String, format: PictureFormat, size: PixelSize, bytes: Int)
    case formatTooSmall(path: String, format: PictureFormat, size: PixelSize)
    case outOfMemory(path: String)

    // The machine lacks something.
    case colour(path: String, fault: ColourFault)
    case libraryMissing(format: PictureFormat, detail: String)

    // The world stood in the way.
    case cannotCreate(path: String, reason: String)
    case alreadyExists(path: String)
    case readFailed(path: String, reason: String)
    case writeFailed(path: String, reason: String)
    case encodingFailed(path: String, format: PictureFormat, detail: String)

    /// The process's exit code for this error, as `sysexits.h` has them.
    package var exitCode: Int32 {
        switch self {
        case .notFound, .isFolder, .notReadable, .noSuchPage: 66
        case .empty, .notAPicture, .foreign, .truncated, .damaged, .unsupported: 65
        case .fileTooLarge, .sideTooLong, .tooManyPixels, .promisesTooMuch, .formatTooSmall, .outOfMemory: 65
        case .libraryMissing, .colour: 69
        case .cannotCreate, .alreadyExists: 73
        case .readFailed, .writeFailed: 74
        case .encodingFailed: 70
        }
    }

    package var description: String {
        switch self {
        case .notFound(let path):
            "\(path) is not there. Check the name and the folder."
        case .isFolder(let path):
            "\(path) is a folder, not a picture. Name a file inside it."
        case .notReadable(let path, let reason):
            "\(path) cannot be opened: \(reason). Check who may read it."
        case .empty(let path):
            "\(path) is not a picture: it is empty. Velatura reads \(PictureFormat.readable)."
        case .notAPicture(let path):
            "\(path) is not a picture: its first bytes are those of no known format. "
                + "Velatura reads \(PictureFormat.readable)."
        case .foreign(let path, let format):
            "\(path) is \(format.name), which Velatura does not read. \(format.mend)"
        case .noSuchPage(let path, let page, let count):
            "\(path) asks for page \(page), and the file has \(count == 1 ? "one page" : "\(count) pages"). Pages count from 1."
        case .truncated(let path, let format, let detail):
            "\(path) is a \(format.name) that was cut short: \(detail). Copy or download it again."
        case .damaged(let path, let format, let detail):
            "\(path) is a damaged \(format.name): \(detail). Copy or download it again, or save it anew."
        case .unsupported(let path, let format, let detail):
            "\(path) is a \(format.name) of a kind that is not read: \(detail). "
                + (format == .webp
                    ? "Save one picture of it as PNG." : "Save it as grey or RGB with 8 or 16 bits a channel.")
        case .fileTooLarge(let path, let bytes, let limit):
            "\(path) has \(bytes) bytes and the limit is \(limit). Use a smaller file."
        case .sideTooLong(let path, let size, let limit):
            "\(path) is \(size) and the longest side may have \(limit) pixels. Reduce it first."
        case .tooManyPixels(let path, let size, let limit):
            "\(path) is \(size), which is \(size.area) pixels, and the limit is \(limit). Reduce it first."
        case .promisesTooMuch(let path, let format, let size, let bytes):
            "\(path) is a damaged \(format.name): it claims \(size) pixels, which its \(bytes) bytes cannot hold. "
                + "Copy or download it again."
        case .formatTooSmall(let path, let format, let size):
            "\(path) would be \(size) and \(format.name) holds at most \(format.longestSide) pixels a side. "
                + "Write a PNG or TIFF."
        case .outOfMemory(let path):
            "\(path) needs more memory than there is. Reduce it first."
        case .colour(let path, let fault): "\(path) \(fault)"
        case .libraryMissing(let format, let detail):
            "\(format.name) files need a library, and \(detail). Install it, or use another format."
        case .cannotCreate(let path, let reason):
            "\(path) cannot be created: \(reason). Choose another place for it."
        case .alreadyExists(let path):
            "\(path) exists already. Choose another name, or pass --overwrite."
        case .readFailed(let path, let reason):
            "\(path) could not be read to its end: \(reason). Check the disk."
        case .writeFailed(let path, let reason):
            "\(path) could not be written: \(reason). Nothing was left under that name; make room and try again."
        case .encodingFailed(let path, let format, let detail):
            "\(path) could not be made into a \(format.name): \(detail). Please report this."
        }
    }
}
