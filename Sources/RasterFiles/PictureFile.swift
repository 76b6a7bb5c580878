import CodecShims
import Raster

/// Pictures in files: reading, by content whatever the name says.
package enum PictureFile {
    /// The most that a file may ask for; checked before room for the pixels is made.
    package struct Limits: Hashable, Sendable {
        /// Pixels along the longer side.
        package var longestSide: Int
        /// Pixels altogether.
        package var pixels: Int
        /// Bytes of the file.
        package var fileBytes: Int

        package init(longestSide: Int = 65_535, pixels: Int = 1 << 30, fileBytes: Int = 1 << 32) {
            self.longestSide = longestSide
            self.pixels = pixels
            self.fileBytes = fileBytes
        }
    }

    /// The picture in a file, upright.
    ///
    /// - Parameter keepsInks: whether a picture of inks comes as it is, and not as colours
    /// Throws: `notFound`, `isFolder`, `notReadable`; what ``decode(_:name:limits:)`` throws; `readFailed`.
    package static func read(
        _ path: String, limits: Limits = Limits(), keepingInks keepsInks: Bool = false
    ) throws(PictureFileError) -> Picture {
        let file = try ReadableFile(path, limit: limits.fileBytes)
        return try CodecReader(PictureSource(file, limits: limits), keepingInks: keepsInks).picture()
    }

    /// The picture in a file's bytes, upright: turned as its EXIF data or its orientation tag asks.
    ///
    /// - Parameter name: what error messages call the file.
    /// Throws: `empty`, `notAPicture`, `foreign`, `noSuchPage`, `truncated`, `damaged`, `unsupported`; limits; `libraryMissing`.
    package static func decode(
        _ bytes: [UInt8], name: String, limits: Limits = Limits()
    ) throws(PictureFileError) -> Picture {
        let result = bytes.withUnsafeBufferPointer { bytes in
            Result { () throws(PictureFileError) in
                try CodecReader(PictureSource(bytes, name: name, limits: limits)).picture()
            }
        }
        return try result.get()
    }

    /// The format of a file by its first bytes, or nil when it is none of ours.
    ///
    /// Throws: as ``read(_:limits:)`` when the file cannot be read.
    package static func format(of path: String) throws(PictureFileError) -> PictureFormat? {
        PictureFormat(content: try ReadableFile(path, limit: .max).beginning(16))
    }

    /// Whether the library for a format is there; throws `libraryMissing` with its name when not.
    package static func requireLibrary(for format: PictureFormat) throws(PictureFileError) {
        var failure = codec_failure()
        let code =
            switch format {
            case .png: codec_png_available(&failure)
            case .jpeg: codec_jpeg_available(&failure)
            case .tiff: codec_tiff_available(&failure)
            case .webp: codec_webp_available(&failure)
            }
        if code != 0 { throw .libraryMissing(format: format, detail: failure.line) }
    }
}
