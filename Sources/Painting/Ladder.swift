import Raster
import RasterFiles
import Threads

/// The rungs of one picture side by side: a contact sheet, and a page to compare them by hand.
package struct Ladder {
    private let source: Picture
    private let title: String
    private let prompt: String
    private var rungs: [Rung] = []

    private struct Rung {
        let picture: Picture
        let skip: String
        let seed: UInt64?
        let sigma: Double
        let run: Int
    }

    /// - Parameter title: the input's name
    package init(source: Picture, title: String, prompt: String) {
        (self.source, self.title, self.prompt) = (source, title, prompt)
    }

    package mutating func add(_ picture: Picture, skip: String, seed: UInt64?, sigma: Double, run: Int) {
        rungs.append(Rung(picture: picture, skip: skip, seed: seed, sigma: sigma, run: run))
    }
}

extension Ladder {
    package func write(sheet: String, page: String, overwrite: Bool, threads: Threads) throws {}
}
