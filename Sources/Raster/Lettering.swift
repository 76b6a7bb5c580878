/// Short labels drawn with a round pen along the built-in alphabet, smooth at any scale from 1 up.
///
/// Each character of ``Glyphs`` is a set of dots on a grid; dots side by side are joined by strokes, dots corner to
/// corner only where no third dot joins them already. What is drawn is how much of each pixel the strokes cover.
package struct Lettering: Hashable, Sendable {
    /// Pixels a grid step: letters are 7 steps tall, a line 11.
    package let scale: Double

    package init(scale: Double) {
        precondition(scale > 0, "letters have a size")
        self.scale = scale
    }

    /// Distance from the top of one line to the top of the next, in pixels.
    package var lineHeight: Int { Int((11 * scale).rounded(.up)) }

    /// Width of a text in pixels.
    package func width(of text: String) -> Int {
        Int((Double(steps(of: text)) * scale).rounded(.up))
    }

    /// The text, or as much of its beginning as fits with "…" behind it; empty when not even that fits.
    package func shortened(_ text: String, toFit width: Int) -> String {
        if self.width(of: text) <= width { return text }
        var rest = Substring(text)
        while !rest.isEmpty {
            rest = rest.dropLast()
            if self.width(of: rest + "…") <= width { return rest + "…" }
        }
        return ""
    }

    /// Draws a text with the top left corner of its line at (x, y); what lies outside the picture is left out.
    ///
    /// - Parameter colour: one value for each channel of the picture.
    package func draw(_ text: String, at x: Int, _ y: Int, colour: [Float], on picture: inout FloatPicture) {
        precondition(colour.count == picture.channelCount, "a colour for each channel")
        cover(text, x, y, picture.size) { place, coverage in
            for channel in colour.indices {
                let index = place * colour.count + channel
                picture.values[index] += (colour[channel] - picture.values[index]) * coverage
            }
        }
    }

    /// As above, on the bytes of an 8-bit picture.
    func draw(
        _ text: String, at x: Int, _ y: Int, colour: [UInt8], on bytes: inout [UInt8], size: PixelSize
    ) {
        cover(text, x, y, size) { place, coverage in
            for channel in colour.indices {
                let index = place * colour.count + channel
                let value = Float(bytes[index])
                bytes[index] = UInt8(value + (Float(colour[channel]) - value) * coverage + 0.5)
            }
        }
    }

    /// Grid steps that a text takes: each character's columns and one between.
    private func steps(of text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + Glyphs.columns(of: $1).count + 1 }
    }

    private func cover(_ text: String, _ x: Int, _ y: Int, _ size: PixelSize, _ body: (Int, Float) -> Void) {
        var left = Double(x)
        for character in text.unicodeScalars {
            let columns = Array(Glyphs.columns(of: character))
            coverGlyph(Strokes(columns), left: left, top: Double(y), columns.count, size, body)
            left += Double(columns.count + 1) * scale
        }
    }

    private func coverGlyph(
        _ strokes: Strokes, left: Double, top: Double, _ columns: Int, _ size: PixelSize, _ body: (Int, Float) -> Void
    ) {
        // Half the pen's width, in grid steps; a little over half a step, so that small letters stay clear.
        let radius = 0.52
        let firstX = max(0, Int(left - scale))
        let endX = min(size.width, Int(left + Double(columns + 1) * scale) + 1)
        let firstY = max(0, Int(top - scale))
        let endY = min(size.height, Int(top + Double(Glyphs.rows + 2) * scale) + 1)
        guard firstX < endX, firstY < endY else { return }
        for row in firstY..<endY {
            for column in firstX..<endX {
                // Grid dots lie in the middle of their steps; the line has one step of room above.
                let gridX = (Double(column) + 0.5 - left) / scale - 0.5
                let gridY = (Double(row) + 0.5 - top) / scale - 1.5
                let coverage = (radius - strokes.distance(gridX, gridY)) * scale + 0.5
                if coverage > 0 { body(row * size.width + column, Float(min(1, coverage))) }
            }
        }
    }
}

/// The strokes of one character, in grid steps.
private struct Strokes {
    private var lines: [(x: Double, y: Double, dx: Double, dy: Double)] = []

    init(_ columns: [UInt8]) {
        func dot(_ x: Int, _ y: Int) -> Bool {
            columns.indices.contains(x) && (0..<Glyphs.rows).contains(y) && columns[x] >> UInt8(y) & 1 == 1
        }
        for x in columns.indices {
            for y in 0..<Glyphs.rows where dot(x, y) {
                lines.append((Double(x), Double(y), 0, 0))
                if dot(x + 1, y) { lines.append((Double(x), Double(y), 1, 0)) }
                if dot(x, y + 1) { lines.append((Double(x), Double(y), 0, 1)) }
                if dot(x + 1, y + 1), !dot(x + 1, y), !dot(x, y + 1) { lines.append((Double(x), Double(y), 1, 1)) }
                if dot(x + 1, y - 1), !dot(x + 1, y), !dot(x, y - 1) { lines.append((Double(x), Double(y), 1, -1)) }
            }
        }
    }

    /// From a point to the nearest stroke.
    func distance(_ x: Double, _ y: Double) -> Double {
        var nearest = Double.infinity
        for line in lines {
            let (px, py) = (x - line.x, y - line.y)
            let length = line.dx * line.dx + line.dy * line.dy
            let along = length == 0 ? 0 : max(0, min(1, (px * line.dx + py * line.dy) / length))
            let (ox, oy) = (px - along * line.dx, py - along * line.dy)
            nearest = min(nearest, ox * ox + oy * oy)
        }
        return nearest.squareRoot()
    }
}
