/// Where two pictures of one size differ, counted to the bit.
package struct PictureDifference: Hashable, Sendable {
    /// Pixels that were looked at.
    package private(set) var compared = 0
    /// Pixels with a sample that differs by more than the tolerance.
    package private(set) var count = 0
    /// The smallest rectangle around them; nil where there is none.
    package private(set) var box: Rectangle?
    /// The largest difference of a sample, within the tolerance or not. Units: values at the first picture's depth; of floats
    /// those of 16 bits, rounded up.
    package private(set) var largest = 0

    /// Compares every sample, alpha and what transparent pixels hide too, at the depth of `before`. Grey counts as
    /// colour and a picture without alpha as opaque where the other one is or has it.
    ///
    /// - Parameters:
    ///   - tolerance: how much a sample may differ
    ///   - isCompared: which pixels are looked at
    package init(
        _ before: Picture, _ after: Picture, tolerance: Int = 0,
        where isCompared: (_ pixel: Int) -> Bool = { _ in true }
    ) {
        precondition(before.size == after.size, "pictures of one size are compared")
        let channels = Picture.Channels.holding([before.channels, after.channels])
        let count = channels.count
        let (first, second) = (before.holding(channels), after.converted(depth: before.depth).holding(channels))
        func compare<Sample: Equatable>(
            _ first: [Sample], _ second: [Sample], _ distance: (_ one: Sample, _ other: Sample) -> Int
        ) {
            var (left, top, right, bottom) = (Int.max, Int.max, -1, -1)
            for y in 0..<before.height {
                for x in 0..<before.width {
                    let pixel = y * before.width + x
                    guard isCompared(pixel) else { continue }
                    compared += 1
                    var worst = 0
                    for sample in pixel * count..<(pixel + 1) * count where first[sample] != second[sample] {
                        worst = max(worst, distance(first[sample], second[sample]))
                    }
                    largest = max(largest, worst)
                    guard worst > tolerance else { continue }
                    self.count += 1
                    (left, right) = (min(left, x), max(right, x))
                    (top, bottom) = (min(top, y), max(bottom, y))
                }
            }
            if right >= 0 { box = Rectangle(x: left, y: top, width: right - left + 1, height: bottom - top + 1) }
        }
        switch (first.samples, second.samples) {
        case (.eight(let first), .eight(let second)): compare(first, second) { abs(Int($0) - Int($1)) }
        case (.sixteen(let first), .sixteen(let second)): compare(first, second) { abs(Int($0) - Int($1)) }
        case (.float(let first), .float(let second)): compare(first, second, Self.distance)
        default: preconditionFailure("both were brought to one depth")
        }
    }

    /// Between floats, of which every bit counts.
    private static func distance(_ one: Float, _ other: Float) -> Int {
        if one.bitPattern == other.bitPattern || one == other { return 0 }
        let distance = (abs(one - other) * 65_535).rounded(.up)
        return distance < 1e9 ? Int(distance) : 1_000_000_000
    }
}
