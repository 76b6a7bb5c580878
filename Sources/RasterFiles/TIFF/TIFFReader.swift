import CodecShims
import Raster

// TIFF: Adobe TIFF 6.0.

extension PictureSource {
    /// The first page: grey, RGB and palette, with or without alpha.
    func readTIFF() throws(PictureFileError) -> Picture {
        var header = codec_header()
        var failure = codec_failure()
        guard let reader = codec_tiff_open(bytes.baseAddress, bytes.count, &header, &failure) else {
            throw error(failure)
        }
        defer { codec_tiff_close(reader) }
        var picture = try picture(header, &failure) { codec_tiff_decode(reader, $0, &$1) }
        picture.metadata.profile = codec_tiff_profile(reader).copied
        picture.metadata.xmp = codec_tiff_xmp(reader).copied
        return picture.upright(from: Orientation(rawValue: Int(header.orientation)) ?? .upright)
    }
}
