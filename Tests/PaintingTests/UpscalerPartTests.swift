import Foundation
import Painting
import Raster
import RasterFiles
import TestKit
import Tensors
import Testing

@Suite struct UpscalerPartTests {
    private func picture(_ channels: Int, _ width: Int = 90, _ height: Int = 70) -> FloatPicture {
        var generator = SeededGenerator(4)
        let size = PixelSize(width: width, height: height)
        return FloatPicture(
            size: size, channelCount: channels,
            values: (0..<size.area * channels).map { _ in Float.random(in: 0...1, using: &generator) })
    }

    private func learned() throws -> LearnedUpscaler {
        let path = Golden.path("upscalers/compact-relu-x2.pth")
        return try LearnedUpscaler(named: path, on: try Engine())
    }

    @Test(
        "a part of an enlarged picture is what stands there in the whole, to the bit where no filter follows",
        arguments: [(180, 140, Float(0)), (360, 280, 0), (300, 233, 1e-5), (90, 70, 1e-5)], [1, 3, 4])
    func parts(size: (Int, Int, Float), channels: Int) throws {
        let target = PixelSize(width: size.0, height: size.1)
        let (source, upscaler) = (picture(channels), try learned())
        let whole = try upscaler.enlarged(source, to: target)
        #expect(whole.size == target && whole.channelCount == channels)
        for part in [
            Rectangle(x: 0, y: 0, width: 40, height: 30), Rectangle(x: 37, y: 21, width: 11, height: 45),
            Rectangle(x: size.0 - 13, y: size.1 - 9, width: 13, height: 9), Rectangle(target),
        ] {
            let made = try upscaler.enlarged(source, to: target, part: part) { _ in }
            let expected = whole.cropped(to: part)
            let colours = channels == 4 ? 3 : channels
            // Alpha is always Lanczos's.
            for (index, pair) in zip(made.values, expected.values).enumerated() {
                let bound = index % channels < colours ? size.2 : 1e-5
                #expect(abs(pair.0 - pair.1) <= bound, "\(part), value \(index)")
            }
        }
    }

    @Test(
        "bands of an enlarged picture are the whole to the bit, whether what was made waits in memory or on disk",
        arguments: [(180, 140), (360, 280), (300, 233), (90, 70)], [1, 3, 4])
    func bands(size: (Int, Int), channels: Int) throws {
        let target = PixelSize(width: size.0, height: size.1)
        let (source, upscaler) = (picture(channels), try learned())
        let whole = try upscaler.enlarged(source, to: target)
        for held in [0, 1 << 28] {
            var (values, next, done): ([Float], Int, Double) = ([], 0, 0)
            try upscaler.enlarged(source, to: target, holding: held) {
                done += $0
            } bands: { band, y in
                #expect(y == next && band.channelCount == channels)
                next += band.height
                values += band.values
            }
            #expect(next == target.height && values == whole.values)
            #expect(abs(done / upscaler.estimate(source.size, to: target).operations - 1) < 1e-6 || channels != 3)
        }
    }

    @Test("a part that is enlarged alone is worked on alone")
    func work() throws {
        let (source, upscaler) = (picture(3, 400, 300), try learned())
        let target = PixelSize(width: 800, height: 600)
        var done = 0.0
        _ = try upscaler.enlarged(source, to: target, part: Rectangle(x: 300, y: 300, width: 20, height: 20)) {
            done += $0
        }
        #expect(done > 0 && done < upscaler.estimate(source.size, to: target).operations / 5)
    }

    @Test("Lanczos's parts are those of the whole")
    func lanczos() throws {
        let (source, upscaler) = (picture(4), LanczosUpscaler(threads: .init()))
        let target = PixelSize(width: 200, height: 111)
        let whole = try upscaler.enlarged(source, to: target)
        #expect(whole == source.resized(to: target))
        let part = Rectangle(x: 31, y: 40, width: 77, height: 50)
        let made = try upscaler.enlarged(source, to: target, part: part) { _ in }
        for (a, b) in zip(made.values, whole.cropped(to: part).values) { #expect(abs(a - b) < 1e-5) }
    }

    @Test("the upscaler inside the program beats Lanczos by a decibel on the samples, which it never saw")
    func miniature() throws {
        let engine = try Engine()
        let upscaler = try LearnedUpscaler(named: LearnedUpscaler.miniature, on: engine)
        let gains = try ["chelsea.png", "coffee.png", "rocket.jpg"].map { name in
            let sample = try PictureFile.read("\(Golden.repository)/samples/\(name)").droppingAlpha()
            let half = PixelSize(width: sample.width / 2, height: sample.height / 2)
            let target = PixelSize(width: 2 * half.width, height: 2 * half.height)
            let truth = sample.cropped(to: Rectangle(target))
            let small = truth.resized(to: half)
            let ours = try upscaler.enlarged(small.floats(), to: target).picture(depth: 8)
            #expect(ours.size == target)
            return Self.decibels(ours, truth) - Self.decibels(small.resized(to: target), truth)
        }
        #expect(gains.reduce(0, +) / 3 > 1, "\(gains)")
        #expect(gains.allSatisfy { $0 > 0.5 }, "\(gains)")
    }

    private static func decibels(_ a: Picture, _ b: Picture) -> Double {
        var sum = 0.0
        for y in 0..<a.height {
            for x in 0..<a.width {
                for channel in 0..<3 {
                    let difference = Double(a[x, y, channel] - b[x, y, channel])
                    sum += difference * difference
                }
            }
        }
        return -10 * log10(sum / Double(3 * a.size.area) / 65_025)
    }
}
