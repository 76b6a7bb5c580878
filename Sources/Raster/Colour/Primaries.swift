/// Three rows of three numbers.
struct Matrix3: Hashable, Sendable {
    var values: [Double]

    static let identity = Matrix3(values: [1, 0, 0, 0, 1, 0, 0, 0, 1])

    init(values: [Double]) { self.values = values }

    static func * (a: Matrix3, b: Matrix3) -> Matrix3 {
        var product = Matrix3(values: [Double](repeating: 0, count: 9))
        for row in 0..<3 {
            for column in 0..<3 {
                for i in 0..<3 { product.values[row * 3 + column] += a.values[row * 3 + i] * b.values[i * 3 + column] }
            }
        }
        return product
    }

    static func * (a: Matrix3, v: [Double]) -> [Double] {
        (0..<3).map { row -> Double in
            let place = row * 3
            return a.values[place] * v[0] + a.values[place + 1] * v[1] + a.values[place + 2] * v[2]
        }
    }

    static func diagonal(_ v: [Double]) -> Matrix3 { Matrix3(values: [v[0], 0, 0, 0, v[1], 0, 0, 0, v[2]]) }

    /// Nil where there is none, or none that can be reckoned with.
    var inverse: Matrix3? {
        let m = values
        let minors = [
            m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
            m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
            m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3],
        ]
        let determinant = m[0] * minors[0] + m[1] * minors[3] + m[2] * minors[6]
        guard abs(determinant) > 1e-6, determinant.isFinite else { return nil }
        return Matrix3(values: minors.map { $0 / determinant })
    }

    /// Whether no part lies further than `tolerance` from the identity's.
    func isIdentity(within tolerance: Double) -> Bool {
        zip(values, Self.identity.values).allSatisfy { abs($0 - $1) <= tolerance }
    }
}

/// Where a space's white and its three primaries lie, in CIE x and y.
package struct Chromaticities: Hashable, Sendable {
    /// White, red, green, blue: x and y of each.
    package var values: [Double]

    package init(_ values: [Double]) { self.values = values }

    package static let sRGB = Chromaticities([0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06])

    /// Whether they are sRGB's as far as anyone says them.
    var areSRGB: Bool { zip(values, Self.sRGB.values).allSatisfy { abs($0 - $1) < 0.0015 } }

    /// From light in each primary to XYZ under D50; nil where they are no primaries.
    ///
    /// Source: SMPTE RP 177:1993 for the primaries; ICC.1:2022, annex E for Bradford's adaptation.
    var toXYZ: Matrix3? {
        func xyz(_ place: Int) -> [Double]? {
            let (x, y) = (values[place * 2], values[place * 2 + 1])
            return y > 1e-6 ? [x / y, 1, (1 - x - y) / y] : nil
        }
        guard let white = xyz(0), let red = xyz(1), let green = xyz(2), let blue = xyz(3) else { return nil }
        let columns = Matrix3(values: (0..<3).flatMap { [red[$0], green[$0], blue[$0]] })
        guard let amounts = columns.inverse.map({ $0 * white }) else { return nil }
        let bradford = Matrix3(values: [0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367, 0.0389, -0.0685, 1.0296])
        guard let back = bradford.inverse else { return nil }
        let (from, to) = (bradford * white, bradford * Self.d50)
        guard from.allSatisfy({ abs($0) > 1e-6 }) else { return nil }
        let adapted = back * (Matrix3.diagonal(zip(to, from).map { $0 / $1 }) * bradford)
        return adapted * (columns * Matrix3.diagonal(amounts))
    }

    /// White of profiles' connection space. Source: ICC.1:2022, section 7.2.16.
    private static let d50 = [0.9642, 1, 0.8249]
}

extension Matrix3 {
    /// From XYZ under D50 to light of sRGB's primaries.
    static let lightFromXYZ = Chromaticities.sRGB.toXYZ.flatMap(\.inverse) ?? .identity
}
