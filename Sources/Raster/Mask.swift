import Threads

/// Where a picture may change: 0 (black) keeps it to the bit, 1 (white) changes it wholly, grey lies between.
///
/// Shape: rows from top to bottom, as the picture is displayed.
package struct Mask: Hashable, Sendable {
    package let size: PixelSize
    /// One value a pixel, 0…1.
    package var values: [Float]

    package init(size: PixelSize, values: [Float]) {
        precondition(!size.isEmpty && values.count == size.area, "a mask of \(size) needs \(size.area) values")
        (self.size, self.values) = (size, values)
    }

    /// A picture as a mask: its luma, weighed by its alpha. Exactly 0 only where it is black or wholly transparent.
    package init(_ picture: Picture, threads: Threads = Threads(1)) {
        let grey = picture.floats(threads: threads).grey()
        if let alpha = grey.alpha {
            self.init(
                size: grey.size,
                values: zip(grey.droppingAlpha().values, alpha.values).map { min(max($0 * $1, 0), 1) })
        } else {
            self.init(size: grey.size, values: grey.values.map { min(max($0, 0), 1) })
        }
    }

    package var isBlack: Bool { values.allSatisfy { $0 == 0 } }

    /// How a mask of another size is brought to a picture's.
    package enum Fit: String, Sendable, CaseIterable {
        /// Whatever becomes of its proportions.
        case stretch
        /// Scaled to cover the picture; what sticks out on two sides is cut off.
        case crop
        /// Turned clockwise by a quarter, for masks that lie as the camera did.
        case rotate
    }

    /// The mask at a picture's size; nil where `fit` does not bring it there.
    package func fitted(to target: PixelSize, _ fit: Fit?, threads: Threads = Threads(1)) -> Mask? {
        if size == target { return self }
        let picture = FloatPicture(size: size, channelCount: 1, values: values)
        func resized(_ box: ResamplingBox?) -> Mask {
            // No filter with lobes: black beside white must not become a little more than black.
            let scaled = picture.resized(to: target, filter: .bilinear, box: box, threads: threads)
            return Mask(size: target, values: scaled.values.map { min(max($0, 0), 1) })
        }
        switch fit {
        case nil: return nil
        case .stretch: return resized(nil)
        case .crop:
            let scale = max(
                Double(target.width) / Double(size.width), Double(target.height) / Double(size.height))
            let (width, height) = (Double(target.width) / scale, Double(target.height) / scale)
            return resized(
                ResamplingBox(
                    left: max(0, (Double(size.width) - width) / 2), top: max(0, (Double(size.height) - height) / 2),
                    width: width, height: height))
        case .rotate:
            guard size.transposed == target else { return nil }
            var turned = values
            for y in 0..<target.height {
                for x in 0..<target.width {
                    turned[y * target.width + x] = values[(size.height - 1 - x) * size.width + y]
                }
            }
            return Mask(size: target, values: turned)
        }
    }
}
