import Threads

/// The size that a picture is painted at, and the way there and back.
///
/// Up to the model's good area a picture is painted at its own size, padded at the right and bottom by mirrored pixels
/// to the model's multiple and cut back. Above, it is reduced and the result enlarged: models compose badly beyond the
/// area that they were trained for.
package struct WorkingPlan: Hashable, Sendable {
    package let source: PixelSize
    /// The size that is painted; both sides are multiples.
    package let working: PixelSize
    /// Borders around the source, where it is not scaled.
    package let padding: Margins
    /// True when the source is scaled on the way there, and the result on the way back.
    package let isScaled: Bool

    /// - Parameters:
    ///   - multiple: the side multiple that the model needs.
    ///   - goodArea: the area at which the model composes well. Units: pixels.
    ///
    /// Throws: for a multiple out of range, and a good area of less than one multiple on each side.
    package init(source: PixelSize, multiple: Int, goodArea: Int) throws(FitError) {
        let wish = try FitWish(source: source, options: FitOptions(goal: .maxPixels(goodArea), multiple: multiple))
        self.source = source
        isScaled = source.area > goodArea
        if isScaled {
            working = wish.chosen.size
            padding = Margins()
        } else {
            padding = Self.borders(source, multiple)
            working = padding.around(source)
        }
    }

    /// Painting at the source's own size whatever its area: `--work-size source`.
    package init(source: PixelSize, multiple: Int) throws(FitError) {
        _ = try FitWish(source: source, options: FitOptions(multiple: multiple))
        self.source = source
        isScaled = false
        padding = Self.borders(source, multiple)
        working = padding.around(source)
    }

    /// Painting at a size that was asked for, its sides rounded to the nearest multiples: `--work-size WxH`.
    package init(source: PixelSize, multiple: Int, size: PixelSize) throws(FitError) {
        guard !size.isEmpty else { throw .emptySize(size) }
        _ = try FitWish(source: source, options: FitOptions(multiple: multiple))
        func near(_ length: Int) -> Int { max(1, (length + multiple / 2) / multiple) * multiple }
        self.source = source
        let wanted = PixelSize(width: near(size.width), height: near(size.height))
        isScaled = wanted != source
        padding = Margins()
        working = wanted
    }

    private static func borders(_ source: PixelSize, _ multiple: Int) -> Margins {
        Margins(
            right: (multiple - source.width % multiple) % multiple,
            bottom: (multiple - source.height % multiple) % multiple)
    }

    /// One line about a reduction, or nil where nothing is lost: both sizes and the mend.
    package var warning: String? {
        guard isScaled, working.area < source.area else { return nil }
        return "The picture is \(source) and is painted at \(working), where the model composes well, then enlarged "
            + "again. For its full detail, pass --work-size source, which paints it in tiles that are joined in every step."
    }

    /// The source at working size. For pictures and for masks.
    package func prepare(_ picture: FloatPicture, threads: Threads = Threads(1)) -> FloatPicture {
        precondition(picture.size == source, "the plan is for \(source), the picture is \(picture.size)")
        return isScaled ? picture.resized(to: working, threads: threads) : picture.padded(by: padding)
    }

    /// A painted picture at the source's size.
    package func restore(_ painted: FloatPicture, threads: Threads = Threads(1)) -> FloatPicture {
        precondition(painted.size == working, "the plan is for \(working), the picture is \(painted.size)")
        return isScaled
            ? painted.resized(to: source, threads: threads) : painted.cropped(to: Rectangle(source))
    }
}
