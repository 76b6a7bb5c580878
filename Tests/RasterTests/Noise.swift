import Raster

/// Seeded noise for tests. Source: SplitMix64.
struct Noise {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func bytes(_ count: Int, _ range: ClosedRange<UInt8> = 0...255) -> [UInt8] {
        let width = UInt64(range.upperBound - range.lowerBound) + 1
        return (0..<count).map { _ in range.lowerBound + UInt8(next() % width) }
    }

    mutating func picture(_ size: PixelSize, _ channels: Picture.Channels, depth: Int = 8) -> Picture {
        let count = size.area * channels.count
        if depth == 8 { return Picture(size: size, channels: channels, eight: bytes(count)) }
        return Picture(
            size: size, channels: channels, sixteen: (0..<count).map { _ in UInt16(truncatingIfNeeded: next()) })
    }
}

extension Picture {
    /// The largest difference of any sample; the largest number there is when the shapes differ.
    func largestDifference(to other: Picture) -> Int {
        guard size == other.size && channels == other.channels && depth == other.depth else { return .max }
        var worst = 0
        for y in 0..<height {
            for x in 0..<width {
                for channel in 0..<channels.count {
                    worst = max(worst, abs(self[x, y, channel] - other[x, y, channel]))
                }
            }
        }
        return worst
    }
}
