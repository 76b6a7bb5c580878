import Raster
import Threads

/// Lays parts of pictures over another: the best of several rungs in one.
///
/// A layer replaces what lies beneath it as far as its mask is white, alpha too: where two pictures of one source are put
/// together, both have the source's own. Black leaves what lies beneath to the bit, white takes the layer to the bit (of
/// another colour space as its colours are in the base's), and
/// what lies between is mixed as light is, weighed by alpha.
package struct Compose {
    package struct Layer {
        package var picture: Picture
        package var mask: Mask
        /// 0…1
        package var opacity: Double

        package init(_ picture: Picture, through mask: Mask, opacity: Double = 1) {
            (self.picture, self.mask, self.opacity) = (picture, mask, opacity)
        }
    }

    /// The layers over the base, the first lowest; with the deepest of their depths, and as many channels as they need.
    ///
    /// - Parameter layers: pictures and masks of the base's size
    package static func composed(_ base: Picture, _ layers: [Layer], threads: Threads) -> Picture {
        let depth = max(base.depth, layers.map(\.picture.depth).max() ?? 8)
        let channels = Picture.Channels.holding(
            [base.channels]
                + layers.map { layer in
                    let needs = layer.picture.isGreyInColour ? Picture.Channels.grey : .rgb
                    return needs.with(alpha: layer.picture.hasTransparency)
                })
        let ground = channels.isGrey ? base : base.inColour()
        let space = ColourSpace(ground)
        func brought(_ given: Picture) -> Picture {
            let picture = Self.picture(given, in: space, like: ground, threads)
            let fewer = channels.hasAlpha ? picture : picture.droppingAlpha()
            let held = fewer.converted(depth: depth).holding(channels)
            return channels.isGrey ? held.takingGrey() : held
        }
        return layers.reduce(brought(ground)) { beneath, layer in
            laid(brought(layer.picture), over: beneath, layer.mask, layer.opacity, space, threads)
        }
    }

    /// A picture whose values mean what the ground's do.
    private static func picture(
        _ picture: Picture, in space: ColourSpace, like ground: Picture, _ threads: Threads
    ) -> Picture {
        let own = ColourSpace(picture)
        if own.isPlain && space.isPlain { return picture }
        if picture.metadata.colourIsThat(of: ground.metadata), own.isGrey == space.isGrey { return picture }
        return space.brought(picture, from: own, threads: threads)
    }

    /// Both pictures have the same shape.
    private static func laid(
        _ layer: Picture, over beneath: Picture, _ mask: Mask, _ opacity: Double, _ space: ColourSpace,
        _ threads: Threads
    ) -> Picture {
        let count = beneath.channels.count
        let alpha = beneath.channels.hasAlpha ? count - 1 : nil
        let maximum = Float(beneath.maximum)
        let colours = alpha ?? count
        let curves = (0..<colours).map(space.curve)
        let light = curves.map { curve in
            (0...beneath.maximum).map { place in
                let value = Float(place) / maximum
                return space.isPlain ? linearLight(value) : curve.light(of: value)
            }
        }

        func mixed<Sample: FixedWidthInteger & Sendable>(_ lower: [Sample], _ upper: [Sample]) -> [Sample] {
            [Sample](unsafeUninitializedCapacity: lower.count) { out, initialised in
                threads.forRanges(mask.values.count, grain: 1 << 14) { pixels in
                    for pixel in pixels {
                        let share = mask.values[pixel] * Float(opacity)
                        let samples = pixel * count..<(pixel + 1) * count
                        if share <= 0 || share >= 1 || samples.allSatisfy({ lower[$0] == upper[$0] }) {
                            for i in samples { out.initializeElement(at: i, to: share < 1 ? lower[i] : upper[i]) }
                            continue
                        }
                        // What each side weighs, by how visible it is.
                        var (below, above) = (1 - share, share)
                        if let alpha {
                            let i = pixel * count + alpha
                            let (a, b) = (below * Float(lower[i]), above * Float(upper[i]))
                            let sum = a + b
                            out.initializeElement(at: i, to: Sample(min(sum, maximum).rounded()))
                            if sum > 0 { (below, above) = (a / sum, b / sum) }
                        }
                        for channel in 0..<colours {
                            let i = pixel * count + channel
                            let mixed = below * light[channel][Int(lower[i])] + above * light[channel][Int(upper[i])]
                            let shown = space.isPlain ? displayed(mixed) : curves[channel].value(of: mixed)
                            out.initializeElement(at: i, to: Sample((min(max(shown, 0), 1) * maximum).rounded()))
                        }
                    }
                }
                initialised = lower.count
            }
        }
        let samples: Picture.Samples
        switch (beneath.samples, layer.samples) {
        case (.eight(let lower), .eight(let upper)): samples = .eight(mixed(lower, upper))
        case (.sixteen(let lower), .sixteen(let upper)): samples = .sixteen(mixed(lower, upper))
        default: preconditionFailure("both were brought to one depth")
        }
        return Picture(
            size: beneath.size, channels: beneath.channels, samples: samples, metadata: beneath.metadata)
    }
}
