import CodecShims
import Raster

// JPEG: ITU-T T.81. EXIF and XMP share application marker 1, each under a heading; ICC profiles lie in marker 2, IPTC's texts
// in Photoshop's 13.

/// The headings that tell what an application marker holds.
enum JPEGMarkers {
    static let exifHeading = Array("Exif\0\0".utf8)
    static let xmpHeading = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
    static let profileHeading = Array("ICC_PROFILE\0".utf8)
    static let photoshopHeading = Array("Photoshop 3.0\0".utf8)

    /// What the markers of an open file say; libjpeg forgets them once the picture is decoded.
    static func metadata(_ reader: OpaquePointer) -> PictureMetadata {
        let (appOne, appTwo) = (all(1, of: reader), all(2, of: reader))
        return PictureMetadata(
            profile: profile(appTwo),
            exif: appOne.lazy.compactMap { $0.after(exifHeading) }.first,
            xmp: xmp(appOne),
            // One after the other where one marker did not hold them.
            iptc: PhotoshopResources.iptc(all(13, of: reader).compactMap { $0.after(photoshopHeading) }.flatMap { $0 }))
    }

    private static func all(_ number: Int32, of reader: OpaquePointer) -> [[UInt8]] {
        var spans = [codec_span](repeating: .init(), count: codec_jpeg_markers(reader, number, nil, 0))
        _ = codec_jpeg_markers(reader, number, &spans, spans.count)
        return spans.compactMap(\.copied)
    }

    /// The profile put together from its numbered pieces; nil when there is none, empty when a piece is missing.
    ///
    /// Source: ICC.1:2022, annex B.4.
    static func profile(_ markers: [[UInt8]]) -> [UInt8]? {
        var pieces = [Int: [UInt8]]()
        var total = 0
        for marker in markers {
            guard let piece = marker.after(profileHeading), piece.count > 2 else { continue }
            pieces[Int(piece[0])] = Array(piece[2...])
            total = Int(piece[1])
        }
        if pieces.isEmpty { return nil }
        guard total > 0, (1...total).allSatisfy({ pieces[$0] != nil }) else { return [] }
        return (1...total).flatMap { pieces[$0] ?? [] }
    }
}

extension [UInt8] {
    /// What follows `heading`, when the bytes begin with it.
    func after(_ heading: [UInt8]) -> [UInt8]? {
        starts(with: heading) ? Array(self[heading.count...]) : nil
    }
}
