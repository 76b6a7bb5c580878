import Threads

/// The cloudy picture that Disco Diffusion starts from: the mean of a coarse field and a finer one.
///
/// Source: alembics/disco-diffusion, `disco.py`, `regen_perlin`.
package struct PerlinPicture: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// Both fields in colour.
        case color
        /// Both grey.
        case gray
        /// The coarse one in colour, the finer one grey.
        case mixed

        fileprivate var isColour: [Bool] {
            switch self {
            case .color: [true, true]
            case .gray: [false, false]
            case .mixed: [true, false]
            }
        }
    }

    package var mode: Mode
    /// Octaves of the coarse field, whose grid begins with one cell, and of the finer one, whose grid begins with 4×4.
    package var octaves: [Int]
    package var wrap: PerlinField.Wrap

    package static let defaultOctaves = [12, 8]
    /// A field of more would have sides of more than 65536 places.
    package static let mostOctaves = [16, 14]

    package init(_ mode: Mode = .mixed, octaves: [Int] = defaultOctaves, wrap: PerlinField.Wrap = .init()) {
        precondition(octaves.count == 2 && zip(octaves, Self.mostOctaves).allSatisfy { (1...$1).contains($0) })
        (self.mode, self.octaves, self.wrap) = (mode, octaves, wrap)
    }

    /// Slopes of a field, 0 or 1, and of a channel of it.
    package typealias Slopes = (_ field: Int, _ channel: Int) -> PerlinRows.Slopes

    /// Both fields of every channel.
    private func fields(_ size: PixelSize, threads: Threads, slopes: Slopes) -> [(coarse: [UInt8], fine: [UInt8])] {
        let channels = zip(octaves, [1, 4]).enumerated().map { index, form in
            let field = PerlinField(cells: form.1, octaves: form.0, wrap: wrap)
            return (0..<(mode.isColour[index] ? 3 : 1)).map { channel in
                field.channel(size, threads: threads, slopes: slopes(index, channel))
            }
        }
        return channels[0].indices.map { (channels[0][$0], channels[1][min($0, channels[1].count - 1)]) }
    }

    private func samples<Sample>(
        _ size: PixelSize, threads: Threads, slopes: Slopes, _ value: (UInt16) -> Sample
    ) -> (values: [Sample], count: Int) {
        let fields = fields(size, threads: threads, slopes: slopes)
        let count = fields.count
        let values = [Sample](unsafeUninitializedCapacity: size.area * count) { out, initialised in
            threads.forRanges(size.area, grain: 1 << 18) { pixels in
                for (channel, field) in fields.enumerated() {
                    field.coarse.withUnsafeBufferPointer { coarse in
                        field.fine.withUnsafeBufferPointer { fine in
                            for pixel in pixels {
                                let sum = UInt16(coarse[pixel]) &+ UInt16(fine[pixel])
                                out.initializeElement(at: pixel * count + channel, to: value(sum))
                            }
                        }
                    }
                }
            }
            initialised = size.area * count
        }
        return (values, count)
    }

    /// RGB, or grey where the mode is; 0…1.
    package func floats(_ size: PixelSize, threads: Threads, slopes: Slopes) -> FloatPicture {
        let (values, count) = samples(size, threads: threads, slopes: slopes) { Float($0) / 510 }
        return FloatPicture(size: size, channelCount: count, values: values)
    }

    /// The same as a file holds it, rounded.
    package func picture(_ size: PixelSize, depth: Int, threads: Threads, slopes: Slopes) -> Picture {
        if depth == 16 {
            let (values, count) = samples(size, threads: threads, slopes: slopes) { UInt16((UInt32($0) * 257 + 1) / 2) }
            return Picture(size: size, channels: count == 1 ? .grey : .rgb, sixteen: values)
        }
        let (values, count) = samples(size, threads: threads, slopes: slopes) { UInt8(($0 + 1) / 2) }
        return Picture(size: size, channels: count == 1 ? .grey : .rgb, eight: values)
    }
}
