import Raster
import Sampling
import Threads

extension Masking {
    /// The mask of a picture, made to fit it.
    ///
    /// - Parameters:
    ///   - file: what a mask's file holds, upright
    ///   - name: what messages call it
    ///   - picture: what messages call the picture of `size`
    /// - Throws: ``PaintingError/unsuitable(_:)`` where its size is another and nothing was said of it
    package func mask(
        _ file: Picture, name: String, for picture: String, _ size: PixelSize, threads: Threads = Threads(1)
    ) throws(PaintingError) -> Mask {
        try check(file.size, name: name, for: picture, size)
        let mask = Mask(file)
        return mask.size == size ? mask : fit?(mask, to: size, threads: threads) ?? mask
    }

    /// Refuses a mask that is not of its picture's size and cannot be made to fit, of which only the size is known yet.
    ///
    /// - Throws: ``PaintingError/unsuitable(_:)``
    package func check(
        _ mask: PixelSize, name: String, for picture: String, _ size: PixelSize
    ) throws(PaintingError) {
        if mask == size { return }
        let fault = "\(name) is \(mask) but \(picture) is \(size)."
        guard let fit else {
            throw .unsuitable(
                mask.transposed == size
                    ? "\(fault) Turn the mask, or pass --mask-fit rotate."
                    : "\(fault) Resize the mask, or pass --mask-fit stretch.")
        }
        if fit == .rotate, mask.transposed != size {
            throw .unsuitable(
                "\(fault) A quarter turn does not make it fit. Resize the mask, or pass --mask-fit stretch.")
        }
    }

    /// The mask that a picture's own transparency is.
    ///
    /// - Throws: ``PaintingError/unsuitable(_:)`` where the picture has none
    package func mask(transparencyOf picture: Picture, name: String) throws(PaintingError) -> Mask {
        guard picture.channels.hasAlpha else {
            throw .unsuitable("\(name) has no transparency to be the mask. Give --mask a file, or save it with alpha.")
        }
        return Mask(transparencyOf: picture)
    }

    /// To how many strengths a mask's greys are rounded up where it has more of them than there are steps; nil where none
    /// is lost.
    package static func levels(of mask: Mask, steps: Int) -> (greys: Int, kept: Int)? {
        let greys = mask.greyCount
        guard steps > 0, greys > steps else { return nil }
        return (greys, Set(mask.values.map { MaskedDenoiser.steps($0, of: steps) }.filter { $0 > 0 }).count)
    }
}

extension FloatPicture {
    /// Laid over another picture of its shape as opaque as results are: α = min(1, 2v), exactly the other one where v is 0.
    func laid(over other: FloatPicture, through mask: [Float]) -> FloatPicture {
        var result = other
        for pixel in mask.indices where mask[pixel] > 0 {
            let alpha = min(1, 2 * mask[pixel])
            for i in pixel * channelCount..<(pixel + 1) * channelCount {
                result.values[i] += alpha * (values[i] - result.values[i])
            }
        }
        return result
    }
}
