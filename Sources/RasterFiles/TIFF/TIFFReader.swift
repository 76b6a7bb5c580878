import CodecShims
import Raster

// TIFF: Adobe TIFF 6.0.

extension PictureSource {
    /// The first page: grey, RGB and palette, with or without alpha.
    func readTIFF() throws(PictureFileError) -> Picture {
        var header = codec_header()
        var failure = codec_failure()
        // The library reads from the bytes until it is closed, so all of that happens while they are lent.
        let result: Result<Picture, PictureFileError> = bytes.withUnsafeBufferPointer { file in
            guard let reader = codec_tiff_open(file.baseAddress, file.count, &header, &failure) else {
                return .failure(error(failure))
            }
            defer { codec_tiff_close(reader) }
            do throws(PictureFileError) {
                var picture = try picture(header, &failure) { codec_tiff_decode(reader, $0, &$1) }
                picture.metadata.profile = codec_tiff_profile(reader).copied
                picture.metadata.xmp = codec_tiff_xmp(reader).copied
                return .success(picture.upright(from: Orientation(rawValue: Int(header.orientation)) ?? .upright))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
