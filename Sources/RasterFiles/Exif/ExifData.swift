import Raster

/// EXIF data that are edited where they lie. No byte is moved, so that the notes of a camera's maker, whose places count from
/// the beginning of the data, stay whole.
///
/// Source: CIPA DC-008 (EXIF), sections 4.5 and 4.6.
struct ExifData {
    var bytes: [UInt8]
    let file: TagFile
    let first: TagFile.Directory?

    /// Nil for what are no EXIF data at all.
    init?(_ bytes: [UInt8]) {
        guard let file = TagFile(bytes), !file.isBig else { return nil }
        (self.bytes, self.file) = (bytes, file)
        first = file.directory(at: file.first)
    }

    private enum Name {
        static let width = 0x0100
        static let height = 0x0101
        static let orientation = 0x0112
        static let across = 0x011A
        static let down = 0x011B
        static let unit = 0x0128
        static let exif = 0x8769
        static let pixelsAcross = 0xA002
        static let pixelsDown = 0xA003
    }

    /// What the data say; upright where they say nothing or nonsense. What could not be written over is nonsense too: the
    /// picture would turn again with every file that it goes through.
    var orientation: Orientation {
        guard let tag = first?[Name.orientation], tag.count == 1, [3, 4].contains(tag.kind) else { return .upright }
        return file.integer(tag).flatMap(Orientation.init) ?? .upright
    }

    /// Pixels per metre, where the data say so.
    var resolution: PictureMetadata.Resolution? {
        // Inches where no unit is named.
        let unit = file.integer(first?[Name.unit]) ?? 2
        guard let across = file.fraction(first?[Name.across]), let down = file.fraction(first?[Name.down]),
            unit == 2 || unit == 3
        else { return nil }
        let units = unit == 2 ? 1 / 0.0254 : 100
        return .init(horizontal: across * units, vertical: down * units)
    }

    /// Says "upright", for a picture whose pixels have been turned.
    mutating func turnUpright() {
        if orientation != .upright { set(first?[Name.orientation], to: 1) }
    }

    /// Says a picture's size where the data name one, and forgets the small picture in them: it shows what was before.
    ///
    /// - Parameter long: whether they go into a TIFF, where libtiff wants sizes as long numbers; the standard allows both
    mutating func describe(_ size: PixelSize, long: Bool) {
        set(first?[Name.width], to: size.width)
        set(first?[Name.height], to: size.height)
        let inner = file.directory(of: first?[Name.exif])
        set(inner?[Name.pixelsAcross], to: size.width, long: long)
        set(inner?[Name.pixelsDown], to: size.height, long: long)
        if long { forgetMaker() }
        guard let first, first.next != 0 else { return }
        put(0, 4, at: first.range.upperBound - 4)
    }

    /// exiftool signs data that it made by themselves, before the first directory, and takes any TIFF that begins so for data
    /// without a picture.
    private mutating func forgetMaker() {
        let signature = 8..<16
        guard file.first >= signature.upperBound, bytes.count >= signature.upperBound,
            bytes[signature].elementsEqual("ExifMeta".utf8)
        else { return }
        bytes.replaceSubrange(signature, with: repeatElement(0, count: signature.count))
    }

    /// A single whole number, in its place.
    private mutating func set(_ tag: TagFile.Tag?, to value: Int, long: Bool = false) {
        guard let tag, tag.count == 1 else { return }
        switch tag.kind {
        case 3 where value <= 65_535 && !long: put(value, 2, at: tag.values.lowerBound)
        case 4: put(value, 4, at: tag.values.lowerBound)
        case 3:
            // Its four bytes have room for a long number too.
            put(4, 2, at: tag.place + 2)
            put(value, 4, at: tag.place + 8)
        default: break
        }
    }

    mutating func put(_ value: Int, _ count: Int, at place: Int) {
        guard place >= 0, place <= bytes.count - count else { return }
        bytes.replaceSubrange(place..<place + count, with: file.bytes(value, count))
    }
}

extension PictureMetadata {
    /// Whether there are EXIF data that no reader would know for such, and that are not written.
    package var hasUnreadableExif: Bool { exif.map { ExifData($0) == nil } ?? false }
}
