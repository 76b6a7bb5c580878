/// One size that a picture could be fitted to, as `fit --list` shows it.
package struct FitCandidate: Hashable, Sendable {
    package let size: PixelSize
    /// How much longer one side is than the wanted proportions say: 0 is exact, 0.05 five percent.
    package let aspectError: Double
    /// The area against the wanted one: 0 is the same, −0.25 a quarter less.
    package let areaChange: Double
    /// True when the proportions are held to the last bit.
    package let isExact: Bool
    /// True for the size that a fit takes by itself.
    package var isChosen = false
}

/// The size that is wanted, before multiples: sides in pixels, fractions allowed, and proportions as whole numbers.
struct FitWish {
    let width: Double
    let height: Double
    let aspect: PixelSize
    let multiple: Int
    let maxPixels: Int

    init(source: PixelSize, options: FitOptions) throws(FitError) {
        guard (1...FitOptions.largestMultiple).contains(options.multiple) else { throw .badMultiple(options.multiple) }
        guard !source.isEmpty else { throw .emptySize(source) }
        multiple = options.multiple
        var area = Double(source.area)
        switch options.goal {
        case .nearest:
            aspect = source
            maxPixels = .max
        case .size(let size):
            guard !size.isEmpty else { throw .emptySize(size) }
            aspect = size
            area = Double(size.area)
            maxPixels = .max
        case .aspect(let width, let height):
            guard width > 0, height > 0 else { throw .badAspect(width: width, height: height) }
            aspect = PixelSize(width: width, height: height)
            maxPixels = .max
        case .maxPixels(let limit):
            guard limit >= multiple * multiple else {
                throw .limitBelowMultiple(maxPixels: limit, multiple: multiple)
            }
            aspect = source
            area = min(area, Double(limit))
            // A smaller picture is not enlarged, unless it is smaller than one multiple.
            maxPixels = min(limit, max(source.area, multiple * multiple))
        }
        let ratio = Double(aspect.width) / Double(aspect.height)
        // The picture's own sides are taken as they are: a root would bring them back a hair off.
        let keeps = aspect == source && area == Double(source.area)
        width = keeps ? Double(source.width) : (area * ratio).squareRoot()
        height = keeps ? Double(source.height) : (area / ratio).squareRoot()
    }

    func candidate(_ columns: Int, _ rows: Int) -> FitCandidate {
        let size = PixelSize(width: columns * multiple, height: rows * multiple)
        let ratio = Double(size.width) / Double(size.height) * Double(aspect.height) / Double(aspect.width)
        let (left, over) = size.width.multipliedReportingOverflow(by: aspect.height)
        let (right, under) = size.height.multipliedReportingOverflow(by: aspect.width)
        let exact = !over && !under && left == right
        return FitCandidate(
            size: size, aspectError: exact ? 0 : max(ratio, 1 / ratio) - 1,
            areaChange: Double(size.width) * Double(size.height) / (width * height) - 1, isExact: exact)
    }

    private func isAllowed(_ one: FitCandidate) -> Bool { one.size.area <= maxPixels }

    /// Multiples on both sides of a length, at least one.
    private func around(_ length: Double) -> [Int] {
        let below = Int((length / Double(multiple)).rounded(.down))
        let above = Int((length / Double(multiple)).rounded(.up))
        return Array(Set([max(1, below), max(1, above)])).sorted()
    }

    /// The size that a fit takes by itself.
    ///
    /// The nearest multiple on each side, halves rounded up. Where that bends the proportions and a size less than one
    /// multiple away on each side holds them exactly, that one: 1000×800 becomes 960×768, of which nothing is cut,
    /// and not 1024×832. Under a pixel limit, the one of the multiples around that bends and shrinks least.
    var chosen: FitCandidate {
        func near(_ length: Double) -> Int { max(1, Int((length / Double(multiple) + 0.5).rounded(.down))) }
        let nearest = candidate(near(width), near(height))
        if nearest.isExact, isAllowed(nearest) { return nearest }
        let neighbours = around(width).flatMap { columns in around(height).map { candidate(columns, $0) } }
            .filter(isAllowed)
        func cost(_ one: FitCandidate) -> Double { one.aspectError + abs(one.areaChange) / 2 }
        if let exact = neighbours.filter(\.isExact).min(by: { cost($0) < cost($1) }) { return exact }
        if isAllowed(nearest) { return nearest }
        if let best = neighbours.min(by: { cost($0) < cost($1) }) { return best }
        // So thin that one multiple on the short side is already too much: the long side gives way.
        let longest = maxPixels / (multiple * multiple)
        return width >= height
            ? candidate(max(1, min(near(width), longest)), 1) : candidate(1, max(1, min(near(height), longest)))
    }

    /// Sizes of half to double the area, those of the truest proportions first; the chosen one is among them.
    func listed(_ count: Int) -> [FitCandidate] {
        var chosen = chosen
        chosen.isChosen = true
        let unit = Double(multiple)
        let lowest = max(1, Int((width * 0.7 / unit).rounded(.down)))
        let highest = max(lowest, Int((width * 1.42 / unit).rounded(.up)))
        var seen = Set([chosen.size])
        var found = [FitCandidate]()
        for columns in lowest...highest {
            for rows in around(Double(columns) * unit * height / width) {
                let one = candidate(columns, rows)
                guard isAllowed(one), (-0.5...1).contains(one.areaChange), seen.insert(one.size).inserted else {
                    continue
                }
                found.append(one)
            }
        }
        func comesFirst(_ one: FitCandidate, _ two: FitCandidate) -> Bool {
            if one.aspectError != two.aspectError { return one.aspectError < two.aspectError }
            if abs(one.areaChange) != abs(two.areaChange) { return abs(one.areaChange) < abs(two.areaChange) }
            return one.size.area < two.size.area
        }
        return ([chosen] + found.sorted(by: comesFirst).prefix(max(0, count - 1))).sorted(by: comesFirst)
    }
}
