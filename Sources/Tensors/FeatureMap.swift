import CKernels

/// A picture inside a network: `batch × channels × height × width`, stored as convolutions want it.
///
/// **Layout.** `[N, ⌈C/B⌉, H, W, B]`: B channels (`lanes`: 16 with AVX-512, 8 with AVX2, 1 elsewhere) lie side by side for
/// every pixel, and lanes past the last channel are zero. This is oneDNN's blocked layout, in which its direct
/// convolutions and our Winograd run; every other operation works on it too, so no pass over memory is spent on changing it.
package struct FeatureMap: Sendable {
    package let batch: Int
    package let channels: Int
    package let height: Int
    package let width: Int
    package let lanes: Int
    private var storage: Storage

    /// A map holding anything, to be filled by its maker.
    package init(unfilledBatch batch: Int, channels: Int, height: Int, width: Int, lanes: Int) {
        (self.batch, self.channels, self.height, self.width, self.lanes) = (batch, channels, height, width, lanes)
        storage = Storage(batch * ((channels + lanes - 1) / lanes) * height * width * lanes)
    }

    package var pixels: Int { height * width }
    /// Planes of one item: ⌈C/B⌉.
    package var blocks: Int { (channels + lanes - 1) / lanes }
    /// Floats of one plane.
    package var planeSize: Int { pixels * lanes }
    package var count: Int { storage.count }
    package var shape: MapShape {
        MapShape(batch: batch, channels: channels, height: height, width: width, lanes: lanes)
    }

    package func withPointer<Result>(_ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result {
        try withExtendedLifetime(storage) { try body(UnsafePointer(storage.pointer)) }
    }

    /// Lends the values for writing, having made them this map's own.
    package mutating func withMutablePointer<Result>(
        _ body: (UnsafeMutablePointer<Float>) throws -> Result
    ) rethrows -> Result {
        if !isKnownUniquelyReferenced(&storage) {
            let copy = Storage(storage.count)
            copy.pointer.update(from: storage.pointer, count: storage.count)
            storage = copy
        }
        return try withExtendedLifetime(storage) { try body(storage.pointer) }
    }

    /// A map of the same form with other channels or another size, holding anything.
    package func like(channels: Int? = nil, height: Int? = nil, width: Int? = nil) -> FeatureMap {
        FeatureMap(
            unfilledBatch: batch, channels: channels ?? self.channels, height: height ?? self.height,
            width: width ?? self.width, lanes: lanes)
    }

    /// "2×64×32×48", for messages.
    package var shapeDescription: String { "\(batch)×\(channels)×\(height)×\(width)" }
}

/// How a ``FeatureMap``, or its first channels, lie in memory.
package struct MapShape: Sendable {
    package var batch, channels, height, width, lanes: Int

    package var blocks: Int { (channels + lanes - 1) / lanes }
    /// Floats of one plane, and of all.
    package var planeSize: Int { height * width * lanes }
    package var count: Int { batch * blocks * planeSize }
}

extension Engine {
    /// `[N, C, H, W]` to a feature map.
    package func featureMap(_ tensor: Tensor) -> FeatureMap {
        precondition(tensor.shape.count == 4, "a feature map needs [N, C, H, W], not \(tensor.shape)")
        let shape = tensor.shape
        var map = FeatureMap(
            unfilledBatch: shape[0], channels: shape[1], height: shape[2], width: shape[3], lanes: lanes)
        let (blocks, pixels, plane, channels, lanes) = (map.blocks, map.pixels, map.planeSize, map.channels, map.lanes)
        tensor.withPointer { source in
            map.withMutablePointer { destination in
                threads.forEach(shape[0] * blocks) { piece in
                    let (item, block) = piece.quotientAndRemainder(dividingBy: blocks)
                    kernel_block_plane(
                        source + (item * channels + block * lanes) * pixels, pixels,
                        min(lanes, channels - block * lanes),
                        destination + piece * plane, pixels, lanes)
                }
            }
        }
        return map
    }

    /// A feature map to `[N, C, H, W]`.
    package func tensor(_ map: FeatureMap) -> Tensor {
        var tensor = Tensor(unfilled: [map.batch, map.channels, map.height, map.width])
        let (blocks, pixels, plane, channels, lanes) = (map.blocks, map.pixels, map.planeSize, map.channels, map.lanes)
        map.withPointer { source in
            tensor.withMutablePointer { destination in
                threads.forEach(map.batch * blocks) { piece in
                    let (item, block) = piece.quotientAndRemainder(dividingBy: blocks)
                    kernel_unblock_plane(
                        source + piece * plane, destination + (item * channels + block * lanes) * pixels, pixels,
                        min(lanes, channels - block * lanes), pixels, lanes)
                }
            }
        }
        return tensor
    }

    /// Two maps of one size, channels of `a` before those of `b`.
    package func concatenated(_ a: FeatureMap, _ b: FeatureMap) -> FeatureMap {
        timed("channels joined", "\(a.shapeDescription) and \(b.channels)") { joined(a, b) }
    }

    private func joined(_ a: FeatureMap, _ b: FeatureMap) -> FeatureMap {
        precondition(
            a.batch == b.batch && a.height == b.height && a.width == b.width,
            "channels of \(a.shapeDescription) and \(b.shapeDescription) cannot be joined")
        var result = a.like(channels: a.channels + b.channels)
        let (blocks, plane, pixels, lanes) = (result.blocks, result.planeSize, result.pixels, result.lanes)
        a.withPointer { a1 in
            b.withPointer { b1 in
                result.withMutablePointer { destination in
                    threads.forEach(a.batch * blocks) { piece in
                        let (item, block) = piece.quotientAndRemainder(dividingBy: blocks)
                        let out = destination + piece * plane
                        if (block + 1) * lanes <= a.channels {
                            out.update(from: a1 + (item * a.blocks + block) * plane, count: plane)
                        } else if block * lanes >= a.channels && a.channels % lanes == 0 {
                            out.update(from: b1 + (item * b.blocks + block - a.blocks) * plane, count: plane)
                        } else {
                            out.update(repeating: 0, count: plane)
                            // Lane by lane, in runs that stay inside one block of their source.
                            var lane = 0
                            while lane < lanes, block * lanes + lane < a.channels + b.channels {
                                let channel = block * lanes + lane
                                let (map, base, inner) =
                                    channel < a.channels ? (a, a1, channel) : (b, b1, channel - a.channels)
                                let run = min(lanes - lane, lanes - inner % lanes, map.channels - inner)
                                kernel_copy_lanes(
                                    base + (item * map.blocks + inner / lanes) * plane, inner % lanes, out, lane, run,
                                    pixels, lanes)
                                lane += run
                            }
                        }
                    }
                }
            }
        }
        return result
    }

    /// Nearest-neighbour enlargement: pixel (x, y) comes from (⌊x·W/W′⌋, ⌊y·H/H′⌋), as PyTorch's `interpolate`.
    package func enlarged(_ map: FeatureMap, height: Int, width: Int) -> FeatureMap {
        var result = map.like(height: height, width: width)
        stretch(map, to: &result) { $0 * map.height / height }
        return result
    }

    /// Rows `rows` of a map enlarged to twice its sides. `map` is its rows from `first` on.
    package func doubled(_ map: FeatureMap, rows: Range<Int>, first: Int) -> FeatureMap {
        var result = map.like(height: rows.count, width: 2 * map.width)
        stretch(map, to: &result) { (rows.lowerBound + $0) / 2 - first }
        return result
    }

    private func stretch(_ map: FeatureMap, to result: inout FeatureMap, row: (Int) -> Int) {
        let (lanes, height, width) = (map.lanes, result.height, result.width)
        map.withPointer { source in
            result.withMutablePointer { destination in
                timed("enlargement", map.shapeDescription) {
                    threads.forEach(map.batch * map.blocks) { piece in
                        for y in 0..<height {
                            kernel_stretch_row(
                                source + piece * map.planeSize + row(y) * map.width * lanes, map.width,
                                destination + (piece * height + y) * width * lanes, width, lanes)
                        }
                    }
                }
            }
        }
    }

    package func sum(_ a: FeatureMap, _ b: FeatureMap) -> FeatureMap {
        precondition(a.count == b.count && a.channels == b.channels, "\(a.shapeDescription) + \(b.shapeDescription)")
        var result = a.like()
        let count = a.count
        a.withPointer { a in
            b.withPointer { b in
                result.withMutablePointer { out in
                    threads.forRanges(count, grain: 1 << 16) {
                        kernel_add_array(a + $0.lowerBound, b + $0.lowerBound, out + $0.lowerBound, $0.count)
                    }
                }
            }
        }
        return result
    }
}
