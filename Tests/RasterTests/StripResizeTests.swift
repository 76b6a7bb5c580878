import Raster
import Testing
import Threads

@Suite("Resizing by strips")
struct StripResizeTests {
    /// What a resize makes of a picture that comes in strips of the given heights, over and over.
    private func resized(
        _ picture: Picture, to target: PixelSize, filter: ResamplingFilter, box: ResamplingBox?, heights: [Int]
    ) -> (picture: Picture, bands: Int) {
        let resize = StripResize(
            picture.size, channels: picture.channels, depth: picture.depth, to: target, filter: filter, box: box,
            threads: Threads(2))
        var (eight, sixteen, floats): ([UInt8], [UInt16], [Float]) = ([], [], [])
        var (y, turn, filled, bands) = (resize.rows.lowerBound, 0, 0, 0)
        resize.skip(to: y)
        while y < resize.rows.upperBound {
            let height = min(heights[turn % heights.count], picture.height - y)
            let part = Rectangle(x: 0, y: y, width: picture.width, height: height)
            resize.add(picture.cropped(to: part)) { band, row in
                #expect(row == filled && band.width == target.width)
                filled += band.height
                bands += 1
                switch band.samples {
                case .eight(let values): eight += values
                case .sixteen(let values): sixteen += values
                case .float(let values): floats += values
                }
            }
            (y, turn) = (y + height, turn + 1)
        }
        #expect(filled == target.height)
        let samples: Picture.Samples =
            picture.depth == 8 ? .eight(eight) : picture.depth == 16 ? .sixteen(sixteen) : .float(floats)
        return (Picture(size: target, channels: picture.channels, samples: samples), bands)
    }

    @Test("strips give the bytes of the whole", arguments: Picture.Channels.allCases, [8, 16, 32])
    func sameBytes(channels: Picture.Channels, depth: Int) {
        var noise = Noise(seed: 11)
        let size = PixelSize(width: 53, height: 71)
        let samples: Picture.Samples =
            depth == 32
            ? .float(noise.bytes(size.area * channels.count).map { Float($0) / 200 - 0.1 })
            : depth == 8
                ? .eight(noise.bytes(size.area * channels.count))
                : .sixteen(noise.bytes(size.area * channels.count).map { UInt16($0) * 257 &+ 19 })
        let picture = Picture(size: size, channels: channels, samples: samples)
        let boxes: [ResamplingBox?] = [nil, ResamplingBox(left: 3.5, top: 20.25, width: 40, height: 31.5)]
        let targets = [(53, 30), (53, 200), (20, 71), (106, 142), (31, 29), (50, 3), (3, 50), (53, 71), (1, 1)]
        for filter in ResamplingFilter.allCases {
            for box in boxes {
                for (width, height) in targets {
                    let target = PixelSize(width: width, height: height)
                    let whole = picture.resized(to: target, filter: filter, box: box)
                    for heights in [[1], [7, 1, 30], [64]] {
                        let strips = resized(picture, to: target, filter: filter, box: box, heights: heights)
                        #expect(strips.picture.samples == whole.samples, "\(filter) to \(target) by \(heights)")
                    }
                }
            }
        }
    }

    @Test("rows go as soon as they can")
    func soon() {
        var noise = Noise(seed: 12)
        let picture = Picture(size: PixelSize(width: 8, height: 400), channels: .grey, eight: noise.bytes(3200))
        let strips = resized(
            picture, to: PixelSize(width: 4, height: 200), filter: .lanczos, box: nil, heights: [10])
        // Each strip of ten rows completes about five.
        #expect(strips.bands >= 39)
    }
}
