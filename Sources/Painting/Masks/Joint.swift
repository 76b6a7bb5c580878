import Raster
import Threads

/// Lays what was painted through a mask over the source, so that the joint cannot be seen.
///
/// What is laid over is α = min(1, 2v) of a pixel of strength v, and exactly nothing at 0. Before that the paint's broad
/// colours are matched to what stays around it, in two ways:
///
/// - Where cells were held to the source, the painter should have returned it; what it returned instead (autoencoders shift
///   colours, models drift) is taken off there, and flows into the painted part as into a hole.
/// - Along the mask's edge, broad colours of source and paint are made to meet: their difference is taken off there and
///   fades inwards. So broad colours change over a wide band and fine texture over a narrow one, as in Burt and Adelson,
///   "A Multiresolution Spline With Application to Image Mosaics" (1983). Where the source inside is another thing than the
///   ring around the mask, the mask follows an edge of the picture, and there is nothing to be matched: else what is
///   painted away would come back as a halo.
///
/// Both are nothing where painting gave the source back. Colours are matched as they are displayed, where texture is as strong
/// on dark as on light ground; they are laid over in linear light.
struct Joint {
    let canvas: Canvas
    let mask: Mask
    /// Of the part that was painted.
    let cells: LatentMask
    /// 0…1
    let amount: Double
    /// Working pixels to a latent cell.
    let factor: Int
    /// Length of the mask's inner ramp, in source pixels.
    let blur: Double
    let threads: Threads

    /// The whole picture with the painted part laid over it; everything under a black mask is the source's to the bit.
    ///
    /// - Parameters:
    ///   - painted: sRGB of the canvas's frame
    ///   - hasResidue: as for ``Canvas/carried(_:over:hasResidue:threads:)``
    func laid(_ painted: FloatPicture, keepsColour: Bool, hasResidue: Bool, depth: Int?) -> Picture {
        let (frame, space) = (canvas.frame, canvas.space)
        let staysGrey = canvas.source.channels.isGrey && !keepsColour
        let source = staysGrey ? canvas.source : canvas.source.inColour()
        let original = source.floats(threads: threads)
        var result = original
        let visible = canvas.visible(threads: threads)
        // Under a transparent mask nothing of what transparent pixels hide may be seen.
        let under = canvas.becomesOpaque ? visible : original.droppingAlpha().colour()
        let part = mask.cropped(to: frame)
        var paint = staysGrey ? painted.grey().colour() : painted
        if amount > 0 {
            let kept = space.seen(visible.cropped(to: frame), threads: threads)
            let correction = correction(paint, kept, part)
            for i in paint.values.indices { paint.values[i] += Float(amount) * correction.values[i] }
        }
        paint = canvas.carried(paint, over: canvas.sketch ?? visible, hasResidue: hasResidue, threads: threads)

        let colours = result.channelCount - (result.hasAlpha ? 1 : 0)
        for y in 0..<frame.height {
            for x in 0..<frame.width where part[x, y] > 0 {
                // What nobody will see is not painted on.
                if result.hasAlpha, !canvas.becomesOpaque, result[frame.x + x, frame.y + y, colours] == 0 { continue }
                let alpha = min(1, 2 * part[x, y])
                for channel in 0..<colours {
                    result[frame.x + x, frame.y + y, channel] = space.mixed(
                        under[frame.x + x, frame.y + y, channel], min(1, max(0, paint[x, y, channel])), share: alpha,
                        channel: channel)
                }
                if canvas.becomesOpaque { result[frame.x + x, frame.y + y, colours] = 1 }
            }
        }
        return result.picture(depth: depth ?? source.depth, metadata: source.metadata, threads: threads)
    }

    /// What is added to the paint.
    private func correction(_ paint: FloatPicture, _ kept: FloatPicture, _ part: Mask) -> FloatPicture {
        let cell = max(1, factor * canvas.frame.width / canvas.plan.working.width)
        let difference = kept.minus(paint)
        let isHeld = cells.isHeld
        let drift = difference.broad(
            known: part.values.indices.map { isHeld[$0] && part.values[$0] == 0 ? 1 : 0 },
            pixels: max(16, 2 * cell), threads: threads)
        let left = drift.map(difference.minus) ?? difference
        var sum = drift ?? FloatPicture(size: paint.size, colour: [0, 0, 0])

        let depths = part.depths(threads: threads)
        let band = max(12, 2 * cell, Int(3 * blur))
        let likeness = likeness(kept, part, depths, within: Float(band))
        let edge = part.values.indices.map { pixel -> Float in
            isHeld[pixel] ? 0 : min(1, max(0, 2 - 2 * depths[pixel] / Float(band)))
        }
        let alike = FloatPicture(size: paint.size, channelCount: 3, values: likeness.flatMap { [$0, $0, $0] })
        let known = zip(edge, likeness).map(*)
        guard
            let jump = left.broad(
                known: known.indices.map { known[$0] * min(1, 2 * part.values[$0]) }, pixels: max(6, cell),
                threads: threads),
            let trust = alike.broad(known: edge, pixels: max(6, cell), threads: threads)
        else { return sum }
        let widths = widths(depths, within: band)
        let reach = max(2 * Float(band), 0.6 * (depths.filter(\.isFinite).max() ?? 0))
        for pixel in depths.indices where depths[pixel] < reach {
            let share = 1 - depths[pixel] / reach
            let fade = share * share * (3 - 2 * share) * widths[pixel] * min(1, max(0, trust.values[pixel * 3]))
            // Right at the edge every detail meets, further in only what is broad: paint that is only just leaving the
            // source would be taken too far.
            let coarseness = min(1, depths[pixel] * 2 / Float(band))
            for channel in pixel * 3..<pixel * 3 + 3 {
                let (fine, broad) = (left.values[channel], jump.values[channel])
                sum.values[channel] += fade * (fine + coarseness * (broad - fine))
            }
        }
        return sum
    }

    /// 0 where the mask is a stroke all of which lies near an edge, so that matching colours there would bring back what is
    /// painted away; 1 where it is wide.
    private func widths(_ depths: [Float], within band: Int) -> [Float] {
        let shares = depths.map { min(1, $0 / Float(band)) }
        return Mask(size: canvas.frame.size, values: shares).grown(by: band, threads: threads).values
            .map { min(1, max(0, 2 * $0 - 1)) }
    }

    /// How much the source just inside the mask is like the ring around it, 0…1.
    private func likeness(_ kept: FloatPicture, _ part: Mask, _ depths: [Float], within band: Float) -> [Float] {
        let none = Array(repeating: Float(1), count: depths.count)
        let ring = kept.broad(known: part.values.map { $0 == 0 ? 1 : 0 }, pixels: 8, threads: threads)
        let inside = kept.broad(
            known: depths.map { $0 > 0 && $0 < band ? 1 : 0 }, pixels: 8, threads: threads)
        guard let ring, let inside else { return none }
        return depths.indices.map { pixel in
            guard depths[pixel] < band else { return 0 }
            var far: Float = 0
            for channel in pixel * 3..<pixel * 3 + 3 {
                let apart = ring.values[channel] - inside.values[channel]
                far += apart * apart
            }
            return 1 / (1 + far * far / Self.unlike)
        }
    }

    /// Fourth power of the distance between two colours, each 0…1 in three channels, that are half like each other.
    private static let unlike: Float = 0.25 * 0.25 * 0.25 * 0.25
}

extension FloatPicture {
    fileprivate func minus(_ other: FloatPicture) -> FloatPicture {
        FloatPicture(size: size, channelCount: channelCount, values: zip(values, other.values).map { $0 - $1 })
    }

    /// What is left of a field where only details wider than so many pixels remain, and what flows from where it is known to
    /// where it is not; nil where nothing is known.
    ///
    /// - Parameter known: 0…1 for each pixel
    fileprivate func broad(known: [Float], pixels: Int, threads: Threads) -> FloatPicture? {
        guard known.contains(where: { $0 > 0 }) else { return nil }
        let small = PixelSize(width: (width + pixels - 1) / pixels, height: (height + pixels - 1) / pixels)
        return with(alpha: FloatPicture(size: size, channelCount: 1, values: known))
            .resized(to: small, filter: .bilinear, alpha: true, threads: threads)
            .bleedingColours(threads: threads)
            .resized(to: size, filter: .bicubic, threads: threads)
    }
}
