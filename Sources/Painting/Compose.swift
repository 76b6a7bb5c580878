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
    /// - Parameters:
    ///   - layers: pictures and masks of the base's size
    ///   - least: bits to mix in, where the pictures have fewer
    package static func composed(_ base: Picture, _ layers: [Layer], depth least: Int = 8, threads: Threads) -> Picture
    {
        let depth = max(base.depth, layers.map(\.picture.depth).max() ?? 8, least)
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
        var result = layers.reduce(brought(ground)) { beneath, layer in
            laid(brought(layer.picture), over: beneath, layer.mask, layer.opacity, space, threads)
        }
        // Inks go with their colours where a layer is seen alone. Where it is mixed they are made, from those beneath.
        result.metadata.plates = layers.reduce(base.metadata.plates) { beneath, layer in
            guard let own = layer.picture.metadata.plates else { return beneath }
            return beneath?.covered(by: own) { layer.mask.values[$0] * Float(layer.opacity) >= 1 }
        }
        return result
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
        let colours = alpha ?? count
        let curves = (0..<colours).map(space.curve)
        @Sendable func light(of value: Float, _ channel: Int) -> Float {
            space.isPlain ? linearLight(value) : curves[channel].light(of: value)
        }

        // `light` is a sample's in its channel, `sample` is of a share of white; `value` and `sum` are in the samples' own units.
        func mixed<Sample: Equatable & Sendable>(
            _ lower: [Sample], _ upper: [Sample], light: @escaping @Sendable (Sample, Int) -> Float,
            sample: @escaping @Sendable (Float) -> Sample, value: @escaping @Sendable (Sample) -> Float,
            sum whole: @escaping @Sendable (Float) -> Sample
        ) -> [Sample] {
            [Sample](unsafeUninitializedCapacity: lower.count) { out, initialised in
                threads.forRanges(mask.values.count, grain: 1 << 14) { pixels in
                    for pixel in pixels {
                        let weight = mask.values[pixel] * Float(opacity)
                        let samples = pixel * count..<(pixel + 1) * count
                        if weight <= 0 || weight >= 1 || samples.allSatisfy({ lower[$0] == upper[$0] }) {
                            for i in samples { out.initializeElement(at: i, to: weight < 1 ? lower[i] : upper[i]) }
                            continue
                        }
                        // What each side weighs, by how visible it is.
                        var (below, above) = (1 - weight, weight)
                        if let alpha {
                            let i = pixel * count + alpha
                            let (a, b) = (below * value(lower[i]), above * value(upper[i]))
                            let sum = a + b
                            out.initializeElement(at: i, to: whole(sum))
                            if sum > 0 { (below, above) = (a / sum, b / sum) }
                        }
                        for channel in 0..<colours {
                            let i = pixel * count + channel
                            let mixed = below * light(lower[i], channel) + above * light(upper[i], channel)
                            let shown = space.isPlain ? displayed(mixed) : curves[channel].value(of: mixed)
                            out.initializeElement(at: i, to: sample(shown))
                        }
                    }
                }
                initialised = lower.count
            }
        }
        func whole<Sample: FixedWidthInteger & Sendable>(_ lower: [Sample], _ upper: [Sample]) -> [Sample] {
            let maximum = Float(Sample.max)
            let table = (0..<colours).map { channel in
                (0...Int(Sample.max)).map { light(of: Float($0) / maximum, channel) }
            }
            return mixed(
                lower, upper, light: { table[$1][Int($0)] },
                sample: { Sample((min(max($0, 0), 1) * maximum).rounded()) }, value: { Float($0) },
                sum: { Sample(min($0, maximum).rounded()) })
        }
        let samples: Picture.Samples
        switch (beneath.samples, layer.samples) {
        case (.eight(let lower), .eight(let upper)): samples = .eight(whole(lower, upper))
        case (.sixteen(let lower), .sixteen(let upper)): samples = .sixteen(whole(lower, upper))
        case (.float(let lower), .float(let upper)):
            samples = .float(mixed(lower, upper, light: light, sample: { $0 }, value: { $0 }, sum: { $0 }))
        default: preconditionFailure("both were brought to one depth")
        }
        return Picture(
            size: beneath.size, channels: beneath.channels, samples: samples, metadata: beneath.metadata)
    }
}
