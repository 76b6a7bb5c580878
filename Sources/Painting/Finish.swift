import Raster
import Threads

/// Lays what was painted over the source: at the source's size, depth and kind, with its transparency.
///
/// - Parameter painted: sRGB, the source's size
func finished(_ painted: FloatPicture, over canvas: Canvas, _ settings: Settings, depth: Int?, threads: Threads)
    -> Picture
{
    let staysGrey = canvas.source.channels.isGrey && !settings.keepsColour
    let source = staysGrey ? canvas.source : canvas.source.inColour()
    var result = canvas.carried(
        staysGrey ? painted.grey().colour() : painted, over: canvas.visible(threads: threads),
        hasResidue: settings.perlinInit == nil, threads: threads)
    if staysGrey { result = result.channel(0) }
    // Clipped here already: alpha would otherwise be laid over colours that no file can hold.
    result.values = result.values.map { min(max($0, 0), 1) }
    let own = source.floats(threads: threads)
    if let alpha = own.alpha {
        result = result.with(alpha: alpha)
        // What nobody sees is not painted on.
        for pixel in alpha.values.indices where alpha.values[pixel] == 0 {
            let samples = pixel * own.channelCount..<(pixel + 1) * own.channelCount
            result.values.replaceSubrange(samples, with: own.values[samples])
        }
    }
    return result.picture(depth: depth ?? source.depth, metadata: source.metadata, threads: threads)
}

/// Draws the broad colours of `painted` towards those of `source`; `amount` 1 takes them over whole.
///
/// Broad means what is left of both after reducing them to about 32 pixels on the longer side. Worked on in linear light,
/// since an average of colours is an average of light.
func anchored(_ painted: FloatPicture, to source: FloatPicture, amount: Double, threads: Threads) -> FloatPicture {
    guard amount > 0 else { return painted }
    let longer = max(painted.width, painted.height)
    let small = PixelSize(
        width: max(1, painted.width * 32 / max(longer, 32)), height: max(1, painted.height * 32 / max(longer, 32)))
    func broad(_ picture: FloatPicture) -> FloatPicture {
        var linear = picture
        linear.values = linear.values.map(linearLight)
        return linear.resized(to: small, filter: .box, threads: threads)
            .resized(to: picture.size, filter: .bicubic, threads: threads)
    }
    let (theirs, ours) = (broad(source.droppingAlpha().colour()), broad(painted))
    var result = painted
    for i in result.values.indices {
        let light = linearLight(painted.values[i]) + Float(amount) * (theirs.values[i] - ours.values[i])
        result.values[i] = displayed(light)
    }
    return result
}
