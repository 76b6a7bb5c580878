import Networks
import Raster
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

    /// What an enlarged picture may have at most, like the pictures that are read.
    private static let (longest, largestArea) = (65_535, 1 << 28)

    /// - Throws: ``PaintingError/unsuitable(_:)`` where the result, or what comes before it, would be larger than any picture
    package func check(_ name: String) throws(PaintingError) {
        var made = source
        for _ in 0..<estimate.passes {
            let factor = upscaler.factor ?? 1
            made = PixelSize(width: made.width * factor, height: made.height * factor)
        }
        for size in [made, target]
        where max(size.width, size.height) > Self.longest || size.area > Self.largestArea {
            throw .unsuitable(
                "\(name) would be enlarged to \(size), over the limit of \(Self.largestArea) pixels and \(Self.longest) on a side. Choose a smaller --scale, or an upscaler of a smaller factor."
            )
        }
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

    /// The enlarged picture: of the same depth, kind and metadata.
    ///
    /// - Parameter advance: told of work done, in operations; may throw to stop
    package func apply(
        to picture: Picture, depth: Int?, threads: Threads, advance: (_ operations: Double) throws -> Void
    ) throws -> Picture {
        if upscaler is LanczosUpscaler {
            // At its own depth: 8 bits come out as other tools have them.
            let result = picture.resized(to: target, threads: threads)
            try advance(estimate.operations)
            return depth.map(result.converted) ?? result
        }
        return try upscaler.enlarged(
            picture.floats(threads: threads), in: ColourSpace(picture), to: target, part: nil, threads: threads,
            advance: advance
        ).picture(depth: depth ?? picture.depth, metadata: picture.metadata, threads: threads)
    }
}
