import Painting
import Raster
import RasterFiles

extension Console {
    /// Tells what is wrong with what a picture says of its colours, and what becomes of inks.
    ///
    /// - Parameter format: of the result that the picture's inks may be kept in; nil where they are not
    /// - Throws: ``PaintingError/libraryMissing(_:)`` where profiles cannot be read here
    func warnOfColour(
        _ metadata: PictureMetadata, _ channels: Picture.Channels, named name: String, in format: PictureFormat? = nil
    ) throws {
        try warnOfInks(metadata, named: name, in: format)
        guard let fault = ColourSpace.read(metadata, channels).fault else { return }
        if case .libraryMissing = fault { throw PaintingError.libraryMissing("\(name) \(fault)") }
        try report(.warning(code: "profile", text: "\(name) \(fault)", path: name))
    }

    func warnOfColour(_ picture: Picture, named name: String, in format: PictureFormat? = nil) throws {
        try warnOfColour(picture.metadata, picture.channels, named: name, in: format)
    }

    /// The same where values are only carried along, so that a profile need not be read.
    func warnOfCarriedColour(
        _ metadata: PictureMetadata, _ channels: Picture.Channels, named name: String, in format: PictureFormat
    ) throws {
        try warnOfInks(metadata, named: name, in: format)
        guard let kind = metadata.profile.flatMap(ColourProfile.kind), kind != .of(channels) else { return }
        try report(.warning(code: "profile", text: "\(name) \(ColourFault.otherKind(kind))", path: name))
    }

    private func warnOfInks(_ metadata: PictureMetadata, named name: String, in format: PictureFormat?) throws {
        guard let reading = metadata.inks else { return }
        let isKept = format == .tiff && metadata.plates?.leadBack == true
        guard let text = reading.warning(isKept: isKept) else { return }
        try report(.warning(code: "cmyk", text: "\(name) \(text)", path: name))
    }
}
