import Threads

extension FloatPicture {
    /// The colours without alpha, with those of transparent pixels replaced by what lies around the opaque ones.
    ///
    /// A painter that sees only RGB would otherwise see whatever transparent pixels hide, often black, and paint
    /// fringes. Opaque pixels keep their colour; partly transparent ones keep it as far as they are visible.
    /// A picture that is transparent everywhere keeps its hidden colours.
    ///
    /// Source: Gortler et al., "The Lumigraph" (1996), section 3.4.2, push–pull: colours weighted by alpha are summed
    /// into ever smaller pictures until no holes are left, and flow back into the holes from there.
    package func bleedingColours(threads: Threads = Threads(1)) -> FloatPicture {
        guard hasAlpha else { return self }
        let count = channelCount - 1
        var levels = [BleedLevel(self)]
        while let last = levels.last, last.size.area > 1 { levels.append(last.pulled(threads)) }
        guard let top = levels.last, top.weights[0] > 0 else { return droppingAlpha() }
        for index in levels.indices.dropLast().reversed() {
            let coarse = levels[index + 1]
            levels[index].push(from: coarse, threads)
        }
        return FloatPicture(size: size, channelCount: count, values: levels[0].colours)
    }
}

/// One picture of the pyramid: colours, and how far each is known.
private struct BleedLevel {
    let size: PixelSize
    let count: Int
    /// Straight colours; anything where the weight is 0.
    var colours: [Float]
    /// 0…1
    var weights: [Float]

    init(_ picture: FloatPicture) {
        size = picture.size
        count = picture.channelCount - 1
        colours = picture.droppingAlpha().values
        weights = (picture.alpha?.values ?? []).map { max(0, min(1, $0)) }
    }

    private init(size: PixelSize, count: Int) {
        self.size = size
        self.count = count
        colours = [Float](repeating: 0, count: size.area * count)
        weights = [Float](repeating: 0, count: size.area)
    }

    /// The picture of half the size: each pixel the weighted mean of four.
    func pulled(_ threads: Threads) -> BleedLevel {
        var half = BleedLevel(
            size: PixelSize(width: (size.width + 1) / 2, height: (size.height + 1) / 2), count: count)
        let width = half.size.width
        half.colours.withUnsafeMutableBufferPointer { colours in
            half.weights.withUnsafeMutableBufferPointer { weights in
                threads.forRanges(size.height / 2 + size.height % 2, grain: 16) { rows in
                    for y in rows { for x in 0..<width { pull(x, y, width, colours, weights) } }
                }
            }
        }
        return half
    }

    private func pull(
        _ x: Int, _ y: Int, _ width: Int, _ colours: UnsafeMutableBufferPointer<Float>,
        _ weights: UnsafeMutableBufferPointer<Float>
    ) {
        let target = y * width + x
        var sum: Float = 0
        for row in 2 * y..<min(size.height, 2 * y + 2) {
            for column in 2 * x..<min(size.width, 2 * x + 2) {
                let pixel = row * size.width + column
                sum += self.weights[pixel]
                for channel in 0..<count {
                    colours[target * count + channel] += self.weights[pixel] * self.colours[pixel * count + channel]
                }
            }
        }
        guard sum > 0 else { return }
        for channel in 0..<count { colours[target * count + channel] /= sum }
        // One opaque pixel in four is enough to know the colour there.
        weights[target] = min(1, sum)
    }

    /// Fills what is not known here with the smaller picture's colours, interpolated between its pixels.
    mutating func push(from coarse: BleedLevel, _ threads: Threads) {
        let (size, count) = (size, count)
        weights.withUnsafeBufferPointer { weights in
            colours.withUnsafeMutableBufferPointer { colours in
                threads.forRanges(size.height, grain: 16) { rows in
                    for y in rows {
                        let (top, bottom, down) = Self.between(y, coarse.size.height)
                        for x in 0..<size.width {
                            let pixel = y * size.width + x
                            let known = weights[pixel]
                            if known >= 1 { continue }
                            let (left, right, across) = Self.between(x, coarse.size.width)
                            for channel in 0..<count {
                                func at(_ row: Int, _ column: Int) -> Float {
                                    coarse.colours[(row * coarse.size.width + column) * count + channel]
                                }
                                let upper = at(top, left) * (1 - across) + at(top, right) * across
                                let lower = at(bottom, left) * (1 - across) + at(bottom, right) * across
                                let filled = upper * (1 - down) + lower * down
                                let own = known > 0 ? colours[pixel * count + channel] : filled
                                colours[pixel * count + channel] = own * known + filled * (1 - known)
                            }
                        }
                    }
                }
            }
        }
    }

    /// The two pixels of the smaller picture between which pixel `place` lies, and how far towards the second.
    private static func between(_ place: Int, _ count: Int) -> (Int, Int, Float) {
        let center = place / 2
        return place % 2 == 0 ? (max(0, center - 1), center, 0.75) : (center, min(count - 1, center + 1), 0.25)
    }
}
