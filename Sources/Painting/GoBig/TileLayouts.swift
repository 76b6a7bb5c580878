import Raster

// The layouts of other tools, tile for tile.

extension TilePlan {
    /// Source: lowfuel's ProgRockDiffusion, `prd.py`, `grid_slice` with "vertical": columns of the full height. The last ones
    /// may reach past the right side.
    static func progrock(_ wish: Wish, _ size: PixelSize) -> [Tile] {
        let overlap = 64
        var slices = Int(wish.scale * wish.scale) + 1
        // Where a column would have no width it gets the least.
        let width = max(64, 64 * (size.width / slices / 64))
        var rest = size.width - width * slices
        while rest > 0 {
            slices += 1
            rest -= width
        }
        return (0..<slices).map { slice in
            Tile(
                index: 0, wave: 0,
                frame: Rectangle(x: slice * width, y: 0, width: width + overlap, height: size.height),
                feather: slice == 0 ? .seams(.init(), smooth: false) : .left, seesPainted: false,
                seedOffset: UInt64(slice) + 1)
        }.filter { $0.frame.x < size.width }
    }

    /// Where tiles begin, in the order in which they are painted, and the size that they would fill.
    ///
    /// Source: lowfuel's progrock-stable, `prs.py`, `grid_coords`.
    private static func fromTheMiddle(_ wish: Wish, _ size: PixelSize) -> (
        places: [(x: Int, y: Int)], filled: PixelSize
    ) {
        let tile = wish.tile
        let (stepX, stepY) = (tile.width - wish.overlap, tile.height - wish.overlap)
        let middle = (x: size.width / 2 - tile.width / 2, y: size.height / 2 - tile.height / 2)
        var (up, down, left, right): ([(x: Int, y: Int)], [(x: Int, y: Int)], [(x: Int, y: Int)], [(x: Int, y: Int)]) =
            ([], [], [], [])
        func column(_ x: Int) {
            var y = middle.y
            while y > 0 {
                y -= stepY
                up.append((x, y))
            }
            y = middle.y
            while y + tile.height <= size.height {
                y += stepY
                down.append((x, y))
            }
        }
        column(middle.x)
        var x = middle.x
        while x > 0 {
            x -= stepX
            left.append((x, middle.y))
            column(x)
        }
        x = middle.x
        while x + tile.width <= size.width {
            x += stepX
            right.append((x, middle.y))
            column(x)
        }
        // Tiles reach as far past the left and top as past the right and bottom.
        let last = down.last ?? middle
        let (across, height) = (last.x + tile.width, last.y + tile.height)
        let (width, tall) = (2 * across - size.width, 2 * height - size.height)
        let scale = min(Double(width) / Double(size.width), Double(tall) / Double(size.height))
        let filled = PixelSize(width: Int(Double(size.width) * scale), height: Int(Double(size.height) * scale))
        return (down.reversed() + up.reversed() + right.reversed() + left.reversed() + [middle], filled)
    }

    static func progrockGrid(_ wish: Wish, _ size: PixelSize) -> [Tile] {
        fromTheMiddle(wish, size).places.enumerated().map { index, place in
            Tile(
                index: 0, wave: 0,
                frame: Rectangle(x: place.x, y: place.y, width: wish.tile.width, height: wish.tile.height),
                feather: .frame(overlap: wish.overlap), seesPainted: false, seedOffset: UInt64(index) + 1)
        }.filter { tile in
            // Without an overlap the last ones lie wholly beside the picture.
            let frame = tile.frame
            return frame.x < size.width && frame.y < size.height && frame.x + frame.width > 0
                && frame.y + frame.height > 0
        }
    }

    /// The size that progrock-stable enlarges to, so that its tiles fill it (`gobig_maximize`).
    package static func maximized(_ wish: Wish, _ size: PixelSize) -> PixelSize { fromTheMiddle(wish, size).filled }

    /// Source: AUTOMATIC1111's web UI, `modules/images.py`, `split_grid`; `scripts/sd_upscale.py`.
    static func sdUpscale(_ wish: Wish, _ size: PixelSize) -> [Tile] {
        func starts(_ whole: Int, _ tile: Int) -> [Int] {
            let step = tile - wish.overlap
            let count = max(1, (whole - wish.overlap + step - 1) / step)
            let stride = count > 1 ? Double(whole - tile) / Double(count - 1) : 0
            return (0..<count).map { i in
                let place = Int(Double(i) * stride)
                return place + tile >= whole ? whole - tile : place
            }
        }
        func seam(_ starts: [Int], _ i: Int) -> Range<Int>? {
            i > 0 && i < starts.count ? starts[i]..<starts[i] + wish.overlap : nil
        }
        let columns = starts(size.width, wish.tile.width), rows = starts(size.height, wish.tile.height)
        return rows.indices.flatMap { y in
            columns.indices.map { x in
                Tile(
                    index: 0, wave: 0,
                    frame: Rectangle(
                        x: columns[x], y: rows[y], width: wish.tile.width, height: wish.tile.height),
                    feather: .seams(
                        .init(
                            left: seam(columns, x), right: seam(columns, x + 1), top: seam(rows, y),
                            bottom: seam(rows, y + 1)), smooth: false),
                    seesPainted: false, seedOffset: UInt64(y * columns.count + x))
            }
        }
    }

    /// Source: Coyote-A's ultimate-upscale-for-automatic1111, `scripts/ultimate-upscale.py`, with its mask blur of 8 and
    /// padding of 32; both corners of a mask's rectangle belong to it.
    static func ultimate(_ wish: Wish, _ size: PixelSize) -> [Tile] {
        let (blur, padding) = (8, 32)
        let rows = (size.height + wish.tile.height - 1) / wish.tile.height
        let columns = (size.width + wish.tile.width - 1) / wish.tile.width
        return (0..<rows).flatMap { y in
            (0..<columns).map { x in
                let inside = Rectangle(
                    x: x * wish.tile.width, y: y * wish.tile.height, width: wish.tile.width + 1,
                    height: wish.tile.height + 1
                ).intersection(Rectangle(size))
                // What a softened mask reaches, and context around it; from whole cells on.
                let reach = padding + Int(2.5 * Double(blur) + 0.5)
                let (left, top) = (
                    max(0, inside.x - reach) / wish.cell * wish.cell, max(0, inside.y - reach) / wish.cell * wish.cell
                )
                let (right, bottom) = (
                    min(size.width, inside.x + inside.width + reach), min(size.height, inside.y + inside.height + reach)
                )
                return Tile(
                    index: 0, wave: 0, frame: Rectangle(left..<right, top..<bottom),
                    feather: .softened(inside, radius: Double(blur)), seesPainted: true)
            }
        }
    }
}
