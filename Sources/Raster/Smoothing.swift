import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Gaussians whose result of a mirrored picture is the mirrored result, to the bit: what lies to both sides is added first.

extension FloatPicture {
    /// Softened by a Gaussian. Beyond its sides the picture is taken to go on point by point as it came (2·side − inside), so
    /// that even gradients stay as they are up to the side.
    ///
    /// - Parameter deviation: in pixels
    package func smoothed(_ deviation: Float, threads: Threads) -> FloatPicture {
        filtered(gaussian(deviation), threads: threads)
    }

    /// Every pixel as a sum of those around it, the same across and down; beyond the sides as ``smoothed(_:threads:)``.
    ///
    /// - Parameter weights: the middle one and those to one side, two at least
    package func filtered(_ weights: [Float], threads: Threads) -> FloatPicture {
        let count = channelCount
        var across = values
        values.withUnsafeBufferPointer { values in
            across.withUnsafeMutableBufferPointer { out in
                threads.forRanges(height, grain: 8) { rows in
                    for y in rows {
                        let row = y * width * count
                        smooth(
                            UnsafeBufferPointer(rebasing: values[row..<row + width * count]), count, weights,
                            isContinued: true,
                            into: UnsafeMutableBufferPointer(rebasing: out[row..<row + width * count])
                        )
                    }
                }
            }
        }
        let stride = width * count
        var result = across
        across.withUnsafeBufferPointer { across in
            result.withUnsafeMutableBufferPointer { out in
                threads.forRanges(height, grain: 8) { rows in
                    for y in rows {
                        for i in 0..<stride { out[y * stride + i] = weights[0] * across[y * stride + i] }
                        for k in 1..<weights.count {
                            let (above, below) = (Row(y - k, height), Row(y + k, height))
                            for i in 0..<stride {
                                let sum =
                                    (above.gain * across[above.side * stride + i]
                                        + above.sign * across[above.inside * stride + i])
                                    + (below.gain * across[below.side * stride + i]
                                        + below.sign * across[below.inside * stride + i])
                                out[y * stride + i] += weights[k] * sum
                            }
                        }
                    }
                }
            }
        }
        return FloatPicture(size: size, channelCount: count, values: result)
    }
}

/// A row as what it is made from: itself, or twice the side less a row inside.
private struct Row {
    let side, inside: Int
    let gain, sign: Float

    init(_ place: Int, _ count: Int) {
        if place >= 0, place < count {
            (side, inside, gain, sign) = (0, place, 0, 1)
        } else if place < 0 {
            (side, inside, gain, sign) = (0, min(count - 1, -place), 2, -1)
        } else {
            (side, inside, gain, sign) = (count - 1, max(0, 2 * (count - 1) - place), 2, -1)
        }
    }
}

/// A line of pixels softened by a Gaussian.
///
/// - Parameter isContinued: whether the line goes on beyond its ends as in ``FloatPicture/smoothed(_:threads:)``; otherwise it
///   is mirrored there
func smoothedLine(_ line: [Float], _ channels: Int, _ deviation: Float, isContinued: Bool = false) -> [Float] {
    var result = line
    line.withUnsafeBufferPointer { line in
        result.withUnsafeMutableBufferPointer { result in
            smooth(line, channels, gaussian(deviation), isContinued: isContinued, into: result)
        }
    }
    return result
}

private func smooth(
    _ line: UnsafeBufferPointer<Float>, _ channels: Int, _ weights: [Float], isContinued: Bool,
    into out: UnsafeMutableBufferPointer<Float>
) {
    let (count, reach) = (line.count / channels, weights.count - 1)
    var longer = [Float](repeating: 0, count: (count + 2 * reach) * channels)
    for place in 0..<count + 2 * reach {
        for channel in 0..<channels {
            let row = Row(place - reach, count)
            longer[place * channels + channel] =
                isContinued
                ? row.gain * line[row.side * channels + channel] + row.sign * line[row.inside * channels + channel]
                : line[reflected(place - reach, count: count) * channels + channel]
        }
    }
    let middle = reach * channels
    longer.withUnsafeBufferPointer { longer in
        for i in 0..<line.count { out[i] = weights[0] * longer[middle + i] }
        for k in 1..<weights.count {
            let (weight, away) = (weights[k], k * channels)
            for i in 0..<line.count { out[i] += weight * (longer[middle + i - away] + longer[middle + i + away]) }
        }
    }
}

/// The middle weight and those to one side; with those to the other they sum to 1.
private func gaussian(_ deviation: Float) -> [Float] {
    let reach = max(1, Int((3 * deviation).rounded(.up)))
    let weights = (0...reach).map { expf(-Float($0 * $0) / (2 * deviation * deviation)) }
    let sum = weights[0] + 2 * weights.dropFirst().reduce(0, +)
    return weights.map { $0 / sum }
}
