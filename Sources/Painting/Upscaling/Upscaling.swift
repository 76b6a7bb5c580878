import Networks
import Raster
import RasterFiles
import Tensors
import Threads

/// One picture that is to be enlarged: what size it gets, and how it comes back.
package struct Upscaling {
    package let upscaler: any PictureUpscaler
    package let source, target: PixelSize
    package let scale: Double

    /// What enlarging by a filter does where nothing else is said.
    private static let usualScale = 2

    /// - Parameter scale: of the sides; nil: what one run of the upscaler does
    package init(_ upscaler: any PictureUpscaler, _ source: PixelSize, scale: Double?) {
        (self.upscaler, self.source) = (upscaler, source)
        self.scale = scale ?? Double(upscaler.factor ?? Self.usualScale)
        target = PixelSize(
            width: max(1, Int((Double(source.width) * self.scale).rounded())),
            height: max(1, Int((Double(source.height) * self.scale).rounded())))
    }

    /// Sizes that come of it: what the network makes in its last run, and the result.
    package var sizes: [PixelSize] { [lastMade, target] }

    private var lastMade: PixelSize {
        var made = source
        for _ in 0..<estimate.passes {
            let factor = upscaler.factor ?? 1
            made = PixelSize(width: made.width * factor, height: made.height * factor)
        }
        return made
    }

    /// Bytes of disk that it takes meanwhile.
    package func diskBytes(_ reader: PictureReader) -> Int {
        guard let learned = upscaler as? LearnedUpscaler else { return reader.diskBytes }
        return EnlargedPlanes.diskBytes(
            lastMade, channelCount: reader.channels.isGrey ? 1 : 3, holding: learned.hold)
    }

    package var estimate: UpscalingEstimate { upscaler.estimate(source, to: target) }

    /// Seconds that it takes, about.
    package func seconds(_ threads: Threads) -> Double {
        if let learned = upscaler as? LearnedUpscaler {
            return estimate.operations / learned.network.engine.nominalSpeed + 0.1
        }
        return estimate.operations / (2e9 * Double(threads.count)) + 0.05
    }

    /// "100×80 → 400×320, RRDBNet ×4 (64 features, 23 blocks)"
    package var description: String {
        guard let learned = upscaler as? LearnedUpscaler else { return "\(source) → \(target), \(upscaler.name)" }
        let passes = estimate.passes
        let times = passes == 1 ? "" : ", \(passes) times"
        let network = learned.network
        return
            "\(source) → \(target), \(network.architecture) ×\(network.factor)\(times) (\(network.summary))"
    }

    /// The enlarged picture in bands of rows from top to bottom, of the same kind.
    ///
    /// - Parameters:
    ///   - depth: of what a network makes; nil: the picture's
    ///   - advance: told of work done, in operations; may throw to stop
    ///   - take: takes each band
    package func apply(
        to reader: PictureReader, depth: Int?, threads: Threads, advance: (_ operations: Double) throws -> Void,
        _ take: (_ band: Picture) throws -> Void
    ) throws {
        guard let learned = upscaler as? LearnedUpscaler else {
            // At its own depth: 8 bits come out as other tools have them.
            return try reader.resized(to: target, threads: threads) { band, _ in
                try take(band)
                try advance(estimate.operations * Double(band.height) / Double(target.height))
            }
        }
        let picture = try reader.picture()
        let (floats, space) = (picture.floats(threads: threads), ColourSpace(picture))
        try learned.enlarged(floats, in: space, to: target, threads: threads, advance: advance) { band, _ in
            try take(band.picture(depth: depth ?? picture.depth, threads: threads))
        }
    }
}

extension LearnedUpscaler {
    /// As ``enlarged(_:to:holding:advance:bands:)``, of a picture in a space of its own: networks see sRGB, and what lies outside
    /// goes its way by Lanczos.
    package func enlarged(
        _ picture: FloatPicture, in space: ColourSpace, to target: PixelSize, threads: Threads,
        advance: (_ operations: Double) throws -> Void, bands take: (_ band: FloatPicture, _ y: Int) throws -> Void
    ) throws {
        if space.isPlain { return try enlarged(picture, to: target, advance: advance, bands: take) }
        let seen = space.seen(picture, threads: threads)
        try enlarged(seen, to: target, advance: advance) { band, y in
            let part = Rectangle(x: 0, y: y, width: band.width, height: band.height)
            try take(
                space.carried(band, as: part, of: target, over: picture, seen: seen, threads: threads), y)
        }
    }
}
