import Raster
import Threads

/// How a picture is painted on beyond its sides.
package struct Outpainting: Sendable, Equatable {
    /// What painting starts from in the new area.
    package enum Method: String, Sendable, CaseIterable {
        /// The picture's colours and lines run on.
        case extend
        /// Noise with the picture's spectrum and histogram: the web UI's "mk2".
        case spectral
    }

    package enum Extent: Sendable, Equatable {
        case sides(Margins)
        /// As much on opposite sides as gives these proportions.
        case aspect(width: Int, height: Int)
    }

    package var extent: Extent
    package var method: Method
    /// Source pixels over which painting comes in, from a border that wanders; nil for what suits the size.
    package var blur: Double?
    /// Source pixels inside the old sides that are painted too.
    package var grow = 0
    /// Of that border's way, and of the noise of ``Method/spectral``.
    package var edgeSeed: UInt64 = 0
    package var falloff = 1.0
    package var colourVariation = 0.05

    package init(_ extent: Extent, _ method: Method = .extend) { (self.extent, self.method) = (extent, method) }

    /// What an enlarged picture may have at most, like the pictures that are read.
    private static let (longest, largestArea) = (65_535, 1 << 28)

    /// The new area's width on each side of a picture.
    ///
    /// - Throws: ``PaintingError/unsuitable(_:)`` where the picture would become too large
    package func margins(of size: PixelSize, name: String) throws(PaintingError) -> Margins {
        let margins: Margins
        switch extent {
        case .sides(let sides): margins = sides
        case .aspect(let width, let height):
            func stretched(_ length: Int, _ by: Int, _ over: Int) -> Int { (2 * length * by + over) / (2 * over) }
            let across = max(0, stretched(size.height, width, height) - size.width)
            let down = max(0, stretched(size.width, height, width) - size.height)
            margins = Margins(left: across / 2, right: across - across / 2, top: down / 2, bottom: down - down / 2)
        }
        let target = margins.around(size)
        guard max(target.width, target.height) <= Self.longest, target.area <= Self.largestArea else {
            throw .unsuitable(
                "\(name) would become \(target), over the limit of \(Self.largestArea) pixels and \(Self.longest) on a side. Ask for less."
            )
        }
        return margins
    }

    /// The way in for a picture of this size, where none was asked for.
    package func blur(for size: PixelSize) -> Double {
        blur ?? max(48, (Double(max(size.width, size.height)) / 8).rounded())
    }

    /// The picture with its new area, opaque and filled with what painting starts from, and what is painted of it. What was
    /// there is the same to the bit.
    ///
    /// - Parameter isPlan: whether only sizes and the mask matter, so that the new area may have anything in it
    package func enlarged(
        _ picture: Picture, by margins: Margins, isPlan: Bool = false, threads: Threads
    ) -> (Picture, Mask) {
        var source = picture
        source.metadata.plates = picture.metadata.plates?.surrounded(by: margins)
        let target = margins.around(source.size)
        let mask = mask(source.size, margins)
        if isPlan { return (source.padded(by: margins), mask) }
        let drawn = source.continued(by: margins, threads: threads)
        guard method == .spectral, !margins.isZero else { return (drawn, mask) }
        var noise = MatchedNoise()
        (noise.falloff, noise.colourVariation, noise.seed) = (falloff, colourVariation, edgeSeed)
        // Noise is for what is painted for most of its steps; nearer the picture it would be left over.
        let deep = Mask(size: target, values: mask.values.map { max(0, 2 * $0 - 1) })
        let seen = drawn.floats(threads: threads).bleedingColours(threads: threads).colour()
        var filled = noise.filling(seen, deep, threads: threads)
        if source.channels.isGrey { filled = filled.grey() }
        if source.channels.hasAlpha { filled = filled.with(alpha: FloatPicture(size: target, colour: [1])) }
        return (filled.picture(depth: source.depth, threads: threads).with(source, at: margins), mask)
    }

    /// White far from the picture and black on it, rising over ``blur`` from a border that wanders, so that nothing follows
    /// the old sides.
    private func mask(_ size: PixelSize, _ margins: Margins) -> Mask {
        let (target, blur) = (margins.around(size), Float(blur(for: size)))
        /// Where the painted part ends on a side, from the side of the canvas, and how long the way in is there.
        func edge(_ margin: Int) -> (Float, Float) {
            let reach = Float(margin + (margin > 0 ? grow : 0))
            return (reach, max(1e-3, min(blur, 0.8 * reach)))
        }
        let (left, right) = (edge(margins.left), edge(margins.right))
        let (top, bottom) = (edge(margins.top), edge(margins.bottom))
        func depth(_ place: Int, _ count: Int, _ low: (Float, Float), _ high: (Float, Float)) -> Float {
            let (near, far) = (Float(place) + 0.5, Float(count - place) - 0.5)
            return max(0, (low.0 - near) / low.1, (high.0 - far) / high.1)
        }
        let across = (0..<target.width).map { depth($0, target.width, left, right) }
        let wander = Self.wander(target, length: blur, seed: edgeSeed)
        var values = [Float](repeating: 0, count: target.area)
        for y in 0..<target.height {
            let down = depth(y, target.height, top, bottom)
            for x in 0..<target.width where down > 0 || across[x] > 0 {
                let pixel = y * target.width + x
                let away = (down * down + across[x] * across[x]).squareRoot()
                let start = blur > 0 ? 0.6 * wander[pixel] : 0
                let share = min(1, max(0, (away - start) / 0.4))
                values[pixel] = blur > 0 ? share * share * (3 - 2 * share) : 1
            }
        }
        return Mask(size: target, values: values)
    }

    /// 0…1, changing over about so many pixels.
    private static func wander(_ size: PixelSize, length: Float, seed: UInt64) -> [Float] {
        var random = SpreadNumbers(seed: seed)
        func field(_ length: Float) -> [Float] {
            func cells(_ count: Int) -> Int { 2 + Int(Float(count) / max(4, length)) }
            let small = PixelSize(width: cells(size.width), height: cells(size.height))
            let values = (0..<small.area).map { _ in Float(random.next()) }
            return FloatPicture(size: small, channelCount: 1, values: values).resized(to: size, filter: .bicubic).values
        }
        return zip(field(1.5 * length), field(0.6 * length)).map { broad, fine in
            min(1, max(0, 0.5 + 1.2 * (broad - 0.5) + 0.6 * (fine - 0.5)))
        }
    }
}
