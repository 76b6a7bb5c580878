import Raster
import Tensors
import Threads

extension Settings {
    /// Whether what painting starts from is another one for each seed.
    var beginsBySeed: Bool { noise != nil || perlinInit != nil }

    /// What painting starts from, where that is not the picture as it is: the options that say so.
    package var beginning: [(name: String, value: String)] {
        [("noise", noise?.text), ("perlin-init", perlinInit?.rawValue)].compactMap { name, value in
            value.map { (name, $0) }
        }
    }

    /// The Perlin picture that painting starts from, RGB; nil where it starts from something else.
    func perlinStart(_ size: PixelSize, threads: Threads) -> FloatPicture? {
        perlinInit.map { PerlinStart(PerlinPicture($0), seed: seed).floats(size, threads: threads).colour() }
    }
}

extension Canvas {
    /// RGB of the source's size that painting starts from: what was drawn or is there, roughened where that was asked for.
    /// Under a mask only what is painted is roughened.
    ///
    /// - Parameter pass: length of the picture's own history
    func begun(_ settings: Settings, pass: Int, threads: Threads) -> FloatPicture {
        guard let amount = settings.noise else { return sketch ?? visible(threads: threads) }
        let picture = sketch?.picture(depth: source.depth, threads: threads) ?? source
        return Roughness(amount: amount)(picture, seed: settings.seed, pass: pass, mask: mask, threads: threads)
            .picture.floats(threads: threads).bleedingColours(threads: threads).colour()
    }
}
