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
        let shown = box ?? ResamplingBox(size)
        precondition(!target.isEmpty && shown.isInside(size), "resize of \(size) to \(target) shows \(shown)")
        if target == size, shown == ResamplingBox(size) { return self }
        let result: Samples =
            switch samples {
            case .eight(let source): .eight(resizedBytes(source, target, shown, filter, threads))
            case .sixteen(let source): .sixteen(resizedWords(source, target, shown, filter, threads))
            }
        return Picture(size: target, channels: channels, samples: result, metadata: metadata)
    }

    private func resizedBytes(
        _ source: [UInt8], _ target: PixelSize, _ box: ResamplingBox, _ filter: ResamplingFilter, _ threads: Threads
    ) -> [UInt8] {
        let passes = ResamplingPasses<ByteArithmetic>(channelCount: channels.count, threads: threads)
        return source.withUnsafeBufferPointer { source in
            let plain = passes.plain(source, width: width)
            guard channels.hasAlpha else { return passes.run(plain, size: size, to: target, box: box, filter: filter) }
            let count = channels.count
            let samples = width * count
            var result = passes.run(
                { y, scratch in
                    premultiplyBytes(plain(y, scratch), samples: samples, channelCount: count, into: scratch)
                    return UnsafePointer(scratch)
                }, size: size, to: target, box: box, filter: filter)
            unpremultiplyBytes(&result, channelCount: count)
            return result
        }
    }

    private func resizedWords(
        _ source: [UInt16], _ target: PixelSize, _ box: ResamplingBox, _ filter: ResamplingFilter, _ threads: Threads
    ) -> [UInt16] {
        let count = channels.count
        let samples = width * count
        let passes = ResamplingPasses<FloatArithmetic>(channelCount: count, threads: threads)
        var result = source.withUnsafeBufferPointer { source in
            passes.run(
                { y, scratch in
                    for index in 0..<samples { scratch[index] = Float(source[y * samples + index]) }
                    if channels.hasAlpha { premultiply(scratch, samples: samples, channelCount: count, opaque: 65_535) }
                    return UnsafePointer(scratch)
                }, size: size, to: target, box: box, filter: filter)
        }
        if channels.hasAlpha { unpremultiply(&result, channelCount: count, opaque: 65_535) }
        return result.map { UInt16(max(0, min(65_535, $0)).rounded(.toNearestOrAwayFromZero)) }
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
        let passes = ResamplingPasses<FloatArithmetic>(channelCount: channelCount, threads: threads)
        var result = values.withUnsafeBufferPointer { values in
            let plain = passes.plain(values, width: width)
            guard weighed else { return passes.run(plain, size: size, to: target, box: shown, filter: filter) }
            return passes.run(
                { y, scratch in
                    scratch.update(from: plain(y, scratch), count: samples)
                    premultiply(scratch, samples: samples, channelCount: channelCount, opaque: 1)
                    return UnsafePointer(scratch)
                }, size: size, to: target, box: shown, filter: filter)
        }
        if weighed { unpremultiply(&result, channelCount: channelCount, opaque: 1) }
        return FloatPicture(size: target, channelCount: channelCount, values: result)
    }
}
