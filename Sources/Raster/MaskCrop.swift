extension Rectangle {
    /// Wider by `distance` on every side, as far as a picture of `size` reaches.
    package func padded(by distance: Int, in size: PixelSize) -> Rectangle {
        let (left, top) = (max(0, x - distance), max(0, y - distance))
        return Rectangle(
            x: left, y: top, width: min(size.width, x + width + distance) - left,
            height: min(size.height, y + height + distance) - top)
    }

    /// Wider or higher, to the proportions of `shape` as far as a picture of `size` allows, shifted where it would leave it.
    ///
    /// Source: AUTOMATIC1111's web UI, `modules/masking.py`, `expand_crop_region`.
    package func expanded(to shape: PixelSize, in size: PixelSize) -> Rectangle {
        let wanted = Double(shape.width) / Double(shape.height)
        if Double(width) / Double(height) > wanted {
            let (y, height) = Self.widened(y, height, to: Int(Double(width) / wanted), size.height)
            return Rectangle(x: x, y: y, width: width, height: height)
        }
        let (x, width) = Self.widened(x, width, to: Int(Double(height) * wanted), size.width)
        return Rectangle(x: x, y: y, width: width, height: height)
    }

    /// Both sides up to the next multiples, as far as a picture of `size` allows.
    package func expanded(toMultiple multiple: Int, in size: PixelSize) -> Rectangle {
        func next(_ length: Int) -> Int { (length + multiple - 1) / multiple * multiple }
        let (x, width) = Self.widened(x, width, to: next(width), size.width)
        let (y, height) = Self.widened(y, height, to: next(height), size.height)
        return Rectangle(x: x, y: y, width: width, height: height)
    }

    /// The same middle, or as near as the limit lets it be.
    private static func widened(_ first: Int, _ length: Int, to wanted: Int, _ limit: Int) -> (Int, Int) {
        guard wanted > length else { return (first, length) }
        let start = first - (wanted - length) / 2
        let end = min(start + wanted, limit)
        let shifted = max(0, end - wanted)
        return (shifted, min(limit, shifted + wanted) - shifted)
    }
}
