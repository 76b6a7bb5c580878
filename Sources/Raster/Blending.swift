import Threads

extension Picture {
    /// A picture of the same kind at least as large, whose pixels are still to be put in their places.
    package func spread(over size: PixelSize) -> Picture {
        padded(by: Margins(right: max(0, size.width - width), bottom: max(0, size.height - height)))
            .cropped(to: Rectangle(size))
    }

    /// Puts a picture of the same kind in its place, where it must fit.
    package mutating func put(_ part: Picture, x: Int, y: Int) {
        precondition(part.channels == channels && part.depth == depth, "pixels of one kind")
        precondition(
            Rectangle(x: x, y: y, width: part.width, height: part.height).fits(in: size), "pixels have a place")
        let (count, stride) = (channels.count, width * channels.count)
        func copied<Sample>(_ to: inout [Sample], _ from: [Sample]) {
            let row = part.width * count
            for line in 0..<part.height {
                let start = (y + line) * stride + x * count
                to.replaceSubrange(start..<start + row, with: from[line * row..<(line + 1) * row])
            }
        }
        let held = samples
        // Nothing else may hold the samples while they change, or all of them would be copied.
        samples = .eight([])
        switch (held, part.samples) {
        case (.eight(var to), .eight(let from)):
            copied(&to, from)
            samples = .eight(to)
        case (.sixteen(var to), .sixteen(let from)):
            copied(&to, from)
            samples = .sixteen(to)
        case (.float(var to), .float(let from)):
            copied(&to, from)
            samples = .float(to)
        default: samples = held
        }
    }

    /// Lays colours over a part, both in 16 bits; transparency stays as it is, and that of what is laid has no say.
    ///
    /// Where what is laid equals what is below, nothing changes, whatever the weight.
    /// - Parameters:
    ///   - over: of the part's size, with the same colours
    ///   - weights: 0…1 for each pixel
    ///   - part: of the picture, inside it
    package mutating func blend(_ over: Picture, by weights: [Float], at part: Rectangle, threads: Threads = Threads(1))
    {
        guard case .sixteen(var values) = samples, case .sixteen(let colours) = over.samples else {
            preconditionFailure("pictures are blended in 16 bits")
        }
        precondition(
            over.size == part.size && weights.count == part.size.area && part.fits(in: size)
                && over.channels.isGrey == channels.isGrey, "what is laid over a part has its size and colours")
        samples = .eight([])
        let (count, overCount, stride) = (channels.count, over.channels.count, width)
        let shown = channels.isGrey ? 1 : 3
        values.withUnsafeMutableBufferPointer { values in
            threads.forRanges(part.height, grain: 16) { rows in
                for y in rows {
                    for x in 0..<part.width {
                        let weight = weights[y * part.width + x]
                        guard weight > 0 else { continue }
                        let to = ((part.y + y) * stride + part.x + x) * count
                        let from = (y * part.width + x) * overCount
                        for channel in 0..<shown {
                            let below = Float(values[to + channel])
                            let mixed = below + weight * (Float(colours[from + channel]) - below)
                            values[to + channel] = UInt16(mixed.rounded())
                        }
                    }
                }
            }
        }
        samples = .sixteen(values)
    }
}
