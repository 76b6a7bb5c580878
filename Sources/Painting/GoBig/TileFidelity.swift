import Raster
import Threads

/// Keeps what the enlarged source shows in a painted tile, so that painting adds what the source was too small to hold and takes
/// nothing of it away.
///
/// Of what painting changed, the part that the source could have held itself (below the frequency of its own pixels) is taken off
/// again; what is finer stays. Where painting left less of that than the enlarged source has, the source's own is added, octave by
/// octave, until there is as much.
/// Source: Wang, Yu and Zhang, "Zero-Shot Image Restoration Using Denoising Diffusion Null-Space Model" (2022), equation 13, for
/// enlarging, once behind the last step and with a filter that knows no grid, so that tiles that overlap agree.
package struct TileFidelity {
    /// How far, 0…1.
    package let amount: Double
    /// How many times larger the picture has become.
    package let times: Double

    package init(amount: Double, times: Double) { (self.amount, self.times) = (amount, times) }

    /// - Parameters:
    ///   - painted: 1 or 3 channels
    ///   - source: what was painted over, of the same shape
    package func held(_ painted: FloatPicture, to source: FloatPicture, threads: Threads) -> FloatPicture {
        guard amount > 0 else { return painted }
        let share = Float(amount)
        var change = painted
        change.values = zip(painted.values, source.values).map { $0 - $1 }
        let broad = change.filtered(Self.lowPass(times), threads: threads)
        var result = painted
        for i in result.values.indices { result.values[i] -= share * broad.values[i] }
        addLost(of: source, to: &result, share, threads)
        return result
    }

    /// The middle and one side of a filter that lets pass what pixels so many times as large could hold.
    private static func lowPass(_ times: Double) -> [Float] {
        let reach = max(1, Int((ResamplingFilter.lanczos.support * times).rounded(.up)) - 1)
        let weights = (0...reach).map { ResamplingFilter.lanczos(Double($0) / times) }
        let sum = weights[0] + 2 * weights.dropFirst().reduce(0, +)
        return weights.map { Float($0 / sum) }
    }

    /// Adds as much of the source to each octave that is finer than its pixels as makes the energy what the source's is, where
    /// it is less: with energies P and S around a place and C of their product, the g ≥ 0 for which P + 2gC + g²S = S.
    private func addLost(of source: FloatPicture, to result: inout FloatPicture, _ share: Float, _ threads: Threads) {
        let (painted, count) = (result, result.channelCount)
        func broad(_ picture: FloatPicture, _ times: Double) -> FloatPicture {
            times > 1 ? picture.filtered(Self.lowPass(times), threads: threads) : picture
        }
        var times = times
        var (own, shown) = (broad(painted, times), broad(source, times))
        repeat {
            times /= 2
            let (ownFiner, finer) = (broad(painted, times), broad(source, times))
            let (ownBand, band) = (difference(ownFiner, own), difference(finer, shown))
            func around(_ one: FloatPicture, _ other: FloatPicture) -> [Float] {
                product(one, other).smoothed(Self.around * Float(max(1, times)), threads: threads).values
            }
            let (wanted, there, shared) = (around(band, band), around(ownBand, ownBand), around(ownBand, band))
            for pixel in wanted.indices where wanted[pixel] > max(there[pixel], Self.least) {
                let (s, p, c) = (wanted[pixel], there[pixel], shared[pixel])
                let gain = share * min(1, max(0, ((c * c + s * (s - p)).squareRoot() - c) / s))
                for i in pixel * count..<(pixel + 1) * count { result.values[i] += gain * band.values[i] }
            }
            (own, shown) = (ownFiner, finer)
        } while times > 1
    }

    /// Deviation of the neighbourhood whose energy counts, in pixels of the finest octave.
    private static let around: Float = 8
    /// Energy that nobody sees: of a fiftieth of a level of 8 bits.
    private static let least: Float = 6e-9

    private func difference(_ one: FloatPicture, _ other: FloatPicture) -> FloatPicture {
        var result = one
        for i in result.values.indices { result.values[i] -= other.values[i] }
        return result
    }

    /// One channel: the products of all channels summed.
    private func product(_ one: FloatPicture, _ other: FloatPicture) -> FloatPicture {
        let count = one.channelCount
        return FloatPicture(
            size: one.size, channelCount: 1,
            values: (0..<one.size.area).map { pixel in
                var sum: Float = 0
                for i in pixel * count..<(pixel + 1) * count { sum += one.values[i] * other.values[i] }
                return sum
            })
    }
}
