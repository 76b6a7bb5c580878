import Threads

extension Picture {
    /// The picture at another size, antialiased, at its own depth.
    ///
    /// Order: alpha is multiplied into the colours before and divided out after, so that hidden colours do not leak.
    /// A picture shown whole at its own size is a plain copy.
    /// Range: 8-bit pictures equal Pillow's `Image.resize` to the bit; 16-bit ones are summed in Double and rounded once.
    /// - Parameter box: the part of the picture to show; without it, all.
    /// Source: Pillow, `src/libImaging/Resample.c`; its RGBA and LA modes go by way of RGBa and La.
    package func resized(
        to target: PixelSize, filter: ResamplingFilter = .lanczos, box: ResamplingBox? = nil,
        threads: Threads = Threads(1)
    ) -> Picture {
        if target == size, box ?? ResamplingBox(size) == ResamplingBox(size) { return self }
        let resize = StripResize(
            size, channels: channels, depth: depth, to: target, filter: filter, box: box, threads: threads)
        var (eight, sixteen, floats): ([UInt8], [UInt16], [Float]) = ([], [], [])
        if depth == 8 { eight.reserveCapacity(target.area * channels.count) }
        if depth == 16 { sixteen.reserveCapacity(target.area * channels.count) }
        if depth == 32 { floats.reserveCapacity(target.area * channels.count) }
        resize.add(self) { band, _ in
            switch band.samples {
            case .eight(let values): eight += values
            case .sixteen(let values): sixteen += values
            case .float(let values): floats += values
            }
        }
        return Picture(
            size: target, channels: channels,
            samples: depth == 8 ? .eight(eight) : depth == 16 ? .sixteen(sixteen) : .float(floats),
            metadata: metadata)
    }
}

extension FloatPicture {
    /// The picture at another size, antialiased, unclipped.
    ///
    /// - Parameter box: the part of the picture to show; without it, all.
    /// - Parameter alpha: whether the last channel is alpha, to be multiplied in before and divided out after; without
    ///   it, what ``hasAlpha`` says.
    /// Source: Pillow's mode F for each channel.
    package func resized(
        to target: PixelSize, filter: ResamplingFilter = .lanczos, box: ResamplingBox? = nil, alpha: Bool? = nil,
        threads: Threads = Threads(1)
    ) -> FloatPicture {
        let shown = box ?? ResamplingBox(size)
        precondition(!target.isEmpty && shown.isInside(size), "resize of \(size) to \(target) shows \(shown)")
        if target == size, shown == ResamplingBox(size) { return self }
        let weighed = alpha ?? hasAlpha
        let samples = width * channelCount
        var passes = ResamplingPasses<FloatArithmetic>(
            channelCount: channelCount, size: size, to: target, box: shown, filter: filter, threads: threads)
        var result: [Float] = []
        result.reserveCapacity(target.area * channelCount)
        values.withUnsafeBufferPointer { values in
            let plain = passes.plain(values, width: width)
            let rows: ResamplingPasses<FloatArithmetic>.Rows =
                weighed
                ? { y, scratch in
                    scratch.update(from: plain(y, scratch), count: samples)
                    premultiply(scratch, samples: samples, channelCount: channelCount, opaque: 1)
                    return UnsafePointer(scratch)
                } : plain
            passes.add(0..<height, rows) { band, _ in result += band }
        }
        if weighed { unpremultiply(&result, channelCount: channelCount, opaque: 1) }
        return FloatPicture(size: target, channelCount: channelCount, values: result)
    }
}
