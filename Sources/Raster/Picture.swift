/// A picture as files hold it: whole numbers of 8 or 16 bits a channel, or floats; alpha not premultiplied.
///
/// Shape: rows from top to bottom, pixels from left to right, channels interleaved.
/// Range: 0…255 or 0…65535; floats 0…1 from black to white, and beyond both; in the picture's own colour space.
package struct Picture: Hashable, Sendable {
    package let size: PixelSize
    package let channels: Channels
    package internal(set) var samples: Samples
    package var metadata: PictureMetadata

    /// The channels of one pixel, in order.
    package enum Channels: Sendable, CaseIterable {
        case grey, greyAlpha, rgb, rgba
        /// Cyan, magenta, yellow and black, 0 for no ink: read, written, cut and scaled so, but never painted on.
        case inks, inksAlpha

        /// Those of pictures that are worked on.
        package static let allCases: [Channels] = [.grey, .greyAlpha, .rgb, .rgba]

        package var count: Int {
            switch self {
            case .grey: 1
            case .greyAlpha: 2
            case .rgb: 3
            case .rgba, .inks: 4
            case .inksAlpha: 5
            }
        }
        package var hasAlpha: Bool { self == .greyAlpha || self == .rgba || self == .inksAlpha }
        package var isGrey: Bool { self == .grey || self == .greyAlpha }
        package var isInks: Bool { self == .inks || self == .inksAlpha }

        /// The same colours with or without an alpha channel.
        package func with(alpha: Bool) -> Channels {
            switch self {
            case .grey, .greyAlpha: alpha ? .greyAlpha : .grey
            case .rgb, .rgba: alpha ? .rgba : .rgb
            case .inks, .inksAlpha: alpha ? .inksAlpha : .inks
            }
        }
    }

    /// Samples of one depth; `size.area * channels.count` of them.
    package enum Samples: Hashable, Sendable {
        case eight([UInt8])
        case sixteen([UInt16])
        case float([Float])

        package var count: Int {
            switch self {
            case .eight(let values): values.count
            case .sixteen(let values): values.count
            case .float(let values): values.count
            }
        }
    }

    /// A picture of the given samples, of which there must be `size.area * channels.count`.
    package init(size: PixelSize, channels: Channels, samples: Samples, metadata: PictureMetadata = .init()) {
        precondition(!size.isEmpty, "a picture has at least one pixel")
        precondition(
            samples.count == size.area * channels.count,
            "\(size) of \(channels) needs \(size.area * channels.count) samples, not \(samples.count)")
        self.size = size
        self.channels = channels
        self.samples = samples
        self.metadata = metadata
    }

    package init(size: PixelSize, channels: Channels, eight: [UInt8], metadata: PictureMetadata = .init()) {
        self.init(size: size, channels: channels, samples: .eight(eight), metadata: metadata)
    }

    package init(size: PixelSize, channels: Channels, sixteen: [UInt16], metadata: PictureMetadata = .init()) {
        self.init(size: size, channels: channels, samples: .sixteen(sixteen), metadata: metadata)
    }

    package var width: Int { size.width }
    package var height: Int { size.height }

    /// Bits a channel: 8, 16, or 32 of a float.
    package var depth: Int {
        switch samples {
        case .eight: 8
        case .sixteen: 16
        case .float: 32
        }
    }

    /// The largest sample value: 255 or 65535, which for floats stands for 1.
    package var maximum: Int { depth == 8 ? 255 : 65_535 }

    /// One sample, whatever the depth; a float as if it had 16 bits.
    package subscript(x: Int, y: Int, channel: Int) -> Int {
        let index = (y * width + x) * channels.count + channel
        return switch samples {
        case .eight(let values): Int(values[index])
        case .sixteen(let values): Int(values[index])
        case .float(let values): Int(UInt16(share: values[index]))
        }
    }

    /// The same pixels with other metadata.
    package func with(metadata: PictureMetadata) -> Picture {
        var copy = self
        copy.metadata = metadata
        return copy
    }

    /// The picture at another depth: 8 to 16 bits is exact (v·257), 16 to 8 rounds half up. Floats hold both exactly, and are
    /// clipped to 0…1 on their way back.
    package func converted(depth: Int) -> Picture {
        switch (samples, depth) {
        case (.eight(let values), 16):
            Picture(size: size, channels: channels, sixteen: values.map { UInt16($0) * 257 }, metadata: metadata)
        case (.sixteen(let values), 8):
            // (v + 128) / 257 is v / 257 rounded to nearest; 257 is odd, so there are no halves.
            Picture(
                size: size, channels: channels, eight: values.map { UInt8((UInt32($0) + 128) / 257) },
                metadata: metadata)
        case (.eight, 32), (.sixteen, 32), (.float, 8), (.float, 16): floats().picture(depth: depth, metadata: metadata)
        default: self
        }
    }
}

extension UInt16 {
    /// 0…1 as 0…65535, rounded; what lies beyond is clipped, and what is no number is 0.
    init(share: Float) { self = share > 0 ? UInt16((Swift.min(share, 1) * 65_535).rounded()) : 0 }
}
