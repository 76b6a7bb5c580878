import CKernels

/// A 3×3 convolution of stride 1 by our own Winograd F(4×4, 3×3).
///
/// Weights stay in their file's precision, packed once whatever the size of the maps; every 36-value transform lives in a
/// cache only. See `winograd.h` for the algorithm and its order of sums, which no cutting of the work can change.
final class Winograd: ShelvedLayer {
    private let weights: Weights
    private let packed = PackedWeights()

    /// - Parameter weights: `[O, I, 3, 3]`
    init(_ weights: Weights) { self.weights = weights }

    func letGo() { packed.letGo() }

    func packedBytes(lanes: Int) -> Int {
        weights.countFilledUp(toLanes: lanes) * (weights.format == .float16 || weights.format == .bfloat16 ? 2 : 4)
    }

    static func isAvailable(lanes: Int) -> Bool { winograd_available(lanes) != 0 }

    /// Writes the convolution of the map at `source`, or adds it.
    func run(
        _ source: UnsafePointer<Float>, _ x: MapShape, _ padding: Convolution.Padding, bias: Storage?,
        to destination: UnsafeMutablePointer<Float>, _ result: MapShape, accumulates: Bool, on engine: Engine
    ) {
        let shape = self.shape(from: x, padding, to: result)
        let packed = packed.storage((winograd_packed_bytes(shape) + 3) / 4, on: engine) {
            pack(shape, into: $0, on: engine)
        }
        let (threads, cut) = (engine.threads, Cut(shape, threads: engine.threads.count))
        let pixelFloats = winograd_pixels_floats(shape, cut.tiles)
        let scratchFloats = winograd_scratch_floats(shape, cut.tiles)
        let pixelPieces = cut.shares ? cut.pieces : threads.count

        engine.scratch.lend(pixelPieces * pixelFloats + threads.count * scratchFloats) { memory in
            func transform(_ piece: Int, block: Int, to pixels: UnsafeMutablePointer<Float>) {
                let tiles = cut.range(piece)
                winograd_transform(shape, source, tiles.lowerBound, tiles.count, block, pixels)
            }
            func multiply(_ piece: Int, group: Int, from pixels: UnsafePointer<Float>, worker: Int) {
                let tiles = cut.range(piece)
                winograd_multiply(
                    shape, pixels, packed.pointer, bias?.pointer, tiles.lowerBound, tiles.count, group,
                    accumulates ? 1 : 0, destination,
                    memory + pixelPieces * pixelFloats + worker * scratchFloats)
            }
            if cut.shares {
                threads.forEach(cut.pieces * shape.in_blocks) { index in
                    let (piece, block) = index.quotientAndRemainder(dividingBy: shape.in_blocks)
                    transform(piece, block: block, to: memory + piece * pixelFloats)
                }
                threads.forEachWithWorker(cut.pieces * cut.groups) { index, worker in
                    // A group's pieces follow each other, so that its weights are in the shared cache.
                    let (group, piece) = index.quotientAndRemainder(dividingBy: cut.pieces)
                    multiply(piece, group: group, from: memory + piece * pixelFloats, worker: worker)
                }
            } else {
                threads.forEachWithWorker(cut.pieces) { piece, worker in
                    let pixels = memory + worker * pixelFloats
                    for block in 0..<shape.in_blocks { transform(piece, block: block, to: pixels) }
                    for group in 0..<cut.groups {
                        multiply(piece, group: group, from: pixels, worker: worker)
                    }
                }
            }
        }
        withExtendedLifetime((packed, bias)) {}
    }

    private func shape(
        from x: MapShape, _ padding: Convolution.Padding, to result: MapShape
    ) -> winograd_shape {
        let format =
            switch weights.format {
            // Float8 was widened to floats.
            case .float32, .float8e4m3, .float8e5m2: winograd_float32
            case .float16: winograd_float16
            case .bfloat16: winograd_bfloat16
            }
        return winograd_shape(
            lanes: x.lanes, in_blocks: x.blocks, out_blocks: result.blocks, batch: x.batch, height: x.height,
            width: x.width, out_height: result.height, out_width: result.width, pad_top: padding.top,
            pad_left: padding.left, format: format)
    }

    private func pack(_ shape: winograd_shape, into packed: UnsafeMutablePointer<Float>, on engine: Engine) {
        weights.widened.withBytes { bytes in
            engine.threads.forEach(winograd_groups(shape)) { group in
                winograd_pack(shape, group, bytes, weights.shape[0], weights.shape[1], packed)
            }
        }
        weights.letGo()
    }

    /// How the work is cut into runs of tiles. Unlike elsewhere it follows the number of threads, since no cut changes a sum.
    private struct Cut {
        /// Most tiles of a piece: their sums fill a core's second cache.
        static var mostTiles: Int { 96 }
        /// What transforming a group's weights costs, in tiles: each piece pays it anew.
        static var weightTiles: Int { 5 }
        /// What it costs threads to wait for each other once more, in the same measure.
        static var waitTiles: Int { 10 }

        let total, tiles, pieces, groups: Int
        /// Whether threads share pieces, each computing some groups of every piece, rather than whole pieces each.
        let shares: Bool

        init(_ shape: winograd_shape, threads: Int) {
            let (total, groups) = (winograd_tiles(shape), winograd_groups(shape))
            func tiles(_ pieces: Int) -> Int { (total + pieces - 1) / pieces }
            func turns(_ count: Int) -> Int { (count + threads - 1) / threads }
            func apart(_ pieces: Int) -> Int { turns(pieces) * groups * (tiles(pieces) + Self.weightTiles) }
            func shared(_ pieces: Int) -> Int {
                turns(pieces * groups) * (tiles(pieces) + Self.weightTiles) + Self.waitTiles
            }
            let fewest = (total + Self.mostTiles - 1) / Self.mostTiles
            let counts = fewest...fewest + 3 * threads
            let bestApart = counts.min { apart($0) < apart($1) } ?? fewest
            let bestShared = counts.min { shared($0) < shared($1) } ?? fewest
            // Shared pixels wait in memory all at once: only where they are few.
            shares = fewest <= threads && shared(bestShared) < apart(bestApart)
            self.tiles = tiles(shares ? bestShared : bestApart)
            pieces = (total + self.tiles - 1) / self.tiles
            (self.total, self.groups) = (total, groups)
        }

        /// Tiles of one piece.
        func range(_ piece: Int) -> Range<Int> { piece * tiles..<min(total, (piece + 1) * tiles) }
    }
}
