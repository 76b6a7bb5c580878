import CodecShims
import Raster

/// A file's bytes on their way to a picture, with what error messages need.
struct PictureSource {
    /// Lent for as long as the source is used, by `file` where there is one.
    let content: codec_source
    /// The name to speak of the file by.
    let path: String
    let format: PictureFormat
    let limits: PictureFile.Limits
    /// The page that the name asks for, counted from 1.
    let page: Int?
    private let file: ReadableFile?

    /// Throws: `empty`, `notAPicture`; `fileTooLarge`; `readFailed`.
    init(_ file: ReadableFile, limits: PictureFile.Limits) throws(PictureFileError) {
        (content, path, self.limits, self.file) = (file.source, file.path, limits, file)
        page = PagedPath(file.path).page
        format = try Self.format(try file.beginning(16), of: file.count, file.path, limits)
    }

    /// Throws: `empty`, `notAPicture`; `fileTooLarge`.
    init(_ bytes: UnsafeBufferPointer<UInt8>, name: String, limits: PictureFile.Limits) throws(PictureFileError) {
        content = codec_source(bytes: bytes.baseAddress, file: -1, count: UInt64(bytes.count))
        (path, self.limits, file) = (name, limits, nil)
        page = PagedPath(name).page
        format = try Self.format(Array(bytes.prefix(16)), of: bytes.count, name, limits)
    }

    private static func format(_ beginning: [UInt8], of count: Int, _ path: String, _ limits: PictureFile.Limits)
        throws(PictureFileError) -> PictureFormat
    {
        if count == 0 { throw .empty(path: path) }
        if count > limits.fileBytes { throw .fileTooLarge(path: path, bytes: count, limit: limits.fileBytes) }
        if let foreign = ForeignFormat(content: beginning) { throw .foreign(path: path, format: foreign) }
        guard let format = PictureFormat(content: beginning) else { throw .notAPicture(path: path) }
        return format
    }

    /// Where the wanted page's directory begins in a TIFF; nil for its first directory, and in other files.
    ///
    /// Throws: `noSuchPage`; `unsupported` for what is no picture to be worked on.
    func directory() throws(PictureFileError) -> Int? {
        guard format == .tiff else {
            if let page, page != 1 { throw .noSuchPage(path: path, page: page, count: 1) }
            return nil
        }
        // What cannot be followed here, libtiff says more about.
        guard let pages = TIFFPages(content) else { return nil }
        if let fault = pages.fault { throw .unsupported(path: path, format: format, detail: fault) }
        guard let place = pages.place(page) else {
            throw .noSuchPage(path: path, page: page ?? 1, count: max(1, pages.places.count))
        }
        return place == pages.first ? nil : place
    }

    /// The picture's size when it is within limits and the file is long enough to hold what its header says.
    func checkedSize(_ header: codec_header) throws(PictureFileError) -> PixelSize {
        let size = PixelSize(width: Int(header.width), height: Int(header.height))
        if max(size.width, size.height) > limits.longestSide {
            throw .sideTooLong(path: path, size: size, limit: limits.longestSide)
        }
        if size.area > limits.pixels { throw .tooManyPixels(path: path, size: size, limit: limits.pixels) }
        if header.smallest_file > content.count {
            throw .promisesTooMuch(path: path, format: format, size: size, bytes: Int(content.count))
        }
        return size
    }

    /// What a codec's failure means for this file.
    func error(_ failure: codec_failure) -> PictureFileError {
        let detail = failure.line
        switch failure.status {
        case CODEC_LIBRARY_MISSING: return .libraryMissing(format: format, detail: detail)
        case CODEC_TRUNCATED: return .truncated(path: path, format: format, detail: detail)
        case CODEC_UNSUPPORTED: return .unsupported(path: path, format: format, detail: detail)
        case CODEC_OUT_OF_MEMORY: return .outOfMemory(path: path)
        case CODEC_READ_FAILED: return .readFailed(path: path, reason: systemReason(failure.system_error))
        default: return .damaged(path: path, format: format, detail: detail)
        }
    }
}

extension codec_failure {
    /// What went wrong, in words that continue a sentence.
    var line: String {
        withUnsafeBytes(of: text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension codec_span {
    /// A copy of the bytes, or nil where there are none.
    var copied: [UInt8]? {
        guard let bytes, count > 0 else { return nil }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
