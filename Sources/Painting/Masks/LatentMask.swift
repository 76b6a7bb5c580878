import Raster
import Tensors

/// Which source pixels, along one side, lie under each latent cell.
struct CellColumns {
    /// For each cell, its pixels of the part that is painted.
    let pixels: [[Int]]

    /// - Parameters:
    ///   - source: pixels along the side
    ///   - working: pixels that are painted along it
    ///   - factor: working pixels to a cell
    init(source: Int, working: Int, isScaled: Bool, factor: Int) {
        pixels = (0..<working / factor).map { cell in
            guard isScaled else { return (cell * factor..<(cell + 1) * factor).map { reflected($0, count: source) } }
            // Every pixel that a cell touches.
            let first = cell * factor * source / working
            let last = ((cell + 1) * factor * source + working - 1) / working
            return Array(first..<min(source, max(first + 1, last)))
        }
    }

    /// The cell over each source pixel's middle.
    func cells(source: Int, working: Int, isScaled: Bool, factor: Int) -> [Int] {
        (0..<source).map { pixel in
            let place = isScaled ? (2 * pixel + 1) * working / (2 * source) : pixel
            return min(pixels.count - 1, place / factor)
        }
    }
}

/// A mask as cells of latents, each as strong as the strongest pixel that it touches, so that no stroke is lost.
struct LatentMask {
    /// `[1, 1, h, w]`, 0…1
    let strength: Tensor
    /// For each pixel of the part that is painted, whether its cell never runs.
    let isHeld: [Bool]

    /// - Parameter mask: of the part's size
    init(_ mask: Mask, _ plan: WorkingPlan, factor: Int) {
        let (size, working) = (plan.source, plan.working)
        let columns = CellColumns(
            source: size.width, working: working.width, isScaled: plan.isScaled, factor: factor)
        let rows = CellColumns(
            source: size.height, working: working.height, isScaled: plan.isScaled, factor: factor)
        var values: [Float] = []
        values.reserveCapacity(columns.pixels.count * rows.pixels.count)
        for row in rows.pixels {
            for column in columns.pixels {
                var most: Float = 0
                for y in row { for x in column { most = max(most, mask[x, y]) } }
                values.append(most)
            }
        }
        let width = columns.pixels.count
        strength = Tensor([1, 1, rows.pixels.count, width], values)
        let across = columns.cells(
            source: size.width, working: working.width, isScaled: plan.isScaled, factor: factor)
        let down = rows.cells(source: size.height, working: working.height, isScaled: plan.isScaled, factor: factor)
        isHeld = down.flatMap { y in across.map { x in values[y * width + x] == 0 } }
    }
}
