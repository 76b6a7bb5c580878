// Adding, dropping and reordering channels of whole-number pictures. Nothing here changes a sample's value.

extension Picture {
    /// The picture with its grey value in all three colours; colour pictures are returned as they are.
    package func colour() -> Picture {
        switch channels {
        case .grey: picking([0, 0, 0], as: .rgb)
        case .greyAlpha: picking([0, 0, 0, 1], as: .rgba)
        case .rgb, .rgba: self
        }
    }

    /// The picture without its alpha channel; what transparent pixels hide becomes visible.
    package func droppingAlpha() -> Picture {
        switch channels {
        case .greyAlpha: picking([0], as: .grey)
        case .rgba: picking([0, 1, 2], as: .rgb)
        case .grey, .rgb: self
        }
    }

    /// The alpha channel as a grey picture, or nil where there is none.
    package var alpha: Picture? {
        switch channels {
        case .greyAlpha: picking([1], as: .grey)
        case .rgba: picking([3], as: .grey)
        case .grey, .rgb: nil
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
        }
    }

    private func picking(_ order: [Int], as target: Channels) -> Picture {
        let samples: Samples =
            switch self.samples {
            case .eight(let values): .eight(picked(values, order))
            case .sixteen(let values): .sixteen(picked(values, order))
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
