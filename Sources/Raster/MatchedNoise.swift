import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Noise with the spectrum and the histogram of a picture: the web UI's outpainting "mk2", element by element.
///
/// Source: AUTOMATIC1111's web UI, `scripts/outpainting_mk_2.py`, `get_matched_noise`, after parlance-zz's g-diffuser-bot.
package struct MatchedNoise: Sendable {
    /// How steeply the noise falls off from broad to fine, as a power of the picture's own spectrum.
    package var falloff = 1.0
    /// How much the noise's colours differ from each other, 0…1.
    package var colourVariation = 0.05
    package var seed: UInt64 = 0

    package init() {}

    /// The picture with noise where the mask is white.
    ///
    /// - Parameters:
    ///   - picture: RGB, 0…1
    ///   - mask: of its size; black where the picture is known
    /// - Returns: 0…1
    package func filling(_ picture: FloatPicture, _ mask: Mask, threads: Threads = Threads(1)) -> FloatPicture {
        precondition(picture.channelCount == 3 && picture.size == mask.size, "RGB and a mask of its size")
        let size = picture.size
        let (source, grey) = (picture.values.map(Double.init), mask.values.map(Double.init))
        let (paint, known) = (
            grey.indices.filter { grey[$0] > 1e-6 }, grey.indices.filter { grey[$0] < 1e-3 }
        )
        if paint.isEmpty { return picture }
        // Masked and brightened, so that the edge of what is known does not stand out in the spectrum.
        var windowed = source
        for i in windowed.indices { windowed[i] *= 1 - grey[i / 3] }
        if let most = windowed.max(), most > 0 { for i in windowed.indices { windowed[i] /= most } }
        let mean = source.reduce(0, +) / Double(source.count)
        for i in windowed.indices { windowed[i] += mean * grey[i / 3] }
        var shaped = shapedNoise(windowed, size, threads)
        let least = shaped.min() ?? 0
        for i in shaped.indices { shaped[i] -= least }
        if let most = shaped.max(), most > 0 { for i in shaped.indices { shaped[i] /= most } }
        var result = picture
        for channel in 0..<3 where !known.isEmpty {
            let matched = matched(paint.map { shaped[$0 * 3 + channel] }, to: known.map { source[$0 * 3 + channel] })
            for (pixel, value) in zip(paint, matched) { shaped[pixel * 3 + channel] = value }
        }
        for i in shaped.indices {
            let share = grey[i / 3]
            result.values[i] = Float(min(1, max(0, source[i] * (1 - share) + shaped[i] * share)))
        }
        return result
    }

    private func shapedNoise(_ windowed: [Double], _ size: PixelSize, _ threads: Threads) -> [Double] {
        var random = SpreadNumbers(seed: seed)
        var noise = (0..<windowed.count).map { _ in random.next() }
        for pixel in 0..<size.area {
            let grey = (noise[pixel * 3] + noise[pixel * 3 + 1] + noise[pixel * 3 + 2]) / 3
            for i in pixel * 3..<pixel * 3 + 3 { noise[i] = colourVariation * noise[i] + (1 - colourVariation) * grey }
        }
        let transform = CentredTransform(size, threads)
        let shortest = Double(min(size.width, size.height))
        func bell(_ place: Int, _ count: Int) -> Double {
            let x = (Double(place) / Double(count) * 2 - 1) * Double(count) / shortest
            return x * x + 1
        }
        let (down, across) = (
            (0..<size.height).map { bell($0, size.height) }, (0..<size.width).map { bell($0, size.width) }
        )
        var shaped = [Double](repeating: 0, count: windowed.count)
        for channel in 0..<3 {
            func plane(_ values: [Double]) -> [Complex] {
                (0..<size.area).map { Complex(real: values[$0 * 3 + channel], imaginary: 0) }
            }
            var field = plane(noise)
            transform(&field)
            for y in 0..<size.height {
                for x in 0..<size.width {
                    field[y * size.width + x] = 1 / (down[y] * across[x]) * field[y * size.width + x]
                }
            }
            transform(&field, inverse: true)
            for i in field.indices { field[i].imaginary = 0 }
            transform(&field)
            var spectrum = plane(windowed)
            transform(&spectrum)
            for i in field.indices {
                let length = spectrum[i].squaredLength.squareRoot()
                // What is not in the picture has no phase.
                let phase = length > 0 ? 1 / length * spectrum[i] : Complex(real: 1, imaginary: 0)
                field[i] = field[i].squaredLength * power(length, falloff) * phase
            }
            transform(&field, inverse: true)
            for i in field.indices { shaped[i * 3 + channel] = field[i].real }
        }
        return shaped
    }

    private func power(_ base: Double, _ exponent: Double) -> Double { exponent == 1 ? base : pow(base, exponent) }

    /// Values in the order of `source`, spread like `template`. Source: scikit-image, `exposure/histogram_matching.py`.
    private func matched(_ source: [Double], to template: [Double]) -> [Double] {
        let known = template.sorted()
        let order = source.indices.sorted { source[$0] < source[$1] }
        var result = source
        // The last places of equal values in both, and the one before in the template.
        var (low, high, last): (Int?, Int, Int) = (nil, Self.lastEqual(known, 0), 0)
        func share(_ place: Int, _ count: Int) -> Double { Double(place + 1) / Double(count) }
        while last < order.count {
            let first = last
            while last + 1 < order.count, source[order[last + 1]] == source[order[first]] { last += 1 }
            let wanted = share(last, source.count)
            while share(high, known.count) < wanted, high + 1 < known.count {
                (low, high) = (high, Self.lastEqual(known, high + 1))
            }
            var value = known[high]
            if let low, share(high, known.count) >= wanted {
                let slope = (known[high] - known[low]) / (share(high, known.count) - share(low, known.count))
                value = slope * (wanted - share(low, known.count)) + known[low]
            }
            for place in first...last { result[order[place]] = value }
            last += 1
        }
        return result
    }

    private static func lastEqual(_ sorted: [Double], _ place: Int) -> Int {
        var last = place
        while last + 1 < sorted.count, sorted[last + 1] == sorted[place] { last += 1 }
        return last
    }
}

/// Both ways of a plane, with the middle of both it and its spectrum where NumPy's `fftshift` and `ifftshift` put them.
private struct CentredTransform {
    private let size: PixelSize
    private let across, down: FourierTransform
    private let threads: Threads

    init(_ size: PixelSize, _ threads: Threads) {
        (self.size, self.threads) = (size, threads)
        (across, down) = (FourierTransform(size.width), FourierTransform(size.height))
    }

    /// ifftshift(fft2(fftshift(plane))), scaled by 1/√n; or with the inverse transform.
    func callAsFunction(_ plane: inout [Complex], inverse: Bool = false) {
        lines(&plane, size.height, size.width, lineStride: size.width, step: 1, across, inverse)
        lines(&plane, size.width, size.height, lineStride: 1, step: size.width, down, inverse)
    }

    private func lines(
        _ plane: inout [Complex], _ lines: Int, _ count: Int, lineStride: Int, step: Int, _ transform: FourierTransform,
        _ inverse: Bool
    ) {
        plane.withUnsafeMutableBufferPointer { plane in
            threads.forRanges(lines, grain: 8) { range in
                var line = [Complex](repeating: .zero, count: count)
                for number in range {
                    let start = number * lineStride
                    for i in 0..<count { line[(i + count / 2) % count] = plane[start + i * step] }
                    transform(&line, inverse: inverse)
                    for i in 0..<count { plane[start + i * step] = line[(i + count / 2) % count] }
                }
            }
        }
    }
}
