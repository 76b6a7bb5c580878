// Adding, dropping and reordering channels of whole-number pictures. Nothing here changes a sample's value.

extension Picture.Channels {
    /// The fewest channels that hold what all of these hold. Inks hold inks alone.
    package static func holding(_ all: [Self]) -> Self {
        (all.allSatisfy(\.isInks) ? Self.inks : all.allSatisfy(\.isGrey) ? .grey : .rgb).with(
            alpha: all.contains(where: \.hasAlpha))
    }
}

extension Picture {
    /// The picture with its grey value in all three colours; colour pictures are returned as they are.
    package func colour() -> Picture {
        switch channels {
        case .grey: picking([0, 0, 0], as: .rgb)
        case .greyAlpha: picking([0, 0, 0, 1], as: .rgba)
        case .rgb, .rgba, .inks, .inksAlpha: self
        }
    }

    /// The picture without its alpha channel; what transparent pixels hide becomes visible.
    package func droppingAlpha() -> Picture {
        switch channels {
        case .greyAlpha: picking([0], as: .grey)
        case .rgba: picking([0, 1, 2], as: .rgb)
        case .inksAlpha: picking([0, 1, 2, 3], as: .inks)
        case .grey, .rgb, .inks: self
        }
    }

    /// The picture with at least these channels: grey as colour, and opaque where it has no alpha of its own.
    package func holding(_ channels: Channels) -> Picture {
        let picture = channels.isGrey ? self : colour()
        guard channels.hasAlpha, !picture.channels.hasAlpha else { return picture }
        let count = picture.channels.count
        func opaque<Sample>(_ values: [Sample], _ most: Sample) -> [Sample] {
            var result = [Sample]()
            result.reserveCapacity(size.area * (count + 1))
            for pixel in stride(from: 0, to: values.count, by: count) {
                result.append(contentsOf: values[pixel..<pixel + count])
                result.append(most)
            }
            return result
        }
        let samples: Samples =
            switch picture.samples {
            case .eight(let values): .eight(opaque(values, .max))
            case .sixteen(let values): .sixteen(opaque(values, .max))
            case .float(let values): .float(opaque(values, 1))
            }
        return Picture(size: size, channels: picture.channels.with(alpha: true), samples: samples, metadata: metadata)
    }

    /// One colour of a picture whose three are the same, as its grey; grey pictures are returned as they are.
    package func takingGrey() -> Picture {
        switch channels {
        case .rgb: picking([0], as: .grey)
        case .rgba: picking([0, 3], as: .greyAlpha)
        case .grey, .greyAlpha, .inks, .inksAlpha: self
        }
    }

    /// The alpha channel as a grey picture, or nil where there is none.
    package var alpha: Picture? {
        switch channels {
        case .greyAlpha: picking([1], as: .grey)
        case .rgba: picking([3], as: .grey)
        case .inksAlpha: picking([4], as: .grey)
        case .grey, .rgb, .inks: nil
        }
    }

    /// True when the picture has an alpha channel and some pixel is not fully opaque.
    package var hasTransparency: Bool {
        guard channels.hasAlpha else { return false }
        let count = channels.count
        switch samples {
        case .eight(let values):
            return stride(from: count - 1, to: values.count, by: count).contains { values[$0] != 255 }
        case .sixteen(let values):
            return stride(from: count - 1, to: values.count, by: count).contains { values[$0] != 65_535 }
        case .float(let values):
            return stride(from: count - 1, to: values.count, by: count).contains { values[$0] != 1 }
        }
    }

    /// True when all three colours of every pixel are the same, or there is only grey.
    package var isGreyInColour: Bool {
        guard !channels.isGrey else { return true }
        func same<Sample: Equatable>(_ values: [Sample]) -> Bool {
            for pixel in stride(from: 0, to: values.count, by: channels.count) {
                let red = values[pixel]
                if values[pixel + 1] != red || values[pixel + 2] != red { return false }
            }
            return true
        }
        return switch samples {
        case .eight(let values): same(values)
        case .sixteen(let values): same(values)
        case .float(let values): same(values)
        }
    }

    private func picking(_ order: [Int], as target: Channels) -> Picture {
        let samples: Samples =
            switch self.samples {
            case .eight(let values): .eight(picked(values, order))
            case .sixteen(let values): .sixteen(picked(values, order))
            case .float(let values): .float(picked(values, order))
            }
        return Picture(size: size, channels: target, samples: samples, metadata: metadata)
    }

    private func picked<Sample: Numeric>(_ values: [Sample], _ order: [Int]) -> [Sample] {
        let count = channels.count
        return [Sample](unsafeUninitializedCapacity: size.area * order.count) { out, initialised in
            values.withUnsafeBufferPointer { values in
                var write = 0
                for pixel in stride(from: 0, to: values.count, by: count) {
                    for channel in order {
                        out.initializeElement(at: write, to: values[pixel + channel])
                        write += 1
                    }
                }
                initialised = write
            }
        }
    }
}
