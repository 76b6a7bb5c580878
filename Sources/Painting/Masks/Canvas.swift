import Raster
import Threads

/// One picture as it goes to be painted: what it is laid over, what painting starts from, which part is painted, and at
/// which size.
package struct Canvas: Sendable {
    /// As the file has it: what the result is laid over.
    package let source: Picture
    /// Of the source; painting happens in sRGB.
    let space: ColourSpace
    /// RGB of the source's size and space that painting starts from, where it is not the source itself.
    let sketch: FloatPicture?
    /// What is painted, as strongly as it says, at the source's size; nil where it is everything.
    package let mask: Mask?
    /// The part that is cut out and painted, in source pixels.
    package let frame: Rectangle
    /// From the part to the size that is painted.
    package let plan: WorkingPlan
    /// Where the source as its file has it lies in the one that is painted on, where that was enlarged.
    package let enlarged: Rectangle?
    /// Repainted pixels become opaque: the picture's own transparency was the mask.
    let becomesOpaque: Bool

    /// Whether there is nothing to paint.
    package var isKept: Bool { mask?.isBlack ?? false }

    /// - Parameters:
    ///   - sketch: what painting starts from, where it is not the source
    ///   - enlarged: where a source that was enlarged lies
    /// - Throws: ``PaintingError`` where the size cannot be painted
    init(
        _ source: Picture, sketch: FloatPicture?, mask: Mask?, _ masking: Masking?, _ size: Refine.WorkSize,
        for model: DiffusionModel, enlarged: Rectangle? = nil
    ) throws(PaintingError) {
        (self.source, self.mask, self.enlarged) = (source, mask, enlarged)
        space = ColourSpace(source)
        self.sketch = sketch.map { Self.drawn($0.bleedingColours().colour(), on: source, through: mask) }
        becomesOpaque = masking?.isFromAlpha ?? false
        guard masking?.area == .masked, let bounds = mask?.bounds else {
            frame = Rectangle(source.size)
            plan = try size.plan(source.size, for: model)
            return
        }
        let region = bounds.padded(by: masking?.padding ?? 0, in: source.size)
        if let target = size.target(for: region.size, model) {
            frame = region.expanded(to: target, in: source.size)
            plan = try Refine.WorkSize.size(target).plan(frame.size, for: model)
        } else {
            frame = region.expanded(toMultiple: model.multiple, in: source.size)
            plan = try size.plan(frame.size, for: model)
        }
    }

    /// What was drawn, as far as the mask lets it through.
    private static func drawn(_ sketch: FloatPicture, on source: Picture, through mask: Mask?) -> FloatPicture {
        guard let mask else { return sketch }
        return sketch.laid(over: source.floats().bleedingColours().colour(), through: mask.values)
    }

    /// The picture where nothing is painted: the source's own pixels, never decoded or rounded, with what was drawn on them.
    func unpainted(depth: Int?, threads: Threads) -> Picture {
        guard let sketch, let mask, !mask.isBlack else { return depth.map { source.converted(depth: $0) } ?? source }
        var result = source.floats(threads: threads)
        let drawn = source.channels.isGrey ? sketch.grey() : sketch
        for pixel in mask.values.indices where mask.values[pixel] > 0 {
            for channel in 0..<drawn.channelCount {
                result.values[pixel * result.channelCount + channel] =
                    drawn.values[pixel * drawn.channelCount + channel]
            }
        }
        return result.picture(depth: depth ?? source.depth, metadata: source.metadata, threads: threads)
    }

    /// The source's visible colours, RGB in its own space: transparent pixels get those of the opaque ones around.
    func visible(threads: Threads) -> FloatPicture {
        source.floats(threads: threads).bleedingColours(threads: threads).colour()
    }

    /// What was painted, in the source's own space, with what of the source lay outside sRGB.
    ///
    /// - Parameters:
    ///   - painted: sRGB of the frame
    ///   - own: of the source's size and space
    ///   - hasResidue: whether painting started from the source at all
    func carried(_ painted: FloatPicture, over own: FloatPicture, hasResidue: Bool, threads: Threads) -> FloatPicture {
        if space.isPlain { return painted }
        guard hasResidue else {
            return space.fromLight(ColourSpace.sRGB.toLight(painted, threads: threads), threads: threads)
        }
        let part = own.cropped(to: frame)
        return space.carried(painted, over: part, seen: space.seen(part, threads: threads), threads: threads)
    }
}

extension Refine.WorkSize {
    /// The size that a part of a picture is scaled to when it is painted alone; nil where it keeps its own.
    fileprivate func target(for part: PixelSize, _ model: DiffusionModel) -> PixelSize? {
        let scale: Double
        switch self {
        case .source: return nil
        case .size(let size): return size
        case .good:
            guard part.area < model.trainedArea else { return nil }
            scale = (Double(model.trainedArea) / Double(part.area)).squareRoot()
        }
        let multiple = Double(model.multiple)
        func near(_ length: Int) -> Int { Int(max(1, (Double(length) * scale / multiple).rounded())) * model.multiple }
        return PixelSize(width: near(part.width), height: near(part.height))
    }

    /// - Throws: ``PaintingError/unsuitable(_:)``
    func plan(_ source: PixelSize, for model: DiffusionModel) throws(PaintingError) -> WorkingPlan {
        let asked: PixelSize =
            switch self {
            case .good: PixelSize(width: 1, height: 1)
            case .source: source
            case .size(let size): size
            }
        // Sides first: their product might not be a number.
        guard max(asked.width, asked.height) <= Refine.largestArea, asked.area <= Refine.largestArea else {
            throw .unsuitable(
                "The working size \(asked) has more than the \(Refine.largestArea) pixels that can be painted at once. Paint smaller."
            )
        }
        do throws(FitError) {
            switch self {
            case .good: return try WorkingPlan(source: source, multiple: model.multiple, goodArea: model.goodArea)
            case .source: return try WorkingPlan(source: source, multiple: model.multiple)
            case .size(let size): return try WorkingPlan(source: source, multiple: model.multiple, size: size)
            }
        } catch {
            throw .unsuitable(error.description)
        }
    }
}
