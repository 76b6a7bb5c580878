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

    /// The same plates with others over them, at the pixels that show those; themselves where the others are of another
    /// profile or picture.
    ///
    /// - Parameter shown: whether a pixel, counted from the first row on, is the others'
    package func covered(by other: InkPlates, where shown: @escaping (_ pixel: Int) -> Bool) -> InkPlates {
        guard other.profile == profile, other.pictureSize == pictureSize,
            frame == Rectangle(pictureSize), other.frame == frame
        else { return self }
        return InkPlates(inks, profile, frame, in: pictureSize) { [self] size in
            let (lower, upper) = (try open(size), try other.open(size))
            return { rows in
                let below = try lower(rows).droppingAlpha()
                let above = try upper(rows).droppingAlpha().converted(depth: below.depth)
                return below.replaced(by: above) { shown(rows.lowerBound * size.width + $0) }
            }
        }
    }

    /// The plates' rows from the first on.
    package func rows() throws -> Rows { try open(frame.size) }
}

// Two pictures say the same where all else that they say is the same; where their inks lie says nothing.
extension InkPlates: Hashable {
    package static func == (one: InkPlates, other: InkPlates) -> Bool { one.profile == other.profile }
    package func hash(into hasher: inout Hasher) { hasher.combine(profile) }
}

extension Picture {
    /// The picture with another's pixels in places, of the same kind and depth.
    fileprivate func replaced(by other: Picture, where isOther: (_ pixel: Int) -> Bool) -> Picture {
        let count = channels.count
        func chosen<Sample>(_ below: [Sample], _ above: [Sample]) -> [Sample] {
            var result = below
            for pixel in 0..<size.area where isOther(pixel) {
                for i in pixel * count..<(pixel + 1) * count { result[i] = above[i] }
            }
            return result
        }
        let samples: Samples =
            switch (self.samples, other.samples) {
            case (.eight(let below), .eight(let above)): .eight(chosen(below, above))
            case (.sixteen(let below), .sixteen(let above)): .sixteen(chosen(below, above))
            default: preconditionFailure("inks are whole numbers of one depth")
            }
        return Picture(size: size, channels: channels, samples: samples, metadata: metadata)
    }
}
