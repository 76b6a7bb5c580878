import Raster

/// How a tile's weight falls off towards its sides.
package enum Feather: Sendable, Equatable {
    /// Weights that add up to one with those of the neighbours; without a seam on a side, the weight is full there.
    case seams(Seams, smooth: Bool)
    /// A ramp over the first columns: min(255, 4·(x + 1)) of 255. Source: ProgRockDiffusion, `prd.py`.
    case left
    /// Nested frames, whose levels go up by ⌊255 / (overlap / 2)⌋. Source: progrock-stable, `prs.py`.
    case frame(overlap: Int)
    /// White inside a rectangle of the picture, softened by a Gaussian of so many pixels.
    case softened(Rectangle, radius: Double)
    /// A ramp up to the middle and down again, across or down.
    case tent(across: Bool, down: Bool)

    /// Where a tile meets its neighbours: in enlarged pixels, from where the neighbour has all the weight to where this
    /// tile has it, or the other way round.
    package struct Seams: Sendable, Equatable {
        package var left, right, top, bottom: Range<Int>?

        package init(
            left: Range<Int>? = nil, right: Range<Int>? = nil, top: Range<Int>? = nil, bottom: Range<Int>? = nil
        ) {
            (self.left, self.right, self.top, self.bottom) = (left, right, top, bottom)
        }
    }

    /// Whether weights of all tiles of a wave add up to one; else each tile is laid over those before it.
    var isShare: Bool { if case .seams = self { true } else { false } }

    /// Weights along both sides of a frame whose product is the weight of a pixel; nil where it is no product.
    func sides(_ frame: Rectangle) -> (across: [Float], down: [Float])? {
        switch self {
        case .seams(let seams, let smooth):
            func side(_ start: Int, _ count: Int, _ first: Range<Int>?, _ last: Range<Int>?) -> [Float] {
                (start..<start + count).map { place in
                    Self.rise(place, first, smooth) - (last == nil ? 0 : Self.rise(place, last, smooth))
                }
            }
            return (
                side(frame.x, frame.width, seams.left, seams.right),
                side(frame.y, frame.height, seams.top, seams.bottom)
            )
        case .left:
            let ramp = (0..<frame.width).map { Float(min(255, 4 * ($0 + 1))) / 255 }
            return (ramp, Array(repeating: 1, count: frame.height))
        case .tent(let across, let down):
            func side(_ count: Int, _ falls: Bool) -> [Float] {
                (0..<count).map { place in
                    guard falls else { return 1 }
                    let share = (Float(min(place, count - 1 - place)) + 0.5) / (Float(count) / 2)
                    return share * share * (3 - 2 * share)
                }
            }
            return (side(frame.width, across), side(frame.height, down))
        case .frame, .softened: return nil
        }
    }

    /// From 0 to 1 over a seam; 1 without one.
    ///
    /// The ramp of `combine_grid` has the value ⌊j·255 / length⌋ of 255 at its column j.
    private static func rise(_ place: Int, _ seam: Range<Int>?, _ smooth: Bool) -> Float {
        guard let seam, place < seam.upperBound else { return 1 }
        guard place >= seam.lowerBound else { return 0 }
        guard smooth else { return Float((place - seam.lowerBound) * 255 / seam.count) / 255 }
        let share = (Float(place - seam.lowerBound) + 0.5) / Float(seam.count)
        return share * share * (3 - 2 * share)
    }

    /// The weight of every pixel of a frame, 0…1.
    package func weights(_ frame: Rectangle) -> Mask {
        if let (across, down) = sides(frame) {
            return Mask(size: frame.size, values: down.flatMap { y in across.map { $0 * y } })
        }
        var mask = Mask(size: frame.size, values: Array(repeating: 0, count: frame.size.area))
        switch self {
        case .frame(let overlap):
            let step = overlap > 0 ? 510 / overlap : 255
            for y in 0..<frame.height {
                for x in 0..<frame.width {
                    // Frame i reaches from (i, i) to (width − i, height − i), both drawn; the innermost is drawn last.
                    let depth = min(x, y, frame.width - x, frame.height - y, max(0, overlap - 1))
                    mask.values[y * frame.width + x] = Float(min(255, (depth + 1) * step)) / 255
                }
            }
        case .softened(let rectangle, let radius):
            let inside = rectangle.moved(x: -frame.x, y: -frame.y)
            for y in max(0, inside.y)..<min(frame.height, inside.y + inside.height) {
                for x in max(0, inside.x)..<min(frame.width, inside.x + inside.width) {
                    mask.values[y * frame.width + x] = 1
                }
            }
            mask = mask.softened(by: radius)
        case .seams, .left, .tent: break
        }
        return mask
    }
}
