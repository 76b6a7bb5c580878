import CKernels

/// A feature map to which layers add channels: each sees all that were there before and puts its own behind them, as in
/// dense blocks. Nothing is copied where channels come in whole blocks of lanes.
package struct JointMap {
    private var map: FeatureMap
    /// Channels that are there so far.
    package private(set) var channels: Int
    private let engine: Engine

    /// - Parameters:
    ///   - x: one picture
    ///   - room: channels that there will be in the end
    package init(_ x: FeatureMap, room: Int, on engine: Engine) {
        precondition(x.batch == 1 && x.channels <= room, "\(x.shapeDescription) in room for \(room) channels")
        map = x.like(channels: room)
        (channels, self.engine) = (x.channels, engine)
        let (plane, first) = (map.planeSize, x.blocks)
        x.withPointer { source in
            map.withMutablePointer { out in
                engine.threads.forEach(first) { block in
                    (out + block * plane).update(from: source + block * plane, count: plane)
                }
            }
        }
    }

    /// Convolves all channels so far into a map of its own.
    package func convolved(by convolution: Convolution) throws -> FeatureMap {
        precondition(convolution.inChannels == channels, "\(channels) channels into \(convolution.inChannels)")
        var result = map.like(channels: convolution.outChannels)
        let shape = shape
        try map.withPointer { source in
            try result.withMutablePointer {
                try convolution.run(source, shape, convolution.padding, to: $0, accumulates: false)
            }
        }
        return result
    }

    /// Convolves all channels so far and puts the result behind them, what is below zero times `slope`.
    package mutating func append(_ convolution: Convolution, slope: Float) throws {
        let (count, lanes, shape) = (convolution.outChannels, map.lanes, shape)
        guard channels % lanes == 0, count % lanes == 0 else {
            var result = try convolved(by: convolution)
            engine.leak(&result, slopes: Array(repeating: slope, count: count))
            return append(result)
        }
        precondition(convolution.inChannels == channels, "\(channels) channels into \(convolution.inChannels)")
        let (engine, first, plane, pixels) = (engine, channels / lanes, map.planeSize, map.pixels)
        try map.withMutablePointer { all in
            let out = all + first * plane
            try convolution.run(UnsafePointer(all), shape, convolution.padding, to: out, accumulates: false)
            engine.leak(out, planes: count / lanes, pixels: pixels, slopes: Array(repeating: slope, count: count))
        }
        channels += count
    }

    /// Puts channels behind those that are there.
    package mutating func append(_ x: FeatureMap) {
        precondition(channels + x.channels <= map.channels && x.pixels == map.pixels)
        let (lanes, plane, pixels) = (map.lanes, map.planeSize, map.pixels)
        var channel = 0
        x.withPointer { source in
            map.withMutablePointer { out in
                while channel < x.channels {
                    let at = channels + channel
                    // In runs that stay inside one block of either.
                    let run = min(x.channels - channel, lanes - at % lanes, lanes - channel % lanes)
                    // Lanes past the last channel count as zeros, so they have to be some.
                    if at % lanes == 0 { (out + at / lanes * plane).update(repeating: 0, count: plane) }
                    kernel_copy_lanes(
                        source + channel / lanes * plane, channel % lanes, out + at / lanes * plane, at % lanes, run,
                        pixels, lanes)
                    channel += run
                }
            }
        }
        channels += x.channels
    }

    private var shape: MapShape {
        var shape = map.shape
        shape.channels = channels
        return shape
    }
}

extension Engine {
    /// What is below zero times its channel's slope. Source: He et al., "Delving Deep into Rectifiers" (2015).
    ///
    /// - Parameter slopes: one for each channel; 0 is ReLU
    package func leak(_ map: inout FeatureMap, slopes: [Float]) {
        precondition(slopes.count == map.channels, "\(slopes.count) slopes for \(map.shapeDescription)")
        let (planes, pixels) = (map.batch * map.blocks, map.pixels)
        precondition(map.batch == 1)
        map.withMutablePointer { leak($0, planes: planes, pixels: pixels, slopes: slopes) }
    }

    /// Planes that lie behind each other.
    func leak(_ first: UnsafeMutablePointer<Float>, planes: Int, pixels: Int, slopes: [Float]) {
        let lanes = lanes
        let padded = slopes + Array(repeating: 0, count: planes * lanes - slopes.count)
        timed("activation", "\(slopes.count)×\(pixels)") {
            padded.withUnsafeBufferPointer { slopes in
                guard let slopes = slopes.baseAddress else { return }
                forEachPiece(planes, pixels: pixels) { plane, piece in
                    kernel_leak_plane(
                        first + (plane * pixels + piece.lowerBound) * lanes, piece.count, lanes, slopes + plane * lanes)
                }
            }
        }
    }

    /// a + scale·b
    package func sum(_ a: FeatureMap, _ b: FeatureMap, scale: Float) -> FeatureMap {
        precondition(a.count == b.count && a.channels == b.channels, "\(a.shapeDescription) + \(b.shapeDescription)")
        var result = a.like()
        let count = a.count
        timed("sum", a.shapeDescription) {
            a.withPointer { a in
                b.withPointer { b in
                    result.withMutablePointer { out in
                        threads.forRanges(count, grain: 1 << 16) {
                            kernel_add_scaled_array(
                                a + $0.lowerBound, b + $0.lowerBound, scale, out + $0.lowerBound, $0.count)
                        }
                    }
                }
            }
        }
        return result
    }

    /// Part of a map, copied.
    package func part(_ map: FeatureMap, rows: Range<Int>, columns: Range<Int>) -> FeatureMap {
        precondition(
            rows.lowerBound >= 0 && rows.upperBound <= map.height && columns.lowerBound >= 0
                && columns.upperBound <= map.width, "rows \(rows), columns \(columns) of \(map.shapeDescription)")
        if rows.count == map.height, columns.count == map.width { return map }
        var result = map.like(height: rows.count, width: columns.count)
        let (lanes, plane, out) = (map.lanes, map.planeSize, result.planeSize)
        let (width, height) = (map.width, rows.count)
        map.withPointer { source in
            result.withMutablePointer { target in
                threads.forEach(map.batch * map.blocks) { piece in
                    for y in 0..<height {
                        (target + piece * out + y * columns.count * lanes).update(
                            from: source + piece * plane
                                + ((rows.lowerBound + y) * width + columns.lowerBound) * lanes,
                            count: columns.count * lanes)
                    }
                }
            }
        }
        return result
    }

    private func forEachPiece(_ planes: Int, pixels: Int, _ body: (_ plane: Int, _ pixels: Range<Int>) -> Void) {
        let size = 4096
        let pieces = (pixels + size - 1) / size
        threads.forEach(planes * pieces) { index in
            let (plane, piece) = index.quotientAndRemainder(dividingBy: pieces)
            body(plane, piece * size..<min(pixels, (piece + 1) * size))
        }
    }
}
