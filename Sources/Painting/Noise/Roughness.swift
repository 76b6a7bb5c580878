import Raster
import Tensors
import Threads

/// What the noise command does to a picture.
package struct Roughness: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Every pixel by itself.
        case gaussian
        /// Clouds of 32 pixels down to 2.
        case perlin
        /// Every pixel by itself, and none far off.
        case uniform
    }

    package var kind = Kind.gaussian
    package var amount = Roughening.Amount.levels(8)
    /// 0…1: how flat a place must be.
    package var flatness = 0.5
    /// Width of dark lines along the edges of flat regions, in pixels.
    package var outline = 0
    package var isColoured = false

    package init() {}

    /// - Parameter amount: with everything else as the command has it by default
    package init(amount: Roughening.Amount) { self.amount = amount }

    private var roughening: Roughening {
        Roughening(amount, flatness: flatness, outline: outline, isColoured: isColoured)
    }

    /// - Parameters:
    ///   - pass: length of the picture's own history, so that the same noise is not laid over itself
    ///   - mask: of the picture's size; black where nothing may change
    package func callAsFunction(
        _ picture: Picture, seed: UInt64, pass: Int, mask: Mask? = nil, threads: Threads
    ) -> Roughening.Result {
        roughening(picture, mask: mask, threads: threads, grain: grain(seed: seed, pass: pass))
    }

    /// The same for a picture that need not be in memory, as
    /// ``Roughening/bands(_:_:pixelBytes:height:threads:grain:picture:mask:_:)`` takes it.
    package func bands(
        _ size: PixelSize, _ noise: SensorNoise, pixelBytes: Int, seed: UInt64, pass: Int, threads: Threads,
        picture: (Range<Int>) throws -> Picture, mask: ((Range<Int>) throws -> Mask)?,
        _ take: (_ band: Roughening.Result, _ rows: Range<Int>) throws -> Void
    ) rethrows {
        try roughening.bands(
            size, noise, pixelBytes: pixelBytes, threads: threads, grain: grain(seed: seed, pass: pass),
            picture: picture, mask: mask, take)
    }

    /// Noise that belongs to pixels.
    func grain(seed: UInt64, pass: Int) -> Roughening.Grain {
        let noise = PositionNoise(seed: seed)
        func each(_ spread: PositionNoise.Spread) -> Roughening.Grain {
            { columns in
                { channel, y, row in
                    noise.fill(
                        row, count: columns.count, .init(.noiseCommand, pass: pass), channel: channel,
                        at: (columns.lowerBound, y), spread)
                }
            }
        }
        switch kind {
        case .gaussian: return each(.normal)
        case .uniform: return each(.uniform)
        case .perlin: return Self.clouds(noise, pass: pass)
        }
    }

    private static func clouds(_ noise: PositionNoise, pass: Int) -> Roughening.Grain {
        // Five octaves, each two thirds as strong as the one before, together of variance 1.
        let shares: [Float] = [1, 0.666667, 0.444444, 0.296296, 0.197531]
        let deviation = Float(PerlinRows.variance(amplitudes: shares).squareRoot())
        let amplitudes = shares.map { $0 / deviation }
        return { columns in
            var rows: [Int: PerlinRows] = [:]
            return { channel, y, row in
                var made =
                    rows.removeValue(forKey: channel)
                    ?? PerlinRows(amplitudes: amplitudes, columns: columns) { octave, line, nodes, down, across in
                        noise.fillPairs(
                            down, across, count: nodes.count, .init(.noiseCommand, pass: pass, step: octave),
                            channel: channel, at: (nodes.lowerBound, line))
                    }
                row.update(repeating: 0, count: columns.count)
                made.add(y, to: row)
                rows[channel] = made
            }
        }
    }
}

extension Roughening.Amount {
    /// "8" levels of 8 bits, or "25%" of the range around each place; negative calms.
    package init?(_ text: String) {
        let isShare = text.hasSuffix("%")
        guard let value = Double(isShare ? String(text.dropLast()) : text), value.isFinite, abs(value) <= 255 else {
            return nil
        }
        self = isShare ? .share(value / 100) : .levels(value)
    }

    package var text: String {
        switch self {
        case .levels(let value): JSONText.number(value).string
        // Whole again, where the share of a percentage is none of binary's.
        case .share(let value): JSONText.number((value * 1e10).rounded() / 1e8).string + "%"
        }
    }
}
