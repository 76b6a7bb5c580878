// Channels of float pictures: taking apart, putting together, grey and colour, planes for networks.

extension FloatPicture {
    /// Weights of red, green and blue in luma.
    ///
    /// Range: applied to the encoded values as they are, so this is luma, not luminance in linear light.
    /// Source: ITU-R BT.709-6, section 3.2.
    package static let lumaWeights: (red: Float, green: Float, blue: Float) = (0.2126, 0.7152, 0.0722)

    /// Grey replicated into three colours; alpha is kept where there is one; colour is returned as it is.
    package func colour() -> FloatPicture {
        switch channelCount {
        case 1: mapPixels(to: 3) { pixel, out in for channel in 0..<3 { out[channel] = pixel[0] } }
        case 2:
            mapPixels(to: 4) { pixel, out in
                for channel in 0..<3 { out[channel] = pixel[0] }
                out[3] = pixel[1]
            }
        default: self
        }
    }

    /// Luma of colour pictures (see ``lumaWeights``); alpha is kept where there is one; grey is returned as it is.
    package func grey() -> FloatPicture {
        guard channelCount >= 3 else { return self }
        let (red, green, blue) = Self.lumaWeights
        return mapPixels(to: channelCount == 4 ? 2 : 1) { pixel, out in
            out[0] = red * pixel[0] + green * pixel[1] + blue * pixel[2]
            if out.count == 2 { out[1] = pixel[3] }
        }
    }

    /// The picture without its alpha channel; returned as it is where there is none.
    package func droppingAlpha() -> FloatPicture {
        guard hasAlpha else { return self }
        return mapPixels(to: channelCount - 1) { pixel, out in
            for channel in out.indices { out[channel] = pixel[channel] }
        }
    }

    /// One channel as a picture of its own.
    package func channel(_ index: Int) -> FloatPicture {
        mapPixels(to: 1) { pixel, out in out[0] = pixel[index] }
    }

    /// The alpha channel as a picture of its own, or nil where there is none.
    package var alpha: FloatPicture? { hasAlpha ? channel(channelCount - 1) : nil }

    /// The colours of this picture with `alpha` (one channel, same size) as their alpha channel.
    package func with(alpha: FloatPicture) -> FloatPicture {
        precondition(alpha.size == size && alpha.channelCount == 1, "alpha is one channel of the same size")
        let colours = droppingAlpha()
        let count = colours.channelCount
        var values = [Float]()
        values.reserveCapacity(size.area * (count + 1))
        for pixel in 0..<size.area {
            values.append(contentsOf: colours.values[pixel * count..<(pixel + 1) * count])
            values.append(alpha.values[pixel])
        }
        return FloatPicture(size: size, channelCount: count + 1, values: values)
    }

    /// The values plane by plane, `[channels, height, width]`, as networks take them.
    package func planar() -> [Float] {
        let area = size.area
        return [Float](unsafeUninitializedCapacity: values.count) { out, initialised in
            values.withUnsafeBufferPointer { values in
                for channel in 0..<channelCount {
                    for pixel in 0..<area {
                        out.initializeElement(at: channel * area + pixel, to: values[pixel * channelCount + channel])
                    }
                }
            }
            initialised = values.count
        }
    }

    /// - Parameter planar: values plane by plane, `[channels, height, width]`.
    package init(size: PixelSize, channelCount: Int, planar: [Float]) {
        precondition(planar.count == size.area * channelCount, "planes and size disagree")
        let area = size.area
        let values = [Float](unsafeUninitializedCapacity: planar.count) { out, initialised in
            planar.withUnsafeBufferPointer { planar in
                for pixel in 0..<area {
                    for channel in 0..<channelCount {
                        out.initializeElement(at: pixel * channelCount + channel, to: planar[channel * area + pixel])
                    }
                }
            }
            initialised = planar.count
        }
        self.init(size: size, channelCount: channelCount, values: values)
    }

    /// Calls `body` for every pixel with its samples and the place of the `count` new ones.
    private func mapPixels(
        to count: Int, _ body: (UnsafeBufferPointer<Float>, UnsafeMutableBufferPointer<Float>) -> Void
    ) -> FloatPicture {
        let area = size.area
        let mapped = [Float](unsafeUninitializedCapacity: area * count) { out, initialised in
            out.initialize(repeating: 0)
            values.withUnsafeBufferPointer { values in
                for pixel in 0..<area {
                    let source = values[pixel * channelCount..<(pixel + 1) * channelCount]
                    let target = out[pixel * count..<(pixel + 1) * count]
                    body(UnsafeBufferPointer(rebasing: source), UnsafeMutableBufferPointer(rebasing: target))
                }
            }
            initialised = area * count
        }
        return FloatPicture(size: size, channelCount: count, values: mapped)
    }
}
