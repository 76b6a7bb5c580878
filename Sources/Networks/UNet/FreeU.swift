import Tensors

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Backbone up, skips down: what the deepest two levels on the way out are told is made stronger, and the slowest waves of the
/// skips that join it weaker. Nothing is learnt and nothing slower.
///
/// Source: Si et al., "FreeU: Free Lunch in Diffusion U-Net" (2023); diffusers, `utils/torch_utils.py`, `apply_freeu`.
package struct FreeU: Sendable, Equatable {
    /// Factors of the first half of the backbone's channels, in the first and second level on the way out.
    package var b1, b2: Double
    /// Factors of the skips' slowest waves there.
    package var s1, s2: Double

    package init(b1: Double, b2: Double, s1: Double, s2: Double) {
        (self.b1, self.b2, self.s1, self.s2) = (b1, b2, s1, s2)
    }

    /// What holds in a level on the way out.
    func factors(level: Int) -> (backbone: Float, skip: Float)? {
        switch level {
        case 0: (Float(b1), Float(s1))
        case 1: (Float(b2), Float(s2))
        default: nil
        }
    }
}

extension Engine {
    /// Multiplies the first half of the channels.
    func scaleFirstHalf(of map: inout FeatureMap, by factor: Float) {
        let (half, lanes, plane, blocks) = (map.channels / 2, map.lanes, map.planeSize, map.blocks)
        let (pixels, batch) = (map.pixels, map.batch)
        map.withMutablePointer { values in
            threads.forEach(batch * blocks) { piece in
                let width = min(max(half - piece % blocks * lanes, 0), lanes)
                for pixel in 0..<pixels {
                    let place = values + piece * plane + pixel * lanes
                    for lane in 0..<width { place[lane] *= factor }
                }
            }
        }
    }

    /// Multiplies the waves of frequency 0 and −1 on either side, and takes the real part.
    ///
    /// That is diffusers' filter, whose square of two by two in the middle of the spectrum is not symmetric: so few waves are
    /// summed and put back one by one, without a transform of the whole. Each channel is summed in double precision.
    func scaleSlowestWaves(of map: inout FeatureMap, by factor: Float) {
        let (height, width, lanes, plane) = (map.height, map.width, map.lanes, map.planeSize)
        let (down, across) = (Self.circle(height), Self.circle(width))
        let share = Double(factor - 1) / Double(height * width)
        let pieces = map.batch * map.blocks
        map.withMutablePointer { values in
            threads.forEach(pieces) { piece in
                let values = values + piece * plane
                for lane in 0..<lanes {
                    var waves = SlowestWaves()
                    for y in 0..<height {
                        let row = values + y * width * lanes + lane
                        var (flat, cosine, sine) = (0.0, 0.0, 0.0)
                        for x in 0..<width {
                            let value = Double(row[x * lanes])
                            flat += value
                            cosine += across[x].cosine * value
                            sine += across[x].sine * value
                        }
                        waves.add(flat, cosine, sine, at: down[y])
                    }
                    // A side of one has no wave but the constant.
                    if height == 1 { waves.dropDown() }
                    if width == 1 { waves.dropAcross() }
                    for y in 0..<height {
                        let row = values + y * width * lanes + lane
                        let (flat, cosine, sine) = waves.row(at: down[y])
                        for x in 0..<width {
                            let wave = flat + cosine * across[x].cosine + sine * across[x].sine
                            row[x * lanes] += Float(share * wave)
                        }
                    }
                }
            }
        }
    }

    /// Cosines and sines around a whole circle.
    private static func circle(_ count: Int) -> [Angle] {
        (0..<count).map { index in
            let angle = 2 * Double.pi * Double(index) / Double(count)
            return Angle(cosine: cos(angle), sine: sin(angle))
        }
    }
}

private struct Angle {
    let cosine: Double
    let sine: Double
}

/// Σ x·cos θ and Σ x·sin θ over one channel, for θ of each wave: the constant, one down, one across, one down and across.
private struct SlowestWaves {
    private var constant = 0.0
    private var (downCosine, downSine) = (0.0, 0.0)
    private var (acrossCosine, acrossSine) = (0.0, 0.0)
    private var (bothCosine, bothSine) = (0.0, 0.0)

    /// - Parameters:
    ///   - flat: sum over a row
    ///   - cosine: sum of the row times the cosine across
    mutating func add(_ flat: Double, _ cosine: Double, _ sine: Double, at y: Angle) {
        constant += flat
        downCosine += y.cosine * flat
        downSine += y.sine * flat
        acrossCosine += cosine
        acrossSine += sine
        bothCosine += y.cosine * cosine - y.sine * sine
        bothSine += y.sine * cosine + y.cosine * sine
    }

    mutating func dropDown() { (downCosine, downSine, bothCosine, bothSine) = (0, 0, 0, 0) }
    mutating func dropAcross() { (acrossCosine, acrossSine, bothCosine, bothSine) = (0, 0, 0, 0) }

    /// The waves in a row: a constant, and what its cosines and sines across are multiplied by.
    func row(at y: Angle) -> (flat: Double, cosine: Double, sine: Double) {
        (
            constant + downCosine * y.cosine + downSine * y.sine,
            acrossCosine + bothCosine * y.cosine + bothSine * y.sine,
            acrossSine - bothCosine * y.sine + bothSine * y.cosine
        )
    }
}
