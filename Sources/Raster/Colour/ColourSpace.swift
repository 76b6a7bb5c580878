import ColourShims

/// What a picture's values mean: the way from them to light and back.
///
/// Everything is worked on in the picture's own space. Only a painter, and whoever looks at a preview, sees it as sRGB
/// (``seen(_:threads:)``); what lay outside sRGB is carried over to what was painted
/// (``carried(_:over:seen:threads:)``). Light is that of sRGB's primaries, 1 for white, unclipped: a colour outside sRGB has a
/// channel below 0 or above 1.
///
/// A picture that says nothing is sRGB, and nothing is done to it. Source: ICC.1:2022; PNG, third edition, section 4.3.
package struct ColourSpace: Sendable {
    enum Way: Sendable {
        /// sRGB, or grey of its curve.
        case plain
        /// A curve for each channel, then a matrix to light.
        case curves(ColourCurves)
        /// What only a table says.
        case table(ColourTable)
    }

    let way: Way
    /// Whether it is of grey pictures.
    package let isGrey: Bool

    init(_ way: Way, isGrey: Bool) { (self.way, self.isGrey) = (way, isGrey) }

    package static let sRGB = ColourSpace(.plain, isGrey: false)

    package var isPlain: Bool {
        if case .plain = way { return true }
        return false
    }

    /// The curve along which a channel's light is mixed; where only a table is known, sRGB's.
    package func curve(_ channel: Int) -> ToneCurve {
        if case .curves(let curves) = way { return curves.curves[channel] }
        return .sRGB
    }

    /// Two values of a channel mixed as light is: all of `above` where the share is 1.
    package func mixed(_ below: Float, _ above: Float, share: Float, channel: Int) -> Float {
        guard case .curves(let curves) = way else {
            let light = linearLight(below)
            return displayed(light + share * (linearLight(above) - light))
        }
        let curve = curves.curves[channel]
        let light = curve.light(of: below)
        return curve.value(of: light + share * (curve.light(of: above) - light))
    }
}

/// Curves, and a matrix from what they give to light.
struct ColourCurves: Sendable {
    /// Three, for grey the same one.
    let curves: [ToneCurve]
    /// To light of sRGB's primaries, and back; row by row.
    let toLight, fromLight: [Float]

    /// Nil where the primaries are none.
    init?(_ curves: [ToneCurve], toXYZ: Matrix3?) {
        let matrix = toXYZ.map { Matrix3.lightFromXYZ * $0 } ?? .identity
        guard let inverse = matrix.inverse else { return nil }
        self.curves = curves
        (toLight, fromLight) = (matrix.values.map(Float.init), inverse.values.map(Float.init))
        isSRGB = matrix.isIdentity(within: 0.002) && curves.allSatisfy(\.isSRGB)
    }

    /// Whether it is sRGB as far as can be seen.
    let isSRGB: Bool

    /// The way, which is a plain one for what is sRGB by another name.
    var way: ColourSpace.Way { isSRGB ? .plain : .curves(self) }
}
