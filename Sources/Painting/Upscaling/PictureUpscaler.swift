import Raster
import Tensors
import Threads

/// Something that enlarges pictures: a resampling filter, or a network that learnt to.
package protocol PictureUpscaler: Sendable {
    /// What recipes call it: "lanczos", or the name of its file without folders.
    var name: String { get }
    /// SHA-256 of its file; nil of what is inside the program.
    var hash: String? { get }
    /// How many times as long one run makes the sides; nil where any size comes out of one run.
    var factor: Int? { get }

    /// What enlarging takes, told before it starts.
    func estimate(_ size: PixelSize, to target: PixelSize) -> UpscalingEstimate

    /// The picture at another size, larger as a rule.
    ///
    /// Alpha goes its own way by Lanczos, and what transparent pixels hide is not seen by a network. Grey stays grey.
    ///
    /// - Parameters:
    ///   - picture: 1 to 4 channels, 0…1
    ///   - part: of the enlarged picture, in its pixels; nil: all. Nothing that is not needed for it is worked on, and it is
    ///     what stands there in the whole, to the bit where the upscaler is convolutional and runs in 32 bits.
    ///   - advance: told of every piece of work done, in the measure of ``estimate(_:to:)``; may throw to stop
    /// - Returns: as many channels as came in, 0…1 of a network, unclipped of a filter
    func enlarged(
        _ picture: FloatPicture, to target: PixelSize, part: Rectangle?, advance: (_ operations: Double) throws -> Void
    ) throws -> FloatPicture
}

extension PictureUpscaler {
    /// The whole picture, told nobody.
    package func enlarged(_ picture: FloatPicture, to target: PixelSize) throws -> FloatPicture {
        try enlarged(picture, to: target, part: nil) { _ in }
    }
}

extension ColourSpace {
    /// What was made of a picture as sRGB, with what lies outside as Lanczos enlarges it.
    ///
    /// - Parameters:
    ///   - made: a part of the enlarged picture
    ///   - picture: as it was, in this space
    ///   - seen: the same as sRGB
    func carried(
        _ made: FloatPicture, as part: Rectangle, of target: PixelSize, over picture: FloatPicture, seen: FloatPicture,
        threads: Threads
    ) -> FloatPicture {
        func plainly(_ picture: FloatPicture) -> FloatPicture {
            picture.resized(to: part.size, box: part.box(of: target, in: picture.size), threads: threads)
                .droppingAlpha()
        }
        let result = carried(
            made.droppingAlpha(), over: plainly(picture), seen: plainly(seen), threads: threads)
        return made.alpha.map(result.with) ?? result
    }
}

/// What one enlargement takes.
package struct UpscalingEstimate: Sendable, Equatable {
    /// Floating-point operations; a part of a picture takes less.
    package var operations: Double
    /// How often the network runs over the picture, each time over what the time before made.
    package var passes: Int
    /// Most bytes at once beside the picture that goes in and the one that comes out.
    package var bytes: Double
    /// The least that the whole program can do with, pictures and all; 0 where no limit is heeded.
    package var least: Double

    package init(operations: Double, passes: Int, bytes: Double, least: Double = 0) {
        (self.operations, self.passes, self.bytes, self.least) = (operations, passes, bytes, least)
    }
}
