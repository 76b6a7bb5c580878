import Threads

/// A square of Perlin noise, as one channel of a picture of 8 bits.
package struct PerlinField: Sendable {
    /// Cells along each side of the coarsest octave.
    package let cells: Int
    package let octaves: Int
    /// Sides along which it goes on at the opposite one.
    package let wrap: Wrap

    /// Along which sides something repeats.
    package struct Wrap: Sendable, Equatable {
        package var across: Bool
        package var down: Bool

        package init(across: Bool = false, down: Bool = false) { (self.across, self.down) = (across, down) }
    }

    package init(cells: Int, octaves: Int, wrap: Wrap = .init()) {
        (self.cells, self.octaves, self.wrap) = (cells, octaves, wrap)
    }

    /// Places along each side.
    package var side: Int { cells << octaves }

    /// Each octave is two thirds as strong as the one before.
    fileprivate var amplitudes: [Float] {
        var amplitude = 0.5
        return (0..<octaves).map { _ in
            defer { amplitude /= 1.5 }
            return Float(amplitude)
        }
    }

    /// The field at another size, by bilinear interpolation without antialiasing, clipped to 0…1, cut to whole 255ths, and
    /// stretched over all of them.
    ///
    /// Source: alembics/disco-diffusion, `disco.py`, `create_perlin_noise`: PyTorch's `interpolate` (bilinear,
    /// `align_corners` false), `to_pil_image`, Pillow's `ImageOps.autocontrast`.
    package func channel(_ size: PixelSize, threads: Threads, slopes: @escaping PerlinRows.Slopes) -> [UInt8] {
        let scaled = scaled(size, slopes)
        var values = scaled.rows(0..<size.height, threads)
        guard let low = values.min(), let high = values.max() else { return values }
        Self.stretch(&values, low...high)
        return values
    }

    /// A field at a size that need not be in memory.
    struct Stretched {
        fileprivate let scaled: Scaled
        fileprivate let range: ClosedRange<UInt8>

        /// Rows of what ``PerlinField/channel(_:threads:slopes:)`` makes.
        func rows(_ rows: Range<Int>, threads: Threads) -> [UInt8] {
            var values = scaled.rows(rows, threads)
            PerlinField.stretch(&values, range)
            return values
        }
    }

    /// Goes through the field once, for its least and its greatest value.
    ///
    /// - Parameters:
    ///   - band: rows that are made at once
    ///   - pause: called before each band; may throw to stop
    func stretched(
        _ size: PixelSize, threads: Threads, slopes: @escaping PerlinRows.Slopes, band: Int, pause: () throws -> Void
    ) rethrows -> Stretched {
        let scaled = scaled(size, slopes)
        var (low, high): (UInt8, UInt8) = (.max, .min)
        for y in stride(from: 0, to: size.height, by: band) {
            try pause()
            let values = scaled.rows(y..<min(size.height, y + band), threads)
            (low, high) = (min(low, values.min() ?? low), max(high, values.max() ?? high))
        }
        return Stretched(scaled: scaled, range: low...max(low, high))
    }

    /// A field at another size, as far as it is a function of places.
    fileprivate struct Scaled {
        let field: PerlinField
        let size: PixelSize
        let across, down: Taps
        let slopes: PerlinRows.Slopes

        func rows(_ wanted: Range<Int>, _ threads: Threads) -> [UInt8] {
            let count = size.width * wanted.count
            return [UInt8](unsafeUninitializedCapacity: count) { out, initialised in
                threads.forRanges(wanted.count, grain: 64) { part in
                    var field = FieldRows(
                        side: field.side,
                        rows: .init(amplitudes: field.amplitudes, columns: 0..<field.side, slopes: slopes))
                    for row in part {
                        let line = UnsafeMutableBufferPointer(
                            rebasing: out[row * size.width..<(row + 1) * size.width])
                        field.line(down, wanted.lowerBound + row, across, into: line)
                    }
                }
                initialised = count
            }
        }
    }

    private func scaled(_ size: PixelSize, _ slopes: @escaping PerlinRows.Slopes) -> Scaled {
        Scaled(
            field: self, size: size, across: Taps(from: side, to: size.width, wraps: wrap.across),
            down: Taps(from: side, to: size.height, wraps: wrap.down), slopes: repeating(slopes))
    }

    /// Slopes that come again where the field wraps.
    private func repeating(_ slopes: @escaping PerlinRows.Slopes) -> PerlinRows.Slopes {
        let (cells, wrap) = (cells, wrap)
        return { octave, row, nodes, down, across in
            let count = cells << octave
            slopes(octave, wrap.down ? row % count : row, nodes, down, across)
            // A whole row of nodes ends with one that the first cell of the next repetition begins with.
            if wrap.across {
                down[nodes.count - 1] = down[0]
                across[nodes.count - 1] = across[0]
            }
        }
    }

    /// Source: Pillow, `ImageOps.autocontrast` with a cutoff of 0.
    fileprivate static func stretch(_ values: inout [UInt8], _ range: ClosedRange<UInt8>) {
        let (low, high) = (range.lowerBound, range.upperBound)
        guard high > low else { return }
        let scale = 255 / (Double(high) - Double(low))
        let table = (0...255).map { value in
            UInt8(max(0, min(255, Int(Double(value) * scale - Double(low) * scale))))
        }
        values.withUnsafeMutableBufferPointer { values in
            for i in values.indices { values[i] = table[Int(values[i])] }
        }
    }
}

/// Which two places of a line each place of another line lies between.
fileprivate struct Taps {
    var first: [Int] = []
    var second: [Int] = []
    /// What the second weighs, 0…1.
    var share: [Float] = []
    var isCopy: Bool

    init(from: Int, to: Int, wraps: Bool) {
        isCopy = from == to
        let scale = Float(from) / Float(to)
        for place in 0..<to {
            var exact = scale * (Float(place) + 0.5) - 0.5
            if !wraps { exact = max(0, exact) }
            let below = exact.rounded(.down)
            let index = Int(below)
            first.append(wraps ? (index + from) % from : min(index, from - 1))
            second.append(wraps ? (index + 1 + from) % from : min(index + 1, from - 1))
            share.append(exact - below)
        }
    }
}

/// The two rows of a field that are wanted next.
private struct FieldRows {
    let side: Int
    var rows: PerlinRows
    private var held: [(y: Int, values: [Float])]

    init(side: Int, rows: PerlinRows) {
        (self.side, self.rows) = (side, rows)
        held = []
    }

    /// Which of the held rows is row `y`, read where it is none of them.
    private mutating func row(_ y: Int, keeping other: Int?) -> Int {
        if let known = held.firstIndex(where: { $0.y == y }) { return known }
        var values: [Float]
        let place = held.count < 2 ? held.count : held[0].y == other ? 1 : 0
        if held.count < 2 {
            values = Array(repeating: 0.5, count: side)
            held.append((y, []))
        } else {
            values = held[place].values
            held[place].values = []
            for i in values.indices { values[i] = 0.5 }
        }
        values.withUnsafeMutableBufferPointer { values in
            if let base = values.baseAddress { rows.add(y, to: base) }
        }
        held[place] = (y, values)
        return place
    }

    /// One line of the picture, in whole 255ths.
    mutating func line(_ down: Taps, _ y: Int, _ across: Taps, into out: UnsafeMutableBufferPointer<UInt8>) {
        let upper = row(down.first[y], keeping: nil)
        let lower = down.share[y] == 0 ? upper : row(down.second[y], keeping: down.first[y])
        let (below, above) = (down.share[y], 1 - down.share[y])
        held[upper].values.withUnsafeBufferPointer { upper in
            held[lower].values.withUnsafeBufferPointer { lower in
                if across.isCopy {
                    for x in out.indices {
                        out.initializeElement(at: x, to: byte(above * upper[x] + below * lower[x]))
                    }
                    return
                }
                for x in out.indices {
                    let (first, second) = (across.first[x], across.second[x])
                    let (right, left) = (across.share[x], 1 - across.share[x])
                    let value =
                        above * (left * upper[first] + right * upper[second])
                        + below * (left * lower[first] + right * lower[second])
                    out.initializeElement(at: x, to: byte(value))
                }
            }
        }
    }
}

/// 0…1 as 0…255, cut.
private func byte(_ value: Float) -> UInt8 {
    let scaled = value * 255
    return UInt8(scaled > 0 ? (scaled < 255 ? scaled : 255) : 0)
}
