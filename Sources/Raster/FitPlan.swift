import Threads

/// How one picture is made to fit: scaled, then cut or padded.
package struct FitPlan: Hashable, Sendable, CustomStringConvertible {
    package let source: PixelSize
    package let mode: FitMode
    /// The size that the whole source is scaled to.
    package let scaled: PixelSize
    /// What is kept of the scaled picture. Units: its pixels.
    package let crop: Rectangle
    /// Borders around what is kept, of mirrored pixels or of what runs on.
    package let padding: Margins
    package let target: PixelSize
    package let filter: ResamplingFilter

    /// The plan for a picture of `source`.
    ///
    /// Throws: for a multiple, size, aspect or limit that no target can have.
    package init(source: PixelSize, options: FitOptions = FitOptions()) throws(FitError) {
        let wish = try FitWish(source: source, options: options)
        if case .size(let size) = options.goal { target = size } else { target = wish.chosen.size }
        self.source = source
        mode = options.mode
        filter = options.filter
        scaled = Self.scaled(source, to: target, options.mode)
        switch options.mode {
        case .stretch:
            crop = Rectangle(scaled)
            padding = Margins()
        case .crop:
            crop = Rectangle(
                x: (scaled.width - target.width) / 2, y: (scaled.height - target.height) / 2,
                width: target.width, height: target.height)
            padding = Margins()
        case .pad, .outpaint:
            crop = Rectangle(scaled)
            let (across, down) = (target.width - scaled.width, target.height - scaled.height)
            padding = Margins(left: across / 2, right: across - across / 2, top: down / 2, bottom: down - down / 2)
        }
    }

    /// The sizes that a picture could be fitted to, those of the truest proportions first.
    ///
    /// Throws: as the initialiser.
    package static func candidates(
        source: PixelSize, options: FitOptions = FitOptions(), count: Int = 12
    ) throws(FitError) -> [FitCandidate] {
        try FitWish(source: source, options: options).listed(count)
    }

    /// The scaled size that just covers the target (crop), lies just inside it (pad, outpaint), or is it (stretch).
    private static func scaled(_ source: PixelSize, to target: PixelSize, _ mode: FitMode) -> PixelSize {
        if mode == .stretch { return target }
        let widthBound = Double(target.width) / Double(source.width)
        let heightBound = Double(target.height) / Double(source.height)
        let followsWidth = mode == .crop ? widthBound >= heightBound : widthBound <= heightBound
        func other(_ length: Int, _ scale: Double, _ bound: Int) -> Int {
            let exact = Int((Double(length) * scale).rounded(.toNearestOrAwayFromZero))
            return mode == .crop ? max(bound, exact) : max(1, min(bound, exact))
        }
        return followsWidth
            ? PixelSize(width: target.width, height: other(source.height, widthBound, target.height))
            : PixelSize(width: other(source.width, heightBound, target.width), height: target.height)
    }

    /// True when the picture already is as it should be.
    package var changesNothing: Bool { source == target && scaled == source }

    /// "451×300 → scale 481×320 → crop 448×320 at 16,0 → 448×320"
    package var description: String {
        if changesNothing { return "\(source) fits as it is" }
        var parts = ["\(source)"]
        if scaled != source { parts.append("scale \(scaled)") }
        if crop.size != scaled { parts.append("crop \(crop)") }
        if !padding.isZero {
            parts.append(
                "pad \(padding.left) left, \(padding.right) right, \(padding.top) top, \(padding.bottom) bottom")
        }
        parts.append("\(target)")
        return parts.joined(separator: " → ")
    }

    /// The picture as the plan has it. Its metadata is carried along.
    ///
    /// What is cut off is never computed, so a very long picture needs no more memory than its source and result.
    package func apply(to picture: Picture, threads: Threads = Threads(1)) -> Picture {
        if changesNothing { return picture }
        let kept = kept(of: picture, threads: threads)
        return mode == .outpaint ? kept.continued(by: padding, threads: threads) : kept.padded(by: padding)
    }

    /// The same without its borders.
    package func kept(of picture: Picture, threads: Threads = Threads(1)) -> Picture {
        precondition(picture.size == source, "the plan is for \(source), the picture is \(picture.size)")
        if crop == Rectangle(source), scaled == source { return picture }
        if scaled == source { return picture.cropped(to: crop) }
        return picture.resized(to: crop.size, filter: filter, box: shown, threads: threads)
    }

    /// What is new of a picture that was fitted, in these rows of the target: white, and black on the picture itself.
    package func mask(_ rows: Range<Int>) -> Picture {
        let (across, down) = (padding.left..<padding.left + crop.width, padding.top..<padding.top + crop.height)
        var values = [UInt8](repeating: 255, count: target.width * rows.count)
        for y in rows.clamped(to: down) {
            for x in across { values[(y - rows.lowerBound) * target.width + x] = 0 }
        }
        return Picture(size: PixelSize(width: target.width, height: rows.count), channels: .grey, eight: values)
    }

    /// The part of the source that is kept.
    package var shown: ResamplingBox {
        if crop.size == scaled { return ResamplingBox(source) }
        let across = Double(source.width) / Double(scaled.width)
        let down = Double(source.height) / Double(scaled.height)
        return ResamplingBox(
            left: Double(crop.x) * across, top: Double(crop.y) * down,
            width: crop.width == scaled.width ? Double(source.width) : Double(crop.width) * across,
            height: crop.height == scaled.height ? Double(source.height) : Double(crop.height) * down)
    }
}
