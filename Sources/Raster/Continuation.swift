import Threads

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A picture drawn on beyond its sides, opaque there, some rows at a time. What was there is the same to the bit.
///
/// Memory: the picture's samples, and twice as floats.
package struct Continuation {
    private let picture: Picture
    private let margins: Margins
    /// Nil where nothing runs on.
    private let drawn: ContinuedFloats?
    private let threads: Threads

    package init(of picture: Picture, by margins: Margins, threads: Threads = Threads(1)) {
        (self.picture, self.margins, self.threads) = (picture, margins, threads)
        drawn =
            margins.isZero
            ? nil
            : ContinuedFloats(
                picture.floats(threads: threads).bleedingColours(threads: threads), margins, threads: threads)
    }

    /// These rows of the larger picture.
    package func strip(_ rows: Range<Int>) -> Picture {
        guard let drawn else {
            return picture.cropped(to: Rectangle(x: 0, y: rows.lowerBound, width: picture.width, height: rows.count))
        }
        var floats = drawn.rows(rows, threads: threads)
        if picture.channels.hasAlpha { floats = floats.with(alpha: FloatPicture(size: floats.size, colour: [1])) }
        let strip = floats.picture(depth: picture.depth, threads: threads)
        let own = rows.clamped(to: margins.top..<margins.top + picture.height)
        if own.isEmpty { return strip }
        let part = picture.cropped(
            to: Rectangle(x: 0, y: own.lowerBound - margins.top, width: picture.width, height: own.count))
        let around = Margins(
            left: margins.left, right: margins.right, top: own.lowerBound - rows.lowerBound,
            bottom: rows.upperBound - own.upperBound)
        return strip.with(part, at: around)
    }
}

extension Picture {
    /// The picture drawn on beyond its sides, opaque there: ``FloatPicture/continued(by:threads:)``. What was there is the same
    /// to the bit.
    package func continued(by margins: Margins, threads: Threads = Threads(1)) -> Picture {
        if margins.isZero { return self }
        let target = margins.around(size)
        return Continuation(of: self, by: margins, threads: threads).strip(0..<target.height).with(metadata: metadata)
    }
}

extension FloatPicture {
    /// The picture drawn on beyond its sides, for 1 or 3 channels without alpha; 0…1 outside, where it is 0…1 inside.
    ///
    /// It is taken apart into broad colours and what is finer. Broad colours go on as they changed towards the side, ever
    /// softer along it, and level out. What is finer is mirrored, each line of it turned so that it runs straight on across
    /// the side, and fades with distance. All four sides and corners are treated alike: the continuation of a mirrored
    /// picture is the mirrored continuation, to the bit.
    ///
    /// Sources: the way that lines run is the least-squares motion of Lucas and Kanade, "An Iterative Image Registration
    /// Technique" (1981), from one row of pixels to the next one inwards; how far a change is trusted is van Leer's minmod
    /// limiter (1974); broad and fine as in Burt and Adelson, "A Multiresolution Spline" (1983).
    package func continued(by margins: Margins, threads: Threads = Threads(1)) -> FloatPicture {
        if margins.isZero { return self }
        return ContinuedFloats(self, margins, threads: threads).rows(0..<margins.around(size).height, threads: threads)
    }
}

/// What is known of a picture to draw it on.
private struct ContinuedFloats {
    private let picture, broad: FloatPicture
    private let margins: Margins
    private let sides: Sides
    /// Half of what is finer is left at this distance.
    private let half: Float

    init(_ picture: FloatPicture, _ margins: Margins, threads: Threads) {
        precondition(picture.channelCount == 1 || picture.channelCount == 3, "alpha is not continued")
        let shorter = Float(min(picture.width, picture.height))
        let scale = min(16, max(3, shorter / 24))
        let broad = picture.smoothed(scale, threads: threads)
        let reach = max(margins.left, margins.right, margins.top, margins.bottom)
        sides = Sides { ContinuedSide(picture, broad, $0, scale: scale, reach: reach) }
        half = max(24, 0.25 * shorter)
        (self.picture, self.broad, self.margins) = (picture, broad, margins)
    }

    /// These rows of the larger picture.
    func rows(_ rows: Range<Int>, threads: Threads) -> FloatPicture {
        let (size, channels) = (picture.size, picture.channelCount)
        let width = margins.around(size).width
        var result = FloatPicture(
            size: PixelSize(width: width, height: rows.count), channelCount: channels,
            values: [Float](repeating: 0, count: width * rows.count * channels))
        result.values.withUnsafeMutableBufferPointer { out in
            threads.forRanges(rows.count, grain: 8) { range in
                for row in range {
                    for column in 0..<width {
                        let (x, y) = (column - margins.left, rows.lowerBound + row - margins.top)
                        let place = (row * width + column) * channels
                        if x >= 0, y >= 0, x < size.width, y < size.height {
                            for channel in 0..<channels { out[place + channel] = picture[x, y, channel] }
                            continue
                        }
                        let beyond = Beyond(x, y, size)
                        let fade = 1 / (1 + beyond.squared / (half * half))
                        let (across, down) = sides.shift(beyond)
                        let source = (reflected(x, count: size.width), reflected(y, count: size.height))
                        for channel in 0..<channels {
                            let colour = sides.colour(beyond, broad, channel)
                            let detail = fine(source.0, across, source.1, down, channel)
                            out[place + channel] = min(1, max(0, colour + fade * detail))
                        }
                    }
                }
            }
        }
        return result
    }

    /// What is finer, a fraction of a pixel away from a pixel, mirrored at the sides. Shifts in 256ths of a pixel are exact, so
    /// that the mirrored picture has the same value at the mirrored place.
    private func fine(_ x: Int, _ across: Int, _ y: Int, _ down: Int, _ channel: Int) -> Float {
        let (left, top) = (x + across >> 8, y + down >> 8)
        let (u, v) = (Float(across & 255) / 256, Float(down & 255) / 256)
        func at(_ x: Int, _ y: Int) -> Float {
            let (x, y) = (reflected(x, count: picture.width), reflected(y, count: picture.height))
            return picture[x, y, channel] - broad[x, y, channel]
        }
        let upper = at(left, top) * (1 - u) + at(left + 1, top) * u
        if v == 0 { return upper }
        return upper * (1 - v) + (at(left, top + 1) * (1 - u) + at(left + 1, top + 1) * u) * v
    }
}

/// Where a pixel beyond a picture lies.
private struct Beyond {
    /// Pixels to the nearest row or column of the picture, 0 between its sides.
    let across, down: Int
    let isLeft, isAbove: Bool
    /// The nearest pixel of the picture.
    let x, y: Int

    init(_ x: Int, _ y: Int, _ size: PixelSize) {
        (self.x, self.y) = (min(max(x, 0), size.width - 1), min(max(y, 0), size.height - 1))
        (across, down) = (abs(x - self.x), abs(y - self.y))
        (isLeft, isAbove) = (x < 0, y < 0)
    }

    var squared: Float { Float(across * across + down * down) }
}

/// The four sides of a picture.
private struct Sides {
    let left, right, top, bottom: ContinuedSide

    init(_ side: (Side) -> ContinuedSide) {
        (left, right) = (side(.left), side(.right))
        (top, bottom) = (side(.top), side(.bottom))
    }

    /// How far from its mirrored place a pixel's detail is taken, so that lines run straight on, in 256ths of a pixel.
    func shift(_ p: Beyond) -> (across: Int, down: Int) {
        let down = p.across == 0 ? 0 : (p.isLeft ? left : right).lean(p.y, p.across)
        let across = p.down == 0 ? 0 : (p.isAbove ? top : bottom).lean(p.x, p.down)
        return (2 * across * p.down, 2 * down * p.across)
    }

    /// The broad colour: of one side, or at a corner what both add to the corner's own.
    func colour(_ p: Beyond, _ broad: FloatPicture, _ channel: Int) -> Float {
        let across = p.across == 0 ? nil : (p.isLeft ? left : right).colour(p.y, p.across, channel)
        let down = p.down == 0 ? nil : (p.isAbove ? top : bottom).colour(p.x, p.down, channel)
        guard let across, let down else { return across ?? down ?? 0 }
        return across + down - broad[p.x, p.y, channel]
    }
}

private enum Side {
    case left, right, top, bottom

    /// Pixels along it, and from it inwards.
    func lengths(_ size: PixelSize) -> (along: Int, inwards: Int) {
        self == .left || self == .right ? (size.height, size.width) : (size.width, size.height)
    }

    func value(_ picture: FloatPicture, _ along: Int, _ inwards: Int, _ channel: Int) -> Float {
        switch self {
        case .left: picture[inwards, along, channel]
        case .right: picture[picture.width - 1 - inwards, along, channel]
        case .top: picture[along, inwards, channel]
        case .bottom: picture[along, picture.height - 1 - inwards, channel]
        }
    }
}

/// What is known along one side of a picture, ever broader with the distance from it.
private struct ContinuedSide {
    private let count, channels: Int
    private let scale: Float
    /// For each breadth, each place and channel: the broad colour, and how it changes with each pixel outwards along the
    /// lines that run there.
    private let colours, changes: [[Float]]
    /// For each breadth and place, how far lines run along the side with each pixel inwards, in 256ths of a pixel.
    private let leans: [[Float]]

    /// The most that a colour is continued to change by, 0…1.
    private static let mostChange: Float = 0.15
    /// Lines that are flatter to the side than this are not followed.
    private static let mostLean: Float = 1.5

    init(_ picture: FloatPicture, _ broad: FloatPicture, _ side: Side, scale: Float, reach: Int) {
        let (along, inwards) = side.lengths(picture.size)
        let channels = picture.channelCount
        (count, self.channels, self.scale) = (along, channels, scale)
        let motion = Motion(picture, side)
        var breadths: [Float] = [scale]
        while let last = breadths.last, last < Float(reach), last < Float(along) { breadths.append(2 * last) }
        let leans = breadths.map { motion.leans($0, most: Self.mostLean).map { ($0 * 256).rounded() } }
        var colour: [Float] = []
        for place in 0..<along {
            for channel in 0..<channels { colour.append(side.value(broad, place, 0, channel)) }
        }
        colours = breadths.indices.map { level in
            level == 0 ? colour : smoothedLine(colour, channels, breadths[level], isContinued: true)
        }
        let step = max(1, min(Int(2 * scale), (inwards - 1) / 2))
        changes = breadths.indices.map { level in
            var change: [Float] = []
            for place in 0..<along {
                for channel in 0..<channels {
                    func at(_ depth: Int) -> Float {
                        let shift = Int(leans[level][place]) * depth
                        let (first, part) = (place + shift >> 8, Float(shift & 255) / 256)
                        func value(_ place: Int) -> Float {
                            side.value(broad, min(max(place, 0), along - 1), depth, channel)
                        }
                        return part == 0 ? value(first) : value(first) * (1 - part) + value(first + 1) * part
                    }
                    let (near, far) = inwards < 3 ? (0, 0) : (at(0) - at(step), at(step) - at(2 * step))
                    // A change goes on where it was the same one further in, and no edge.
                    change.append(
                        near * far <= 0 ? 0 : (near < 0 ? -1 : 1) * min(abs(near), abs(far)) / Float(step))
                }
            }
            return smoothedLine(change, channels, breadths[level])
        }
        self.leans = leans
    }

    /// Which two breadths belong to a distance, and how far it is from one to the other.
    private func breadth(_ distance: Int) -> (Int, Int, Float) {
        let exact = min(Float(colours.count - 1), log2f(1 + Float(distance) / (2 * scale)))
        let level = Int(exact)
        return (level, min(level + 1, colours.count - 1), exact - Float(level))
    }

    /// In 256ths of a pixel along for each pixel inwards.
    func lean(_ place: Int, _ distance: Int) -> Int {
        let (narrow, wide, share) = breadth(distance)
        let (a, b) = (leans[narrow][place], leans[wide][place])
        return Int((a + share * (b - a)).rounded())
    }

    func colour(_ place: Int, _ distance: Int, _ channel: Int) -> Float {
        let (narrow, wide, share) = breadth(distance)
        // Lines run on: the colour is the one where they left the side.
        let shift = lean(place, distance) * distance
        let (first, part) = (place + shift >> 8, Float(shift & 255) / 256)
        func known(_ levels: [[Float]], _ place: Int) -> Float {
            let index = min(max(place, 0), count - 1) * channels + channel
            return levels[narrow][index] + share * (levels[wide][index] - levels[narrow][index])
        }
        // Beyond the side's ends it goes on point by point as it came.
        func coloured(_ place: Int) -> Float {
            let own = known(colours, place)
            if place >= 0, place < count { return own }
            return own + Self.limited(own - known(colours, place < 0 ? -place : 2 * (count - 1) - place))
        }
        func between(_ value: (Int) -> Float) -> Float {
            part == 0 ? value(first) : value(first) * (1 - part) + value(first + 1) * part
        }
        return between(coloured) + Self.limited(between { known(changes, $0) } * Float(distance))
    }

    private static func limited(_ change: Float) -> Float { mostChange * tanhf(change / mostChange) }
}

/// How a picture moves along a side from each row of pixels to the next one inwards, as sums over a strip along that side.
private struct Motion {
    /// Squared differences inwards, their products with those along, and squared differences along, for each place.
    private var inwards, both, along: [Float]

    init(_ picture: FloatPicture, _ side: Side) {
        let (count, depth) = side.lengths(picture.size)
        (inwards, both, along) = ([Float](repeating: 0, count: count), [], [])
        (both, along) = (inwards, inwards)
        let strip = min(16, depth - 2)
        guard strip > 0, count > 2 else { return }
        for place in 0..<count {
            let (before, after) = (reflected(place - 1, count: count), reflected(place + 1, count: count))
            for row in 1...strip {
                let weight = 1 - Float(row) / Float(strip + 1)
                for channel in 0..<picture.channelCount {
                    func at(_ place: Int, _ row: Int) -> Float { side.value(picture, place, row, channel) }
                    let inward = at(place, row + 1) - at(place, row - 1)
                    let onward = at(after, row) - at(before, row)
                    inwards[place] += weight * inward * inward
                    both[place] += weight * inward * onward
                    along[place] += weight * onward * onward
                }
            }
        }
    }

    /// Pixels along for each pixel inwards, 0 where no lines run or they run in many ways.
    func leans(_ breadth: Float, most: Float) -> [Float] {
        let sums = [inwards, both, along].map { smoothedLine($0, 1, breadth) }
        return sums[0].indices.map { place in
            let (inwards, both, along) = (sums[0][place], sums[1][place], sums[2][place])
            let coherence = both * both / (inwards * along + 1e-12)
            return min(most, max(-most, -both / (along + 1e-3) * min(1, coherence)))
        }
    }
}
