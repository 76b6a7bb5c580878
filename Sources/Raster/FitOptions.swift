/// How a picture is made to fit a size.
package enum FitMode: String, Sendable, CaseIterable {
    /// Scaled to cover the size; what sticks out on two sides is cut off.
    case crop
    /// Scaled to lie inside the size; the rest is filled with mirrored pixels.
    case pad
    /// The same, but the picture's colours and lines run on there: a canvas to paint on, which a mask goes with.
    case outpaint
    /// Scaled to the size whatever becomes of its proportions.
    case stretch
}

/// What a fit is asked to do.
package struct FitOptions: Hashable, Sendable {
    static let largestMultiple = 1 << 16

    package var mode: FitMode
    package var goal: Goal
    /// The target's sides are multiples of this, unless the goal names them.
    package var multiple: Int
    package var filter: ResamplingFilter

    package init(
        mode: FitMode = .crop, goal: Goal = .nearest, multiple: Int = 64, filter: ResamplingFilter = .lanczos
    ) {
        self.mode = mode
        self.goal = goal
        self.multiple = multiple
        self.filter = filter
    }

    /// Where the target size comes from.
    package enum Goal: Hashable, Sendable {
        /// The picture's own size and proportions.
        case nearest
        /// Exactly this size, a multiple or not.
        case size(PixelSize)
        /// The picture's own area in these proportions.
        case aspect(width: Int, height: Int)
        /// The picture's own size, reduced to at most so many pixels; smaller pictures are not enlarged.
        case maxPixels(Int)
    }
}
