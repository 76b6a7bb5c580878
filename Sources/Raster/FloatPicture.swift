import Threads

/// A picture for arithmetic: one Float a sample, not premultiplied.
///
/// Shape: rows from top to bottom, pixels from left to right, channels interleaved.
/// Range: 0…1 nominal, never clipped, in the colour space of the picture that it came from.
package struct FloatPicture: Hashable, Sendable {
    package let size: PixelSize

    /// Samples a pixel, at least 1. Two and four mean that the last one is alpha, unless an operation says otherwise.
    package let channelCount: Int

    /// `size.area * channelCount` values.
    package var values: [Float]

    package init(size: PixelSize, channelCount: Int, values: [Float]) {
        precondition(!size.isEmpty && channelCount > 0, "a picture has at least one pixel and one channel")
        precondition(
            values.count == size.area * channelCount,
            "\(size) of \(channelCount) channels needs \(size.area * channelCount) values, not \(values.count)")
        self.size = size
        self.channelCount = channelCount
        self.values = values
    }

    /// A picture of one colour; the colour's length is the number of channels.
    package init(size: PixelSize, colour: [Float]) {
        var values = [Float]()
        values.reserveCapacity(size.area * colour.count)
        for _ in 0..<size.area { values.append(contentsOf: colour) }
        self.init(size: size, channelCount: colour.count, values: values)
    }

    package var width: Int { size.width }
    package var height: Int { size.height }
    package var hasAlpha: Bool { channelCount == 2 || channelCount == 4 }

    package subscript(x: Int, y: Int, channel: Int) -> Float {
        get { values[(y * width + x) * channelCount + channel] }
        set { values[(y * width + x) * channelCount + channel] = newValue }
    }

    /// The samples of a whole-number picture divided by their maximum; those of a float one, where what is no number is 0.
    package init(_ picture: Picture, threads: Threads = Threads(1)) {
        let values =
            switch picture.samples {
            case .eight(let source): Self.scaled(source, 255, threads)
            case .sixteen(let source): Self.scaled(source, 65_535, threads)
            // Sums of what has no end have none either.
            case .float(let source): source.map { $0.isNaN ? 0 : min(max($0, -Self.furthest), Self.furthest) }
            }
        self.init(size: picture.size, channelCount: picture.channels.count, values: values)
    }

    /// The largest half-precision number: beyond it lie only faults.
    private static let furthest: Float = 65_504

    private static func scaled<Sample: FixedWidthInteger & Sendable>(
        _ source: [Sample], _ maximum: Float, _ threads: Threads
    ) -> [Float] {
        [Float](unsafeUninitializedCapacity: source.count) { out, initialised in
            source.withUnsafeBufferPointer { source in
                threads.forRanges(source.count, grain: 1 << 18) { range in
                    for index in range { out.initializeElement(at: index, to: Float(source[index]) / maximum) }
                }
            }
            initialised = source.count
        }
    }

    /// The nearest whole-number picture: clipped to 0…1, halves rounded away from zero, not-a-number as 0.
    ///
    /// - Parameter depth: 8 or 16. A picture made from whole numbers of that depth comes back as it was.
    package func picture(depth: Int, metadata: PictureMetadata = .init(), threads: Threads = Threads(1)) -> Picture {
        precondition((1...4).contains(channelCount), "a picture has 1 to 4 channels, not \(channelCount)")
        let channels: Picture.Channels = [.grey, .greyAlpha, .rgb, .rgba][channelCount - 1]
        let samples: Picture.Samples =
            switch depth {
            case 32: .float(values)
            case 16: .sixteen(rounded(65_535, threads))
            default: .eight(rounded(255, threads))
            }
        return Picture(size: size, channels: channels, samples: samples, metadata: metadata)
    }

    private func rounded<Sample: FixedWidthInteger & Sendable>(_ maximum: Float, _ threads: Threads) -> [Sample] {
        [Sample](unsafeUninitializedCapacity: values.count) { out, initialised in
            values.withUnsafeBufferPointer { values in
                threads.forRanges(values.count, grain: 1 << 18) { range in
                    for index in range {
                        let value = values[index] * maximum
                        // A comparison with not-a-number is false, so it ends as 0 here.
                        let clipped = value > 0 ? min(value, maximum) : 0
                        out.initializeElement(at: index, to: Sample(clipped.rounded(.toNearestOrAwayFromZero)))
                    }
                }
            }
            initialised = values.count
        }
    }
}

extension Picture {
    /// The picture as floats, each sample divided by its maximum.
    package func floats(threads: Threads = Threads(1)) -> FloatPicture { FloatPicture(self, threads: threads) }
}
