/// How a camera was held, as EXIF and TIFF number it: which way stored pixels must be turned to stand upright.
///
/// Source: TIFF 6.0, tag 274; CIPA DC-008 (EXIF), section 4.6.5.
package enum Orientation: Int, Sendable, CaseIterable {
    case upright = 1
    /// Left and right are swapped.
    case mirrored = 2
    case upsideDown = 3
    /// Top and bottom are swapped.
    case flipped = 4
    /// Rows and columns are swapped.
    case transposed = 5
    /// Needs a quarter turn clockwise.
    case turnedLeft = 6
    /// Rows and columns are swapped about the other diagonal.
    case transversed = 7
    /// Needs a quarter turn anticlockwise.
    case turnedRight = 8

    package var swapsSides: Bool { rawValue >= 5 }
}

extension Picture {
    /// The picture turned upright; its sides are swapped by quarter turns. Metadata is carried as it is.
    package func turned(from orientation: Orientation) -> Picture {
        if orientation == .upright { return self }
        let target = orientation.swapsSides ? size.transposed : size
        let samples: Samples =
            switch self.samples {
            case .eight(let values): .eight(rearranged(values, orientation, target))
            case .sixteen(let values): .sixteen(rearranged(values, orientation, target))
            case .float(let values): .float(rearranged(values, orientation, target))
            }
        return Picture(size: target, channels: channels, samples: samples, metadata: metadata)
    }

    private func rearranged<Sample: Numeric>(_ values: [Sample], _ orientation: Orientation, _ target: PixelSize)
        -> [Sample]
    {
        let count = channels.count
        let (right, bottom) = (width - 1, height - 1)
        // The stored pixel behind the result's (0, 0), and the way to it from one step right and one step down.
        let (x, y, stepRight, stepDown): (Int, Int, Int, Int) =
            switch orientation {
            case .upright: (0, 0, 1, width)
            case .mirrored: (right, 0, -1, width)
            case .upsideDown: (right, bottom, -1, -width)
            case .flipped: (0, bottom, 1, -width)
            case .transposed: (0, 0, width, 1)
            case .turnedLeft: (0, bottom, -width, 1)
            case .transversed: (right, bottom, -width, -1)
            case .turnedRight: (right, 0, width, -1)
            }
        return [Sample](unsafeUninitializedCapacity: values.count) { out, initialised in
            values.withUnsafeBufferPointer { values in
                var write = 0
                for row in 0..<target.height {
                    var pixel = y * width + x + row * stepDown
                    for _ in 0..<target.width {
                        for channel in 0..<count {
                            out.initializeElement(at: write, to: values[pixel * count + channel])
                            write += 1
                        }
                        pixel += stepRight
                    }
                }
            }
            initialised = values.count
        }
    }
}
