import Painting
import Raster
import RasterFiles

extension Console {
    /// Tells what is wrong with what a picture says of its colours, and what becomes of inks.
    ///
    /// - Throws: ``PaintingError/libraryMissing(_:)`` where profiles cannot be read here
    func warnOfColour(_ metadata: PictureMetadata, _ channels: Picture.Channels, named name: String) throws {
        try warnOfInks(metadata, named: name)
        guard let fault = ColourSpace.read(metadata, channels).fault else { return }
        if case .libraryMissing = fault { throw PaintingError.libraryMissing("\(name) \(fault)") }
        try report(.warning(code: "profile", text: "\(name) \(fault)", path: name))
    }

    func warnOfColour(_ picture: Picture, named name: String) throws {
        try warnOfColour(picture.metadata, picture.channels, named: name)
    }

    /// The same where values are only carried along, so that a profile need not be read.
    func warnOfCarriedColour(_ metadata: PictureMetadata, _ channels: Picture.Channels, named name: String) throws {
        try warnOfInks(metadata, named: name)
        guard let kind = metadata.profile.flatMap(ColourProfile.kind), kind != (channels.isGrey ? .grey : .colour)
        else { return }
        try report(.warning(code: "profile", text: "\(name) \(ColourFault.otherKind(kind))", path: name))
    }

    private func warnOfInks(_ metadata: PictureMetadata, named name: String) throws {
        guard let inks = metadata.inks else { return }
        try report(.warning(code: "cmyk", text: "\(name) \(inks)", path: name))
    }
}
