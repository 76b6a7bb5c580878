import ColourShims

/// Cyan, magenta, yellow and black on their way to sRGB: a picture is never worked on as inks, of which there are many ways to
/// make one colour.
///
/// With a profile as it says, relative colorimetric, with its black as black. Without one the inks are ideal: each takes away
/// its colour, and black the rest. Source: PostScript Language Reference, third edition, section 7.2.4.
package final class Inks: @unchecked Sendable {
    /// How a picture of inks was read; goes with its metadata.
    package enum Reading: Hashable, Sendable, CustomStringConvertible {
        /// By the profile of this name.
        case profile(String)
        case ideal
        /// There was a profile, which was of no use.
        case fault(ColourFault)

        /// Goes on after the picture's name.
        package var description: String {
            switch self {
            case .profile(let name):
                "is CMYK and becomes RGB, by its own profile (\(name.isEmpty ? "nameless" : name)); its inks are not kept."
            case .ideal:
                "is CMYK without a profile and becomes RGB as if its inks were ideal ones, which real ones are not. Convert it with its printer's profile for true colours."
            case .fault:
                "is CMYK with a profile that is of no use, and becomes RGB as if its inks were ideal ones. Convert it with its printer's profile for true colours."
            }
        }
    }

    package let reading: Reading
    private let transform: OpaquePointer?

    /// - Parameter depth: bits of a sample, 8 or 16
    /// Throws: ``ColourFault/libraryMissing(_:)``
    package init(_ profile: [UInt8]?, depth: Int) throws(ColourFault) {
        guard let profile else {
            (reading, transform) = (.ideal, nil)
            return
        }
        do throws(ColourFault) {
            let profile = try ColourProfile(profile)
            guard profile.kind == .inks else { throw .otherKind(profile.kind) }
            guard let transform = colour_from_inks(profile.pointer, Int32(depth)) else { throw .damaged }
            (reading, self.transform) = (.profile(profile.name), transform)
        } catch {
            if case .libraryMissing = error { throw error }
            (reading, transform) = (.fault(error), nil)
        }
    }

    deinit { colour_free(transform) }

    /// Pixels of inks, 0 for none, as RGB; what follows the four inks is alpha and goes along.
    package func converted<Sample: FixedWidthInteger & UnsignedInteger>(
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
