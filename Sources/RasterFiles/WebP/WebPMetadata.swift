import CodecShims
import Raster

/// What a WebP says beside its samples.
///
/// Source: https://developers.google.com/speed/webp/docs/riff_container
enum WebPMetadata {
    static func read(_ reader: OpaquePointer) -> PictureMetadata {
        let exif = codec_webp_chunk(reader, "EXIF").copied
        return PictureMetadata(
            profile: codec_webp_chunk(reader, "ICCP").copied,
            // Some programs put JPEG's heading before it.
            exif: exif.map { $0.after(JPEGMarkers.exifHeading) ?? $0 }, xmp: codec_webp_chunk(reader, "XMP ").copied)
    }
}
