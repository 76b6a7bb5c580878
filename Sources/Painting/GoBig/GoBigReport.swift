import Raster
import RasterFiles
import Threads

/// One page, with everything inside it, on which an enlarged picture is compared with what was painted: a slider, the tiles,
/// how much each changed, and how much their boundaries show.
package struct GoBigReport {
    private let painting: TilePainting
    private let result: PixelStore
    private let title: String
    private let threads: Threads
    private let score: SeamScore

    /// - Parameter result: 16 bits, or the enlarged source itself where nothing was painted
    /// - Throws: ``PictureFileError``
    package init(_ painting: TilePainting, result: PixelStore, title: String, threads: Threads) throws {
        (self.painting, self.result, self.title, self.threads) = (painting, result, title, threads)
        score =
            try result.depth == 16 ? SeamScore(painting.plan, result: result, source: painting.enlarged) : SeamScore()
    }

    /// "24 seams: fine 0.98 (other lines 1.02), broad 0.40 levels (other lines 0.37)"
    package var summary: String {
        guard !score.edges.isEmpty else { return "no seams: everything was painted in one tile, or nothing was" }
        func two(_ value: Double) -> String { JSONText.number((value * 100).rounded() / 100).string }
        return
            "\(score.edges.count) seams: fine \(two(score.fine.edges)) (other lines \(two(score.fine.others))), broad \(two(score.broad.edges)) levels (other lines \(two(score.broad.others)))"
    }

    /// - Throws: ``PictureFileError`` when a preview cannot be encoded
    package func html() throws -> String {
        let plan = painting.plan
        let (before, after) = (try preview(painting.enlarged), try preview(result))
        let size = plan.size
        let rectangles = plan.tiles.map { tile in
            let frame = plan.covered(by: tile)
            return
                "<rect x=\(frame.x) y=\(frame.y) width=\(frame.width) height=\(frame.height) data-tile=\(tile.index)><title>tile \(tile.index + 1), \(frame)</title></rect>"
        }.joined(separator: "\n")
        let seams = score.edges.map { edge in
            edge.isUpright
                ? "<line x1=\(edge.at) x2=\(edge.at) y1=\(edge.from) y2=\(edge.to)></line>"
                : "<line y1=\(edge.at) y2=\(edge.at) x1=\(edge.from) x2=\(edge.to)></line>"
        }.joined(separator: "\n")
        let box = "viewBox=\"0 0 \(size.width) \(size.height)\" preserveAspectRatio=none hidden"
        let pictures = """
            <img src="\(after)" alt="what was painted"><img id=over src="\(before)" alt="the enlarged source">
            <svg id=tiles \(box)>\(rectangles)</svg>
            <svg id=seams \(box)>\(seams)</svg>
            """
        return """
            \(SliderPage.head(title: "\(title) – gobig", size: size))
            <style>
            h2{font-weight:normal;font-size:1.1em;margin:1.6em 0 .3em}p{color:#b9b2a6;margin:.2em 0 1em}
            rect{fill:none;stroke:#d9b36c;stroke-opacity:.6;vector-effect:non-scaling-stroke}
            line{stroke:#e06c5c;vector-effect:non-scaling-stroke;stroke-width:1.5}
            input[type=checkbox]{accent-color:#d9b36c}label{margin-right:1.2em}
            table{border-collapse:collapse;font-size:.9em}td,th{text-align:right;padding:2px 14px 2px 0;font-weight:normal}th{color:#b9b2a6}
            td:first-child,th:first-child{text-align:left}
            .cuts{display:flex;flex-wrap:wrap;gap:12px}figure{margin:0}figcaption{font-size:.8em;color:#b9b2a6}
            </style>
            <h1>\(SliderPage.escaped(title))</h1>
            <p>\(size), \(plan.tiles.count) tile\(plan.tiles.count == 1 ? "" : "s"). Left of the line the enlarged source, right of it what was painted.</p>
            \(SliderPage.view(pictures))
            <label><input type=checkbox id=showtiles> tiles</label><label><input type=checkbox id=showseams> seams</label>
            <h2>Seams</h2>\(try seamTable())
            <h2>Tiles</h2>\(try tileTable())
            <script>
            \(SliderPage.script)
            for(const n of ['tiles','seams'])$('show'+n).onchange=e=>$(n).toggleAttribute('hidden',!e.target.checked);
            move();
            </script>

            """
    }

    private func preview(_ store: PixelStore) throws -> String {
        let size = store.size
        let longer = max(size.width, size.height)
        func side(_ length: Int) -> Int { max(1, length * min(longer, SliderPage.longest) / longer) }
        let small = PixelSize(width: side(size.width), height: side(size.height))
        var whole: Picture?
        try store.resized(to: small, threads: threads) { strip, y in
            var picture = whole ?? strip.spread(over: small)
            picture.put(strip, x: 0, y: y)
            whole = picture
        }
        return try whole.map {
            try SliderPage.address(of: painting.goBig.space.shown($0, threads: threads), threads: threads)
        } ?? ""
    }

    private static func rounded(_ value: Double) -> String { JSONText.number((value * 100).rounded() / 100).string }

    /// The worst boundaries first, each with a cut of the result.
    private func seamTable() throws -> String {
        guard !score.edges.isEmpty else { return "<p>There are none.</p>" }
        let (fine, broad) = (score.fine, score.broad)
        let rows = score.edges.prefix(12).map { edge in
            "<tr><td>\(edge.place)</td><td>\(Self.rounded(edge.fine))</td><td>\(Self.rounded(edge.broad))</td></tr>"
        }.joined(separator: "\n")
        let cuts = try score.edges.prefix(4).map { edge in
            let middle = (edge.from + edge.to) / 2
            let (x, y) = edge.isUpright ? (edge.at, middle) : (middle, edge.at)
            let side = min(256, min(result.size.width, result.size.height))
            let cut = Rectangle(
                x: max(0, min(result.size.width - side, x - side / 2)),
                y: max(0, min(result.size.height - side, y - side / 2)), width: side, height: side)
            let shown = painting.goBig.space.shown(try result.read(cut), threads: threads)
            let address = try SliderPage.address(of: shown, threads: threads)
            return
                "<figure><img src=\"\(address)\" width=\(side) height=\(side) alt=\"\"><figcaption>around \(x), \(y)</figcaption></figure>"
        }.joined()
        return """
            <p><em>fine</em> is the step across a boundary beside the steps across the lines around it: its 95th percentile is \(Self.rounded(fine.edges)), over as many lines that are no boundaries \(Self.rounded(fine.others)).
            <em>broad</em> is how far colours on both sides were changed apart, in levels of 255: its median is \(Self.rounded(broad.edges)), elsewhere \(Self.rounded(broad.others)). Worst first:</p>
            <table><tr><th>boundary</th><th>fine</th><th>broad</th></tr>\(rows)</table>
            <div class=cuts>\(cuts)</div>
            """
    }

    private func tileTable() throws -> String {
        let rows = try painting.plan.tiles.map { tile -> String in
            let frame = painting.plan.covered(by: tile)
            let seconds = painting.tellings[tile.index].map { Self.rounded($0.seconds) + " s" }
            guard let picture = try painting.picture(tile) else {
                return "<tr><td>\(tile.index + 1)</td><td>\(frame)</td><td>nothing to paint</td><td></td></tr>"
            }
            let part = frame.moved(x: -tile.frame.x, y: -tile.frame.y)
            let space = painting.goBig.space
            let change = Similarity.meanColourDifference(
                space.seen(try painting.enlarged.read(frame).floats().droppingAlpha().colour()),
                space.seen(picture.cropped(to: part).floats().colour()), threads: threads)
            return
                "<tr><td>\(tile.index + 1)</td><td>\(frame)</td><td>ΔE \(Self.rounded(change))</td><td>\(seconds ?? "was there")</td></tr>"
        }
        return
            "<table><tr><th>tile</th><th>frame</th><th>change</th><th>time</th></tr>\(rows.joined(separator: "\n"))</table>"
    }
}
