#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Dark lines along the edges of flat regions, as artists draw them to keep regions apart.
struct OutlineBrush: Sendable {
    let noise: SensorNoise
    /// Width of the lines.
    let width: Int

    /// How dark a line is at most.
    static let darkness: Float = 0.75

    /// Places that are looked at around one, for lines of a width.
    static func reach(_ width: Int) -> Int { radius(width) + max(edgeReach, FlatnessGate.reach + near) }

    var reach: Int { Self.reach(width) }

    private static func radius(_ width: Int) -> Int { (width + 1) / 2 }
    /// How near to an edge a region must be flat: as near as the gate opens to it.
    private static let near = FlatnessGate.reach
    /// A mean, its slope, and whether that is the steepest around.
    private static let edgeReach = 3

    /// How strongly each place is part of a line, 0…1.
    ///
    /// - Parameters:
    ///   - planes: as ``PictureStrip/planes(_:)`` gives them, ``reach`` wider on each side
    ///   - gate: of the same part, ``FlatnessGate/reach`` narrower
    func lines(_ planes: [Plane], _ gate: Plane) -> Plane {
        let (radius, near) = (Self.radius(width), Self.near)
        // Edges, of the part that lies `radius` around what is wanted.
        let edges = edges(planes).cropped(by: reach - radius - Self.edgeReach)
        let flats = gate.greatest(near).cropped(by: reach - radius - FlatnessGate.reach - near)
        let (across, down) = (edges.width - 2 * radius, edges.height - 2 * radius)
        var lines = Plane(across, down) { _, row in row.initialize(repeating: 0, count: across) }
        let stamp = (-radius...radius).map { y in
            (-radius...radius).map { x in
                min(1, max(0, Float(width) / 2 + 0.5 - Float(x * x + y * y).squareRoot()))
            }
        }
        for y in 0..<edges.height {
            for x in 0..<edges.width {
                let place = y * edges.width + x
                let strength = edges.values[place] * min(1, 2 * flats.values[place])
                guard strength > 0 else { continue }
                for row in max(0, y - 2 * radius)...max(0, min(down - 1, y)) {
                    guard row <= y, row >= y - 2 * radius else { continue }
                    for column in max(0, x - 2 * radius)...max(0, min(across - 1, x)) {
                        guard column <= x, column >= x - 2 * radius else { continue }
                        let value = strength * stamp[row + 2 * radius - y][column + 2 * radius - x]
                        let other = row * across + column
                        if value > lines.values[other] { lines.values[other] = value }
                    }
                }
            }
        }
        return lines
    }

    /// 0…1 along the steepest places of edges, 0 elsewhere; smaller by 3 on each side.
    private func edges(_ planes: [Plane]) -> Plane {
        // An edge that a grain could not make.
        let least = max(6, noise.deviation)
        var steepest: (slope: Plane, isAcross: Plane)?
        for plane in planes {
            let smooth = plane.mean(1)
            let (across, down) = (smooth.width - 2, smooth.height - 2)
            func slopes(_ value: @escaping (_ across: Float, _ down: Float) -> Float) -> Plane {
                smooth.read { source in
                    Plane(across, down) { y, row in
                        let middle = source + (y + 1) * smooth.width + 1
                        for x in 0..<across {
                            row[x] = value(
                                (middle[x + 1] - middle[x - 1]) * 0.5,
                                (middle[x + smooth.width] - middle[x - smooth.width]) * 0.5)
                        }
                    }
                }
            }
            let slope = slopes { ($0 * $0 + $1 * $1).squareRoot() }
            let isAcross = slopes { abs($0) > abs($1) ? 1 : 0 }
            guard var known = steepest else {
                steepest = (slope, isAcross)
                continue
            }
            for i in slope.values.indices where slope.values[i] > known.slope.values[i] {
                (known.slope.values[i], known.isAcross.values[i]) = (slope.values[i], isAcross.values[i])
            }
            steepest = known
        }
        guard let (slope, isAcross) = steepest else { preconditionFailure("a picture has a plane") }
        let stride = slope.width
        return Plane(stride - 2, slope.height - 2) { y, row in
            for x in 0..<stride - 2 {
                let place = (y + 1) * stride + x + 1
                let own = slope.values[place]
                let step = isAcross.values[place] > 0 ? 1 : stride
                let isRidge = own > least && own > slope.values[place - step] && own >= slope.values[place + step]
                row[x] = isRidge ? min(1, own / (2 * least)) : 0
            }
        }
    }
}
