import Painting
import Raster
import RasterFiles
import TestKit
import Testing
import Threads

extension PerlinStart {
    /// All bands in one.
    fileprivate func picture(_ size: PixelSize, depth: Int, threads: Threads) -> Picture {
        joined(size) { bands(size, depth: depth, threads: threads, pause: {}, $0) }
    }
}

/// The picture that bands are together.
private func joined(_ size: PixelSize, _ bands: ((Picture) -> Void) -> Void) -> Picture {
    var (all, eight, sixteen): ([Picture], [UInt8], [UInt16]) = ([], [], [])
    bands { all.append($0) }
    for band in all {
        switch band.samples {
        case .eight(let values): eight += values
        case .sixteen(let values): sixteen += values
        case .float: Issue.record("nothing of Perlin's is kept as floats")
        }
    }
    return Picture(
        size: size, channels: all[0].channels, samples: all[0].depth == 8 ? .eight(eight) : .sixteen(sixteen))
}

/// Disco Diffusion's Perlin start.
@Suite struct PerlinTests {
    static let names = ["mixed", "color", "gray", "own-size", "whole", "wrap", "wrap-x"]

    /// `Tools/golden/perlin.py`
    @Test("the picture is that of the formula in NumPy, from the same slopes", arguments: names)
    func parity(name: String) throws {
        let entry = try #require(try Golden.json("perlin/cases.json").list?.first { $0["name"].text == name })
        let expected = try PictureFile.read(Golden.path("perlin/\(name).png"))
        let wrap = entry["wrap"].text ?? ""
        let start = PerlinStart(
            .init(
                try #require(PerlinPicture.Mode(rawValue: entry["mode"].text ?? "")),
                octaves: (entry["octaves"].list ?? []).compactMap(\.integer),
                wrap: .init(across: wrap.contains("x"), down: wrap.contains("y"))),
            seed: UInt64(try #require(entry["seed"].integer)))
        let ours = start.picture(expected.size, depth: 8, threads: Threads(2)).colour()
        var worst = 0
        for y in 0..<expected.height {
            for x in 0..<expected.width {
                // A value on the edge of two levels may be cut to either; Pillow rounds halves to even.
                for channel in 0..<3 { worst = max(worst, abs(ours[x, y, channel] - expected[x, y, channel])) }
            }
        }
        #expect(worst <= 1, "\(name): a value is \(worst) levels off")
        #expect(!expected.isGreyInColour || start.picture.mode == .gray)
        let floats = start.floats(expected.size, threads: Threads(1)).colour()
        #expect(floats.picture(depth: 8).samples == ours.samples, "what painting starts from is the same picture")
    }

    @Test("seed, mode, octaves and wrapping each change the picture; threads do not")
    func changes() {
        let size = PixelSize(width: 45, height: 70)
        let base = PerlinStart(.init(.mixed, octaves: [6, 3]), seed: 5)
        func samples(_ start: PerlinStart, _ threads: Int = 1) -> Picture.Samples {
            start.picture(size, depth: 8, threads: Threads(threads)).samples
        }
        let others = [
            PerlinStart(.init(.mixed, octaves: [6, 3]), seed: 6), .init(.init(.color, octaves: [6, 3]), seed: 5),
            .init(.init(.mixed, octaves: [5, 3]), seed: 5), .init(.init(.mixed, octaves: [6, 2]), seed: 5),
            .init(.init(.mixed, octaves: [6, 3], wrap: .init(across: true)), seed: 5),
            .init(.init(.mixed, octaves: [6, 3], wrap: .init(down: true)), seed: 5),
        ]
        #expect(Set(others.map { samples($0) } + [samples(base)]).count == others.count + 1)
        #expect(samples(base, 3) == samples(base))
        #expect(samples(.init(.init(.gray, octaves: [6, 3]), seed: 5)).count == size.area)
    }

    @Test(
        "a picture that is not held is made in bands, with the bytes of one that is",
        arguments: [PerlinPicture.Mode.mixed, .color, .gray], [8, 16])
    func bands(mode: PerlinPicture.Mode, depth: Int) {
        // 2^23 pixels are a band.
        let size = PixelSize(width: 2100, height: 4150)
        let picture = PerlinPicture(mode, octaves: [5, 3], wrap: .init(across: true, down: depth == 16))
        let slopes: PerlinPicture.Slopes = { field, channel in
            { octave, row, nodes, down, across in
                for (place, node) in nodes.enumerated() {
                    let angle = Float((row * 31 + node * 17 + octave * 7 + channel * 5 + field * 3) % 61)
                    (down[place], across[place]) = (angle / 30 - 1, 1 - angle / 40)
                }
            }
        }
        var (count, pauses) = (0, 0)
        let bands = joined(size) { take in
            picture.bands(
                size, depth: depth, holding: 0, threads: Threads(2), slopes: slopes, pause: { pauses += 1 }
            ) {
                count += 1
                take($0)
            }
        }
        let whole = joined(size) {
            picture.bands(size, depth: depth, threads: Threads(1), slopes: slopes, pause: {}, $0)
        }
        #expect(count == 2 && pauses >= 4 && bands == whole)
    }

    @Test("sixteen bits hold what eight round")
    func depth() {
        let size = PixelSize(width: 64, height: 64)
        let start = PerlinStart(.init(.mixed, octaves: [6, 4]), seed: 5)
        let (fine, coarse) = (
            start.picture(size, depth: 16, threads: Threads(1)), start.picture(size, depth: 8, threads: Threads(1))
        )
        var halves = 0
        for y in 0..<64 {
            for x in 0..<64 {
                // Whole levels and halves between them.
                let twice = (fine[x, y, 0] * 2 + 128) / 257
                #expect(abs(fine[x, y, 0] * 2 - twice * 257) <= 1 && (twice + 1) / 2 == coarse[x, y, 0])
                halves += twice & 1
            }
        }
        #expect(halves > 1000)
    }

    @Test("a wrapped picture goes on at its opposite side, and one that is not does not")
    func wrapping() {
        let size = PixelSize(width: 96, height: 96)
        /// The mean step from the last row or column to the first, in mean steps inside.
        func seams(_ wrap: PerlinField.Wrap) -> (across: Double, down: Double) {
            var (across, down, inside) = (0.0, 0.0, 0.0)
            for seed in 0..<8 {
                let picture = PerlinStart(.init(.color, octaves: [7, 5], wrap: wrap), seed: UInt64(seed))
                    .picture(size, depth: 16, threads: Threads(2))
                for i in 0..<96 {
                    for channel in 0..<3 {
                        across += Double(abs(picture[0, i, channel] - picture[95, i, channel]))
                        down += Double(abs(picture[i, 0, channel] - picture[i, 95, channel]))
                        for x in 0..<95 {
                            inside += Double(abs(picture[x, i, channel] - picture[x + 1, i, channel])) / 95
                        }
                    }
                }
            }
            return (across / inside, down / inside)
        }
        let both = seams(.init(across: true, down: true))
        #expect(both.across < 1.15 && both.down < 1.15)
        let one = seams(.init(across: true))
        #expect(one.across < 1.15 && one.down > 2)
        let other = seams(.init(down: true))
        #expect(other.across > 2 && other.down < 1.15)
    }

    @Test("a row of a part is the part of a row, and its variance is what was reckoned")
    func rows() {
        let slopes: PerlinRows.Slopes = { octave, row, nodes, down, across in
            for (i, node) in nodes.enumerated() {
                var generator = SeededGenerator(UInt64(bitPattern: Int64(octave << 40 ^ row << 20 ^ node)))
                func normal() -> Float {
                    (0..<12).reduce(-6) { sum, _ in sum + Float.random(in: 0..<1, using: &generator) }
                }
                (down[i], across[i]) = (normal(), normal())
            }
        }
        let amplitudes: [Float] = [1, 0.5, 0.75]
        var (whole, part) = (
            PerlinRows(amplitudes: amplitudes, columns: -9..<503, slopes: slopes),
            PerlinRows(amplitudes: amplitudes, columns: 5..<40, slopes: slopes)
        )
        var sum = 0.0
        for y in -3..<253 {
            var (line, piece) = ([Float](repeating: 0, count: 512), [Float](repeating: 0, count: 35))
            line.withUnsafeMutableBufferPointer { $0.baseAddress.map { whole.add(y, to: $0) } }
            piece.withUnsafeMutableBufferPointer { $0.baseAddress.map { part.add(y, to: $0) } }
            #expect(Array(line[14..<49]) == piece)
            sum += line.reduce(0) { $0 + Double($1 * $1) }
        }
        let variance = PerlinRows.variance(amplitudes: amplitudes)
        #expect(abs(sum / 512 / 256 / variance - 1) < 0.05)
    }
}
