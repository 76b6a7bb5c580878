// Borders around pictures: mirrored pixels or another picture's, and cutting them off again.

/// The index inside 0..<count that lies where `index` falls when the row is mirrored at its ends without repeating
/// the end pixels: … 2 1 | 0 1 2 | 1 0 1 …
///
/// Range: any index; a single pixel is mirrored to itself.
/// Source: numpy's `pad` with mode "reflect".
package func reflected(_ index: Int, count: Int) -> Int {
    guard count > 1 else { return 0 }
    let period = 2 * (count - 1)
    let place = ((index % period) + period) % period
    return place < count ? place : period - place
}

extension Picture {
    /// The picture with borders of mirrored pixels; borders may be wider than the picture.
    package func padded(by margins: Margins) -> Picture {
        let samples: Samples =
            switch self.samples {
            case .eight(let values): .eight(padding(values, size, channels.count, margins))
            case .sixteen(let values): .sixteen(padding(values, size, channels.count, margins))
            case .float(let values): .float(padding(values, size, channels.count, margins))
            }
        return Picture(size: margins.around(size), channels: channels, samples: samples, metadata: metadata)
    }

    /// The part of the picture inside `rectangle`, which must lie within it.
    package func cropped(to rectangle: Rectangle) -> Picture {
        let samples: Samples =
            switch self.samples {
            case .eight(let values): .eight(cutting(values, size, channels.count, rectangle))
            case .sixteen(let values): .sixteen(cutting(values, size, channels.count, rectangle))
            case .float(let values): .float(cutting(values, size, channels.count, rectangle))
            }
        return Picture(size: rectangle.size, channels: channels, samples: samples, metadata: metadata)
    }
}

extension Picture {
    /// The picture with all of another of its kind and depth laid into it, with that one's metadata.
    ///
    /// - Parameter margins: what is left of the picture around the other
    package func with(_ other: Picture, at margins: Margins) -> Picture {
        precondition(margins.around(other.size) == size && channels == other.channels, "a picture inside this one")
        let samples: Samples =
            switch (self.samples, other.samples) {
            case (.eight(let below), .eight(let above)): .eight(laid(above, other.size, over: below, margins))
            case (.sixteen(let below), .sixteen(let above)): .sixteen(laid(above, other.size, over: below, margins))
            case (.float(let below), .float(let above)): .float(laid(above, other.size, over: below, margins))
            default: preconditionFailure("pictures of one depth")
            }
        return Picture(size: size, channels: channels, samples: samples, metadata: other.metadata)
    }

    private func laid<Sample>(
        _ above: [Sample], _ part: PixelSize, over below: [Sample], _ margins: Margins
    ) -> [Sample] {
        var result = below
        let (row, inner) = (size.width * channels.count, part.width * channels.count)
        for y in 0..<part.height {
            let start = (margins.top + y) * row + margins.left * channels.count
            result.replaceSubrange(start..<start + inner, with: above[y * inner..<(y + 1) * inner])
        }
        return result
    }
}

extension FloatPicture {
    /// The picture with borders of mirrored pixels; borders may be wider than the picture.
    package func padded(by margins: Margins) -> FloatPicture {
        FloatPicture(
            size: margins.around(size), channelCount: channelCount,
            values: padding(values, size, channelCount, margins))
    }

    /// The part of the picture inside `rectangle`, which must lie within it.
    package func cropped(to rectangle: Rectangle) -> FloatPicture {
        FloatPicture(
            size: rectangle.size, channelCount: channelCount,
            values: cutting(values, size, channelCount, rectangle))
    }
}

private func padding<Sample>(_ values: [Sample], _ size: PixelSize, _ channels: Int, _ margins: Margins) -> [Sample] {
    if margins.isZero { return values }
    let target = margins.around(size)
    let columns = (0..<target.width).map { reflected($0 - margins.left, count: size.width) * channels }
    var result = [Sample]()
    result.reserveCapacity(target.area * channels)
    for y in 0..<target.height {
        let row = reflected(y - margins.top, count: size.height) * size.width * channels
        for column in columns[..<margins.left] {
            result.append(contentsOf: values[row + column..<row + column + channels])
        }
        result.append(contentsOf: values[row..<row + size.width * channels])
        for column in columns[(margins.left + size.width)...] {
            result.append(contentsOf: values[row + column..<row + column + channels])
        }
    }
    return result
}

private func cutting<Sample>(
    _ values: [Sample], _ size: PixelSize, _ channels: Int, _ rectangle: Rectangle
) -> [Sample] {
    precondition(rectangle.fits(in: size), "\(rectangle) is not inside \(size)")
    if rectangle.size == size { return values }
    var result = [Sample]()
    result.reserveCapacity(rectangle.width * rectangle.height * channels)
    for y in rectangle.y..<rectangle.y + rectangle.height {
        let first = (y * size.width + rectangle.x) * channels
        result.append(contentsOf: values[first..<first + rectangle.width * channels])
    }
    return result
}
