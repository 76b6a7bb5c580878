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

    private func form(_ index: Int) -> PerlinField {
        PerlinField(cells: [1, 4][index], octaves: octaves[index], wrap: wrap)
    }

    private func channelCount(_ index: Int) -> Int { mode.isColour[index] ? 3 : 1 }

    /// Channels of the picture.
    package var channels: Picture.Channels { channelCount(0) == 1 ? .grey : .rgb }

    /// Sums of both fields, 0…510, of which `values` gives some rows.
    private func sums<Sample>(
        _ pixels: Int, threads: Threads, values: (_ index: Int, _ channel: Int) -> [UInt8], _ value: (UInt16) -> Sample
    ) -> [Sample] {
        let count = channels.count
        let coarse = (0..<count).map { values(0, $0) }
        let fine = (0..<channelCount(1)).map { values(1, $0) }
        return [Sample](unsafeUninitializedCapacity: pixels * count) { out, initialised in
            threads.forRanges(pixels, grain: 1 << 18) { part in
                for channel in 0..<count {
                    coarse[channel].withUnsafeBufferPointer { coarse in
                        fine[min(channel, fine.count - 1)].withUnsafeBufferPointer { fine in
                            for pixel in part {
                                let sum = UInt16(coarse[pixel]) &+ UInt16(fine[pixel])
                                out.initializeElement(at: pixel * count + channel, to: value(sum))
                            }
                        }
                    }
                }
            }
            initialised = pixels * count
        }
    }

    /// RGB, or grey where the mode is; 0…1.
    package func floats(_ size: PixelSize, threads: Threads, slopes: Slopes) -> FloatPicture {
        let values = sums(
            size.area, threads: threads,
            values: { form($0).channel(size, threads: threads, slopes: slopes($0, $1)) }
        ) { Float($0) / 510 }
        return FloatPicture(size: size, channelCount: channels.count, values: values)
    }

    /// The same as a file holds it, rounded, in bands of rows from top to bottom.
    ///
    /// A large picture is gone through twice, since its contrast hangs on all of it.
    /// - Parameters:
    ///   - bytes: of fields that are held
    ///   - pause: called before each band that is gone through; may throw to stop
    ///   - take: takes each band
    package func bands(
        _ size: PixelSize, depth: Int, holding bytes: Int = usualHold, threads: Threads, slopes: Slopes,
        pause: () throws -> Void,
        _ take: (_ band: Picture) throws -> Void
    ) rethrows {
        func picture(_ rows: Int, _ values: (_ index: Int, _ channel: Int) -> [UInt8]) -> Picture {
            let part = PixelSize(width: size.width, height: rows)
            if depth == 16 {
                return Picture(
                    size: part, channels: channels,
                    sixteen: sums(part.area, threads: threads, values: values) { UInt16((UInt32($0) * 257 + 1) / 2) })
            }
            return Picture(
                size: part, channels: channels,
                eight: sums(part.area, threads: threads, values: values) { UInt8(($0 + 1) / 2) })
        }
        if size.area * (channelCount(0) + channelCount(1)) <= bytes {
            return try take(
                picture(size.height) { form($0).channel(size, threads: threads, slopes: slopes($0, $1)) })
        }
        let band = max(64, (1 << 23) / size.width / 64 * 64)
        let fields = try [0, 1].map { index in
            try (0..<channelCount(index)).map {
                try form(index).stretched(
                    size, threads: threads, slopes: slopes(index, $0), band: band, pause: pause)
            }
        }
        for y in stride(from: 0, to: size.height, by: band) {
            let rows = y..<min(size.height, y + band)
            try take(picture(rows.count) { fields[$0][$1].rows(rows, threads: threads) })
        }
    }

    /// What is held at most of a picture that is made at once.
    package static let usualHold = 1 << 27
}
