import Raster
import RasterFiles
import Threads

/// What the noise command lays over an enlarged picture before it is painted, tile by tile: grain belongs to places of the
/// picture, so that tiles that share pixels start from the same.
struct TileGrain {
    private let roughness: Roughness
    private let seed: UInt64
    private let pass: Int
    /// The enlarged picture's own noise.
    private let own: SensorNoise
    private let threads: Threads

    /// Sides of the middle of the picture, in which its own noise is measured.
    private static let measured = 2048

    /// - Parameter pass: length of the source's own history
    /// - Throws: ``PictureFileError``
    init?(_ settings: Settings, pass: Int, over enlarged: PixelStore, threads: Threads) throws(PictureFileError) {
        guard let amount = settings.noise else { return nil }
        (roughness, seed, self.pass, self.threads) = (Roughness(amount: amount), settings.seed, pass, threads)
        let size = enlarged.size
        let (width, height) = (min(size.width, Self.measured), min(size.height, Self.measured))
        own = SensorNoise(
            try enlarged.read(
                Rectangle(x: (size.width - width) / 2, y: (size.height - height) / 2, width: width, height: height)),
            threads: threads)
    }

    /// How far beyond a tile is looked.
    var reach: Int { Roughening(roughness.amount).reach }

    /// - Parameters:
    ///   - wide: what is under the frame and ``reach`` pixels around it
    ///   - frame: of the tile
    ///   - mask: of the frame; black where nothing may change
    func roughened(_ wide: Picture, _ frame: Rectangle, mask: Mask?) -> Picture {
        let corner = (x: frame.x - reach, y: frame.y - reach)
        let grain = roughness.grain(seed: seed, pass: pass)
        let placed: Roughening.Grain = { columns in
            let fill = grain(columns.lowerBound + corner.x..<columns.upperBound + corner.x)
            return { channel, y, row in fill(channel, y + corner.y, row) }
        }
        let inner = Rectangle(x: reach, y: reach, width: frame.width, height: frame.height)
        let mask = mask.map { own in
            var wide = Mask(size: wide.size, values: Array(repeating: 0, count: wide.size.area))
            for y in 0..<frame.height {
                for x in 0..<frame.width {
                    wide.values[(y + reach) * wide.size.width + x + reach] = own.values[y * frame.width + x]
                }
            }
            return wide
        }
        return Roughening(roughness.amount)(
            PictureStrip(wide), rows: 0..<wide.height, own, mask: mask, threads: threads, grain: placed
        ).picture.cropped(to: inner)
    }
}
