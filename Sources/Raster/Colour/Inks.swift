import ColourShims

/// Cyan, magenta, yellow and black on their way to sRGB: a picture is never painted on as inks, of which there are many ways to
/// make one colour. ``Separation`` leads back.
///
/// With a profile as it says, relative colorimetric, with its black as black. Without one the inks are ideal: each takes away
/// its colour, and black the rest. Source: PostScript Language Reference, third edition, section 7.2.4.
package final class Inks: @unchecked Sendable {
    /// How a picture of inks was read; goes with its metadata.
    package enum Reading: Hashable, Sendable {
        /// By the profile of this name.
        case profile(String)
        case ideal
        /// There was a profile, which was of no use.
        case fault(ColourFault)

        /// What is told of it; goes on after the picture's name. Nil where there is nothing to tell.
        ///
        /// - Parameter isKept: whether the result is of inks again
        package func warning(isKept: Bool) -> String? {
            switch self {
            case .profile(let name):
                isKept
                    ? nil
                    : "is CMYK and becomes RGB, by its own profile (\(name.isEmpty ? "nameless" : name)); its inks are not kept."
            case .ideal, .fault:
                "is CMYK \(self == .ideal ? "without a profile" : "with a profile that is of no use") and \(isKept ? "is worked on" : "becomes RGB") as if its inks were ideal ones, which real ones are not. Convert it with its printer's profile for true colours."
            }
        }
    }

    package let reading: Reading
    /// Nil where the inks count as ideal ones.
    let profile: ColourProfile?
    private let transform: OpaquePointer?

    /// Whether colours can be made inks again: a profile may lead only from them.
    package var leadBack: Bool { profile?.leadsBack ?? true }

    /// - Parameter depth: bits of a sample, 8 or 16
    /// Throws: ``ColourFault/libraryMissing(_:)``
    package init(_ profile: [UInt8]?, depth: Int) throws(ColourFault) {
        guard let profile else {
            (reading, self.profile, transform) = (.ideal, nil, nil)
            return
        }
        do throws(ColourFault) {
            let profile = try ColourProfile(profile)
            guard profile.kind == .inks else { throw .otherKind(profile.kind) }
            guard let transform = colour_from_inks(profile.pointer, Int32(depth)) else { throw .damaged }
            (reading, self.profile, self.transform) = (.profile(profile.name), profile, transform)
        } catch {
            if case .libraryMissing = error { throw error }
            (reading, self.profile, transform) = (.fault(error), nil, nil)
        }
    }

    deinit { colour_free(transform) }

    /// A picture of inks as RGB, at its own depth.
    package func seen(_ picture: Picture) -> Picture {
        func colours<Sample: FixedWidthInteger & UnsignedInteger>(_ values: [Sample]) -> [Sample] {
            let count = picture.channels.count
            return [Sample](unsafeUninitializedCapacity: values.count / count * (count - 1)) { out, initialised in
                out.initialize(repeating: 0)
                values.withUnsafeBufferPointer { converted($0, channels: count, into: out) }
                initialised = out.count
            }
        }
        let channels = Picture.Channels.rgb.with(alpha: picture.channels.hasAlpha)
        return switch picture.samples {
        case .eight(let values): Picture(size: picture.size, channels: channels, eight: colours(values))
        case .sixteen(let values): Picture(size: picture.size, channels: channels, sixteen: colours(values))
        case .float: preconditionFailure("inks are whole numbers")
        }
    }

    /// Pixels of inks, 0 for none, as RGB; what follows the four inks is alpha and goes along.
    func converted<Sample: FixedWidthInteger & UnsignedInteger>(
        _ inks: UnsafeBufferPointer<Sample>, channels: Int, into out: UnsafeMutableBufferPointer<Sample>
    ) {
        let pixels = inks.count / channels
        let (most, made) = (UInt64(Sample.max), channels - 1)
        guard let transform else {
            for pixel in 0..<pixels {
                let light = most - UInt64(inks[pixel * channels + 3])
                for i in 0..<3 {
                    let product = (most - UInt64(inks[pixel * channels + i])) * light
                    out[pixel * made + i] = Sample((product + most / 2) / most)
                }
                if channels == 5 { out[pixel * made + 3] = inks[pixel * channels + 4] }
            }
            return
        }
        if channels == 4 { return colour_apply(transform, inks.baseAddress, out.baseAddress, pixels) }
        var (four, three) = ([Sample](repeating: 0, count: pixels * 4), [Sample](repeating: 0, count: pixels * 3))
        for pixel in 0..<pixels { for i in 0..<4 { four[pixel * 4 + i] = inks[pixel * channels + i] } }
        colour_apply(transform, four, &three, pixels)
        for pixel in 0..<pixels {
            for i in 0..<3 { out[pixel * made + i] = three[pixel * 3 + i] }
            out[pixel * made + 3] = inks[pixel * channels + 4]
        }
    }
}
