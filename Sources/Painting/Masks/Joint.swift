import Raster
import Threads

/// Lays what was painted through a mask over the source, so that the joint cannot be seen.
///
/// What is laid over is α = min(1, 2v) of a pixel of strength v, and exactly nothing at 0. Before that the paint's broad
/// colours are matched to what stays around it, in two ways:
///
/// - Where cells were held to the source, the painter should have returned it; what it returned instead (autoencoders shift
///   colours, models drift) is taken off there, and flows into the painted part as into a hole.
/// - Where source and paint are both seen, in the soft band and where painted cells reach out of the mask, they may differ;
///   their broad difference is taken off at the edge and fades inwards. So broad colours meet over a wide band and fine
///   texture over a narrow one, as in Burt and Adelson, "A Multiresolution Spline With Application to Image Mosaics" (1983).
///
/// Both are nothing where painting gave the source back. Worked on in linear light.
struct Joint {
    let canvas: Canvas
    let mask: Mask
    /// Of the part that was painted.
    let cells: LatentMask
    /// 0…1
    let amount: Double
    /// Working pixels to a latent cell.
    let factor: Int
    let threads: Threads

    /// The whole picture with the painted part laid over it; everything under a black mask is the source's to the bit.
    ///
    /// - Parameter painted: RGB of the canvas's frame
    func laid(_ painted: FloatPicture, keepsColour: Bool, depth: Int?) -> Picture {
        let (source, frame) = (canvas.source, canvas.frame)
        let staysGrey = source.channels.isGrey && !keepsColour
        let original = source.floats(threads: threads)
        var result = staysGrey ? original : original.colour()
        let visible = canvas.visible(threads: threads)
        // Under a transparent mask nothing of what transparent pixels hide may be seen.
        let under = canvas.becomesOpaque ? visible : original.droppingAlpha().colour()
        let part = mask.cropped(to: frame)
        let paint = light(staysGrey ? painted.grey().colour() : painted)
        let kept = light(visible.cropped(to: frame))
        let correction = amount > 0 ? correction(paint, kept, part) : nil

        let colours = result.channelCount - (result.hasAlpha ? 1 : 0)
        for y in 0..<frame.height {
            for x in 0..<frame.width where part[x, y] > 0 {
                let alpha = min(1, 2 * part[x, y])
                for channel in 0..<colours {
                    let below = linearLight(under[frame.x + x, frame.y + y, channel])
                    var above = paint[x, y, channel]
                    if let correction { above += Float(amount) * correction[x, y, channel] }
                    result[frame.x + x, frame.y + y, channel] = min(
                        1, max(0, displayed(below + alpha * (above - below))))
                }
                if canvas.becomesOpaque { result[frame.x + x, frame.y + y, colours] = 1 }
            }
        }
        return result.picture(depth: depth ?? source.depth, metadata: source.metadata, threads: threads)
    }

    /// What is added to the paint, in linear light.
    private func correction(_ paint: FloatPicture, _ kept: FloatPicture, _ part: Mask) -> FloatPicture {
        let cell = max(1, factor * canvas.frame.width / canvas.plan.working.width)
        let difference = kept.minus(paint)
        let isHeld = cells.isHeld
        let drift = difference.broad(
            known: part.values.indices.map { isHeld[$0] && part.values[$0] == 0 ? 1 : 0 },
            pixels: max(16, 2 * cell), threads: threads)
        let left = drift.map(difference.minus) ?? difference
        // Where both are seen.
        let both = part.values.indices.map { isHeld[$0] ? 0 : 1 - min(1, 2 * part.values[$0]) }
        let jump = left.broad(known: both, pixels: max(8, cell), threads: threads)
        let reach = Float(max(16, 2 * cell))
        let depths = part.depths(threads: threads)
        var sum = drift ?? FloatPicture(size: paint.size, colour: [0, 0, 0])
        guard let jump else { return sum }
        for pixel in depths.indices where depths[pixel] < reach {
            let fade = 1 - depths[pixel] / reach
            for channel in 0..<3 { sum.values[pixel * 3 + channel] += fade * fade * jump.values[pixel * 3 + channel] }
        }
        return sum
    }

    private func light(_ picture: FloatPicture) -> FloatPicture {
        var lit = picture
        lit.values.withUnsafeMutableBufferPointer { values in
            nonisolated(unsafe) let values = values
            threads.forRanges(values.count, grain: 1 << 16) { for i in $0 { values[i] = linearLight(values[i]) } }
        }
        return lit
    }
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
