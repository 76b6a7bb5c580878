import Threads

/// Noise where a picture is flat, so that a painter finds something to hold on to there; or, taken the other way, calm.
///
/// Every pixel of the result depends on what lies within ``reach`` of it and on the picture's ``SensorNoise``, so that a
/// giant can be worked through in strips: the same bits come out.
package struct Roughening: Sendable {
    /// How strong it is: standard deviation of the noise, or, where negative, how far a pixel is taken to the mean around it.
    package enum Amount: Sendable, Equatable {
        /// Levels of 8 bits.
        case levels(Double)
        /// Of the range of values around each place.
        case share(Double)

        package var isCalming: Bool {
            switch self {
            case .levels(let value), .share(let value): value < 0
            }
        }
    }

    /// Makes the noise of a tile: for each channel and row, mean 0 and variance 1.
    ///
    /// - Parameter columns: of the whole picture
    package typealias Grain =
        @Sendable (_ columns: Range<Int>) -> (
            _ channel: Int, _ y: Int, _ row: UnsafeMutablePointer<Float>
        ) -> Void

    package var amount: Amount
    package var flatness: Double
    /// Width of dark lines along the edges of flat regions, in pixels; 0 for none.
    package var outline: Int
    /// Every colour gets its own noise.
    package var isColoured: Bool

    package init(_ amount: Amount, flatness: Double = 0.5, outline: Int = 0, isColoured: Bool = false) {
        (self.amount, self.flatness, self.outline, self.isColoured) = (amount, flatness, outline, isColoured)
    }

    /// Rows and columns that are looked at around a place.
    package var reach: Int {
        let calming = FlatnessGate.reach + (amount.isCalming ? Self.calmRadius : 0)
        return outline > 0 ? max(calming, OutlineBrush.reach(outline)) : calming
    }

    /// Of the mean that calming goes to, and of the range that a share is of.
    private static let (calmRadius, rangeRadius) = (3, 8)
    /// Side of the squares that are worked on at once. No byte depends on it.
    private static let tile = 512
    private static let bandBytes = 3 << 24

    /// A picture with its gate.
    package struct Result {
        package var picture: Picture
        /// 8 bits, white where noise went in whole.
        package var gate: Picture
        /// Standard deviation of the picture's own noise, in levels of 8 bits.
        package var noise: Double

        /// How much of the picture the gate lets noise into, in 255ths of a pixel.
        package var openness: Int {
            guard case .eight(let values) = gate.samples else { return 0 }
            return values.reduce(0) { $0 + Int($1) }
        }
    }

    /// - Parameter mask: black where nothing may change
    package func callAsFunction(_ picture: Picture, mask: Mask? = nil, threads: Threads, grain: @escaping Grain)
        -> Result
    {
        callAsFunction(
            PictureStrip(picture), rows: 0..<picture.height, SensorNoise(picture, threads: threads), mask: mask,
            threads: threads, grain: grain)
    }

    /// Works through a picture that need not be in memory, band by band from top to bottom: the bits of the whole.
    ///
    /// - Parameters:
    ///   - size: of the whole picture
    ///   - pixelBytes: of a pixel's samples
    ///   - height: rows of a band, on which nothing else depends; without one, what 48 MiB hold
    ///   - picture: gives some of the picture's rows; asked for from top to bottom, with ``reach`` more than a band has
    ///   - mask: gives the mask of a band
    ///   - take: takes each band's result with the rows that it is
    package func bands(
        _ size: PixelSize, _ noise: SensorNoise, pixelBytes: Int, height: Int? = nil, threads: Threads,
        grain: @escaping Grain,
        picture: (Range<Int>) throws -> Picture, mask: ((Range<Int>) throws -> Mask)? = nil,
        _ take: (_ band: Result, _ rows: Range<Int>) throws -> Void
    ) rethrows {
        // Whole tiles where that is possible; a band of few rows looks at more rows around it than it has.
        let most = Self.bandBytes / (size.width * pixelBytes)
        let height = height ?? max(16, most > Self.tile ? most / Self.tile * Self.tile : most)
        for y in stride(from: 0, to: size.height, by: height) {
            let rows = y..<min(size.height, y + height)
            let seen = max(0, y - reach)..<min(size.height, rows.upperBound + reach)
            let strip = PictureStrip(try picture(seen), top: seen.lowerBound, of: size)
            try take(callAsFunction(strip, rows: rows, noise, mask: mask?(rows), threads: threads, grain: grain), rows)
        }
    }

    /// - Parameters:
    ///   - strip: holds ``reach`` more rows than `rows` on both sides, where the whole picture has them
    ///   - rows: of the whole picture
    ///   - mask: of the rows
    package func callAsFunction(
        _ strip: PictureStrip, rows: Range<Int>, _ noise: SensorNoise, mask: Mask? = nil, threads: Threads,
        grain: @escaping Grain
    ) -> Result {
        precondition(
            mask.map { $0.width == strip.whole.width && $0.height == rows.count } ?? true, "the mask is of the rows")
        let size = PixelSize(width: strip.whole.width, height: rows.count)
        let channels = strip.picture.channels
        let across = (strip.whole.width + Self.tile - 1) / Self.tile
        let down = (rows.count + Self.tile - 1) / Self.tile
        var gates = [UInt8](repeating: 0, count: size.area)
        func changed<Sample: SampleValue>(_ values: [Sample]) -> [Sample] {
            let first = (rows.lowerBound - strip.top) * size.width * channels.count
            var values = Array(values[first..<first + size.area * channels.count])
            values.withUnsafeMutableBufferPointer { values in
                gates.withUnsafeMutableBufferPointer { gates in
                    threads.forEach(across * down) { index in
                        let (x, y) = (index % across * Self.tile, index / across * Self.tile)
                        let part = Rectangle(
                            x: x, y: rows.lowerBound + y, width: min(Self.tile, strip.whole.width - x),
                            height: min(Self.tile, rows.count - y))
                        let tile = Tile(self, strip, part, noise, mask, top: rows.lowerBound, grain)
                        tile.write(values, gates, top: rows.lowerBound)
                    }
                }
            }
            return values
        }
        let samples: Picture.Samples =
            switch strip.picture.samples {
            case .eight(let values): .eight(changed(values))
            case .sixteen(let values): .sixteen(changed(values))
            case .float(let values): .float(changed(values))
            }
        return Result(
            picture: Picture(size: size, channels: channels, samples: samples, metadata: strip.picture.metadata),
            gate: Picture(size: size, channels: .grey, eight: gates), noise: Double(noise.deviation))
    }

    /// A square of the picture.
    private struct Tile {
        let plan: Roughening
        let strip: PictureStrip
        let part: Rectangle
        /// How far the gate is open, as far as calming looks beyond the part.
        let gate: Plane
        /// How much of that a mask leaves to the part.
        let shares: [Float]?
        let lines: Plane?
        /// Levels of 8 bits for each place; one where it is the same everywhere.
        let strength: [Float]
        let grain: Grain

        init(
            _ plan: Roughening, _ strip: PictureStrip, _ part: Rectangle, _ noise: SensorNoise, _ mask: Mask?,
            top: Int, _ grain: @escaping Grain
        ) {
            (self.plan, self.strip, self.part, self.grain) = (plan, strip, part, grain)
            let reach = plan.reach
            let planes = strip.planes(part.grown(by: reach))
            let wide = FlatnessGate(noise: noise, flatness: Float(plan.flatness))(planes)
            let border = plan.amount.isCalming ? Roughening.calmRadius : 0
            var gate = wide.cropped(by: reach - FlatnessGate.reach - border)
            var lines: Plane?
            if plan.outline > 0 {
                let brush = OutlineBrush(noise: noise, width: plan.outline)
                lines = brush.lines(
                    planes.map { $0.cropped(by: reach - brush.reach) }, wide.cropped(by: reach - brush.reach))
            }
            let alpha =
                strip.picture.channels.hasAlpha
                ? strip.channel(strip.picture.channels.count - 1, part.grown(by: border)) : nil
            if let alpha {
                for i in gate.values.indices where alpha.values[i] == 0 { gate.values[i] = 0 }
            }
            for y in 0..<part.height where mask != nil || alpha != nil {
                for x in 0..<part.width {
                    let place = (y + border) * gate.width + x + border
                    let share = mask.map { $0[part.x + x, part.y - top + y] } ?? 1
                    let seen: Float = alpha.map { $0.values[place] > 0 } ?? true ? 1 : 0
                    lines?.values[y * part.width + x] *= share * seen
                }
            }
            (self.gate, self.lines) = (gate, lines)
            shares = mask.map { mask in
                (0..<part.height).flatMap { y in
                    let first = (part.y - top + y) * mask.width + part.x
                    return mask.values[first..<first + part.width]
                }
            }
            switch plan.amount {
            case .levels(let levels): strength = [Float(abs(levels))]
            case .share(let share):
                let smooth = strip.luma(part.grown(by: Roughening.rangeRadius + 1)).mean(1)
                let (high, low) = (smooth.greatest(Roughening.rangeRadius), smooth.least(Roughening.rangeRadius))
                strength = zip(high.values, low.values).map { Float(abs(share)) * ($0 - $1) }
            }
        }

        private var border: Int { plan.amount.isCalming ? Roughening.calmRadius : 0 }

        /// - Parameters:
        ///   - values: of the result
        ///   - top: row of the whole picture that is its first
        func write<Sample: SampleValue>(
            _ values: UnsafeMutableBufferPointer<Sample>, _ gates: UnsafeMutableBufferPointer<UInt8>, top: Int
        ) {
            let channels = strip.picture.channels
            let (count, colours) = (channels.count, channels.count - (channels.hasAlpha ? 1 : 0))
            let unit = 1 / PictureStrip.unit(strip.picture.depth)
            let calm = plan.amount.isCalming ? (0..<colours).map(mean) : nil
            let grains = grain(part.x..<part.x + part.width)
            let own = plan.isColoured ? colours : 1
            var noise = [Float](repeating: 0, count: part.width * own)
            for y in 0..<part.height {
                let row = (part.y - top + y) * strip.whole.width + part.x
                let open = (y + border) * gate.width + border
                guard lines != nil || (0..<part.width).contains(where: { gate.values[open + $0] > 0 }) else { continue }
                if calm == nil {
                    noise.withUnsafeMutableBufferPointer { noise in
                        for channel in 0..<own {
                            if let base = noise.baseAddress { grains(channel, part.y + y, base + channel * part.width) }
                        }
                    }
                }
                for x in 0..<part.width {
                    // What the gate's picture shows as black is shut.
                    let place = y * part.width + x
                    let allowed = gate.values[open + x] * (shares?[place] ?? 1)
                    let share = allowed < 0.5 / 255 ? 0 : allowed
                    let line = lines.map { $0.values[place] * OutlineBrush.darkness } ?? 0
                    guard share > 0 || line > 0 else { continue }
                    gates[row + x] = UInt8((share * 255).rounded())
                    let strength = strength[strength.count == 1 ? 0 : place]
                    for channel in 0..<colours {
                        let index = (row + x) * count + channel
                        let before = values[index].value
                        let change: Float
                        if let calm {
                            let way = calm[channel].values[place] - before / unit
                            change = min(strength, max(-strength, way))
                        } else {
                            change = strength * noise[(plan.isColoured ? channel : 0) * part.width + x]
                        }
                        let after = (before + change * share * unit) * (1 - line)
                        values[index] = Sample(value: after)
                    }
                }
            }
        }

        /// The mean of a channel around each place, of what the gate lets through: nothing flows across an edge.
        private func mean(_ channel: Int) -> Plane {
            let values = strip.channel(channel, part.grown(by: border))
            var weighed = values
            for i in weighed.values.indices { weighed.values[i] *= gate.values[i] }
            var sum = weighed.mean(border)
            let weights = gate.mean(border)
            let own = values.cropped(by: border)
            for i in sum.values.indices {
                sum.values[i] = weights.values[i] > 0 ? sum.values[i] / weights.values[i] : own.values[i]
            }
            return sum
        }
    }
}

extension Rectangle {
    /// So many pixels more on each side; it may reach beyond a picture.
    package func grown(by border: Int) -> Rectangle {
        Rectangle(x: x - border, y: y - border, width: width + 2 * border, height: height + 2 * border)
    }
}
