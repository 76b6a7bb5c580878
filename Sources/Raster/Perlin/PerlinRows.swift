/// Rows of a sum of Perlin noises over ever finer grids.
///
/// Each octave has a grid of cells of 2ⁿ, 2ⁿ⁻¹ … 2 places a side, with a random slope at every node. A place takes the four
/// planes that rise from its cell's corners, mixed by 3t² − 2t³ of the way along each side.
///
/// Source: alembics/disco-diffusion, `disco.py`, `perlin` and `perlin_ms`; down is its x and across its y, since it lays
/// its x along the picture's rows.
package struct PerlinRows {
    /// Puts the slopes of some nodes of a grid's row where they belong.
    ///
    /// - Parameters:
    ///   - octave: 0 for the coarsest
    ///   - row: of the grid; any number
    ///   - nodes: along that row; any numbers
    ///   - down: slopes along the picture's columns, one for each node
    ///   - across: slopes along its rows
    package typealias Slopes = (
        _ octave: Int, _ row: Int, _ nodes: Range<Int>, _ down: UnsafeMutablePointer<Float>,
        _ across: UnsafeMutablePointer<Float>
    ) -> Void

    private let columns: Range<Int>
    private let slopes: Slopes
    private var octaves: [Octave]

    fileprivate struct Octave {
        /// 0 for the coarsest.
        let octave: Int
        let scale: Int
        let amplitude: Float
        /// Nodes that the columns need.
        let nodes: Range<Int>
        let mix: CellMix
        /// Slopes of two rows of the grid, the upper first: down, then across.
        var upper: [Float]
        var lower: [Float]
        /// The row that `upper` is.
        var row: Int?
        /// What the rows above and below make of each node on the row of the picture: a height and a slope across.
        var heights: [Float]
        var across: [Float]
    }

    /// - Parameters:
    ///   - amplitudes: of the octaves, the coarsest first
    ///   - columns: the places of each row that are wanted
    package init(amplitudes: [Float], columns: Range<Int>, slopes: @escaping Slopes) {
        (self.columns, self.slopes) = (columns, slopes)
        octaves = amplitudes.enumerated().map { index, amplitude in
            let scale = 1 << (amplitudes.count - index)
            let nodes = floored(columns.lowerBound, scale)..<floored(columns.upperBound - 1, scale) + 2
            let none = [Float](repeating: 0, count: nodes.count)
            return Octave(
                octave: index, scale: scale, amplitude: amplitude, nodes: nodes, mix: CellMix(scale),
                upper: none + none,
                lower: none + none, heights: none, across: none)
        }
    }

    /// Adds one row of the sum to what stands in `row`.
    package mutating func add(_ y: Int, to row: UnsafeMutablePointer<Float>) {
        for index in octaves.indices {
            octaves[index].prepare(y, slopes)
            octaves[index].add(to: row, columns)
        }
    }
}

extension PerlinRows {
    /// Variance of the sum where slopes are normal numbers.
    package static func variance(amplitudes: [Float]) -> Double {
        amplitudes.enumerated().reduce(0) { sum, octave in
            let scale = 1 << (amplitudes.count - octave.offset)
            let ways = (0..<scale).map { Double($0) / Double(scale) }
            // For each end of a side: its weight squared, and that times the way to it squared.
            let ends = ways.flatMap { t -> [(weight: Double, reach: Double)] in
                let near = 1 - (3 * t * t - 2 * t * t * t)
                let far = 1 - near
                return [(near * near, near * near * t * t), (far * far, far * far * (1 - t) * (1 - t))]
            }
            let (weight, reach) = ends.reduce((0.0, 0.0)) { ($0.0 + $1.weight, $0.1 + $1.reach) }
            let count = Double(scale)
            return sum + Double(octave.element * octave.element) * 2 * (weight / count) * (reach / count)
        }
    }
}

/// What the corners of a cell weigh at each place of its side.
private struct CellMix {
    /// Of the height at the cell's left side, its slope, and the same at its right side.
    let leftHeight, leftSlope, rightHeight, rightSlope: [Float]

    init(_ scale: Int) {
        let ways = (0..<scale).map { Float($0) / Float(scale) }
        let near = ways.map { 1 - (3 * $0 * $0 - 2 * $0 * $0 * $0) }
        leftHeight = near
        leftSlope = zip(near, ways).map { $0 * $1 }
        rightHeight = near.map { 1 - $0 }
        rightSlope = zip(near, ways).map { -(1 - $0) * (1 - $1) }
    }
}

fileprivate extension PerlinRows.Octave {
    /// Mixes the two grid rows around a row of the picture.
    mutating func prepare(_ y: Int, _ slopes: PerlinRows.Slopes) {
        let gridRow = floored(y, scale)
        if row != gridRow {
            if row == gridRow - 1 { swap(&upper, &lower) } else { Self.read(gridRow, nodes, slopes, octave, &upper) }
            Self.read(gridRow + 1, nodes, slopes, octave, &lower)
            row = gridRow
        }
        mixRows(Float(y - gridRow * scale) / Float(scale))
    }

    private static func read(
        _ row: Int, _ nodes: Range<Int>, _ slopes: PerlinRows.Slopes, _ octave: Int, _ values: inout [Float]
    ) {
        values.withUnsafeMutableBufferPointer { values in
            guard let down = values.baseAddress else { return }
            slopes(octave, row, nodes, down, down + nodes.count)
        }
    }

    /// - Parameter u: how far down the cells the row lies, 0 to 1
    private mutating func mixRows(_ u: Float) {
        let near = 1 - (3 * u * u - 2 * u * u * u)
        let (above, below) = (amplitude * near, amplitude * (1 - near))
        let (fall, rise) = (above * u, -below * (1 - u))
        let count = nodes.count
        upper.withUnsafeBufferPointer { upper in
            lower.withUnsafeBufferPointer { lower in
                heights.withUnsafeMutableBufferPointer { heights in
                    across.withUnsafeMutableBufferPointer { across in
                        for node in 0..<count {
                            heights[node] = fall * upper[node] + rise * lower[node]
                            across[node] = above * upper[count + node] + below * lower[count + node]
                        }
                    }
                }
            }
        }
    }

    func add(to row: UnsafeMutablePointer<Float>, _ columns: Range<Int>) {
        heights.withUnsafeBufferPointer { heights in
            across.withUnsafeBufferPointer { across in
                mix.leftHeight.withUnsafeBufferPointer { leftHeight in
                    mix.leftSlope.withUnsafeBufferPointer { leftSlope in
                        mix.rightHeight.withUnsafeBufferPointer { rightHeight in
                            mix.rightSlope.withUnsafeBufferPointer { rightSlope in
                                for node in 0..<nodes.count - 1 {
                                    let cell = (nodes.lowerBound + node) * scale
                                    let first = max(cell, columns.lowerBound)
                                    let last = min(cell + scale, columns.upperBound)
                                    let (height, slope) = (heights[node], across[node])
                                    let (nextHeight, nextSlope) = (heights[node + 1], across[node + 1])
                                    let out = row + (first - columns.lowerBound)
                                    let skipped = first - cell
                                    for place in 0..<max(0, last - first) {
                                        let way = place &+ skipped
                                        out[place] +=
                                            leftHeight[way] * height + leftSlope[way] * slope
                                            + rightHeight[way] * nextHeight + rightSlope[way] * nextSlope
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The whole number of times that `length` goes into `place`, rounded down.
private func floored(_ place: Int, _ length: Int) -> Int {
    place >= 0 ? place / length : -((length - 1 - place) / length)
}
