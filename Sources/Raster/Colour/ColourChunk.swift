#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a PNG says of its colours in numbers, as it lies in the file.
///
/// Source: PNG, third edition, sections 11.3.2.1 (cHRM), 11.3.2.2 (gAMA), 11.3.2.5 (sRGB), 11.3.2.6 (cICP), 11.3.2.7 (mDCV),
/// 11.3.2.8 (cLLI).
package struct ColourChunk: Hashable, Sendable {
    /// "cICP", "mDCV", "cLLI", "sRGB", "gAMA" or "cHRM".
    package var name: String
    package var bytes: [UInt8]

    package init(name: String, bytes: [UInt8]) { (self.name, self.bytes) = (name, bytes) }

    /// The names, in the order in which they are written.
    package static let names = ["cICP", "mDCV", "cLLI", "sRGB", "gAMA", "cHRM"]

    /// Numbers of four bytes, as the chunk has them times 100,000.
    var numbers: [Double] {
        stride(from: 0, to: bytes.count - 3, by: 4).map { place in
            Double(bytes[place..<place + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }) / 100_000
        }
    }
}

extension [ColourChunk] {
    package subscript(name: String) -> ColourChunk? { first { $0.name == name } }

    /// The space that a cICP chunk names; nil where there is none.
    ///
    /// Throws: ``ColourFault/unknownCoding(_:)``
    func coded(isGrey: Bool) throws(ColourFault) -> (ToneCurve, Chromaticities)? {
        guard let chunk = self["cICP"] else { return nil }
        // Matrix 0, full range: what else there is means no RGB, or values that leave room at the ends.
        guard chunk.bytes.count == 4, chunk.bytes[2] == 0, chunk.bytes[3] == 1,
            let curve = CodePoints.curve(chunk.bytes[1]),
            let primaries = isGrey ? .sRGB : CodePoints.primaries(chunk.bytes[0])
        else { throw .unknownCoding(chunk.bytes) }
        return (curve, primaries)
    }

    /// The space that gAMA and cHRM describe; nil where they are not there or describe none.
    func described(isGrey: Bool) -> (ToneCurve, Chromaticities)? {
        let gamma = self["gAMA"]?.numbers.first
        var primaries = Chromaticities.sRGB
        if !isGrey, let numbers = self["cHRM"]?.numbers, numbers.count == 8 {
            primaries = Chromaticities(numbers)
            if primaries.toXYZ?.inverse == nil { primaries = .sRGB }
        }
        guard let gamma, gamma > 0.01, gamma < 10 else {
            return primaries.areSRGB ? nil : (.sRGB, primaries)
        }
        // 1/2.2 is the nearest that gAMA can say to sRGB's curve, and what writers of sRGB are told to write.
        if abs(gamma - 0.45455) < 0.0005, primaries.areSRGB { return nil }
        return (ToneCurve { exponential($0, 1 / gamma) }, primaries)
    }
}

/// Code points of cICP. Source: ITU-T H.273 (2024), tables 2 and 3.
private enum CodePoints {
    private static let d65 = [0.3127, 0.3290]

    static func primaries(_ code: UInt8) -> Chromaticities? {
        switch code {
        case 1: .sRGB
        case 4: Chromaticities([0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08])
        case 5: Chromaticities(d65 + [0.64, 0.33, 0.29, 0.60, 0.15, 0.06])
        case 6, 7: Chromaticities(d65 + [0.630, 0.340, 0.310, 0.595, 0.155, 0.070])
        case 8: Chromaticities([0.310, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049])
        case 9: Chromaticities(d65 + [0.708, 0.292, 0.170, 0.797, 0.131, 0.046])
        case 11: Chromaticities([0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060])
        case 12: Chromaticities(d65 + [0.680, 0.320, 0.265, 0.690, 0.150, 0.060])
        case 22: Chromaticities(d65 + [0.630, 0.340, 0.295, 0.605, 0.155, 0.077])
        default: nil
        }
    }

    static func curve(_ code: UInt8) -> ToneCurve? {
        switch code {
        // The way back along the curve of BT.709's cameras.
        case 1, 6, 14, 15:
            ToneCurve { $0 < 0.081 ? $0 / 4.5 : exponential(($0 + 0.099) / 1.099, 1 / 0.45) }
        case 4: ToneCurve { exponential($0, 2.2) }
        case 5: ToneCurve { exponential($0, 2.8) }
        case 8: ToneCurve { $0 }
        case 13: .sRGB
        // Perceptual quantisation, white at 203 candela a square metre (ITU-R BT.2408).
        case 16:
            ToneCurve { value in
                let (m1, m2) = (2610.0 / 16384, 2523.0 / 4096 * 128)
                let (c1, c2, c3) = (3424.0 / 4096, 2413.0 / 4096 * 32, 2392.0 / 4096 * 32)
                let root = exponential(value, 1 / m2)
                return 10_000 / 203 * exponential(Swift.max(0, root - c1) / (c2 - c3 * root), 1 / m1)
            }
        default: nil
        }
    }
}

/// Powers, by the C library's one for doubles.
func exponential(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
