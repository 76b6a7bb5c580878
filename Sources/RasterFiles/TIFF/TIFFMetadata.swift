import CodecShims
import Raster

// TIFF: Adobe TIFF 6.0.

/// What a TIFF's first page says beside its samples.
enum TIFFMetadata {
    static func read(_ reader: OpaquePointer) -> PictureMetadata {
        PictureMetadata(profile: codec_tiff_profile(reader).copied, xmp: codec_tiff_xmp(reader).copied)
    }
}
