/// The inks of the file that an RGB picture was read from, for a result to go back to: they go along with its metadata, and
/// whoever writes the result asks for them row by row.
package final class InkPlates: @unchecked Sendable {
    /// Rows of the plates, upright, of inks at their own depth. Those wanted later lie below.
    package typealias Rows = (_ wanted: Range<Int>) throws -> Picture

    package let inks: Inks
    /// As the file has it.
    package let profile: [UInt8]?
    /// The size of the picture that they are the plates of.
    package let pictureSize: PixelSize
    /// Where they lie in it.
    package let frame: Rectangle
    // Called by one writer at a time.
    private let open: (PixelSize) throws -> Rows

    private init(
        _ inks: Inks, _ profile: [UInt8]?, _ frame: Rectangle, in size: PixelSize,
        _ open: @escaping (PixelSize) throws -> Rows
    ) {
        (self.inks, self.profile, self.frame, pictureSize, self.open) = (inks, profile, frame, size, open)
    }

    /// - Parameters:
    ///   - inks: which read them
    ///   - open: begins with the first row of the plates, scaled to the size that it is given
    package convenience init(
        _ inks: Inks, profile: [UInt8]?, size: PixelSize, open: @escaping (PixelSize) throws -> Rows
    ) {
        self.init(inks, profile, Rectangle(size), in: size, open)
    }

    /// Whether colours can be made these inks again.
    package var leadBack: Bool { inks.leadBack }

    /// The same plates in a picture that goes on beyond its sides.
    package func surrounded(by margins: Margins) -> InkPlates {
        InkPlates(
            inks, profile,
            Rectangle(
                x: frame.x + margins.left, y: frame.y + margins.top, width: frame.width, height: frame.height),
            in: margins.around(pictureSize), open)
    }

    /// The same plates for a picture that was scaled whole.
    package func scaled(to size: PixelSize) -> InkPlates {
        InkPlates(inks, profile, Rectangle(size), in: size, open)
    }

    /// The plates' rows from the first on.
    package func rows() throws -> Rows { try open(frame.size) }
}

// Two pictures say the same where all else that they say is the same; where their inks lie says nothing.
extension InkPlates: Hashable {
    package static func == (one: InkPlates, other: InkPlates) -> Bool { one.profile == other.profile }
    package func hash(into hasher: inout Hasher) { hasher.combine(profile) }
}
