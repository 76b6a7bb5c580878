import Tensors

/// Self-attention over fewer tokens: those that are most alike become one before it and all take its result after it.
///
/// Of every square of two by two pixels the upper left keeps its place; of all others the share that is most like one of these is
/// merged into it. Nothing is drawn by chance. Only the finest level that has attention merges, where most tokens are.
///
/// Source: Bolya and Hoffman, "Token Merging for Fast Stable Diffusion" (2023), with the places of `use_rand=False`.
package struct TokenMerging: Sendable, Equatable {
    /// Share of all tokens that is merged into others, 0…1; of each square at most three of its four can be.
    package var ratio: Double
    /// Networks whose finest attention is at half size or less (SDXL) are left as they are, as `max_downsample=1` does.
    package var fullSizeOnly: Bool

    package init(ratio: Double, fullSizeOnly: Bool = false) {
        (self.ratio, self.fullSizeOnly) = (ratio, fullSizeOnly)
    }
}

/// Which tokens of a batch became one.
struct MergedTokens {
    /// For each item and token, the row that it is in.
    private let rows: [[Int32]]
    /// One divided by how many tokens are in each row.
    private let shares: [[Float]]
    private let count: Int
    private let engine: Engine

    /// Nil where nothing would be merged.
    ///
    /// - Parameter tokens: `[N, height·width, C]`, by whose cosines likeness is measured
    init?(_ tokens: Tensor, height: Int, width: Int, ratio: Double, on engine: Engine) throws {
        let (batch, all) = (tokens.shape[0], height * width)
        precondition(tokens.shape[1] == all, "\(tokens.shape) are not \(height)×\(width) tokens")
        var (kept, others): ([Int], [Int]) = ([], [])
        for y in 0..<height {
            for x in 0..<width {
                let stays = y % 2 == 0 && x % 2 == 0 && y + 1 < height && x + 1 < width
                if stays { kept.append(y * width + x) } else { others.append(y * width + x) }
            }
        }
        let merged = min(Int(Double(all) * ratio), others.count)
        guard merged > 0, !kept.isEmpty else { return nil }
        self.engine = engine
        count = all - merged

        let directions = Self.directions(tokens, on: engine)
        var (rows, shares): ([[Int32]], [[Float]]) = ([], [])
        for item in 0..<batch {
            let nearest = try Self.nearest(of: others, among: kept, directions.items(item..<item + 1), on: engine)
            // Most alike first; of equals the upper left.
            let order = others.indices.sorted { a, b in
                nearest[a].likeness == nearest[b].likeness ? a < b : nearest[a].likeness > nearest[b].likeness
            }
            var row = [Int32](repeating: 0, count: all)
            var sizes = [Float](repeating: 1, count: count)
            let alone = others.count - merged
            for (place, token) in kept.enumerated() { row[token] = Int32(alone + place) }
            for index in order.prefix(merged) {
                let home = alone + nearest[index].place
                row[others[index]] = Int32(home)
                sizes[home] += 1
            }
            for (place, index) in order.dropFirst(merged).enumerated() { row[others[index]] = Int32(place) }
            rows.append(row)
            shares.append(sizes.map { 1 / $0 })
        }
        (self.rows, self.shares) = (rows, shares)
    }

    /// The mean of all tokens in each row. **Shape** `[N, T, C]` → `[N, fewer, C]`
    func merged(_ x: Tensor) -> Tensor {
        let (batch, all, width) = (x.shape[0], x.shape[1], x.shape[2])
        var result = Tensor([batch, count, width], repeating: 0)
        x.withPointer { source in
            result.withMutablePointer { out in
                // Columns are cut, so that every row is summed in one order.
                let piece = 16
                let pieces = (width + piece - 1) / piece
                engine.threads.forEach(batch * pieces) { index in
                    let (item, cut) = index.quotientAndRemainder(dividingBy: pieces)
                    let columns = cut * piece..<min(width, (cut + 1) * piece)
                    for token in 0..<all {
                        let row = Int(rows[item][token])
                        let (from, to) = (source + (item * all + token) * width, out + (item * count + row) * width)
                        for column in columns { to[column] += from[column] }
                    }
                    for row in 0..<count where shares[item][row] != 1 {
                        let to = out + (item * count + row) * width
                        for column in columns { to[column] *= shares[item][row] }
                    }
                }
            }
        }
        return result
    }

    /// Adds to every token the row that it is in. **Shape** `[N, fewer, C]` onto `[N, T, C]`
    func add(_ x: Tensor, to sum: inout Tensor) {
        let (batch, all, width) = (sum.shape[0], sum.shape[1], sum.shape[2])
        x.withPointer { source in
            sum.withMutablePointer { out in
                engine.threads.forRanges(batch * all, grain: 64) { tokens in
                    for token in tokens {
                        let (item, place) = token.quotientAndRemainder(dividingBy: all)
                        let from = source + (item * count + Int(rows[item][place])) * width
                        for column in 0..<width { out[token * width + column] += from[column] }
                    }
                }
            }
        }
    }

    /// Tokens at length one.
    private static func directions(_ tokens: Tensor, on engine: Engine) -> Tensor {
        let width = tokens.shape[2]
        var result = tokens
        let count = tokens.count / width
        result.withMutablePointer { values in
            engine.threads.forRanges(count, grain: 64) { rows in
                for row in rows {
                    let place = values + row * width
                    var square: Float = 0
                    for column in 0..<width { square += place[column] * place[column] }
                    let scale = square > 0 ? 1 / square.squareRoot() : 0
                    for column in 0..<width { place[column] *= scale }
                }
            }
        }
        return result
    }

    /// For each of the others the one of those that stay which is most like it.
    private static func nearest(
        of others: [Int], among kept: [Int], _ directions: Tensor, on engine: Engine
    ) throws -> [(place: Int, likeness: Float)] {
        let width = directions.shape[2]
        func gathered(_ places: [Int]) -> Tensor {
            var rows = Tensor(unfilled: [places.count, width])
            directions.withPointer { source in
                rows.withMutablePointer { out in
                    for (row, place) in places.enumerated() {
                        (out + row * width).update(from: source + place * width, count: width)
                    }
                }
            }
            return rows
        }
        let product = Linear(Weights([kept.count, width], gathered(kept).values), bias: nil, on: engine)
        let cosines = try product(gathered(others))
        var found = [(place: Int, likeness: Float)](repeating: (0, 0), count: others.count)
        cosines.withPointer { cosines in
            found.withUnsafeMutableBufferPointer { found in
                // Unchecked: every piece writes rows of its own.
                nonisolated(unsafe) let found = found
                engine.threads.forRanges(others.count, grain: 64) { rows in
                    for row in rows {
                        let values = cosines + row * kept.count
                        var best = 0
                        for place in 1..<kept.count where values[place] > values[best] { best = place }
                        found[row] = (best, values[best])
                    }
                }
            }
        }
        return found
    }
}
