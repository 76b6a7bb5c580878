#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A colour in CIELAB under D65.
package struct LabColour: Hashable, Sendable {
    package var lightness: Double
    package var a: Double
    package var b: Double

    package init(lightness: Double, a: Double, b: Double) {
        self.lightness = lightness
        self.a = a
        self.b = b
    }

    /// Range: sRGB values 0…1; what lies outside is clipped, since the curve is not defined there.
    ///
    /// Source: IEC 61966-2-1 for sRGB; CIE 15:2004 for CIELAB; white is sRGB's own, so that greys have no colour.
    package init(red: Float, green: Float, blue: Float) {
        func linear(_ encoded: Float) -> Double {
            // Not-a-number fails the comparison and counts as black.
            let value = encoded > 0 ? min(1, Double(encoded)) : 0
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        self.init(light: linear(red), linear(green), linear(blue))
    }

    /// Of light of sRGB's primaries, which may lie outside sRGB.
    package init(light r: Double, _ g: Double, _ b: Double) {
        func root(_ t: Double) -> Double { t > 216.0 / 24389 ? cbrt(t) : (24389.0 / 27 * t + 16) / 116 }
        // Each row divided by its sum, which is that coordinate of the white point.
        let x = root((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.9504700)
        let y = root((0.2126729 * r + 0.7151522 * g + 0.0721750 * b) / 1.0000001)
        let z = root((0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.0888300)
        self.init(lightness: 116 * y - 16, a: 500 * (x - y), b: 200 * (y - z))
    }

    /// How different two colours look: about 1 is just noticeable.
    ///
    /// Source: Sharma, Wu, Dalal, "The CIEDE2000 color-difference formula" (2005), equations 2–22, all weights 1.
    package func difference(to other: LabColour) -> Double {
        let power7 = 6_103_515_625.0  // 25⁷
        let meanChroma = (hypot(a, b) + hypot(other.a, other.b)) / 2
        let chroma7 = pow(meanChroma, 7)
        let g = 0.5 * (1 - (chroma7 / (chroma7 + power7)).squareRoot())
        let (a1, a2) = ((1 + g) * a, (1 + g) * other.a)
        let (c1, c2) = (hypot(a1, b), hypot(a2, other.b))
        let (h1, h2) = (Self.hue(a1, b), Self.hue(a2, other.b))

        let deltaL = other.lightness - lightness
        let deltaC = c2 - c1
        var turn = h2 - h1
        if c1 * c2 == 0 { turn = 0 } else if turn > 180 { turn -= 360 } else if turn < -180 { turn += 360 }
        let deltaH = 2 * (c1 * c2).squareRoot() * sin(Self.radians(turn / 2))

        let meanL = (lightness + other.lightness) / 2
        let meanC = (c1 + c2) / 2
        var meanH = h1 + h2
        if c1 * c2 != 0 {
            if abs(h1 - h2) > 180 { meanH += meanH < 360 ? 360 : -360 }
            meanH /= 2
        }
        let t =
            1 - 0.17 * cos(Self.radians(meanH - 30)) + 0.24 * cos(Self.radians(2 * meanH))
            + 0.32 * cos(Self.radians(3 * meanH + 6)) - 0.20 * cos(Self.radians(4 * meanH - 63))
        let bend = (meanH - 275) / 25
        let theta = 30 * exp(-bend * bend)
        let meanC7 = pow(meanC, 7)
        let rC = 2 * (meanC7 / (meanC7 + power7)).squareRoot()
        let offset = (meanL - 50) * (meanL - 50)
        let sL = 1 + 0.015 * offset / (20 + offset).squareRoot()
        let sC = 1 + 0.045 * meanC
        let sH = 1 + 0.015 * meanC * t
        let rT = -sin(Self.radians(2 * theta)) * rC
        let (l, c, h) = (deltaL / sL, deltaC / sC, deltaH / sH)
        return max(0, l * l + c * c + h * h + rT * c * h).squareRoot()
    }

    /// Degrees, 0…360; 0 for greys.
    private static func hue(_ a: Double, _ b: Double) -> Double {
        if a == 0, b == 0 { return 0 }
        let angle = atan2(b, a) * 180 / .pi
        return angle < 0 ? angle + 360 : angle
    }

    private static func radians(_ degrees: Double) -> Double { degrees * .pi / 180 }
}
