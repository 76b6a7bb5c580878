import Raster
import Threads

/// Lanczos's filter: what is there where no network is.
package struct LanczosUpscaler: PictureUpscaler {
    package let threads: Threads

    package init(threads: Threads) { self.threads = threads }

    package var name: String { "lanczos" }
    package var hash: String? { nil }
    package var factor: Int? { nil }

    package func estimate(_ size: PixelSize, to target: PixelSize) -> UpscalingEstimate {
        // Six taps along each side, a few operations each; rows of the first pass wait, those of a strip at most.
        let rows = min(size.height, (1 << 22) / size.width + 6)
        return UpscalingEstimate(
            operations: Double(target.area) * 100, passes: 0, bytes: Double(target.width * rows) * 16)
    }

    package func enlarged(
        _ picture: FloatPicture, to target: PixelSize, part: Rectangle?, advance: (_ operations: Double) throws -> Void
    ) throws -> FloatPicture {
        let part = part ?? Rectangle(target)
        precondition(part.fits(in: target), "\(part) of \(target)")
        let result = picture.resized(to: part.size, box: part.box(of: target, in: picture.size), threads: threads)
        try advance(estimate(picture.size, to: part.size).operations)
        return result
    }
}

extension Rectangle {
    /// What this part of a picture of size `target` shows of the picture of size `source` that it was enlarged from.
    func box(of target: PixelSize, in source: PixelSize) -> ResamplingBox {
        if size == target { return ResamplingBox(source) }
        let (across, down) = (
            Double(source.width) / Double(target.width), Double(source.height) / Double(target.height)
        )
        return ResamplingBox(
            left: Double(x) * across, top: Double(y) * down, width: Double(width) * across,
            height: Double(height) * down)
    }
}
