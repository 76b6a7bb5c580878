import Raster
import RasterFiles
import Tensors

/// How much the boundaries between tiles show, in two figures; both beside as many lines of the same picture that are no
/// boundaries.
///
/// *fine* sees a step: (e₀ + ½) / (max(median e of the lines 2 to 16 pixels beside it, e₀ of the enlarged source) + ½), where e
/// is the mean step across a line in levels of 255. *broad* sees colours that differ from tile to tile: the difference of the
/// means of (result − enlarged source) over bands as wide as an overlap on both sides of the blend, piece by piece of 128 pixels.
package struct SeamScore: Sendable {
    package struct Edge: Sendable, Equatable {
        /// Whether it runs from top to bottom.
        package var isUpright: Bool
        /// The first pixel behind it, and where it begins and ends along it.
        package var at, from, to: Int
        /// Pixels over which tiles are blended.
        package var width: Int
        package var fine = 0.0
        /// The largest of its pieces, in levels of 255.
        package var broad = 0.0

        /// "x 512, y 0 to 448"
        package var place: String {
            isUpright ? "x \(at), y \(from) to \(to)" : "y \(at), x \(from) to \(to)"
        }
    }

    /// Boundaries, the worst first.
    package var edges: [Edge] = []
    /// As many lines elsewhere.
    package var others: [Edge] = []
    /// broad of all pieces of 128 pixels.
    package var broadOfEdges: [Double] = []
    package var broadOfOthers: [Double] = []

    /// Of a picture without boundaries.
    package init() {}

    /// - Parameter share: 0…1
    package static func quantile(_ values: [Double], _ share: Double) -> Double {
        let sorted = values.sorted()
        guard let last = sorted.last else { return 0 }
        let place = share * Double(sorted.count - 1)
        let (low, rest) = (Int(place), place - place.rounded(.down))
        return low + 1 < sorted.count ? sorted[low] + rest * (sorted[low + 1] - sorted[low]) : last
    }

    /// The 95th percentile of fine over boundaries and over other lines.
    package var fine: (edges: Double, others: Double) {
        (Self.quantile(edges.map(\.fine), 0.95), Self.quantile(others.map(\.fine), 0.95))
    }

    /// The median of broad over pieces of boundaries and of other lines.
    package var broad: (edges: Double, others: Double) {
        (Self.quantile(broadOfEdges, 0.5), Self.quantile(broadOfOthers, 0.5))
    }

    /// - Parameters:
    ///   - result: 16 bits
    ///   - source: what was enlarged, of the same size
    ///   - seed: decides where the other lines are
    /// - Throws: ``PictureFileError``
    package init(_ plan: TilePlan, result: PixelStore, source: PixelStore, seed: UInt64 = 0) throws {
        let lines = plan.seamLines
        let found =
            lines.columns.map { Edge(isUpright: true, at: $0.at, from: $0.from, to: $0.to, width: $0.width) }
            + lines.rows.map { Edge(isUpright: false, at: $0.at, from: $0.from, to: $0.to, width: $0.width) }
        let seams = (Set(lines.columns.map(\.at)), Set(lines.rows.map(\.at)))
        let band = max(8, plan.overlap)
        for (index, edge) in found.enumerated() {
            let measured = try Self.measured(edge, band, result, source)
            edges.append(measured.edge)
            broadOfEdges += measured.pieces
            let side = edge.isUpright ? plan.size.width : plan.size.height
            guard let at = Self.place(index, side, away: edge.isUpright ? seams.0 : seams.1, seed) else { continue }
            var other = edge
            other.at = at
            let beside = try Self.measured(other, band, result, source)
            others.append(beside.edge)
            broadOfOthers += beside.pieces
        }
        edges.sort { $0.fine > $1.fine }
    }

    /// A random place at least 24 pixels from every seam and from the sides; nil where there is none.
    private static func place(_ index: Int, _ side: Int, away seams: Set<Int>, _ seed: UInt64) -> Int? {
        for attempt in 0..<64 {
            let word = PositionNoise.words(
                (UInt32(truncatingIfNeeded: index), UInt32(attempt), 0, 0xF100_0000),
                key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))[0]
            let at = 24 + Int(word) % max(1, side - 48)
            if at < side - 24, !seams.contains(where: { abs($0 - at) < 24 }) { return at }
        }
        return nil
    }

    private static func measured(_ edge: Edge, _ band: Int, _ result: PixelStore, _ source: PixelStore) throws -> (
        edge: Edge, pieces: [Double]
    ) {
        var edge = edge
        let side = edge.isUpright ? result.size.width : result.size.height
        func part(_ first: Int, _ last: Int, _ from: Int, _ to: Int) -> Rectangle {
            edge.isUpright ? Rectangle(first..<last, from..<to) : Rectangle(from..<to, first..<last)
        }
        // Steps across the lines from −16 to 16 need one pixel more before them.
        let (first, last) = (max(0, edge.at - 17), min(side, edge.at + 17))
        let near = part(first, last, edge.from, edge.to)
        let steps = steps(try result.read(near), edge.isUpright)
        let before = Self.steps(try source.read(near).converted(depth: 16), edge.isUpright)
        // steps[i] lies between pixels first + i and first + i + 1.
        func at(_ line: Int) -> Int { line - first - 1 }
        let beside = (edge.at - 16...edge.at + 16).filter { abs($0 - edge.at) >= 2 && steps.indices.contains(at($0)) }
            .map { steps[at($0)] }
        let own = steps[at(edge.at)]
        edge.fine = (own + 0.5) / (max(quantile(beside, 0.5), before[at(edge.at)]) + 0.5)

        var pieces: [Double] = []
        let half = (edge.width + 1) / 2
        let bands = [(edge.at - half - band, edge.at - half), (edge.at + half, edge.at + half + band)]
            .map { (max(0, $0.0), min(side, $0.1)) }
        if bands.allSatisfy({ $0.1 > $0.0 }) {
            for from in stride(from: edge.from, to: edge.to, by: 128) {
                let to = min(edge.to, from + 128)
                let changes = try bands.map { band in
                    let place = part(band.0, band.1, from, to)
                    return change(try result.read(place), try source.read(place).converted(depth: 16))
                }
                let apart = zip(changes[0], changes[1]).map { abs($0 - $1) }
                pieces.append(apart.reduce(0, +) / Double(apart.count))
            }
        }
        edge.broad = pieces.max() ?? 0
        return (edge, pieces)
    }

    /// The mean step between neighbouring columns, or rows, in levels of 255.
    private static func steps(_ picture: Picture, _ isUpright: Bool) -> [Double] {
        guard case .sixteen(let values) = picture.samples else { return [] }
        let (count, shown) = (picture.channels.count, picture.channels.isGrey ? 1 : 3)
        let (across, along) = isUpright ? (picture.width, picture.height) : (picture.height, picture.width)
        let (step, line) = isUpright ? (count, picture.width * count) : (picture.width * count, count)
        return (0..<across - 1).map { place in
            var sum = 0
            for pixel in 0..<along {
                let start = pixel * line + place * step
                for channel in start..<start + shown { sum += abs(Int(values[channel + step]) - Int(values[channel])) }
            }
            return Double(sum) / Double(along * shown) / 257
        }
    }

    /// The mean of a result less its source, for each channel, in levels of 255.
    private static func change(_ result: Picture, _ source: Picture) -> [Double] {
        guard case .sixteen(let new) = result.samples, case .sixteen(let old) = source.samples else { return [] }
        let (count, shown) = (result.channels.count, result.channels.isGrey ? 1 : 3)
        var sums = [Int](repeating: 0, count: shown)
        for pixel in stride(from: 0, to: new.count, by: count) {
            for channel in 0..<shown { sums[channel] += Int(new[pixel + channel]) - Int(old[pixel + channel]) }
        }
        return sums.map { Double($0) / Double(result.size.area) / 257 }
    }

    /// Boundaries whose step is above a limit and above every line beside it.
    ///
    /// - Throws: ``PictureFileError``
    package func showing(above limit: Double, _ result: PixelStore) throws -> [Edge] {
        try edges.filter { edge in
            guard edge.fine > limit else { return false }
            let side = edge.isUpright ? result.size.width : result.size.height
            let (first, last) = (max(0, edge.at - 17), min(side, edge.at + 17))
            let steps = Self.steps(
                try result.read(
                    edge.isUpright
                        ? Rectangle(first..<last, edge.from..<edge.to) : Rectangle(edge.from..<edge.to, first..<last)),
                edge.isUpright)
            let own = edge.at - first - 1
            return steps.indices.allSatisfy { $0 == own || steps[$0] < steps[own] }
        }
    }
}

extension TilePlan {
    /// A tile over each boundary that shows, with its own middle elsewhere than those that stand.
    func repairs(of edges: [SeamScore.Edge], _ wish: Wish) -> [Tile] {
        let wave = (tiles.last?.wave ?? 0) + 1
        let side = wish.tile
        return edges.flatMap { edge in
            stride(from: edge.from, to: edge.to, by: max(1, edge.isUpright ? side.height : side.width)).map { from in
                let length = min(edge.to - from, edge.isUpright ? side.height : side.width)
                let middle = from + length / 2
                return repair(
                    edge.isUpright ? edge.at : middle, edge.isUpright ? middle : edge.at, side,
                    .tent(across: edge.isUpright, down: !edge.isUpright), wave: wave, cell: wish.cell)
            }
        }
    }
}
