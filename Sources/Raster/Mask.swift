import Threads

/// Which part of a picture is painted, and how strongly: white (1) is repainted, black (0) kept, grey lies in between.
package struct Mask: Hashable, Sendable {
    package let size: PixelSize
    /// Rows from top to bottom; `size.area` values, 0…1.
    package var values: [Float]

    package init(size: PixelSize, values: [Float]) {
        precondition(values.count == size.area, "\(size) needs \(size.area) values, not \(values.count)")
        (self.size, self.values) = (size, values)
    }

    /// What a picture says as a mask: its luma, as far as it is opaque; what is transparent is black.
    ///
    /// Every pixel is taken for itself, so strips of a mask are the mask of strips.
    package init(_ picture: Picture) {
        let count = picture.channels.count
        let (isGrey, hasAlpha) = (picture.channels.isGrey, picture.channels.hasAlpha)
        let (red, green, blue) = FloatPicture.lumaWeights
        func values<Sample: Equatable>(_ samples: [Sample], _ share: (Sample) -> Float) -> [Float] {
            samples.withUnsafeBufferPointer { samples in
                (0..<picture.size.area).map { place in
                    let first = place * count
                    var value = share(samples[first])
                    // Luma of a grey would be off by a rounding.
                    if !isGrey, samples[first] != samples[first + 1] || samples[first] != samples[first + 2] {
                        value = red * value + green * share(samples[first + 1]) + blue * share(samples[first + 2])
                    }
                    if hasAlpha { value *= share(samples[first + count - 1]) }
                    return min(1, max(0, value))
                }
            }
        }
        let all =
            switch picture.samples {
            case .eight(let samples): values(samples) { Float($0) / 255 }
            case .sixteen(let samples): values(samples) { Float($0) / 65_535 }
            case .float(let samples): values(samples) { $0 }
            }
        self.init(size: picture.size, values: all)
    }

    /// The transparent part of a picture.
    package init(transparencyOf picture: Picture) {
        let alpha = picture.floats().alpha?.values ?? Array(repeating: 1, count: picture.size.area)
        self.init(size: picture.size, values: alpha.map { 1 - $0 })
    }

    package var width: Int { size.width }
    package var height: Int { size.height }

    package subscript(x: Int, y: Int) -> Float { values[y * width + x] }

    package var inverted: Mask { Mask(size: size, values: values.map { 1 - $0 }) }

    /// Whether nothing is to be painted.
    package var isBlack: Bool { !values.contains { $0 > 0 } }

    /// The part of the picture that is not black, 0…1.
    package var share: Double { Double(values.reduce(0) { $0 + ($1 > 0 ? 1 : 0) }) / Double(size.area) }

    /// How many greys it has, black not counted.
    package var greyCount: Int { Set(values.filter { $0 > 0 }).count }

    /// The smallest rectangle around everything that is not black; nil of a black mask.
    package var bounds: Rectangle? {
        var (left, right, top, bottom) = (width, -1, height, -1)
        for y in 0..<height {
            for x in 0..<width where self[x, y] > 0 {
                (left, right, top, bottom) = (min(left, x), max(right, x), min(top, y), max(bottom, y))
            }
        }
        return right < 0 ? nil : Rectangle(x: left, y: top, width: right - left + 1, height: bottom - top + 1)
    }

    package func cropped(to rectangle: Rectangle) -> Mask {
        Mask(size: rectangle.size, values: picture.cropped(to: rectangle).values)
    }

    /// The mask as a grey picture.
    package var picture: FloatPicture { FloatPicture(size: size, channelCount: 1, values: values) }

    /// At another size; never outside 0…1, and black stays black beyond a pixel's reach.
    package func resized(to target: PixelSize, threads: Threads = Threads(1)) -> Mask {
        let resized = picture.resized(to: target, filter: .bilinear, threads: threads)
        return Mask(size: target, values: resized.values.map { min(1, max(0, $0)) })
    }
}

/// How a mask of another size is made to fit.
package enum MaskFit: String, Sendable, CaseIterable {
    /// Scaled whatever becomes of its proportions.
    case stretch
    /// Scaled to cover the picture and cut.
    case crop
    /// Turned by a quarter clockwise, as a camera held upright stores its pictures.
    case rotate

    /// - Returns: nil where the mask cannot be made to fit so
    package func callAsFunction(_ mask: Mask, to size: PixelSize, threads: Threads = Threads(1)) -> Mask? {
        switch self {
        case .stretch, .crop:
            var fitting = MaskFitting(mask.size, to: size, self, threads: threads)
            return fitting.rows(0..<size.height) { mask }
        case .rotate:
            guard mask.size.transposed == size else { return nil }
            var turned = mask.values
            for y in 0..<size.height {
                for x in 0..<size.width { turned[y * size.width + x] = mask[y, mask.height - 1 - x] }
            }
            return Mask(size: size, values: turned)
        }
    }
}

/// A mask that is scaled to fit while it comes from top to bottom; never outside 0…1.
package struct MaskFitting {
    private var resize: FloatStripResize

    /// - Parameter fit: stretch or crop
    package init(_ mask: PixelSize, to size: PixelSize, _ fit: MaskFit, threads: Threads) {
        precondition(fit != .rotate, "what is turned does not come row by row")
        var box = ResamplingBox(mask)
        if fit == .crop {
            let (w, h) = (Double(mask.width), Double(mask.height))
            let scale = min(w / Double(size.width), h / Double(size.height))
            box = ResamplingBox(
                left: max(0, (w - scale * Double(size.width)) / 2), top: max(0, (h - scale * Double(size.height)) / 2),
                width: scale * Double(size.width), height: scale * Double(size.height))
        }
        resize = FloatStripResize(mask, channelCount: 1, to: size, filter: .bilinear, box: box, threads: threads)
    }

    /// The first row that can still be asked for.
    package var start: Int { resize.start }

    /// Rows of the result; those above are let go.
    ///
    /// - Parameter more: gives the mask's next rows
    package mutating func rows(_ wanted: Range<Int>, more: () throws -> Mask) rethrows -> Mask {
        let made = try resize.rows(wanted) { try more().picture }
        return Mask(size: made.size, values: made.values.map { min(1, max(0, $0)) })
    }
}
