import CodecShims
import Raster

// TIFF: Adobe TIFF 6.0.

/// What a TIFF's page says beside its samples.
enum TIFFMetadata {
    /// - Parameter page: where its directory begins
    static func read(_ reader: OpaquePointer, _ source: codec_source, page: Int?) -> PictureMetadata {
        var metadata = PictureMetadata(profile: codec_tiff_profile(reader).copied, xmp: codec_tiff_xmp(reader).copied)
        guard let file = TagFile(source), let directory = file.directory(at: page ?? file.first) else {
            return metadata
        }
        metadata.exif = file.exif(at: page ?? file.first)
        if let tag = directory[0x83BB], let bytes = file.bytes(tag), bytes.first == PhotoshopResources.iptcMark {
            // Filled up to whole long numbers.
            metadata.iptc = Array(bytes[...(bytes.lastIndex { $0 != 0 } ?? 0)])
        } else if let tag = directory[0x8649], let bytes = file.bytes(tag) {
            metadata.iptc = PhotoshopResources.iptc(bytes)
        }
        return metadata
    }
}
