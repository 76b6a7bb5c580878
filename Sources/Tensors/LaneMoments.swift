import CKernels

/// Sums and sums of squares over every lane of a map, gathered from its rows as they come: what normalising it needs to know.
///
/// Sums are taken about a pivot (each lane's first value), so that a large mean does not swallow a small variance. Rows are
/// summed in pieces that follow from the width alone, and pieces one after the other, so neither threads nor the bands that
/// rows come in can change a bit.
package struct LaneMoments: Sendable {
    let batch, channels, blocks, lanes: Int
    private(set) var pixels = 0
    private(set) var pivots: [Float]
    private(set) var sums: [Double]
    private(set) var squares: [Double]

    /// Nothing yet, of maps like `x` in batch and channels.
    package init(like x: FeatureMap) {
        (batch, channels, blocks, lanes) = (x.batch, x.channels, x.blocks, x.lanes)
        pivots = [Float](repeating: 0, count: x.batch * x.blocks * x.lanes)
        sums = [Double](repeating: 0, count: pivots.count)
        squares = sums
    }

    /// Of a whole map.
    init(of x: FeatureMap, on engine: Engine) {
        self.init(like: x)
        add(x, on: engine)
    }

    /// Rows that are summed as one piece in maps of a width. Bands, the last aside, must be whole pieces.
    package static func rowsOfPiece(width: Int) -> Int {
        var rows = 1
        while 2 * rows * width <= 2048 { rows *= 2 }
        return rows
    }

    /// Adds the rows that follow those that were added.
    package mutating func add(_ band: FeatureMap, on engine: Engine) {
        precondition(band.batch == batch && band.channels == channels && band.lanes == lanes)
        let (planes, lanes) = (batch * blocks, lanes)
        let rows = Self.rowsOfPiece(width: band.width)
        let pieces = (band.height + rows - 1) / rows
        var pieceSums = [Double](repeating: 0, count: planes * pieces * lanes)
        var pieceSquares = pieceSums
        band.withPointer { source in
            if pixels == 0 {
                for plane in 0..<planes {
                    for lane in 0..<lanes { pivots[plane * lanes + lane] = source[plane * band.planeSize + lane] }
                }
            }
            pivots.withUnsafeBufferPointer { pivots in
                pieceSums.withUnsafeMutableBufferPointer { sums in
                    pieceSquares.withUnsafeMutableBufferPointer { squares in
                        guard let pivot = pivots.baseAddress, let sum = sums.baseAddress,
                            let square = squares.baseAddress
                        else { return }
                        engine.threads.forEach(planes * pieces) { index in
                            let (plane, piece) = index.quotientAndRemainder(dividingBy: pieces)
                            let first = piece * rows
                            let pixels = (min(first + rows, band.height) - first) * band.width
                            kernel_lane_moments(
                                source + plane * band.planeSize + first * band.width * lanes, pixels, lanes,
                                pivot + plane * lanes, sum + index * lanes, square + index * lanes)
                        }
                    }
                }
            }
        }
        for plane in 0..<planes {
            for piece in 0..<pieces {
                for lane in 0..<lanes {
                    sums[plane * lanes + lane] += pieceSums[(plane * pieces + piece) * lanes + lane]
                    squares[plane * lanes + lane] += pieceSquares[(plane * pieces + piece) * lanes + lane]
                }
            }
        }
        pixels += band.pixels
    }
}
