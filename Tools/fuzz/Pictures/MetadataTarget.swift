import Fuzzing
import Raster
import RasterFiles

/// What stands beside a picture's samples, each kind by itself and without a file around it. The first byte says which.
enum MetadataTarget {
    enum Part: UInt8, CaseIterable { case exif, xmp, iptc, profile, inkProfile, text, comment }

    static func run(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, let part = Part(rawValue: first) else { return false }
        let body = Array(bytes.dropFirst())
        var metadata = PictureMetadata()
        switch part {
        case .exif: metadata.exif = body
        case .xmp: metadata.xmp = body
        case .iptc: metadata.iptc = body
        case .profile: return profile(body)
        case .inkProfile: return inkProfile(body)
        // As ImageMagick puts metadata into a PNG.
        case .text:
            let kinds = ["exif", "xmp", "iptc", "8bim"]
            metadata.texts = [
                .init(
                    keyword: "Raw profile type \(kinds[body.count % 4])", text: String(decoding: body, as: UTF8.self))
            ]
        case .comment:
            metadata.texts = [.init(keyword: "parameters", text: String(decoding: body, as: UTF8.self))]
        }
        let picture = Picture(
            size: .init(width: 3, height: 2), channels: .rgb, eight: Array(0..<18), metadata: metadata)
        _ = picture.metadata.parameters
        for format in [PictureFormat.png, .jpeg, .tiff] {
            do throws(PictureFileError) {
                let written = try PictureFile.encode(picture, as: format, options: PictureTarget.writing)
                let again = try PictureFile.decode(written, name: "again")
                require(again.size.area == 6, "the picture comes back as \(again.size)")
                // What has been through a file goes through another.
                let third = try PictureFile.decode(
                    PictureFile.encode(again, as: format, options: PictureTarget.writing), name: "third")
                require(third.size == again.size, "the picture turns with every file")
            } catch {
                require(false, "\(format.name): \(error)")
            }
        }
        return true
    }

    private static func profile(_ body: [UInt8]) -> Bool {
        for channels in [Picture.Channels.rgb, .grey] {
            let samples = (0..<4 * channels.count).map { UInt16(truncatingIfNeeded: $0 * 9973) }
            PictureTarget.colours(
                Picture(
                    size: .init(width: 2, height: 2), channels: channels, sixteen: samples,
                    metadata: PictureMetadata(profile: body)))
        }
        return true
    }

    private static func inkProfile(_ body: [UInt8]) -> Bool {
        guard let reading = try? Inks(body, depth: 8) else { return false }
        let inks = (0..<8).map { UInt8(truncatingIfNeeded: $0 * 37) }
        _ = reading.seen(Picture(size: .init(width: 2, height: 1), channels: .inks, eight: inks))
        return true
    }
}
