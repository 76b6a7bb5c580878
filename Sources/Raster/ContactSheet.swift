import Threads

/// Several pictures side by side on a dark ground, each with lines of text below it.
package struct ContactSheet: Sendable {
    package struct Entry: Sendable {
        package var picture: Picture
        package var labels: [String]

        package init(_ picture: Picture, labels: [String]) {
            self.picture = picture
            self.labels = labels
        }
    }

    package var entries: [Entry]
    /// The sheet is at most this wide; pictures are reduced together, never enlarged. Units: pixels.
    package var widest: Int
    package var mostColumns: Int

    package init(_ entries: [Entry], widest: Int = 8000, mostColumns: Int = 4) {
        precondition(!entries.isEmpty && mostColumns > 0 && widest > 0, "a sheet has something on it")
        self.entries = entries
        self.widest = widest
        self.mostColumns = mostColumns
    }

    /// Columns: as few rows as the limit allows, filled as evenly as they can be. Six pictures are two rows of three.
    package var columns: Int {
        let rows = (entries.count + mostColumns - 1) / mostColumns
        return (entries.count + rows - 1) / rows
    }

    private static let ground: [UInt8] = [30, 30, 30]
    private static let ink: [UInt8] = [225, 225, 225]
    private static let faintInk: [UInt8] = [150, 150, 150]

    /// The sheet: 8-bit RGB. Transparent pixels show the ground; the first line of a label is brighter than the others.
    package func picture(threads: Threads = Threads(1)) -> Picture {
        let layout = Layout(self)
        var sheet = [UInt8]()
        sheet.reserveCapacity(layout.size.area * 3)
        for _ in 0..<layout.size.area { sheet.append(contentsOf: Self.ground) }
        for (index, entry) in entries.enumerated() {
            let (x, y) = layout.origin(index)
            let shown = layout.shown(entry.picture.size)
            let picture = entry.picture.converted(depth: 8).colour().resized(to: shown, threads: threads)
            // Pictures smaller than their cell stand on the labels, in the middle.
            let left = x + (layout.cell.width - shown.width) / 2
            let top = y + layout.cell.height - shown.height
            Self.lay(picture, at: left, top, on: &sheet, width: layout.size.width)
            for (line, label) in entry.labels.enumerated() {
                let text = layout.lettering.shortened(label, toFit: layout.cell.width)
                layout.lettering.draw(
                    text, at: x, y + layout.cell.height + layout.gap + line * layout.lettering.lineHeight,
                    colour: line == 0 ? Self.ink : Self.faintInk, on: &sheet, size: layout.size)
            }
        }
        return Picture(size: layout.size, channels: .rgb, eight: sheet)
    }

    private static func lay(_ picture: Picture, at left: Int, _ top: Int, on sheet: inout [UInt8], width: Int) {
        guard case .eight(let bytes) = picture.samples else { return }
        let count = picture.channels.count
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                let source = (y * picture.width + x) * count
                let target = ((top + y) * width + left + x) * 3
                let alpha = count == 4 ? Int(bytes[source + 3]) : 255
                for channel in 0..<3 {
                    let mixed = Int(bytes[source + channel]) * alpha + Int(ground[channel]) * (255 - alpha)
                    sheet[target + channel] = UInt8((mixed + 127) / 255)
                }
            }
        }
    }

    /// Where everything stands. Units: pixels of the sheet.
    private struct Layout {
        let columns: Int
        let scale: Double
        /// Room for a picture.
        let cell: PixelSize
        let lettering: Lettering
        /// Between a picture and its first line.
        let gap: Int
        let margin: Int
        let size: PixelSize
        private let rowHeight: Int

        init(_ sheet: ContactSheet) {
            columns = sheet.columns
            let widestPicture = sheet.entries.map(\.picture.width).max() ?? 1
            let tallest = sheet.entries.map(\.picture.height).max() ?? 1
            // Margins are cut off the width first; on a sheet too narrow for them there are none.
            let wanted = max(8, min(64, widestPicture / 24))
            margin = (columns + 1) * wanted * 2 <= sheet.widest ? wanted : 0
            let room = max(1, (sheet.widest - (columns + 1) * margin) / columns)
            scale = min(1, Double(room) / Double(widestPicture))
            // Labels of small pictures need some room of their own.
            let narrowest = min(room, 240)
            cell = PixelSize(
                width: max(narrowest, min(room, Int((Double(widestPicture) * scale).rounded()))),
                height: max(1, Int((Double(tallest) * scale).rounded())))
            let lines = sheet.entries.map(\.labels.count).max() ?? 0
            lettering = Self.lettering(sheet.entries.flatMap(\.labels), width: cell.width)
            gap = lines == 0 ? 0 : Int((3 * lettering.scale).rounded())
            rowHeight = cell.height + gap + lines * lettering.lineHeight
            let rows = (sheet.entries.count + columns - 1) / columns
            size = PixelSize(
                width: columns * cell.width + (columns + 1) * margin, height: rows * rowHeight + (rows + 1) * margin)
        }

        /// Letters as tall as suits the cell, made smaller while a line is too long, but never illegible.
        private static func lettering(_ labels: [String], width: Int) -> Lettering {
            var scale = max(1.5, min(8, (Double(width) / 160).rounded(.down) / 2 + 1))
            while scale > 1.5, labels.contains(where: { Lettering(scale: scale).width(of: $0) > width }) {
                scale -= 0.25
            }
            return Lettering(scale: max(1.5, scale))
        }

        func origin(_ index: Int) -> (x: Int, y: Int) {
            (
                margin + index % columns * (cell.width + margin),
                margin + index / columns * (rowHeight + margin)
            )
        }

        func shown(_ source: PixelSize) -> PixelSize {
            PixelSize(
                width: max(1, min(cell.width, Int((Double(source.width) * scale).rounded()))),
                height: max(1, min(cell.height, Int((Double(source.height) * scale).rounded()))))
        }
    }
}
